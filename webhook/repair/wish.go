package repair

import (
	"slices"
	"strconv"
	"strings"

	"github.com/hardgate-dev/hardgate/control"
	"github.com/hardgate-dev/hardgate/webhook/policy"
	"github.com/hardgate-dev/hardgate/webhook/workload"
)

// wish is a default that a control asks for.
type wish struct {
	policy.Default
	id control.ID
	// container is the one that it is for; nil for the pod or the object as a whole.
	container *workload.Container
	// field is how many steps of the pointer lead to what container stands for.
	field int
}

// wishes are the defaults of a control that mend something which is not exempt.
func wishes(p *policy.Policy, s *policy.Subject, exempt Exempt) (wanted []wish) {
	verdict := p.Judge(s)
	due, spared := verdict.Findings, false
	if exempt != nil {
		due = slices.DeleteFunc(slices.Clone(due), func(f policy.Finding) bool { return exempt(p.ID, &f) != "" })
		spared = len(due) < len(verdict.Findings)
	}
	if len(due) == 0 {
		return nil
	}
	for _, d := range p.Fix(s) {
		w := wish{Default: d, id: p.ID, container: containerOf(s, d.Pointer)}
		switch {
		case w.container != nil:
			if !about(due, w.container) {
				continue
			}
			w.field = below(s.Pod) + 2
			wanted = append(wanted, w)
		case spared && s.Pod != nil:
			wanted = append(wanted, each(w, s.Pod, due)...)
		default:
			wanted = append(wanted, w)
		}
	}
	return wanted
}

// each gives what is wished for a pod to its containers one by one, without those that
// are exempt: they would inherit it. Fields of a pod's securityContext that a Fix sets
// are fields of a container's too.
func each(w wish, p *workload.Pod, due []policy.Finding) (wanted []wish) {
	rest := w.Pointer[below(p):]
	for c := range p.Containers() {
		if about(due, c) {
			at := append(strings.Split(p.At, "."), c.List, strconv.Itoa(c.Index))
			wanted = append(wanted, wish{
				Default: policy.Default{Pointer: append(at, rest...), Value: w.Value}, id: w.id, container: c, field: len(at),
			})
		}
	}
	return wanted
}

// below is how many steps lead to the pod's spec.
func below(p *workload.Pod) int { return strings.Count(p.At, ".") + 1 }

// containerOf is the container that a pointer leads into.
func containerOf(s *policy.Subject, pointer []string) *workload.Container {
	if s.Pod == nil || len(pointer) < below(s.Pod)+2 {
		return nil
	}
	list, index := pointer[below(s.Pod)], pointer[below(s.Pod)+1]
	for c := range s.Pod.Containers() {
		if c.List == list && strconv.Itoa(c.Index) == index {
			return c
		}
	}
	return nil
}

func about(findings []policy.Finding, c *workload.Container) bool {
	return slices.ContainsFunc(findings, func(f policy.Finding) bool {
		return f.Container != nil && f.Container.List == c.List && f.Container.Index == c.Index
	})
}

// Annotations by which seccomp profiles were chosen before there was a field.
const (
	podSeccomp       = "seccomp.security.alpha.kubernetes.io/pod"
	containerSeccomp = "container.seccomp.security.alpha.kubernetes.io/"
)

// contradicted is whether an annotation says something else than the field that is
// wished for: nothing heeds it any more, but the API server refuses a pod in which the
// two differ, and the pod would have been taken as it came.
func (w *wish) contradicted(annotations map[string]string) bool {
	if w.Pointer[len(w.Pointer)-1] != "seccompProfile" {
		return false
	}
	name := podSeccomp
	if w.container != nil {
		name = containerSeccomp + w.container.Name
	}
	said, ok := annotations[name]
	return ok && said != "runtime/default" && said != "docker/default"
}
