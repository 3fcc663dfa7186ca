package rollout

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/hardgate-dev/hardgate/api/v1alpha1"
	"github.com/hardgate-dev/hardgate/control"
	"github.com/hardgate-dev/hardgate/webhook/policy"
)

type planner struct {
	In
	now time.Time
	out Out
}

// namespace plans the cells of one namespace.
func (p *planner) namespace(name string, ns Namespace, policies []*compiled) {
	stored := map[string]*v1alpha1.NamespaceControl{}
	report := p.Reports[name]
	for i := range report.Controls {
		stored[report.Controls[i].ID] = &report.Controls[i]
	}
	for _, pol := range policy.All() {
		id := pol.ID
		entry := p.clean(name, id, stored[string(id)], report.Admission)
		for _, c := range policies {
			if c.rollout == nil || !c.selects(name, ns.Labels) {
				continue
			}
			begun, says := c.starts[id]
			if !says || begun.mode == control.Off {
				continue
			}
			entry.Modes = append(entry.Modes, p.cell(c, name, ns, id, begun, &entry, stored[string(id)]))
		}
		if len(entry.Modes) == 0 {
			entry.CleanSince = nil
			if entry.Violations == 0 && entry.Exempt == 0 {
				continue
			}
		}
		p.out.Controls[name] = append(p.out.Controls[name], entry)
	}
}

// clean is what is known of a cell, whoever leads it on: what the audit has found, and
// since when nothing is wrong.
func (p *planner) clean(namespace string, id control.ID, stored *v1alpha1.NamespaceControl, admission []v1alpha1.AdmissionTally) v1alpha1.NamespaceControl {
	entry := v1alpha1.NamespaceControl{ID: string(id)}
	if stored != nil {
		entry.Violations, entry.Exempt, entry.BlockedBy, entry.CleanSince = stored.Violations, stored.Exempt, stored.BlockedBy, stored.CleanSince.DeepCopy()
	}
	if cells, looked := p.Audit.Cells[namespace]; looked {
		found := cells[id]
		entry.Violations, entry.Exempt, entry.BlockedBy = int32(found.Violations), int32(found.Exempt), found.Owners
		switch {
		case found.Violations > 0:
			entry.CleanSince = nil
		case entry.CleanSince == nil && p.Audit.Complete:
			entry.CleanSince = &metav1.Time{Time: p.Audit.Finished}
		}
	}
	for _, t := range admission {
		if t.Control == string(id) && entry.CleanSince != nil && t.Last.After(entry.CleanSince.Time) {
			entry.CleanSince = t.Last.DeepCopy()
			if len(entry.BlockedBy) == 0 && entry.Violations == 0 {
				entry.BlockedBy = nil // it came and went: Next names it
			}
		}
	}
	if entry.CleanSince != nil && entry.CleanSince.After(p.now) { // a clock was wrong
		entry.CleanSince = &metav1.Time{Time: p.now}
	}
	return entry
}

// cell plans one cell of one policy.
func (p *planner) cell(c *compiled, namespace string, ns Namespace, id control.ID, begun start, known, stored *v1alpha1.NamespaceControl) v1alpha1.RolloutMode {
	reached, since, parameters := p.reached(c, ns, begun, stored)
	next := ""
	pinned, isPinned := c.pinned(namespace, id)
	var step *Promotion
	switch {
	case isPinned:
		if reached != pinned {
			reached, since = pinned, p.now
		}
		next = "pinned"
	case c.excluded(namespace, id):
		if reached != begun.mode {
			reached, since = begun.mode, p.now
		}
		next = "excluded"
	default:
		if inside := max(begun.mode, min(reached, c.target)); inside != reached {
			reached, since = inside, p.now
		}
		if parameters != begun.parameters && p.Audit.Current && p.Audit.Cells[namespace] != nil {
			// By other parameters than it got there. What it would refuse by these goes back
			// to where the policy starts.
			if parameters = begun.parameters; known.Violations > 0 && reached > begun.mode {
				reached, since = begun.mode, p.now
			}
		}
		step, next = p.step(c, namespace, id, reached, since, known)
	}
	if step != nil {
		if p.Confirmed[namespace] {
			p.out.Promoted = append(p.out.Promoted, *step)
			reached, since = step.To, p.now
			_, next = p.step(c, namespace, id, reached, since, known)
		} else {
			p.out.Proposals = append(p.out.Proposals, *step)
		}
	}
	p.out.Modes[reached]++
	c.add(namespace, id, reached, since, known, next)
	return v1alpha1.RolloutMode{Policy: c.name, Mode: v1alpha1.Mode(reached.String()), Since: metav1.Time{Time: since}, Parameters: parameters}
}

// reached is what the cell has come to, and since when. A cell that has not been seen, or
// was another namespace's of the same name, is seen now for the first time.
func (p *planner) reached(c *compiled, ns Namespace, begun start, stored *v1alpha1.NamespaceControl) (mode control.Mode, since time.Time, parameters string) {
	if stored != nil {
		for _, m := range stored.Modes {
			parsed, err := control.ParseMode(string(m.Mode))
			// Times are stored in whole seconds.
			if m.Policy != c.name || err != nil || m.Since.Time.Before(ns.Created.Truncate(time.Second)) {
				continue
			}
			since := m.Since.Time
			if since.After(p.now) {
				since = p.now
			}
			return parsed, since, m.Parameters
		}
	}
	return begun.mode, p.now, begun.parameters
}

// step is the step that is due, if one is, and says what comes next or what is in the way.
func (p *planner) step(c *compiled, namespace string, id control.ID, reached control.Mode, since time.Time, known *v1alpha1.NamespaceControl) (*Promotion, string) {
	if reached >= c.target {
		if known.Violations > 0 {
			return nil, "at its target; what is there already is refused when it starts again"
		}
		return nil, "at its target"
	}
	to := reached + 1
	switch {
	case known.Violations > 0:
		return nil, "blocked: " + owners(known)
	case c.rollout.Paused:
		return nil, "paused"
	case p.Audit.Cells[namespace] == nil || known.CleanSince == nil:
		return nil, "not audited yet"
	}
	from := since
	if known.CleanSince.After(from) {
		from = known.CleanSince.Time
	}
	due := from.Add(c.window)
	if due.After(p.now) {
		if p.out.Again.IsZero() || due.Before(p.out.Again) {
			p.out.Again = due
		}
		return nil, fmt.Sprintf("%s at %s", to, due.UTC().Format(time.RFC3339))
	}
	switch {
	case p.Frozen != "":
		return nil, fmt.Sprintf("%s, once this ends: %s", to, p.Frozen)
	case !p.Audit.Complete || !p.Audit.Current:
		return nil, fmt.Sprintf("%s, once an audit is complete", to)
	case !p.Audit.Started.After(since), p.now.Sub(p.Audit.Finished) > p.Audit.Fresh:
		return nil, fmt.Sprintf("%s, after the next audit", to)
	}
	return &Promotion{Policy: c.name, Namespace: namespace, Control: id, From: reached, To: to}, fmt.Sprintf("%s now", to)
}

// owners names what is in the way.
func owners(known *v1alpha1.NamespaceControl) string {
	if len(known.BlockedBy) == 0 {
		return fmt.Sprintf("%d workloads", known.Violations)
	}
	text := known.BlockedBy[0]
	if more := int(known.Violations) - 1; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}

// sort puts what was found by namespaces in order.
func (p *planner) sort() {
	order := func(a, b Promotion) int {
		return cmp.Or(cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Policy, b.Policy), cmp.Compare(a.Control, b.Control))
	}
	slices.SortFunc(p.out.Proposals, order)
	slices.SortFunc(p.out.Promoted, order)
}
