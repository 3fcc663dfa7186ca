package audit

import (
	"context"
	"slices"

	"github.com/hardgate-dev/hardgate/audit/clusterwide"
	"github.com/hardgate-dev/hardgate/control"
	"github.com/hardgate-dev/hardgate/webhook/policy"
	"github.com/hardgate-dev/hardgate/webhook/ruling"
	"github.com/hardgate-dev/hardgate/webhook/scan"
	"github.com/hardgate-dev/hardgate/webhook/verdict"
	"github.com/hardgate-dev/hardgate/webhook/workload"
)

// probe has all faults of clusterwide.Takeover. Nobody creates it; it is judged, so that
// parameters which allow everything and an Exemption for all that a namespace has count as
// what they are. Nothing that names an account, an image or a pod is about this one.
const probe = `{"metadata":{"name":"hardgate-probe"},"spec":{"serviceAccountName":"hardgate-probe",` +
	`"hostPID":true,"hostIPC":true,"hostNetwork":true,"volumes":[{"name":"node","hostPath":{"path":"/"}}],` +
	`"containers":[{"name":"probe","image":"hardgate-probe","volumeMounts":[{"name":"node","mountPath":"/node"}],` +
	`"ports":[{"containerPort":1,"hostPort":1},{"containerPort":65535,"hostPort":65535}],` +
	`"securityContext":{"privileged":true,"capabilities":{"add":["ALL","SYS_ADMIN"]},"windowsOptions":{"hostProcess":true}}}]}}`

// refused is how many of the controls that count the webhook would refuse the probe for.
func (p *pass) refused(ctx context.Context, namespace string) (n int, _ error) {
	count := clusterwide.Takeover()
	enforced := slices.Clone(p.Book.For(namespace, p.labels[namespace])) // what For returns is shared
	enforced = slices.DeleteFunc(enforced, func(j ruling.Judged) bool {
		return j.Rulings[0].Mode != control.Enforce || !slices.Contains(count, j.Policy.ID)
	})
	if len(enforced) == 0 {
		return 0, nil
	}
	object, err := workload.DecodeAs(scan.New([]byte(probe)), workload.Kind{Version: "v1", Kind: "Pod"})
	if err != nil {
		return 0, err
	}
	object.Namespace = namespace
	decisions, err := verdict.Judge(ctx, enforced, &policy.Subject{Object: &object, Admitted: true}, nil,
		verdict.Options{Ceiling: control.Enforce, Exempt: verdict.Exempting(p.Exemptions, &object, p.Now())})
	if err != nil {
		return 0, err
	}
	for i := range decisions {
		if slices.ContainsFunc(decisions[i].Violations, func(v verdict.Violation) bool { return v.Refused }) {
			n++
		}
	}
	return n, nil
}
