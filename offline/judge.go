package offline

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/hardgate-dev/hardgate/control"
	"github.com/hardgate-dev/hardgate/exemption"
	"github.com/hardgate-dev/hardgate/manifest"
	"github.com/hardgate-dev/hardgate/report"
	"github.com/hardgate-dev/hardgate/webhook/policy"
	"github.com/hardgate-dev/hardgate/webhook/repair"
	"github.com/hardgate-dev/hardgate/webhook/ruling"
	"github.com/hardgate-dev/hardgate/webhook/verdict"
)

// Options say how to judge.
type Options struct {
	// Book has the rulings. nil judges every control with its strictest
	// parameters; results have no mode then.
	Book *ruling.Book
	// Exemptions may be nil.
	Exemptions *exemption.Book
	// Now is for when exemptions end; one that has ended is not there.
	Now time.Time
	// Namespace is for namespaced objects that name none; empty where it is not
	// known.
	Namespace string
	// Controls are the only ones to judge; empty for all.
	Controls []control.ID
	// Lang is the language of remedies.
	Lang control.Lang
}

// Controls that need not be about a pod.
const (
	defaultNamespace control.ID = "default-namespace"
	defaultAccount   control.ID = "default-service-account"
)

// Judge returns the results for objects in their order, and for each object in the
// order of the benchmark. A workload has a result for every control that is not
// Off; a ServiceAccount has those of default-service-account and default-namespace, a role
// or binding those of section 5.1 that are about it and that of default-namespace, any
// other object that of default-namespace. An object that cannot be read is an
// error and has no result.
func Judge(objects []manifest.Object, o Options) ([]report.Result, []error) {
	subjects, f, errs := read(objects, o.Namespace)
	var results []report.Result
	judged := map[string][]ruling.Judged{} // by namespace
	for _, s := range subjects {
		place := s.ruledIn()
		rulings, ok := judged[place]
		if !ok {
			rulings = o.rulings(f, place)
			judged[place] = rulings
		}
		wanted := make([]ruling.Judged, 0, len(rulings))
		for _, r := range rulings {
			if o.wants(s, r.Policy.ID) {
				wanted = append(wanted, r)
			}
		}
		results = append(results, o.judge(s, f, wanted)...)
	}
	return results, errs
}

// unplaced is for objects of which it is not known where they will be. No namespace can
// be called so.
const unplaced = "-"

func (o Options) rulings(f *facts, namespace string) []ruling.Judged {
	book := o.Book
	if book == nil {
		book = &ruling.Book{}
	}
	judged := book.For(namespace, f.labels(namespace))
	if namespace == "" { // to say of what has no namespace that it is in none
		for _, j := range book.For(unplaced, f.labels(unplaced)) {
			if j.Policy.ID == defaultNamespace {
				judged = append(slices.Clip(judged), j)
			}
		}
	}
	return judged
}

// wants is whether there is to be a result.
func (o Options) wants(s *subject, id control.ID) bool {
	if len(o.Controls) > 0 && !slices.Contains(o.Controls, id) {
		return false
	}
	switch {
	case s.object.Pod != nil:
		return !rolesOnly(id)
	case s.object.Role != nil, s.object.Binding != nil:
		return rolesOnly(id) || id == defaultNamespace
	case s.object.ServiceAccount != nil:
		return id == defaultAccount || id == defaultNamespace
	}
	return id == defaultNamespace
}

// rolesOnly is for the controls of roles and bindings: those that are about more than what
// stands in namespaces.
func rolesOnly(id control.ID) bool {
	c, _ := control.Get(id)
	return c.Scope != control.InNamespaces
}

// judge judges one object as the webhook would: the same findings under the same rulings,
// exempt and repaired alike.
func (o Options) judge(s *subject, f *facts, judged []ruling.Judged) []report.Result {
	object := *s.object
	object.Namespace = s.namespace
	subject := policy.Subject{Object: &object, AccountAutomount: f.automount(s)}
	options := verdict.Options{Ceiling: control.Enforce, Exempt: verdict.Exempting(o.Exemptions, &object, o.Now)}
	if object.Pod != nil {
		options.Mended = repair.Mended(&subject, judged, options.Exempt) // a pod is made anew, too
	}
	decisions, err := verdict.Judge(context.Background(), judged, &subject, nil, options)
	if err != nil { // which is that of a context that ends
		return nil
	}
	results := make([]report.Result, 0, len(decisions))
	for i := range decisions {
		d := &decisions[i]
		result := report.Of(s.identity(), d, o.Lang)
		if d.ID == defaultNamespace && s.scope == unknownScope && s.namespace == "" && o.Namespace != "" {
			result.Status, result.Findings = o.unscoped(s)
			result.Mode, result.Remedy = "", ""
		} else if len(d.Violations) == 0 {
			result.Mode = settled(&judged[i], &subject, d).String()
		}
		if o.Book == nil {
			result.Mode = ""
		}
		results = append(results, result)
	}
	return results
}

// settled is the mode of the ruling to which an object owes its status where nothing
// fails: one that leaves nothing to judge by (Manual) yields to one that does not.
func settled(j *ruling.Judged, s *policy.Subject, d *verdict.Decision) control.Mode {
	for i := range j.Rulings {
		if s.Parameters = j.Rulings[i].Parameters; len(j.Rulings) == 1 || j.Policy.Judge(s).Status == d.Status {
			return j.Rulings[i].Mode
		}
	}
	return d.Mode
}

// unscoped is the verdict on an object of a kind that may or may not be namespaced:
// it matters only if it would be in the namespace "default".
func (o Options) unscoped(s *subject) (control.Status, []report.Finding) {
	if o.Namespace != "default" {
		return control.Pass, []report.Finding{}
	}
	return control.Unknown, []report.Finding{{
		Path: "metadata.namespace",
		Detail: fmt.Sprintf("unset, and whether %s has namespaces is not known: "+
			"name one, or add the CustomResourceDefinition to the input", s.object.Kind),
	}}
}
