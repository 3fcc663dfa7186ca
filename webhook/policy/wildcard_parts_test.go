package policy_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/hardgate-dev/hardgate/webhook/policy"
	"github.com/hardgate-dev/hardgate/webhook/workload"
)

// What is found of a role does not outgrow it by much, whatever somebody thinks of: an
// answer that takes gigabytes is an outage.
func TestFindingsOfHugeRoles(t *testing.T) {
	long := strings.Repeat("x", 300_000)
	numbered := func(format string, n int) (list []string) {
		for i := range n {
			list = append(list, fmt.Sprintf(format, i))
		}
		return list
	}
	star := []string{"*"}
	tests := map[string][]workload.Rule{
		"many selectors":         nil,
		"groups times resources": {{Verbs: []string{"get"}, Groups: numbered("g%d", 30_000), Resources: numbered("r%d/*", 30_000)}},
		"verbs times resources":  {{Verbs: numbered("v%d", 30_000), Groups: star, Resources: numbered("r%d", 30_000)}},
		"a long group":           {{Verbs: star, Groups: []string{long}, Resources: numbered("r%d", 4_000)}},
		"a long resource":        {{Verbs: numbered("v%d", 4_000), Groups: star, Resources: []string{long}}},
		"many names":             {{Verbs: star, Groups: star, Resources: star, Names: numbered("n%d", 100_000)}},
		"long names":             {{Verbs: star, Groups: star, Resources: star, Names: []string{long, long + "y"}}},
		"many rules":             make([]workload.Rule, 20_000),
		"many rules with names":  make([]workload.Rule, 20_000),
	}
	for i := range tests["many rules"] {
		tests["many rules"][i] = workload.Rule{Verbs: star, Groups: star, Resources: star}
		tests["many rules with names"][i] = workload.Rule{Verbs: star, Groups: star, Resources: star, Names: star}
	}
	for name, rules := range tests {
		t.Run(name, func(t *testing.T) {
			written, err := json.Marshal(rules)
			if err != nil {
				t.Fatal(err)
			}
			role := &workload.Role{Rules: rules}
			if rules == nil {
				role.Gathers = make([]workload.Selector, 200_000)
			}
			s := policy.Subject{Object: &workload.Object{
				Kind: workload.Kind{Group: "rbac.authorization.k8s.io", Version: "v1", Kind: "ClusterRole"}, Role: role,
			}}
			for _, p := range policy.All() {
				if !p.Judges(&s) {
					continue
				}
				size := 0
				for _, f := range p.Judge(&s).Findings {
					size += len(f.Path) + len(f.Detail) + len(f.Same) + 100
					if f.Kin == nil {
						continue
					}
					for _, part := range f.Kin.Parts {
						for _, name := range part {
							size += len(name) + 16
						}
					}
				}
				if limit := 1<<20 + 2*len(written); size > limit {
					t.Errorf("%s: findings of %d bytes about a role of %d", p.ID, size, len(written))
				}
			}
		})
	}
}
