package ruling

import (
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/labels"

	"github.com/hardgate-dev/hardgate/api/v1alpha1"
	"github.com/hardgate-dev/hardgate/control"
	"github.com/hardgate-dev/hardgate/webhook/policy"
)

// accountControl is the control that repairs ServiceAccounts, and no pods.
const accountControl control.ID = "default-service-account"

// Repairs is whether a ruling asks for repairs and the control knows any.
func (j *Judged) Repairs() bool {
	return j.Policy.Fix != nil && slices.ContainsFunc(j.Rulings, func(r Ruling) bool { return r.Repair })
}

// Repairs is whether a control repairs what is new in a namespace: in any mode but Off.
func (b *Book) Repairs(namespace string, has labels.Set) bool {
	return slices.ContainsFunc(b.For(namespace, has), func(j Judged) bool { return j.Repairs() })
}

// Repaired says where the API server has to ask about repairs.
type Repaired struct {
	// Namespaces are those in which new pods are repaired, sorted.
	Namespaces []string
	// Everywhere is whether a namespace that is made tomorrow is one of them, without
	// labels of its own.
	Everywhere bool
	// Accounts is whether the account "default" may be repaired anywhere: it is made
	// with its namespace, when nobody knows yet what selects that.
	Accounts bool
}

// Repaired finds out for the namespaces that are there, by their labels.
func (b *Book) Repaired(namespaces map[string]labels.Set) Repaired {
	var r Repaired
	for namespace, has := range namespaces {
		if b.repairsPods(namespace, has) {
			r.Namespaces = append(r.Namespaces, namespace)
		}
	}
	slices.Sort(r.Namespaces)
	const none = "?" // which no namespace is called
	r.Everywhere = b.repairsPods(none, labels.Set{"kubernetes.io/metadata.name": none})
	r.Accounts = slices.ContainsFunc(b.entries, func(e entry) bool {
		s := e.controls[accountControl]
		return s.repair && (!s.hasMode || s.mode != control.Off || e.rollout != nil)
	})
	return r
}

func (b *Book) repairsPods(namespace string, has labels.Set) bool {
	return slices.ContainsFunc(b.For(namespace, has), func(j Judged) bool { return j.Policy.ID != accountControl && j.Repairs() })
}

// validateRepair refuses repairs by controls that know none.
func validateRepair(at string, c *v1alpha1.ControlSetting, p *policy.Policy) []error {
	if !c.Repair || p.Fix != nil {
		return nil
	}
	var able []string
	for _, p := range policy.All() {
		if p.Fix != nil {
			able = append(able, string(p.ID))
		}
	}
	return []error{fmt.Errorf("%s.repair: control %q repairs nothing: %s do", at, c.ID, strings.Join(able, ", "))}
}

// repairWarnings are about repairs by controls that are Off.
func repairWarnings(r *v1alpha1.WorkloadPolicy) (warnings []string) {
	for i, c := range r.Spec.Controls {
		pinned := r.Spec.Rollout != nil && slices.ContainsFunc(r.Spec.Rollout.Pins, func(p v1alpha1.RolloutPin) bool {
			m, ok := mode(p.Mode)
			return ok && m != control.Off && (len(p.Controls) == 0 || slices.Contains(p.Controls, c.ID))
		})
		if c.Repair && inForce(r, &c) == control.Off && !pinned {
			warnings = append(warnings, fmt.Sprintf("spec.controls[%d]: %s is Off and repairs nothing: Audit is the mildest mode that does", i, c.ID))
		}
	}
	return warnings
}

// inForce is the mode of a control that is listed, without rollouts.
func inForce(r *v1alpha1.WorkloadPolicy, c *v1alpha1.ControlSetting) control.Mode {
	in := DefaultMode
	for _, m := range []v1alpha1.Mode{r.Spec.Mode, c.Mode} {
		if parsed, ok := mode(m); ok {
			in = parsed
		}
	}
	return in
}
