package scorecard

import (
	"fmt"

	"github.com/hardgate-dev/hardgate/api/v1alpha1"
	"github.com/hardgate-dev/hardgate/control"
)

// The provider's words that mean something to the score.
const (
	statedPass           = "pass"
	statedEquivalent     = "equivalent-control"
	statedNotApplicable  = "not-applicable"
	dependsOnEnvironment = "depends-on-environment"
)

// score counts the rows that the benchmark scores. What does not apply is left out,
// whoever says so; what is exempt, not known or left to a person is counted and has not
// passed.
func score(rows []v1alpha1.BenchmarkRow) v1alpha1.Score {
	s := v1alpha1.Score{Statuses: map[string]int32{}}
	for i := range rows {
		r := &rows[i]
		s.Statuses[r.Status]++
		attested := r.Status == string(control.AttestedBy)
		if r.Scored == nil || !*r.Scored || r.Status == string(control.NotApplicable) || attested && r.Statement == statedNotApplicable {
			continue
		}
		s.Scored++
		switch {
		case r.Status == string(control.Pass):
			s.Passed++
		case attested && (r.Statement == statedPass || r.Statement == statedEquivalent):
			s.Attested++
		}
	}
	s.Summary = fmt.Sprintf("%d/%d (%d attested)", s.Passed, s.Scored, s.Attested)
	return s
}
