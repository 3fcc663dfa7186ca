package offline

import (
	"fmt"
	"slices"

	"github.com/hardgate-dev/hardgate/control"
	"github.com/hardgate-dev/hardgate/manifest"
	"github.com/hardgate-dev/hardgate/report"
	"github.com/hardgate-dev/hardgate/webhook/policy"
	"github.com/hardgate-dev/hardgate/webhook/ruling"
)

// Options say how to judge.
type Options struct {
	// Book has the rulings. nil judges every control with its strictest
	// parameters; results have no mode then.
	Book *ruling.Book
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
// Off; a ServiceAccount has those of default-service-account and default-namespace,
// any other object that of default-namespace. An object that cannot be read is an
// error and has no result.
func Judge(objects []manifest.Object, o Options) ([]report.Result, []error) {
	subjects, f, errs := read(objects, o.Namespace)
	var results []report.Result
	judged := map[string][]ruling.Judged{} // by namespace
	for _, s := range subjects {
		place := s.namespace
		if place == "" && s.scope != clusterScoped {
			place = unplaced
		}
		rulings, ok := judged[place]
		if !ok {
			rulings = o.rulings(f, place)
			judged[place] = rulings
		}
		for _, r := range rulings {
			if o.wants(s, r.Policy.ID) {
				results = append(results, o.judge(s, f, r))
			}
		}
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
	return book.For(namespace, f.labels(namespace))
}

// wants is whether there is to be a result.
func (o Options) wants(s *subject, id control.ID) bool {
	if len(o.Controls) > 0 && !slices.Contains(o.Controls, id) {
		return false
	}
	switch {
	case s.object.Pod != nil:
		return true
	case s.object.ServiceAccount != nil:
		return id == defaultAccount || id == defaultNamespace
	}
	return id == defaultNamespace
}

// judge judges one object by one control under all its rulings. A failure has the
// mode of the strictest ruling under which it is one, and the findings of all. A
// ruling that leaves nothing to judge by (Manual) yields to one that does not.
func (o Options) judge(s *subject, f *facts, judged ruling.Judged) report.Result {
	id := judged.Policy.ID
	result := report.Result{
		Object: s.identity(), Control: id, Rows: control.Rows(id), Findings: []report.Finding{},
	}
	if id == defaultNamespace && s.scope == unknownScope && s.namespace == "" && o.Namespace != "" {
		result.Status, result.Findings = o.unscoped(s)
		return result
	}
	object := *s.object
	object.Namespace = s.namespace
	subject := policy.Subject{Object: &object, AccountAutomount: f.automount(s)}
	seen := map[report.Finding]bool{}
	for _, r := range judged.Rulings {
		subject.Parameters = r.Parameters
		verdict := judged.Policy.Judge(&subject)
		if verdict.Status.Outranks(result.Status) {
			result.Status = verdict.Status
			if o.Book != nil {
				result.Mode = r.Mode.String()
			}
		}
		result.Findings = merge(result.Findings, verdict.Findings, seen)
	}
	if result.Status == control.Fail {
		if c, ok := control.Get(id); ok {
			result.Remedy = c.Remedy.In(o.Lang)
		}
	}
	return result
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

// merge adds the findings that have not been seen. There may be as many as an
// object has room for, so none is looked for among the others.
func merge(into []report.Finding, found []policy.Finding, seen map[report.Finding]bool) []report.Finding {
	for _, f := range found {
		finding := report.Finding{Path: f.Path, Detail: f.Detail}
		if !seen[finding] {
			seen[finding] = true
			into = append(into, finding)
		}
	}
	return into
}
