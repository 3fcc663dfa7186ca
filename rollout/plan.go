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
	// unheard says that nobody counts what is admitted.
	unheard string
}

// maxAhead is how far ahead the clock may be by which something was written down.
const maxAhead = 10 * time.Minute

// namespace plans the cells of one namespace.
func (p *planner) namespace(name string, ns Namespace, policies []*compiled) {
	stored := map[string]*v1alpha1.NamespaceControl{}
	report := p.Reports[name]
	report.Admission = p.atMostNow(name, report.Admission)
	for i := range report.Controls {
		stored[report.Controls[i].ID] = &report.Controls[i]
	}
	for _, pol := range policy.All() {
		id := pol.ID
		if c, _ := control.Get(id); !c.Scope.Reaches(name) {
			continue
		}
		entry := p.clean(name, id, stored[string(id)], report.Admission)
		for _, c := range policies {
			if c.rollout == nil || !c.selects(name, ns.Labels) || slices.Contains(p.Unasked, name) {
				continue
			}
			begun, says := c.starts[id]
			if !says || begun.mode == control.Off && !c.hold(name, id).Pinned {
				continue
			}
			entry.Modes = append(entry.Modes, p.cell(c, name, ns, id, begun, &entry, stored[string(id)]))
		}
		if s := stored[string(id)]; s != nil {
			for _, m := range s.Modes {
				if slices.Contains(p.Unread, m.Policy) {
					entry.Modes = append(entry.Modes, m)
				}
			}
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

// atMostNow are tallies of which those from clocks that are ahead are of now.
func (p *planner) atMostNow(namespace string, admission []v1alpha1.AdmissionTally) []v1alpha1.AdmissionTally {
	ahead := func(t v1alpha1.AdmissionTally) bool { return t.Last.After(p.now.Add(maxAhead)) }
	if !slices.ContainsFunc(admission, ahead) {
		return admission
	}
	admission = slices.Clone(admission)
	for i := range admission {
		if ahead(admission[i]) {
			admission[i].Last = metav1.Time{Time: p.now}
		}
	}
	p.out.Ahead[namespace] = admission
	return admission
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
		}
	}
	if entry.CleanSince != nil && entry.CleanSince.After(p.now) { // a clock was wrong
		entry.CleanSince = &metav1.Time{Time: p.now}
	}
	return entry
}

// cell plans one cell of one policy.
func (p *planner) cell(c *compiled, namespace string, ns Namespace, id control.ID, begun start, known, stored *v1alpha1.NamespaceControl) v1alpha1.RolloutMode {
	prior := p.prior(c, ns, begun, stored)
	hold := c.hold(namespace, id)
	reached, parameters, next, anew := min(prior.reached, c.target, hold.Mode), prior.parameters, "", false
	mode := hold.Mode
	switch {
	case hold.Pinned:
		reached, next = hold.Mode, "pinned"
	case c.excluded(namespace, id):
		mode, reached, next = min(begun.mode, hold.Mode), control.Off, "excluded"
	default:
		if parameters != begun.parameters && p.judged(namespace, known) {
			// By other parameters than it got there: it has not been clean by these for any
			// time, and what it would refuse by them goes back to where the policy starts.
			if parameters, anew = begun.parameters, true; known.Violations > 0 {
				reached = control.Off
			}
		}
		mode = min(max(begun.mode, reached), hold.Mode)
	}
	since, held := prior.since, next != "" || mode == hold.Mode && mode < c.target
	if anew || mode != prior.mode || prior.held && !held {
		since = p.now
	}
	if next == "" {
		var step *Promotion
		step, next = p.step(c, namespace, id, mode, since, hold.Mode, known)
		switch {
		case step == nil:
		case p.Confirmed[namespace]:
			p.out.Promoted = append(p.out.Promoted, *step)
			mode, reached, since = step.To, step.To, p.now
			_, next = p.step(c, namespace, id, mode, since, hold.Mode, known)
		default:
			p.out.Proposals = append(p.out.Proposals, *step)
		}
	}
	p.out.Modes[mode]++
	c.add(namespace, id, mode, since, known, next)
	if held = held || mode == hold.Mode && mode < c.target; held {
		c.held++
	}
	m := v1alpha1.RolloutMode{Policy: c.name, UID: c.uid, Mode: v1alpha1.Mode(mode.String()), Since: metav1.Time{Time: since}, Held: held, Parameters: parameters}
	if reached != control.Off {
		m.Reached = v1alpha1.Mode(reached.String())
	}
	return m
}

// judged is whether the audit has gone by what the policies say now, and has seen a
// violation or could have seen any.
func (p *planner) judged(namespace string, known *v1alpha1.NamespaceControl) bool {
	return p.Audit.Current && p.Audit.Cells[namespace] != nil && (p.Audit.Complete || known.Violations > 0)
}

// come is how far a cell has come.
type come struct {
	// mode is what held, reached what the rollout itself had led to.
	mode, reached control.Mode
	since         time.Time
	// held is whether it was kept from going on.
	held       bool
	parameters string
}

// prior is what is stored of a cell. One that has not been seen, or was another
// namespace's or policy's of the same name, is seen now for the first time.
func (p *planner) prior(c *compiled, ns Namespace, begun start, stored *v1alpha1.NamespaceControl) come {
	if stored != nil {
		for _, m := range stored.Modes {
			mode, err := control.ParseMode(string(m.Mode))
			// Times are stored in whole seconds.
			if m.Policy != c.name || m.UID != "" && m.UID != c.uid || err != nil || m.Since.Time.Before(ns.Created.Truncate(time.Second)) {
				continue
			}
			found := come{mode: mode, since: m.Since.Time, held: m.Held, parameters: m.Parameters}
			if reached, err := control.ParseMode(string(m.Reached)); err == nil {
				found.reached = reached
			}
			if found.since.After(p.now) {
				found.since = p.now
			}
			return found
		}
	}
	return come{mode: begun.mode, since: p.now, parameters: begun.parameters}
}

// step is the step that is due, if one is, and says what comes next or what is in the way.
func (p *planner) step(c *compiled, namespace string, id control.ID, mode control.Mode, since time.Time, ceiling control.Mode, known *v1alpha1.NamespaceControl) (*Promotion, string) {
	if mode >= ceiling && ceiling < c.target {
		return nil, fmt.Sprintf("held at %s at most", ceiling)
	}
	if mode >= c.target {
		if known.Violations > 0 {
			return nil, "at its target; what is there already is refused when it starts again"
		}
		return nil, "at its target"
	}
	to := mode + 1
	switch {
	case known.Violations > 0:
		return nil, "blocked: " + owners(known)
	case c.rollout.Paused:
		return nil, "paused"
	case p.Audit.Cells[namespace] == nil || known.CleanSince == nil:
		return nil, "not audited yet"
	}
	if p.unheard != "" {
		return nil, to.String() + frozen + p.unheard
	}
	from := since
	for _, t := range []time.Time{known.CleanSince.Time, p.Heartbeat.Since.Time} {
		if t.After(from) {
			from = t
		}
	}
	missed := missed(p.Heartbeat, from)
	due := from.Add(c.window + missed)
	if due.After(p.now) {
		if p.out.Again.IsZero() || due.Before(p.out.Again) {
			p.out.Again = due
		}
		next := fmt.Sprintf("%s at %s", to, stamp(due))
		if missed > 0 {
			next += fmt.Sprintf(", %s later for the time in which the webhook was not heard of", missed.Round(time.Second))
		}
		return nil, next
	}
	switch {
	case p.Frozen != "":
		return nil, to.String() + frozen + p.Frozen
	case !p.Audit.Complete || !p.Audit.Current:
		return nil, fmt.Sprintf("%s, once an audit is complete", to)
	case !p.Audit.Started.After(since), p.now.Sub(p.Audit.Finished) > p.Audit.Fresh:
		return nil, fmt.Sprintf("%s, after the next audit", to)
	}
	return &Promotion{Policy: c.name, Namespace: namespace, Control: id, From: mode, To: to}, fmt.Sprintf("%s now", to)
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
