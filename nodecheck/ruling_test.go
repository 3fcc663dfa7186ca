package nodecheck

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hardgate-dev/hardgate/api/v1alpha1"
	"github.com/hardgate-dev/hardgate/control"
	"github.com/hardgate-dev/hardgate/nodecheck/check"
	"github.com/hardgate-dev/hardgate/nodecheck/delivery"
	"github.com/hardgate-dev/hardgate/nodecheck/host"
	"github.com/hardgate-dev/hardgate/nodecheck/synopsis"
)

const ubuntu = "cis-ubuntu-22.04-3.0.0"

// aging is a node whose passwords last longer than the source documents allow, and
// not longer than the newer benchmark does.
const aging = `-- etc/login.defs --
PASS_MAX_DAYS 200
-- etc/passwd --
root:x:0:0:root:/root:/bin/bash
-- etc/shadow mode=0640 --
root:*:19000:0:99999:7:::
`

// flagged is an agent whose flags choose two controls and exempt one of them.
func flagged(t *testing.T) *running {
	t.Helper()
	r := stopped(t, aging)
	r.files.set("bad")
	age, _ := check.Get("pw-max-age")
	r.Scanner.Checks = []*check.Check{reads("a", "/etc/a"), age}
	r.Scanner.Rules.Exempt = map[control.ID]string{"a": "the image's own", "pw-inactive": "agreed"}
	r.Self = synopsis.Agent{Version: "v1", RuleSet: "flags", Benchmarks: []string{"aks-host-2019"}}
	r.start(t)
	return r
}

func (r *running) next(t *testing.T) delivered {
	t.Helper()
	select {
	case d := <-r.delivered:
		return d
	case <-time.After(10 * time.Second):
		t.Fatal("nothing is delivered")
		return delivered{}
	}
}

func (r *running) order(t *testing.T, o delivery.Order) delivered {
	t.Helper()
	r.orders <- o
	d := r.next(t)
	if d.by != o {
		t.Fatalf("delivered is what was made by %+v, want %+v", d.by, o)
	}
	return d
}

func of(s v1alpha1.NodeReportStatus, id string) string {
	i := slices.IndexFunc(s.Results, func(r v1alpha1.NodeResult) bool { return r.Control == id })
	if i < 0 {
		return ""
	}
	return s.Results[i].Status
}

// wantFlags asserts that the flags are in force.
func wantFlags(t *testing.T, d delivered) {
	t.Helper()
	if d.ObservedGeneration != 0 || d.RuleSet != "flags" || !slices.Equal(d.Benchmarks, []string{"aks-host-2019"}) {
		t.Errorf("generation %d, rule set %q, benchmarks %q, want those of the flags", d.ObservedGeneration, d.RuleSet, d.Benchmarks)
	}
	got := map[string]string{}
	for _, r := range d.Results {
		got[r.Control] = r.Status
	}
	if diff := cmp.Diff(map[string]string{"a": "Exempt", "pw-max-age": "Fail"}, got); diff != "" {
		t.Errorf("verdicts by the flags (-want +got):\n%s", diff)
	}
}

func TestAgentFollowsOrders(t *testing.T) {
	r := flagged(t)
	flags := r.next(t)
	if flags.by != (delivery.Order{}) {
		t.Errorf("by %+v without an order", flags.by)
	}
	wantFlags(t, flags)
	seen := map[string]string{} // by rule set, the spec
	for i, c := range []struct {
		spec       string
		benchmarks []string
		age        string
	}{
		{`{"benchmarks":["` + ubuntu + `"]}`, []string{ubuntu}, "Pass"},
		{`{}`, nil, "Fail"},
		// The stricter rule of both.
		{`{"benchmarks":["` + ubuntu + `","aks-host-2019","` + ubuntu + `"]}`, []string{"aks-host-2019", ubuntu}, "Fail"},
		{`{"benchmarks":["` + ubuntu + `"],"unnecessaryModules":["pcspkr"]}`, []string{ubuntu}, "Pass"},
	} {
		d := r.order(t, delivery.Order{Report: "report", Generation: int64(i + 2), Spec: c.spec})
		if d.ObservedGeneration != int64(i+2) || !slices.Equal(d.Benchmarks, c.benchmarks) || d.AgentVersion != "v1" {
			t.Errorf("%s: generation %d, benchmarks %q, agent %q", c.spec, d.ObservedGeneration, d.Benchmarks, d.AgentVersion)
		}
		if len(d.Results) != len(check.All()) {
			t.Errorf("%s: %d controls of %d", c.spec, len(d.Results), len(check.All()))
		}
		if got := of(d.NodeReportStatus, "pw-max-age"); got != c.age {
			t.Errorf("%s: pw-max-age is %s, want %s", c.spec, got, c.age)
		}
		if got := of(d.NodeReportStatus, "pw-inactive"); got != "Exempt" {
			t.Errorf("%s: what the flags exempt is %s", c.spec, got)
		}
		if other, ok := seen[d.RuleSet]; ok || d.RuleSet == "flags" {
			t.Errorf("%s and %s have one rule set, %s", c.spec, other, d.RuleSet)
		}
		seen[d.RuleSet] = c.spec
	}
	if !slices.Equal(r.Scanner.Rules.Modules, []string{"pcspkr"}) {
		t.Errorf("modules %q", r.Scanner.Rules.Modules)
	}
	wantFlags(t, r.order(t, delivery.Order{}))
}

// The same spec may come back at a later generation: the verdicts are the same, and
// the report must say that they are by that generation.
func TestAgentDeliversTheSameByAnotherOrder(t *testing.T) {
	r := flagged(t)
	r.next(t)
	for generation := int64(2); generation < 5; generation++ {
		d := r.order(t, delivery.Order{Report: "report", Generation: generation, Spec: `{}`})
		if d.ObservedGeneration != generation {
			t.Errorf("generation %d, want %d", d.ObservedGeneration, generation)
		}
	}
}

// A spec that the agent does not know all of is not obeyed, not even in part, and
// nothing claims that it is.
func TestAgentDoesNotClaimWhatItDoesNotKnow(t *testing.T) {
	for name, spec := range map[string]string{
		"an unknown benchmark":           `{"benchmarks":["cis-ubuntu-99.04-1.0.0"]}`,
		"one of two unknown":             `{"benchmarks":["` + ubuntu + `","nonsense"]}`,
		"a short name":                   `{"benchmarks":["ubuntu"]}`,
		"another case":                   `{"benchmarks":["CIS-Ubuntu-22.04-3.0.0"]}`,
		"an empty name":                  `{"benchmarks":[""]}`,
		"a field of a later version":     `{"benchmarks":["` + ubuntu + `"],"level":"L2"}`,
		"another type":                   `{"benchmarks":"` + ubuntu + `"}`,
		"no object":                      `["` + ubuntu + `"]`,
		"no name of a module":            `{"unnecessaryModules":["pcspkr","/bin/true"]}`,
		"an empty name of a module":      `{"unnecessaryModules":[""]}`,
		"a name too long for the kernel": `{"unnecessaryModules":["` + strings.Repeat("m", 56) + `"]}`,
	} {
		t.Run(name, func(t *testing.T) {
			r := flagged(t)
			r.next(t)
			wantFlags(t, r.order(t, delivery.Order{Report: "report", Generation: 2, Spec: spec}))
			obeyed := r.order(t, delivery.Order{Report: "report", Generation: 3, Spec: `{"benchmarks":["` + ubuntu + `"]}`})
			refused := r.order(t, delivery.Order{Report: "report", Generation: 4, Spec: spec})
			if diff := cmp.Diff(obeyed.NodeReportStatus, refused.NodeReportStatus); diff != "" {
				t.Errorf("after a spec that is not obeyed (-before +after):\n%s", diff)
			}
			if refused.ObservedGeneration != 3 {
				t.Errorf("generation %d is claimed, 3 was obeyed", refused.ObservedGeneration)
			}
			// Of another report, the generation that was obeyed may be this very one.
			wantFlags(t, r.order(t, delivery.Order{Report: "another", Generation: 3, Spec: spec}))
			d := r.order(t, delivery.Order{Report: "another", Generation: 4, Spec: `{}`})
			if d.ObservedGeneration != 4 {
				t.Errorf("generation %d after one that was refused", d.ObservedGeneration)
			}
		})
	}
}

// A pass that was left behind goes on by the rules that it began with.
func TestScanOutlivesItsRules(t *testing.T) {
	until, after := make(chan struct{}), make(chan *check.Rules)
	s := &Scanner{
		Files: tree(t, "-- etc/a --\ngood\n"), Rules: check.NewRules(), Patience: 10 * time.Millisecond,
		Checks: []*check.Check{hangs("dead", until), {ID: "next", Run: func(_ *host.Host, rules *check.Rules) (check.Result, error) {
			select {
			case <-until: // of the pass that was left behind, once that goes on
				after <- rules
			default:
			}
			return check.Result{Status: control.Pass}, nil
		}}},
	}
	scan(t, s)
	first := s.Rules
	s.Rules, s.Checks = check.NewRules(ubuntu), []*check.Check{reads("a", "/etc/a")}
	scan(t, s)
	close(until)
	if got := <-after; got != first {
		t.Error("the pass changed its rules on the way")
	}
}
