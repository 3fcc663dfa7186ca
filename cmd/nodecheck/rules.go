//go:build linux

package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hardgate-dev/hardgate/control"
	"github.com/hardgate-dev/hardgate/nodecheck/check"
)

// rules is what the flags say of the checks.
type rules struct {
	benchmarks, modules, exempt []string
}

// read chooses the checks and their rules. The benchmarks are returned by their full
// ids.
func (r *rules) read() ([]*check.Check, *check.Rules, []string, error) {
	var benchmarks []string
	for _, b := range r.benchmarks {
		id, err := control.ParseBenchmark(b)
		if err != nil {
			return nil, nil, nil, fmt.Errorf("--benchmark: %w", err)
		}
		benchmarks = append(benchmarks, id)
	}
	set := check.NewRules(benchmarks...)
	set.Modules = r.modules
	checks := check.Select(set, benchmarks...)
	if len(checks) == 0 {
		return nil, nil, nil, fmt.Errorf("--benchmark: no control of %s is about a node", strings.Join(benchmarks, ", "))
	}
	for _, e := range r.exempt {
		name, reason, _ := strings.Cut(e, "=")
		id := control.ID(name)
		if reason == "" {
			return nil, nil, nil, fmt.Errorf("--exempt %q: give control=reason", e)
		}
		if !slices.ContainsFunc(checks, func(c *check.Check) bool { return c.ID == id }) {
			return nil, nil, nil, fmt.Errorf("--exempt: no control %q is judged here%s", name, control.Hint(name, ids(checks)))
		}
		if set.Exempt == nil {
			set.Exempt = map[control.ID]string{}
		}
		set.Exempt[id] = reason
	}
	return checks, set, benchmarks, nil
}

func ids(checks []*check.Check) []string {
	list := make([]string, 0, len(checks))
	for _, c := range checks {
		list = append(list, string(c.ID))
	}
	return list
}
