package taint

import (
	"cmp"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/hardgate-dev/hardgate/control"
	"github.com/hardgate-dev/hardgate/taint/ruling"
)

// state is what is found out about a node on the way to its decision.
type state struct {
	*Node
	rules *ruling.Rules
	// governed is whether any policy warns or enforces something here.
	governed bool

	verdict  Verdict
	controls []control.ID
	since    time.Time
	// failing are the controls that are enforced or warned of here and fail, enforced
	// the first of the two.
	failing, enforced []control.ID
	// unknown are the controls that are enforced or warned of and cannot be told.
	unknown []control.ID
	// clean is whether a report by the rules of now says that nothing which is enforced
	// fails or is unknown.
	clean bool
	// silent is whether the agent's lease has ended.
	silent bool
	heard  time.Time

	held Hold
}

// defaultLease is how long an agent counts as alive whose lease was never seen.
const defaultLease = 15 * time.Minute

func (p *planner) judge(n *Node) *state {
	s := &state{Node: n, rules: p.fleet.Policies.For(n.Labels)}
	s.governed = len(p.consequential(s.rules)) > 0 || s.rules.Stale > control.Audit || s.rules.UntrustedUntilChecked
	p.listen(s)
	prior := s.prior()
	if !s.governed {
		s.verdict = NotEnforced
	} else {
		p.weigh(s, prior)
	}
	s.since = p.now.Truncate(time.Second)
	if prior == s.verdict && n.Compliant.LastTransitionTime.Time.Before(p.now) {
		s.since = n.Compliant.LastTransitionTime.Time
	}
	return s
}

// prior is the verdict that is stored with the node; empty if there is none.
func (s *state) prior() Verdict {
	switch v := Verdict(s.Compliant.Reason); v {
	case Compliant, Warned, Drifted, Unverified, NotEnforced:
		return v
	}
	return ""
}

// listen finds out whether the agent is silent.
func (p *planner) listen(s *state) {
	lease := s.Lease
	if lease <= 0 {
		lease = defaultLease
	}
	s.heard = s.Heard.Add(p.cfg.Ahead)
	if s.Heard.IsZero() {
		s.heard = s.Created
	}
	end := s.heard.Add(lease)
	// What was not heard since the controller began to listen may only not have been
	// heard yet, unless the last one had noticed already.
	if known := s.Stale.Status == corev1.ConditionTrue; !known {
		end = later(end, p.cfg.Started.Add(p.cfg.Ahead+lease))
	}
	if s.silent = !p.now.Before(end); !s.silent {
		p.again(end)
	}
}

// weigh finds the verdict on a node for which something is warned of or enforced.
func (p *planner) weigh(s *state, prior Verdict) {
	var warned []control.ID
	unknownEnforced := false
	fail := func(id control.ID, mode control.Mode) {
		if mode == control.Enforce {
			s.enforced = append(s.enforced, id)
		} else {
			warned = append(warned, id)
		}
	}
	remembered := s.remembered(prior)
	for _, c := range p.consequential(s.rules) {
		id, mode := c.id, c.mode
		if p.exempt(s.Node, id) {
			continue
		}
		status := s.status(id)
		passes := s.current() && told(status) && status != control.Fail
		switch {
		// What failed and cannot be told now, or only by other rules than those of now,
		// has not been mended, as far as is known.
		case status == control.Fail, remembered[id] && !passes:
			fail(id, mode)
		case !told(status):
			s.unknown = append(s.unknown, id)
			unknownEnforced = unknownEnforced || mode == control.Enforce
		}
	}
	if p.staleFails(s) {
		fail(StaleReport, s.rules.Stale)
	}
	// The controls came in their order, but for this one.
	slices.Sort(s.enforced)
	slices.Sort(warned)
	s.failing = slices.Concat(s.enforced, warned)
	s.clean = s.current() && len(s.enforced) == 0 && !unknownEnforced
	switch {
	case len(s.enforced) > 0:
		s.verdict, s.controls = Drifted, s.enforced
	case len(warned) > 0:
		s.verdict, s.controls = Warned, warned
	case s.Report == nil && prior == Compliant:
		s.verdict = Compliant // the last verdict stands; that there is no report is told apart
	case s.Report == nil, len(s.unknown) > 0, !s.Report.Current && prior != Compliant:
		s.verdict = Unverified
	default:
		s.verdict = Compliant
	}
}

// moded is a control with its mode.
type moded struct {
	id   control.ID
	mode control.Mode
}

// consequential are the controls from which something follows. Thousands of nodes have
// the same rules.
func (p *planner) consequential(r *ruling.Rules) []moded {
	list, known := p.moded[r]
	if !known {
		for id, mode := range r.Modes {
			if mode > control.Audit {
				list = append(list, moded{id, mode})
			}
		}
		slices.SortFunc(list, func(a, b moded) int { return cmp.Compare(a.id, b.id) })
		p.moded[r] = list
	}
	return list
}

// status is that of a control in the report; empty if there is none.
func (s *state) status(id control.ID) control.Status {
	if s.Report == nil {
		return ""
	}
	return s.Report.Results[id]
}

// told is whether a status says whether a control is fulfilled.
func told(s control.Status) bool {
	switch s {
	case control.Pass, control.Fail, control.NotApplicable, control.ByHand, control.Exempt, control.AttestedBy:
		return true
	case control.Unknown:
	}
	return false // or not in the report
}

// current is whether there is a report by the rules of now.
func (s *state) current() bool { return s.Report != nil && s.Report.Current }

// staleFails is whether the agent's silence counts as a failure.
func (p *planner) staleFails(s *state) bool {
	if s.rules.Stale <= control.Audit {
		return false
	}
	end := s.heard.Add(s.rules.StaleAfter)
	p.again(end)
	return s.silent && !p.now.Before(end)
}

func (p *planner) exempt(n *Node, id control.ID) bool {
	if len(p.exemptions) == 0 {
		return false
	}
	return slices.ContainsFunc(p.exemptions[id], func(e *ruling.Exemption) bool {
		return e.Applies(id, n.Name, n.Labels, p.now)
	})
}

// The message of a condition begins with all the controls that fail: it is the memory of
// them, for a report that cannot tell any more.
const (
	failing = "Failing: "
	ending  = ". "
)

func failingMessage(controls []control.ID, rest string) string {
	var b strings.Builder
	b.WriteString(failing)
	for i, id := range controls {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(string(id))
	}
	b.WriteString(ending)
	b.WriteString(rest)
	return b.String()
}

// remembered are the controls that failed by the stored verdict.
func (s *state) remembered(prior Verdict) map[control.ID]bool {
	if prior != Drifted && prior != Warned {
		return nil
	}
	list, found := strings.CutPrefix(s.Compliant.Message, failing)
	if !found {
		return nil
	}
	list, _, _ = strings.Cut(list, ending)
	known := map[control.ID]bool{}
	for id := range strings.SplitSeq(list, ", ") {
		known[control.ID(id)] = true
	}
	return known
}

// exemptionsByControl finds them faster than a list of all.
func exemptionsByControl(list []ruling.Exemption) map[control.ID][]*ruling.Exemption {
	byControl := map[control.ID][]*ruling.Exemption{}
	for i := range list {
		for _, id := range list[i].Controls {
			byControl[id] = append(byControl[id], &list[i])
		}
	}
	return byControl
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
