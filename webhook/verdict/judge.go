// Package verdict says what follows from the rulings of a namespace for one object.
//
// The webhook and the audit of what is there call it, so that one object has one verdict
// and one wording in both. It is pure; exemptions and the time come in as a function.
package verdict

import (
	"context"
	"slices"

	"github.com/hardgate-dev/hardgate/control"
	"github.com/hardgate-dev/hardgate/webhook/policy"
	"github.com/hardgate-dev/hardgate/webhook/ruling"
)

// Violation is a finding and what follows from it.
type Violation struct {
	policy.Finding
	// Mode is Off for one that is exempt.
	Mode control.Mode
	// Standing is whether the old object had it already.
	Standing bool
	// Refused is whether it would be denied if it were new.
	Refused bool
	// Exemption is the name of the Exemption that covers it; empty for most.
	Exemption string
	// Mended is whether new pods are repaired in this, so that none would be refused for it.
	Mended bool
}

// Decision is the outcome of one control for one object.
type Decision struct {
	ID control.ID
	// Mode is that of the strictest violation; of the strictest ruling where there is none.
	Mode control.Mode
	// Status is Exempt where all that fails is exempt.
	Status     control.Status
	Violations []Violation
}

// Exempt returns the name of the Exemption that covers a finding of a control; empty
// where none does. It is about one object and one moment.
type Exempt func(control.ID, *policy.Finding) string

// without are the findings that are not exempt.
func (e Exempt) without(id control.ID, findings []policy.Finding) []policy.Finding {
	if e == nil {
		return findings
	}
	return slices.DeleteFunc(slices.Clone(findings), func(f policy.Finding) bool { return e(id, &f) != "" })
}

// Options are what a verdict depends on besides rulings and objects.
type Options struct {
	// Ceiling is the strictest mode that a violation may have.
	Ceiling control.Mode
	// Exempt may be nil.
	Exempt Exempt
	// OldExempt is the same of the old object. What is exempt there is not had wrong: else
	// whoever puts another image into an exempt pod would keep what only the first may.
	OldExempt Exempt
	// Mended is whether a finding is none of the pods that are made of the object, since
	// those are repaired. Such a finding is warned of at most. It may be nil: see
	// repair.Mended. It is for templates, and in an audit for pods.
	Mended func(control.ID, *policy.Finding) bool
}

// Judge judges subject under the rulings of its namespace. old is the object before an
// update and nil at a creation and in an audit: what it had wrong already is not denied
// again, so that a violator can still be labelled, scaled and cleaned up.
//
// The error is that of ctx: an object may be large, and a client that has gone
// needs no answer.
func Judge(ctx context.Context, judged []ruling.Judged, subject, old *policy.Subject, o Options) ([]Decision, error) {
	decisions := make([]Decision, len(judged))
	for i := range judged {
		var err error
		if decisions[i], err = judgeOne(ctx, &judged[i], subject, old, o); err != nil {
			return nil, err
		}
	}
	return decisions, nil
}

func judgeOne(ctx context.Context, j *ruling.Judged, subject, old *policy.Subject, o Options) (Decision, error) {
	d := Decision{ID: j.Policy.ID, Mode: min(j.Rulings[0].Mode, o.Ceiling)}
	for i := range j.Rulings {
		if err := ctx.Err(); err != nil {
			return d, err
		}
		r := &j.Rulings[i]
		subject.Parameters = r.Parameters
		verdict := j.Policy.Judge(subject)
		if verdict.Status.Outranks(d.Status) {
			d.Status = verdict.Status
		}
		if len(verdict.Findings) == 0 {
			continue
		}
		var had map[string]bool
		if old != nil {
			old.Parameters = r.Parameters
			had = identities(o.OldExempt.without(j.Policy.ID, j.Policy.Judge(old).Findings))
		}
		d.add(verdict.Findings, min(r.Mode, o.Ceiling), had, &o)
	}
	if len(d.Violations) > 0 {
		d.conclude()
	}
	return d, nil
}

// conclude finds the mode of all violations together. Where all are exempt, it stays that
// of the strictest ruling.
func (d *Decision) conclude() {
	strictest, exempt := control.Off, true
	for i := range d.Violations {
		strictest = max(strictest, d.Violations[i].Mode)
		exempt = exempt && d.Violations[i].Exemption != ""
	}
	if exempt {
		d.Status = control.Exempt
		return
	}
	d.Mode = strictest
}

// add notes the findings that no stricter ruling has brought already; those that the
// old object had are warned of at most, and nothing follows from those that are exempt.
func (d *Decision) add(findings []policy.Finding, mode control.Mode, had map[string]bool, o *Options) {
	type identity struct{ path, same string }
	var known map[identity]bool
	if len(d.Violations) > 0 {
		known = make(map[identity]bool, len(d.Violations))
		for i := range d.Violations {
			known[identity{d.Violations[i].Path, d.Violations[i].Same}] = true
		}
	}
	d.Violations = slices.Grow(d.Violations, len(findings))
	for _, f := range findings {
		if known[identity{f.Path, f.Same}] {
			continue
		}
		v := Violation{Finding: f, Mode: mode, Standing: standing(f, had), Refused: mode == control.Enforce}
		if v.Standing {
			v.Mode = min(mode, control.Warn)
		}
		if o.Mended != nil && o.Mended(d.ID, &f) {
			v.Mode, v.Refused, v.Mended = min(mode, control.Warn), false, true
		}
		if o.Exempt != nil {
			if v.Exemption = o.Exempt(d.ID, &f); v.Exemption != "" {
				v.Mode, v.Refused = control.Off, false
			}
		}
		d.Violations = append(d.Violations, v)
	}
}

// Denies is whether a new object with this would be refused if the control were enforced.
func (d *Decision) Denies() bool {
	return slices.ContainsFunc(d.Violations, func(v Violation) bool { return !v.Standing && !v.Mended && v.Exemption == "" })
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
			for _, part := range f.Kin.Parts {
				same[part[0]] = true
			}
		}
	}
	return same
}

// standing is whether an object with these faults had that of the finding: by itself,
// within a worse one, or in parts.
func standing(f policy.Finding, had map[string]bool) bool {
	hadAny := func(names []string) bool {
		return slices.ContainsFunc(names, func(name string) bool { return had[name] })
	}
	if had[f.Same] || f.Kin == nil {
		return had[f.Same]
	}
	return hadAny(f.Kin.Stronger) || len(f.Kin.Parts) > 0 && !slices.ContainsFunc(f.Kin.Parts, func(p policy.Part) bool { return !hadAny(p) })
}
