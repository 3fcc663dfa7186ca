package exemption

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/hardgate-dev/hardgate/api/v1alpha1"
	"github.com/hardgate-dev/hardgate/control"
)

// Warnings returns what is allowed in an Exemption and may well not be meant.
func Warnings(e *v1alpha1.Exemption, now time.Time) (warnings []string) {
	when := e.Spec.Expires.UTC().Format(time.RFC3339)
	for _, n := range Expiring([]v1alpha1.Exemption{*e}, now) {
		if n.Expired {
			return []string{fmt.Sprintf("spec.expires: %s has passed: nothing is exempt", when)}
		}
		warnings = append(warnings, fmt.Sprintf("spec.expires: %s is within a week", when))
	}
	if e.Spec.Expires.After(now.AddDate(1, 0, 0)) {
		warnings = append(warnings, fmt.Sprintf("spec.expires: %s is more than a year away: choose an earlier time, by which somebody looks at it again", when))
	}
	if o := e.Spec.Objects; o != nil {
		warnings = slices.Concat(warnings, aboutWhole(o, e.Spec.Controls), aboutKinds(o, e.Spec.Controls), aboutReach(o), aboutMade(o), aboutFields(o))
	}
	return warnings
}

// aboutWhole warns of controls of the cluster as a whole from which nothing is exempt.
func aboutWhole(o *v1alpha1.ExemptObjects, controls []string) (warnings []string) {
	namespaces := len(o.Images)+len(o.ServiceAccounts)+len(o.FieldPaths) == 0 && (len(o.Kinds) == 0 || slices.Contains(o.Kinds, "Namespace"))
	for i, id := range controls {
		switch c, _ := control.Get(control.ID(id)); {
		case c.Face != control.Cluster:
		case c.Kind == control.Manual:
			warnings = append(warnings, fmt.Sprintf("spec.controls[%d]: a person decides on %q: nothing fails it, and nothing is exempt from it", i, id))
		case !namespaces:
			warnings = append(warnings, fmt.Sprintf("spec.controls[%d]: %q is about namespaces, of which none is exempt: name them by namespaces or names alone, and Namespace among the kinds if there are any", i, id))
		}
	}
	return warnings
}

// aboutKinds warns of kinds of which nothing is exempt.
func aboutKinds(o *v1alpha1.ExemptObjects, controls []string) (warnings []string) {
	for i, name := range o.Kinds {
		kind, known := judgedKind(name)
		switch {
		case !known && !slices.Contains(controls, "default-namespace"):
			warnings = append(warnings, fmt.Sprintf("spec.objects.kinds[%d]: %s", i, unjudged(name)))
		case known && kind.nowhere && len(o.Namespaces) > 0:
			warnings = append(warnings, fmt.Sprintf("spec.objects.kinds[%d]: a %s is in no namespace, and none is exempt while spec.objects.namespaces is given", i, kind.kind))
		}
	}
	return warnings
}

// aboutReach warns of what anybody's objects can match, wherever they stand.
func aboutReach(o *v1alpha1.ExemptObjects) []string {
	all := func(list []string, is func(string) bool) bool {
		return len(list) > 0 && !slices.ContainsFunc(list, func(v string) bool { return !is(v) })
	}
	clusters := func(name string) bool { // those of whoever runs the cluster
		kind, _ := judgedKind(name)
		return kind.nowhere || kind.kind == "Namespace"
	}
	placed := func(account string) bool { return strings.Contains(account, "/") }
	every := func(name string) bool { return strings.Trim(name, "*") == "" }
	switch {
	case len(o.Namespaces) > 0, all(o.ServiceAccounts, placed), all(o.Kinds, clusters) && len(o.Names) > 0 && !slices.ContainsFunc(o.Names, every):
		return nil
	case all(o.Kinds, clusters):
		return []string{"spec.objects: every object of these kinds is exempt: name them in spec.objects.names"}
	}
	return []string{"spec.objects: no namespace is named, so that such objects are exempt in all, whoever makes them: name them in spec.objects.namespaces"}
}

// aboutMade warns where something is exempt, and what it makes is not: it would be
// admitted, and start nothing.
func aboutMade(o *v1alpha1.ExemptObjects) (warnings []string) {
	covers := func(kind string) bool {
		return slices.ContainsFunc(o.Kinds, func(k string) bool { return k == kind || strings.HasPrefix(k, kind+".") })
	}
	maker := ""
	for i, name := range o.Kinds {
		kind, _ := judgedKind(name)
		missing := slices.DeleteFunc(slices.Clone(kind.makes), covers)
		if len(kind.makes) > 0 {
			maker = kind.kind
		}
		if len(missing) > 0 {
			warnings = append(warnings, fmt.Sprintf("spec.objects.kinds[%d]: what a %s makes is judged by itself and not exempt: add %s", i, kind.kind, strings.Join(missing, " and ")))
		}
	}
	if maker == "" {
		return warnings
	}
	for i, name := range o.Names {
		made := name + "-x"
		if !slices.ContainsFunc(o.Names, func(pattern string) bool { return glob(pattern, made) }) {
			warnings = append(warnings, fmt.Sprintf("spec.objects.names[%d]: what a %s makes has a longer name and is not exempt: add %q", i, maker, name+"-*"))
		}
	}
	return warnings
}

// aboutFields warns of kinds in which none of the fields can be.
func aboutFields(o *v1alpha1.ExemptObjects) (warnings []string) {
	if len(o.FieldPaths) == 0 {
		return nil
	}
	for i, name := range o.Kinds {
		kind, _ := judgedKind(name)
		if kind.spec != "" && !slices.ContainsFunc(o.FieldPaths, kind.has) {
			warnings = append(warnings, fmt.Sprintf("spec.objects.kinds[%d]: none of spec.objects.fieldPaths is a field of a %s, whose pod is at %s", i, kind.kind, kind.spec))
		}
	}
	return warnings
}

// has is whether a field path may be one of the kind's pod, or of the object as a whole.
func (j *judged) has(path string) bool {
	at, spec := elements(path), elements(j.spec)
	if at[0] == "metadata" {
		return true
	}
	if len(at) > len(spec) && j.kind == "Pod" && (at[1] == "template" || at[1] == "jobTemplate") {
		return false
	}
	n := min(len(at), len(spec))
	return slices.Equal(at[:n], spec[:n])
}
