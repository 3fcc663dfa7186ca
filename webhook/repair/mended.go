package repair

import (
	"slices"

	"github.com/hardgate-dev/hardgate/control"
	"github.com/hardgate-dev/hardgate/webhook/policy"
	"github.com/hardgate-dev/hardgate/webhook/ruling"
	"github.com/hardgate-dev/hardgate/webhook/workload"
)

// Mended is whether a finding of a template would not be one of the pods that are made of
// it, which are repaired; nil where there is nothing to repair. A workload is not refused
// for such a finding: no pod with it starts, repaired or not, since pods are judged as well.
//
// It holds for a pod that is there, too, which is repaired when it is made anew. It does
// not for ephemeral containers, which come into pods that are there.
//
// It goes by what is decoded and looks at no annotation: see Make for one that keeps a
// pod's profile from being set.
func Mended(subject *policy.Subject, judged []ruling.Judged, exempt Exempt) func(control.ID, *policy.Finding) bool {
	p := subject.Pod
	if p == nil || windows(p) || subject.Mirror {
		return nil
	}
	left := map[control.ID][]policy.Finding{}
	for i := range judged {
		if j := &judged[i]; j.Repairs() {
			if findings, changed := remain(subject, j, exempt); changed {
				left[j.Policy.ID] = findings
			}
		}
	}
	if len(left) == 0 {
		return nil
	}
	return func(id control.ID, f *policy.Finding) bool {
		findings, ok := left[id]
		return ok && (f.Container == nil || f.Container.List != ephemeral) &&
			!slices.ContainsFunc(findings, func(l policy.Finding) bool { return l.Path == f.Path && l.Same == f.Same })
	}
}

const ephemeral = "ephemeralContainers"

// remain is what a control finds under any of its rulings when those that repair have.
func remain(subject *policy.Subject, j *ruling.Judged, exempt Exempt) (findings []policy.Finding, changed bool) {
	s := *subject
	after := *subject.Object
	after.Pod = subject.Pod.Clone()
	for _, r := range j.Rulings {
		if r.Repair {
			s.Parameters = r.Parameters
			for _, w := range wishes(j.Policy, &s, exempt) {
				changed = grant(after.Pod, &w) || changed
			}
		}
	}
	if !changed {
		return nil, false
	}
	s.Object = &after
	for _, r := range j.Rulings {
		s.Parameters = r.Parameters
		findings = append(findings, j.Policy.Judge(&s).Findings...)
	}
	return findings, true
}

// grant sets what is wished for in what is decoded; false for what is not decoded, which
// then counts as not mended.
func grant(p *workload.Pod, w *wish) bool {
	at, rest := &p.Security, w.Pointer[w.field:]
	if w.container == nil {
		rest = rest[below(p):]
	} else {
		for c := range p.Containers() {
			if c.List == w.container.List && c.Index == w.container.Index {
				at = &c.Security
			}
		}
	}
	if len(rest) < 2 || rest[0] != "securityContext" {
		return false
	}
	switch value := w.Value.(type) {
	case bool:
		if len(rest) == 2 && rest[1] == "allowPrivilegeEscalation" && w.container != nil && !at.AllowPrivilegeEscalation.Set {
			at.AllowPrivilegeEscalation = workload.Optional[bool]{Value: value, Set: true}
			return true
		}
	case []any:
		if len(rest) == 3 && rest[1] == "capabilities" && rest[2] == "drop" && w.container != nil {
			drop := slices.Clone(at.Drop) // the template's own must not change
			for _, v := range value {
				if name, ok := v.(string); ok {
					drop = append(drop, name)
				}
			}
			at.Drop = drop
			return true
		}
	case map[string]any:
		if len(rest) == 2 && rest[1] == "seccompProfile" && !at.Seccomp.Set {
			profile, _ := value["type"].(string)
			at.Seccomp = workload.Seccomp{Set: true, Type: profile}
			return true
		}
	}
	return false
}
