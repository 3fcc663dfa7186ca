package webhook

import (
	"context"
	"slices"

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
	// refused is whether it would be denied if it were new.
	refused bool
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
//
// The error is that of ctx: an object may be large, and a client that has gone
// needs no answer.
func judge(ctx context.Context, judged []ruling.Judged, subject, old *policy.Subject, ceiling control.Mode) ([]decision, error) {
	decisions := make([]decision, len(judged))
	for i := range judged {
		var err error
		if decisions[i], err = judgeOne(ctx, &judged[i], subject, old, ceiling); err != nil {
			return nil, err
		}
	}
	return decisions, nil
}

func judgeOne(ctx context.Context, j *ruling.Judged, subject, old *policy.Subject, ceiling control.Mode) (decision, error) {
	d := decision{id: j.Policy.ID, mode: min(j.Rulings[0].Mode, ceiling)}
	for i := range j.Rulings {
		if err := ctx.Err(); err != nil {
			return d, err
		}
		r := &j.Rulings[i]
		subject.Parameters = r.Parameters
		verdict := j.Policy.Judge(subject)
		if verdict.Status.Outranks(d.status) {
			d.status = verdict.Status
		}
		if len(verdict.Findings) == 0 {
			continue
		}
		var had map[string]bool
		if old != nil {
			old.Parameters = r.Parameters
			had = identities(j.Policy.Judge(old).Findings)
		}
		d.add(verdict.Findings, min(r.Mode, ceiling), had)
	}
	if len(d.violations) > 0 {
		d.mode = control.Off
		for _, v := range d.violations {
			d.mode = max(d.mode, v.mode)
		}
	}
	return d, nil
}

// add notes the findings that no stricter ruling has brought already; those that the
// old object had are warned of at most.
func (d *decision) add(findings []policy.Finding, mode control.Mode, had map[string]bool) {
	type identity struct{ path, same string }
	var known map[identity]bool
	if len(d.violations) > 0 {
		known = make(map[identity]bool, len(d.violations))
		for i := range d.violations {
			known[identity{d.violations[i].Path, d.violations[i].Same}] = true
		}
	}
	d.violations = slices.Grow(d.violations, len(findings))
	for _, f := range findings {
		if known[identity{f.Path, f.Same}] {
			continue
		}
		v := violation{Finding: f, mode: mode, standing: standing(f, had), refused: mode == control.Enforce}
		if v.standing {
			v.mode = min(mode, control.Warn)
		}
		d.violations = append(d.violations, v)
	}
}

// identities are what an object has wrong, and the weaker faults within.
func identities(findings []policy.Finding) map[string]bool {
	same := make(map[string]bool, len(findings))
	for _, f := range findings {
		same[f.Same] = true
		if f.Kin != nil {
			for _, weaker := range f.Kin.Weaker {
				same[weaker] = true
			}
		}
	}
	return same
}

// standing is whether an object with these faults had that of the finding, by itself
// or within a worse one.
func standing(f policy.Finding, had map[string]bool) bool {
	return had[f.Same] || f.Kin != nil && slices.ContainsFunc(f.Kin.Stronger, func(worse string) bool { return had[worse] })
}
