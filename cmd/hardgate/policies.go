package main

import (
	"errors"
	"io"

	"github.com/hardgate-dev/hardgate/api/v1alpha1"
	"github.com/hardgate-dev/hardgate/webhook/ruling"
)

// readPolicies makes the book of the WorkloadPolicies in files, which hold nothing else.
func readPolicies(files []string, stdin io.Reader) (*ruling.Book, []string, error) {
	read, err := readResources("--policy", "WorkloadPolicy", files, stdin, ruling.Read, func(p *v1alpha1.WorkloadPolicy) string { return p.Name })
	if err != nil {
		return nil, nil, err
	}
	var warnings []string
	all := make([]v1alpha1.WorkloadPolicy, 0, len(read))
	for _, p := range read {
		for _, w := range ruling.Warnings(p.value) {
			warnings = append(warnings, p.source+": "+w)
		}
		all = append(all, *p.value)
	}
	book, errs := ruling.Compile(all)
	return book, warnings, errors.Join(errs...)
}
