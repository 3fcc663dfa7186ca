package synopsis

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/hardgate-dev/hardgate/api/v1alpha1"
	"github.com/hardgate-dev/hardgate/control"
	"github.com/hardgate-dev/hardgate/nodecheck/check"
)

func TestText(t *testing.T) {
	long := strings.Repeat("가", 100) // 3 bytes each
	for name, c := range map[string]struct{ in, want string }{
		"plain":             {"mode 0644", "mode 0644"},
		"korean":            {"커널", "커널"},
		"escape sequence":   {"\x1b[31mred\n", `\x1b[31mred\n`},
		"not UTF-8":         {"a\xffb", `a\xffb`},
		"right to left":     {"a\u202eb", `a\u202eb`},
		"NUL":               {"a\x00b", `a\x00b`},
		"exactly the limit": {strings.Repeat("x", maxText), strings.Repeat("x", maxText)},
		"one too many":      {strings.Repeat("x", maxText+1), strings.Repeat("x", maxText-len(ellipsis)) + ellipsis},
		"cut at a rune":     {long, long[:252] + ellipsis},
		"the sign itself":   {"a\ufffdb", "a\ufffdb"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := text(c.in); got != c.want {
				t.Errorf("text(%q) = %q, want %q", c.in, got, c.want)
			}
		})
	}
}

func FuzzText(f *testing.F) {
	for _, s := range []string{"", "plain", "\x1b]0;\a", "가나다\xff", strings.Repeat("\x00", 300)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got := text(s)
		if len(got) > maxText || !utf8.ValidString(got) {
			t.Errorf("text(%q) = %q, %d bytes", s, got, len(got))
		}
		for _, r := range got {
			if r < ' ' || r == 0x7f {
				t.Errorf("text(%q) = %q has a control character", s, got)
			}
		}
	})
}

func verdict(id control.ID, s control.Status, findings int, value string) check.Verdict {
	v := check.Verdict{Control: id, Result: check.Result{Status: s}}
	for i := range findings {
		v.Findings = append(v.Findings, check.Finding{
			Where: fmt.Sprintf("/etc/%d:1", i), Expected: value, Actual: value, Detail: value, State: check.Running, Drift: check.DriftedNow,
		})
	}
	return v
}

func TestStatus(t *testing.T) {
	pass := verdict("perm-crontab", control.Pass, 0, "")
	pass.Evidence = []check.Finding{{Where: "/etc/crontab", Actual: "mode 0600"}}
	got, data, err := Status([]check.Verdict{
		pass, verdict("ssh-x11", control.Fail, 12, "yes"), verdict("banner-local", control.ByHand, 1, "x"),
		verdict("a", control.Unknown, 1, ""), verdict("b", control.NotApplicable, 0, ""), verdict("c", control.Exempt, 0, ""),
		verdict("d", "", 0, ""),
	}, "Debian GNU/Linux 13 (trixie)", Agent{Version: "v1", RuleSet: "00", Benchmarks: []string{"aks-host-2019"}, Generation: 7})
	if err != nil {
		t.Fatal(err)
	}
	want := v1alpha1.NodeSummary{Pass: 1, Fail: 1, NotApplicable: 1, Manual: 1, Unknown: 2, Exempt: 1}
	if diff := cmp.Diff(want, got.Summary); diff != "" {
		t.Errorf("summary (-want +got):\n%s", diff)
	}
	if n := len(got.Results[0].Findings); n != 0 {
		t.Errorf("a pass shows %d findings", n)
	}
	if got.ObservedGeneration != 7 || got.RuleSet != "00" || !slices.Equal(got.Benchmarks, []string{"aks-host-2019"}) {
		t.Errorf("judged by generation %d, rule set %q, benchmarks %q", got.ObservedGeneration, got.RuleSet, got.Benchmarks)
	}
	failed := got.Results[1].Findings
	first := v1alpha1.NodeFinding{Path: "/etc/0:1", Expected: "yes", Actual: "yes", Detail: "yes", State: "running", Drift: "now"}
	if diff := cmp.Diff(first, failed[0]); diff != "" {
		t.Errorf("first finding (-want +got):\n%s", diff)
	}
	if len(failed) != 11 || failed[10].Detail != "and 2 more" {
		t.Errorf("of 12 findings %d are shown, the last is %+v", len(failed), failed[len(failed)-1])
	}
	if got.Results[6].Status != "Unknown" {
		t.Errorf("no status is shown as %q", got.Results[6].Status)
	}
	var back v1alpha1.NodeReportStatus
	if err := json.Unmarshal(data, &back); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(got, back); diff != "" {
		t.Errorf("the JSON says something else (-want +got):\n%s", diff)
	}
}

// What JSON escapes takes up six times the room.
func TestStatusIsBounded(t *testing.T) {
	for name, value := range map[string]string{
		"plain": strings.Repeat("x", 1000), "escaped in JSON": strings.Repeat("<", 1000), "escaped": strings.Repeat("\x00", 1000),
	} {
		t.Run(name, func(t *testing.T) {
			var verdicts []check.Verdict
			for i := range 100 {
				verdicts = append(verdicts, verdict(control.ID(fmt.Sprintf("control-%d", i)), control.Fail, 1000, value))
			}
			s, data, err := Status(verdicts, value, Agent{})
			if err != nil {
				t.Fatal(err)
			}
			if len(data) > maxStatus {
				t.Errorf("%d bytes", len(data))
			}
			if len(s.Results) != 100 || s.Summary.Fail != 100 {
				t.Errorf("%d results, %d fail", len(s.Results), s.Summary.Fail)
			}
			last := s.Results[99].Findings
			if len(last) == 0 || !strings.HasSuffix(last[len(last)-1].Detail, "more") {
				t.Errorf("what is left out is not counted: %+v", last)
			}
			_, again, err := Status(verdicts, value, Agent{})
			if err != nil || !bytes.Equal(data, again) {
				t.Errorf("the same verdicts give other bytes (%v)", err)
			}
		})
	}
}

func TestRuleSet(t *testing.T) {
	name := func(checks []*check.Check, rules *check.Rules) string {
		t.Helper()
		s, err := RuleSet(checks, rules)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	all := check.All()
	base := name(all, check.NewRules())
	if again := name(all, check.NewRules()); again != base {
		t.Errorf("%s, then %s", base, again)
	}
	for what, other := range map[string]string{
		"other rules":  name(all, check.NewRules("cis-ubuntu-22.04-3.0.0")),
		"fewer checks": name(all[:len(all)-1], check.NewRules()),
	} {
		if other == base {
			t.Errorf("%s have the same name", what)
		}
	}
}
