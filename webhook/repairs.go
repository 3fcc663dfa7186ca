package webhook

import (
	"context"
	"fmt"

	logf "sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/hardgate-dev/hardgate/control"
	"github.com/hardgate-dev/hardgate/webhook/policy"
	"github.com/hardgate-dev/hardgate/webhook/repair"
	"github.com/hardgate-dev/hardgate/webhook/review"
	"github.com/hardgate-dev/hardgate/webhook/ruling"
	"github.com/hardgate-dev/hardgate/webhook/scan"
	"github.com/hardgate-dev/hardgate/webhook/verdict"
	"github.com/hardgate-dev/hardgate/webhook/workload"
)

// repair sets what a new object leaves unsaid, where a policy asks for it. It refuses
// nothing: whatever it cannot tell is an error, with which the object goes on as it came,
// to be judged.
func (g *Gate) repair(ctx context.Context, r *review.Request) (response, error) {
	if !repairable(r) {
		return response{}, fmt.Errorf("%s of %s %q is not repaired here: the creation of a pod or a ServiceAccount is", r.Operation, r.Kind, r.Subresource)
	}
	answer := response{UID: r.UID, Allowed: true}
	namespace, err := g.cluster.Labels(ctx, r.Namespace)
	if err != nil {
		return response{}, fmt.Errorf("reading namespace %s: %w", r.Namespace, err)
	}
	judged := g.book.Load().For(r.Namespace, namespace)
	if !repairs(judged) {
		return answer, nil
	}
	s := scan.New(r.Object)
	o, err := workload.DecodeAs(s, r.Kind)
	if err == nil {
		err = s.End()
	}
	if err != nil {
		return response{}, fmt.Errorf("reading the object: %w", err)
	}
	o.Namespace = r.Namespace
	made, err := repair.Make(r.Object, &policy.Subject{Object: &o, Admitted: true}, judged, verdict.Exempting(g.exemptions.Load(), &o, g.clock.Now()))
	if err != nil {
		return response{}, fmt.Errorf("repairing the object: %w", err)
	}
	if made.Patch == nil {
		return answer, nil
	}
	answer.Patch = made.Patch
	said := sayRepairs(made.Changes)
	for _, said := range said {
		answer.Warnings = append(answer.Warnings, join("hardgate: ", title(said.id), ": repaired: ", cut(said.text, maxDetail)))
		answer.AuditAnnotations = append(answer.AuditAnnotations, annotation{string(said.id), cut(said.text, maxAnnotation)})
		g.metrics.repaired.WithLabelValues(string(said.id)).Inc()
	}
	answer.Warnings = fit(answer.Warnings)
	logf.FromContext(ctx).V(1).Info("an object is repaired", "kind", r.Kind.Kind, "namespace", r.Namespace, "name", o.DisplayName(), "controls", len(said))
	return answer, nil
}

func repairs(judged []ruling.Judged) bool {
	for i := range judged {
		if judged[i].Repairs() {
			return true
		}
	}
	return false
}

func repairable(r *review.Request) bool {
	pod := r.Kind == workload.Kind{Version: "v1", Kind: "Pod"}
	account := r.Kind == workload.Kind{Version: "v1", Kind: "ServiceAccount"}
	return (pod || account) && r.Operation == review.Create && r.Subresource == "" && r.Object != nil && r.Namespace != ""
}

// repairSaid is all that was changed for one control.
type repairSaid struct {
	id   control.ID
	text string
}

// sayRepairs puts the changes for one control together.
func sayRepairs(changes []repair.Change) (all []repairSaid) {
	at := map[control.ID]int{}
	for i := range changes {
		c := &changes[i]
		if j, ok := at[c.ID]; ok {
			all[j].text += "; " + c.String()
			continue
		}
		at[c.ID] = len(all)
		all = append(all, repairSaid{c.ID, c.String()})
	}
	return all
}
