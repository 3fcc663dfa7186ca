package policy

import (
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"

	"github.com/hardgate-dev/hardgate/webhook/workload"
)

// maxTold bounds how many rules, or selectors, are told of what is one fault in however
// many of them.
const maxTold = 20

// maxApart bounds rules whose resourceNames are remembered, and these names: once for each
// deed. No role that is meant has as many.
const (
	maxApart      = 1000
	maxApartBytes = 64 << 10
)

// names makes findings about rules with resourceNames.
type names struct {
	// whole is a digest of all rules where their names are too many to tell apart: any other
	// role is another fault then.
	whole string
}

func newNames(rules []workload.Rule) names {
	n, size := 0, 0
	for i := range rules {
		n += len(rules[i].Names)
		for _, name := range rules[i].Names {
			size += len(name)
		}
	}
	if n == 0 || n <= maxApart && size <= maxApartBytes && len(rules) <= maxApart {
		return names{}
	}
	return names{whole: fmt.Sprintf("%x", sha256.Sum256(fmt.Append(nil, rules)))}
}

// confine makes a finding one about what the rule names: other names are another fault, and
// all names one that these are part of.
func (n names) confine(f Finding, r *workload.Rule) Finding {
	every := f.Same
	on := func(what string) string { return every + "on " + what }
	f.Kin = &Kin{Stronger: []string{every}}
	if n.whole != "" {
		f.Same = on(n.whole)
		return f
	}
	sorted := slices.Sorted(slices.Values(r.Names))
	f.Same = on(strings.Join(sorted, " "))
	for _, name := range sorted {
		f.Kin.Parts = append(f.Kin.Parts, Part{on(name), every})
	}
	return f
}
