package main

import (
	"io"
	"time"

	"github.com/hardgate-dev/hardgate/api/v1alpha1"
	"github.com/hardgate-dev/hardgate/exemption"
)

// exemptionHelp is the same for objects and for nodes.
const exemptionHelp = "file or directory with Exemptions, - for standard input; one that has ended exempts nothing; may be repeated"

// readExemptions reads the Exemptions in files, which hold nothing else. The warnings are
// of those that end within a week or have ended, and of what may not be meant.
func readExemptions(files []string, stdin io.Reader, now time.Time) (all []v1alpha1.Exemption, warnings []string, err error) {
	read, err := readResources("--exemption", "Exemption", files, stdin, exemption.Read, func(e *v1alpha1.Exemption) string { return e.Name })
	if err != nil {
		return nil, nil, err
	}
	for _, e := range read {
		for _, w := range exemption.Warnings(e.value, now) {
			warnings = append(warnings, e.source+": Exemption "+e.value.Name+": "+w)
		}
		all = append(all, *e.value)
	}
	return all, warnings, nil
}
