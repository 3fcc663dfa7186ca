package rollout

import (
	"encoding/json"
	"fmt"
	"hash/fnv"
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"

	"github.com/hardgate-dev/hardgate/api/v1alpha1"
	"github.com/hardgate-dev/hardgate/control"
	"github.com/hardgate-dev/hardgate/webhook/policy"
	"github.com/hardgate-dev/hardgate/webhook/ruling"
)

// compiled is a policy, and what the plan has come to about its cells.
type compiled struct {
	name       string
	uid        types.UID
	generation int64
	selector   labels.Selector
	starts     map[control.ID]start
	rollout    *v1alpha1.Rollout
	target     control.Mode
	window     time.Duration

	cells []v1alpha1.RolloutCell
	// held counts those that are kept from going on.
	held int32
}

// start is what the policy says of a control.
type start struct {
	mode       control.Mode
	parameters string
}

// compile leaves out what is not understood; the webhook and the controller say what.
func compile(policies []v1alpha1.WorkloadPolicy) (all []*compiled) {
	for i := range policies {
		p := &policies[i]
		c := &compiled{
			name: p.Name, uid: p.UID, generation: p.Generation, selector: labels.Everything(), rollout: p.Spec.Rollout,
			starts: map[control.ID]start{}, target: control.Enforce, window: DefaultWindow,
		}
		if s := p.Spec.NamespaceSelector; s != nil {
			selector, err := metav1.LabelSelectorAsSelector(s)
			if err != nil {
				continue
			}
			c.selector = selector
		}
		if r := p.Spec.Rollout; r != nil {
			if m, err := control.ParseMode(string(r.Target)); err == nil {
				c.target = m
			}
			if r.CleanWindow != nil {
				c.window = r.CleanWindow.Duration
			}
			c.begin(&p.Spec)
		}
		all = append(all, c)
	}
	return all
}

// begin notes where the policy puts each control.
func (c *compiled) begin(spec *v1alpha1.WorkloadPolicySpec) {
	if m, err := control.ParseMode(string(spec.Mode)); err == nil {
		for _, p := range policy.All() {
			c.starts[p.ID] = start{mode: m}
		}
	}
	for _, s := range spec.Controls {
		id := control.ID(s.ID)
		if _, known := policy.Get(id); !known {
			continue
		}
		begun := start{mode: ruling.DefaultMode, parameters: digest(s.Parameters)}
		for _, m := range []v1alpha1.Mode{spec.Mode, s.Mode} {
			if parsed, err := control.ParseMode(string(m)); err == nil {
				begun.mode = parsed
			}
		}
		c.starts[id] = begun
	}
}

// digest tells parameters apart.
func digest(p *v1alpha1.Parameters) string {
	if p == nil {
		return ""
	}
	text, err := json.Marshal(p)
	if err != nil || string(text) == "{}" {
		return ""
	}
	h := fnv.New64a()
	_, _ = h.Write(text)
	return fmt.Sprintf("%016x", h.Sum64())
}

func (c *compiled) selects(namespace string, has labels.Set) bool {
	if namespace == "" {
		return c.selector.Empty()
	}
	return c.selector.Matches(has)
}

// hold is what the pins make of a cell.
func (c *compiled) hold(namespace string, id control.ID) ruling.Hold {
	return ruling.HoldOf(c.rollout.Pins, namespace, id)
}

func (c *compiled) excluded(namespace string, id control.ID) bool {
	return slices.ContainsFunc(c.rollout.Exclude, func(e v1alpha1.RolloutCells) bool { return ruling.Selects(&e, namespace, id) })
}
