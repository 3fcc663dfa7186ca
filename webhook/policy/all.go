package policy

import (
	"slices"

	"github.com/hardgate-dev/hardgate/control"
)

// all is in the order of the benchmark; what it has not comes last.
var all = []*Policy{
	&clusterAdminBindings,
	&secretAccess,
	&rbacWildcards,
	&podCreation,
	&defaultServiceAccount,
	&serviceAccountToken,
	&systemMasters,
	&bindImpersonateEscalate,
	&persistentVolumeCreation,
	&nodeProxy,
	&csrApproval,
	&webhookConfigurations,
	&tokenCreation,
	&privileged,
	&hostPID,
	&hostIPC,
	&hostNetwork,
	&privilegeEscalation,
	&runAsRoot,
	&netRaw,
	&addedCapabilities,
	&assignedCapabilities,
	&windowsHostProcess,
	&hostPath,
	&hostPorts,
	&secretsAsEnv,
	&imageProvenance,
	&seccomp,
	&securityContext,
	&defaultNamespace,
	&taintedNodeToleration,
}

// All returns every policy in the order of the benchmark. The slice is the
// caller's, the policies are shared.
func All() []*Policy { return slices.Clone(all) }

// Get returns the policy of a control.
func Get(id control.ID) (*Policy, bool) {
	i := slices.IndexFunc(all, func(p *Policy) bool { return p.ID == id })
	if i < 0 {
		return nil, false
	}
	return all[i], true
}
