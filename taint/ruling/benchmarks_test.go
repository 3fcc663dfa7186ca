package ruling

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hardgate-dev/hardgate/control"
	"github.com/hardgate-dev/hardgate/nodecheck/check"
)

// The benchmarks of several policies together are never looser than those of any that
// acts.
func TestBenchmarks(t *testing.T) {
	const ubuntu, newest = "cis-ubuntu-22.04-3.0.0", "cis-kubernetes-1.12.0"
	aks, host := control.SourceBenchmarks()[0], control.SourceBenchmarks()[1]
	tests := map[string]struct {
		specs map[string]string
		want  []string
	}{
		"none":                            {map[string]string{"a": `{mode: Enforce}`}, nil},
		"one":                             {map[string]string{"a": `{mode: Enforce, benchmark: ubuntu}`}, []string{ubuntu}},
		"two":                             {map[string]string{"a": `{mode: Enforce, benchmark: ubuntu}`, "b": `{mode: Warn, benchmark: "1.12"}`}, []string{newest, ubuntu}},
		"one beside a policy without":     {map[string]string{"a": `{mode: Enforce}`, "b": `{mode: Warn, benchmark: ubuntu}`}, []string{host, aks, ubuntu}},
		"an audit beside what acts":       {map[string]string{"a": `{mode: Enforce}`, "b": `{mode: Audit, benchmark: ubuntu}`}, nil},
		"an audit without beside":         {map[string]string{"a": `{mode: Enforce, benchmark: ubuntu}`, "b": `{mode: Audit}`}, []string{ubuntu}},
		"an audit alone":                  {map[string]string{"a": `{mode: Audit, benchmark: ubuntu}`}, []string{ubuntu}},
		"two audits, one of them unnamed": {map[string]string{"a": `{mode: Audit, benchmark: ubuntu}`, "b": `{mode: Audit}`}, []string{host, aks, ubuntu}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, rulesOf(t, tt.specs, nil).Benchmarks); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// What an agent goes by that is asked for nothing, and one that is asked for the source
// documents by name, are the same rules.
func TestSourceBenchmarksAreTheDefault(t *testing.T) {
	if diff := cmp.Diff(check.NewRules(), check.NewRules(control.SourceBenchmarks()...)); diff != "" {
		t.Errorf("(-none +named):\n%s", diff)
	}
	alone, beside := check.NewRules("cis-ubuntu-22.04-3.0.0"), check.NewRules(append(control.SourceBenchmarks(), "cis-ubuntu-22.04-3.0.0")...)
	if beside.PasswordMaxDays >= alone.PasswordMaxDays || beside.PasswordMaxDays != check.NewRules().PasswordMaxDays {
		t.Errorf("%d days beside the source documents, %d alone", beside.PasswordMaxDays, alone.PasswordMaxDays)
	}
}
