package webhook

import (
	"github.com/hardgate-dev/hardgate/control"
	"github.com/hardgate-dev/hardgate/webhook/policy"
	"github.com/hardgate-dev/hardgate/webhook/ruling"
)

// violation is a finding and what follows from it.
type violation struct {
	policy.Finding
	mode control.Mode
	// standing is whether the old object had it already.
	standing bool
}

// decision is the outcome of one control for one request.
type decision struct {
	id         control.ID
	mode       control.Mode // of the strictest violation; of the strictest ruling where there is none
	status     control.Status
	violations []violation
}

// judge judges subject under the rulings of its namespace. old is the object
// before an update and nil at a creation: what it had wrong already is not denied
// again, so that a violator can still be labelled, scaled and cleaned up. No
// violation is stricter than ceiling.
func judge(judged []ruling.Judged, subject, old *policy.Subject, ceiling control.Mode) []decision {
	decisions := make([]decision, len(judged))
	for i := range judged {
		decisions[i] = judgeOne(&judged[i], subject, old, ceiling)
	}
	return decisions
}

func judgeOne(j *ruling.Judged, subject, old *policy.Subject, ceiling control.Mode) decision {
	d := decision{id: j.Policy.ID, mode: min(j.Rulings[0].Mode, ceiling)}
	for i := range j.Rulings {
		r := &j.Rulings[i]
		subject.Parameters = r.Parameters
		verdict := j.Policy.Judge(subject)
		d.status = worse(d.status, verdict.Status)
		if len(verdict.Findings) == 0 {
			continue
		}
		var had map[string]bool
		if old != nil {
			old.Parameters = r.Parameters
			had = identities(j.Policy.Judge(old).Findings)
		}
		for _, f := range verdict.Findings {
			d.add(f, min(r.Mode, ceiling), had[f.Same])
		}
	}
	if len(d.violations) > 0 {
		d.mode = control.Off
		for _, v := range d.violations {
			d.mode = max(d.mode, v.mode)
		}
	}
	return d
}

// add notes a finding unless a stricter ruling has brought it already.
func (d *decision) add(f policy.Finding, mode control.Mode, standing bool) {
	for i := range d.violations {
		if d.violations[i].Path == f.Path && d.violations[i].Same == f.Same {
			return
		}
	}
	if standing {
		mode = min(mode, control.Warn)
	}
	d.violations = append(d.violations, violation{Finding: f, mode: mode, standing: standing})
}

func identities(findings []policy.Finding) map[string]bool {
	same := make(map[string]bool, len(findings))
	for _, f := range findings {
		same[f.Same] = true
	}
	return same
}

// worse orders the statuses that a policy gives: a failure under any ruling is one.
func worse(a, b control.Status) control.Status {
	rank := func(s control.Status) int {
		switch s {
		case control.Fail:
			return 4
		case control.ByHand:
			return 3
		case control.Pass:
			return 2
		case control.NotApplicable:
			return 1
		case control.Unknown, control.AttestedBy, control.Exempt:
			return 0
		}
		return 0
	}
	if rank(b) > rank(a) {
		return b
	}
	return a
}
