package oracle

import (
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	psa "k8s.io/pod-security-admission/policy"

	"github.com/hardgate-dev/hardgate/control"
)

// comparison sets controls against the checks that are about the same thing. A pod
// is refused by a side when any of its members refuses it.
type comparison struct {
	controls []control.ID
	checks   []psa.CheckID
}

var comparisons = []comparison{
	{[]control.ID{"privileged"}, []psa.CheckID{"privileged"}},
	{[]control.ID{"host-pid", "host-ipc", "host-network"}, []psa.CheckID{"hostNamespaces"}},
	{[]control.ID{"privilege-escalation"}, []psa.CheckID{"allowPrivilegeEscalation"}},
	{[]control.ID{"run-as-root"}, []psa.CheckID{"runAsNonRoot", "runAsUser"}},
	{[]control.ID{"net-raw"}, []psa.CheckID{"capabilities_restricted"}},
	{[]control.ID{"added-capabilities"}, []psa.CheckID{"capabilities_baseline"}},
	{[]control.ID{"assigned-capabilities"}, []psa.CheckID{"capabilities_restricted"}},
	{[]control.ID{"windows-host-process"}, []psa.CheckID{"windowsHostProcess"}},
	{[]control.ID{"host-path"}, []psa.CheckID{"hostPathVolumes"}},
	{[]control.ID{"host-ports"}, []psa.CheckID{"hostPorts"}},
	{[]control.ID{"seccomp"}, []psa.CheckID{"seccompProfile_restricted"}},
}

// alone are the controls that no check is about.
var alone = map[control.ID]string{
	"default-service-account":    "Pod Security Admission does not look at accounts.",
	"service-account-token":      "Pod Security Admission does not look at tokens.",
	"secrets-as-env":             "Pod Security Admission does not look at the environment.",
	"image-provenance":           "Pod Security Admission does not look at images.",
	"security-context":           "The checks judge single fields; that some field is set is no matter of theirs.",
	"default-namespace":          "Pod Security Admission has no opinion on namespaces.",
	"tainted-node-toleration":    "Pod Security Admission does not look at nodes and taints.",
	"cluster-admin-bindings":     noRoles,
	"secret-access":              noRoles,
	"rbac-wildcards":             noRoles,
	"pod-creation":               noRoles,
	"system-masters":             noRoles,
	"bind-impersonate-escalate":  noRoles,
	"persistent-volume-creation": noRoles,
	"node-proxy":                 noRoles,
	"csr-approval":               noRoles,
	"webhook-configurations":     noRoles,
	"token-creation":             noRoles,
}

const noRoles = "Pod Security Admission does not look at roles and bindings."

// unmatched are the checks that no control is about: section 5 of the benchmark has
// no row for them.
var unmatched = map[psa.CheckID]string{
	"appArmorProfile":            "AppArmor profiles",
	"hostProbesAndHostLifecycle": "the host of probes and lifecycle hooks",
	"procMount":                  "the mount of /proc",
	"procMount_restricted":       "the mount of /proc",
	"restrictedVolumes":          "volume types; hostPath is judged by `host-path`",
	"seLinuxOptions":             "SELinux options",
	"seccompProfile_baseline":    "seccomp, more loosely than `seccompProfile_restricted`",
	"sysctls":                    "kernel parameters",
}

// direction says which side refuses a pod that the other lets pass.
type direction string

const (
	stricter direction = "hardgate refuses"
	looser   direction = "PSA refuses"
)

// difference is a kind of pods on which the two sides disagree, on purpose.
type difference struct {
	control   control.ID
	direction direction
	when      string // the pod, in words
	reason    string
	// explains is the same as when, in code.
	explains func(*corev1.Pod) bool
}

var differences = []difference{
	{
		"run-as-root", looser, "runAsUser is 1 or more where runAsNonRoot is not true",
		"The benchmark accepts a fixed user other than 0; nothing is left for the image to choose.",
		func(p *corev1.Pod) bool {
			return anyUser(p, func(user int64) bool { return user >= 1 })
		},
	},
	{
		"run-as-root", looser, "runAsNonRoot is false for the pod and true for every container",
		"A container's own value is the one in force. A container that is added later without one fails then.",
		func(p *corev1.Pod) bool {
			return p.Spec.SecurityContext != nil && isFalse(p.Spec.SecurityContext.RunAsNonRoot) && every(p, func(c *corev1.Container) bool {
				return c.SecurityContext != nil && isTrue(c.SecurityContext.RunAsNonRoot)
			})
		},
	},
	{
		"run-as-root", looser, "runAsUser is 0 and runAsNonRoot is true",
		"The kubelet refuses to start the container, so nothing runs as root.",
		func(p *corev1.Pod) bool {
			return anyUser(p, func(user int64) bool { return user == 0 }) && every(p, func(c *corev1.Container) bool {
				own := c.SecurityContext != nil && c.SecurityContext.RunAsNonRoot != nil
				if own {
					return *c.SecurityContext.RunAsNonRoot
				}
				return p.Spec.SecurityContext != nil && isTrue(p.Spec.SecurityContext.RunAsNonRoot)
			})
		},
	},
	{
		"run-as-root", stricter, "hostUsers is false",
		"PSA trusts user namespaces from 1.35 on; whether every node honours them is not seen at admission, and the benchmark makes no exception.",
		func(p *corev1.Pod) bool { return isFalse(p.Spec.HostUsers) },
	},
	{
		"net-raw", looser, "NET_RAW is dropped, other capabilities are not",
		"The control is about NET_RAW alone; `assigned-capabilities` is about all of them.",
		func(p *corev1.Pod) bool {
			return some(p, func(c *corev1.Container) bool { return drops(c, "NET_RAW") && !drops(c, "ALL") })
		},
	},
	{
		"net-raw", looser, "ALL is dropped and a capability other than NET_RAW is added",
		"The control is about NET_RAW alone; `added-capabilities` is about the others.",
		func(p *corev1.Pod) bool {
			return some(p, func(c *corev1.Container) bool { return len(capabilities(c).Add) > 0 && drops(c, "ALL") })
		},
	},
	{
		"net-raw", looser, `drop names "all", not "ALL"`, "Runtimes fold case, so everything is dropped.", dropsLowerCaseAll,
	},
	{
		"net-raw", stricter, "the container is privileged and drops ALL",
		"A privileged container has every capability whatever it drops.", privilegedDropsAll,
	},
	{
		"added-capabilities", stricter, "a capability of the runtime's default set is added",
		"The benchmark's list of allowed additions is empty; PSA allows the thirteen of the default set.",
		func(p *corev1.Pod) bool {
			return some(p, func(c *corev1.Container) bool { return len(capabilities(c).Add) > 0 })
		},
	},
	{
		"added-capabilities", looser, "os.name is windows",
		"The API server refuses capabilities of Windows pods, so there are none to judge.", windows,
	},
	{
		"assigned-capabilities", looser, `drop names "all", not "ALL"`, "Runtimes fold case, so everything is dropped.", dropsLowerCaseAll,
	},
	{
		"assigned-capabilities", looser, "add names CAP_NET_BIND_SERVICE",
		"A runtime takes it for NET_BIND_SERVICE, which may be added, or does not know it.",
		func(p *corev1.Pod) bool {
			return some(p, func(c *corev1.Container) bool { return slices.Contains(capabilities(c).Add, "CAP_NET_BIND_SERVICE") })
		},
	},
	{
		"assigned-capabilities", stricter, "the container is privileged and drops ALL",
		"A privileged container has every capability whatever it drops.", privilegedDropsAll,
	},
	{
		"host-ports", stricter, "the pod is on the host's network and its containerPorts have no hostPort",
		"The API server writes containerPort into hostPort of such pods, not of templates; both are read as what they become.",
		func(p *corev1.Pod) bool {
			return p.Spec.HostNetwork && some(p, func(c *corev1.Container) bool {
				return slices.ContainsFunc(c.Ports, func(port corev1.ContainerPort) bool { return port.ContainerPort != 0 && port.HostPort == 0 })
			})
		},
	},
	{
		"seccomp", stricter, "the profile is Localhost without a localhostProfile",
		"Kubelets before the mend of CVE-2023-2431 ran such a container unconfined.",
		func(p *corev1.Pod) bool {
			empty := func(s *corev1.SeccompProfile) bool {
				return s != nil && s.Type == corev1.SeccompProfileTypeLocalhost && (s.LocalhostProfile == nil || *s.LocalhostProfile == "")
			}
			return p.Spec.SecurityContext != nil && empty(p.Spec.SecurityContext.SeccompProfile) || some(p, func(c *corev1.Container) bool {
				return c.SecurityContext != nil && empty(c.SecurityContext.SeccompProfile)
			})
		},
	},
}

func containers(p *corev1.Pod) []*corev1.Container {
	var all []*corev1.Container
	for i := range p.Spec.InitContainers {
		all = append(all, &p.Spec.InitContainers[i])
	}
	for i := range p.Spec.Containers {
		all = append(all, &p.Spec.Containers[i])
	}
	for i := range p.Spec.EphemeralContainers {
		c := corev1.Container(p.Spec.EphemeralContainers[i].EphemeralContainerCommon)
		all = append(all, &c)
	}
	return all
}

func some(p *corev1.Pod, test func(*corev1.Container) bool) bool {
	return slices.ContainsFunc(containers(p), test)
}

func every(p *corev1.Pod, test func(*corev1.Container) bool) bool {
	return !some(p, func(c *corev1.Container) bool { return !test(c) })
}

func isTrue(b *bool) bool  { return b != nil && *b }
func isFalse(b *bool) bool { return b != nil && !*b }

func anyUser(p *corev1.Pod, test func(int64) bool) bool {
	return p.Spec.SecurityContext != nil && p.Spec.SecurityContext.RunAsUser != nil && test(*p.Spec.SecurityContext.RunAsUser) ||
		some(p, func(c *corev1.Container) bool {
			return c.SecurityContext != nil && c.SecurityContext.RunAsUser != nil && test(*c.SecurityContext.RunAsUser)
		})
}

func capabilities(c *corev1.Container) corev1.Capabilities {
	if c.SecurityContext == nil || c.SecurityContext.Capabilities == nil {
		return corev1.Capabilities{}
	}
	return *c.SecurityContext.Capabilities
}

func drops(c *corev1.Container, name string) bool {
	return slices.ContainsFunc(capabilities(c).Drop, func(d corev1.Capability) bool { return strings.EqualFold(string(d), name) })
}

func dropsLowerCaseAll(p *corev1.Pod) bool {
	return some(p, func(c *corev1.Container) bool {
		return drops(c, "ALL") && !slices.Contains(capabilities(c).Drop, "ALL")
	})
}

func privilegedDropsAll(p *corev1.Pod) bool {
	return some(p, func(c *corev1.Container) bool {
		return c.SecurityContext != nil && isTrue(c.SecurityContext.Privileged) && drops(c, "ALL")
	})
}

func windows(p *corev1.Pod) bool { return p.Spec.OS != nil && p.Spec.OS.Name == corev1.Windows }
