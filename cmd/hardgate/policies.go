package main

import (
	"errors"
	"fmt"
	"io"

	"github.com/hardgate-dev/hardgate/api/v1alpha1"
	"github.com/hardgate-dev/hardgate/manifest"
	"github.com/hardgate-dev/hardgate/webhook/ruling"
)

// readPolicies makes the book of the WorkloadPolicies in files, which hold nothing
// else. It goes on after an error to name them all, and returns no book then: a
// policy that is half understood judges something else than was meant.
func readPolicies(files []string, stdin io.Reader) (*ruling.Book, []string, error) {
	set, errs := manifest.Load(files, stdin)
	bad := func(source string, err error) {
		errs = append(errs, &manifest.Error{Source: source, Err: err})
	}
	var all []v1alpha1.WorkloadPolicy
	var warnings []string
	named := map[string]string{} // where each name was met
	for _, object := range set.Objects {
		if object.Kind != "WorkloadPolicy" {
			bad(object.Source, fmt.Errorf("a %s where a WorkloadPolicy should be", object.Kind))
			continue
		}
		p, err := ruling.Read(object.JSON)
		if err != nil {
			for _, e := range flatten(err) {
				bad(object.Source, manifest.Reword(e))
			}
			continue
		}
		if before, twice := named[p.Name]; twice {
			bad(object.Source, fmt.Errorf("WorkloadPolicy %q is in %s already", p.Name, before))
		}
		named[p.Name] = object.Source
		for _, w := range ruling.Warnings(p) {
			warnings = append(warnings, object.Source+": "+w)
		}
		all = append(all, *p)
	}
	if len(all) == 0 && len(errs) == 0 {
		errs = append(errs, errors.New("--policy: no WorkloadPolicy in the input"))
	}
	if len(errs) > 0 {
		return nil, nil, errors.Join(errs...)
	}
	book, errs := ruling.Compile(all)
	return book, warnings, errors.Join(errs...)
}
