package ruling

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"
	"sigs.k8s.io/yaml"

	"github.com/hardgate-dev/hardgate/api/v1alpha1"
	"github.com/hardgate-dev/hardgate/control"
)

// text writes a resource as a user would: "name" and a spec in YAML.
func text(t *testing.T, kind, name, spec string) []byte {
	t.Helper()
	data, err := yaml.YAMLToJSON([]byte("apiVersion: hardgate.dev/v1alpha1\nkind: " + kind + "\nmetadata: {name: " + name + "}\nspec: " + spec))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// policies reads NodePolicies; the name of one that is paused ends in an asterisk.
func policies(t *testing.T, specs map[string]string) (list []v1alpha1.NodePolicy) {
	t.Helper()
	for name, spec := range specs {
		name, paused := strings.CutSuffix(name, "*")
		p, err := ReadPolicy(text(t, "NodePolicy", name, spec))
		if err != nil {
			t.Fatal(err)
		}
		if paused {
			p.Annotations = map[string]string{v1alpha1.PauseAnnotation: ""}
		}
		list = append(list, *p)
	}
	return list
}

func rulesOf(t *testing.T, specs map[string]string, node labels.Set) *Rules {
	t.Helper()
	book, errs := Compile(policies(t, specs))
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	return book.For(node)
}

// Of every field the strictest wins, whichever policy comes first.
func TestStrictestWins(t *testing.T) {
	percent := func(values ...int) (list []Limit) {
		for _, v := range values {
			list = append(list, Limit{Percent: v, IsPercent: true})
		}
		return list
	}
	const acting = "controls: [{id: su-restricted, mode: Enforce}]"
	tests := map[string]struct {
		a, b string
		of   func(*Rules) any
		want any
	}{
		"effect":                        {acting + ", effect: NoExecute", acting + ", effect: NoSchedule", effect, corev1.TaintEffectNoExecute},
		"effect, not given":             {acting, acting, effect, corev1.TaintEffectNoSchedule},
		"effect of one that only warns": {"mode: Warn, effect: NoExecute", acting, effect, corev1.TaintEffectNoExecute},
		"grace":                         {acting + ", gracePeriod: 2m", acting + ", gracePeriod: 3m", grace, 2 * time.Minute},
		"grace, none":                   {acting + ", gracePeriod: 0s", acting, grace, time.Duration(0)},
		"grace, not given":              {acting, acting + ", gracePeriod: 1h", grace, 5 * time.Minute},
		"clear after":                   {acting + ", clearAfter: 2m", acting + ", clearAfter: 3m", func(r *Rules) any { return r.ClearAfter }, 3 * time.Minute},
		"clear after, not given":        {acting, acting + ", clearAfter: 1s", func(r *Rules) any { return r.ClearAfter }, time.Minute},
		"dwell":                         {acting + ", minimumDwell: 20m", acting + ", minimumDwell: 30m", func(r *Rules) any { return r.MinimumDwell }, 30 * time.Minute},
		"dwell, not given":              {acting, acting + ", minimumDwell: 0s", func(r *Rules) any { return r.MinimumDwell }, 5 * time.Minute},
		"stale after":                   {"stale: Warn, staleAfter: 20m", "stale: Enforce, staleAfter: 3h", staleAfter, 20 * time.Minute},
		"stale after, not given":        {"stale: Warn", "stale: Enforce, staleAfter: 3h", staleAfter, time.Hour},
		"stale":                         {"stale: Warn", "stale: Enforce", func(r *Rules) any { return r.Stale }, control.Enforce},
		"stale, kept":                   {"stale: Keep", acting, func(r *Rules) any { return r.Stale }, control.Audit},
		"stale, warned of":              {"stale: Keep", "stale: Warn", func(r *Rules) any { return r.Stale }, control.Warn},
		"control plane":                 {acting + ", controlPlane: true", acting, func(r *Rules) any { return r.ControlPlane }, true},
		"untrusted":                     {"untrustedUntilChecked: true", "mode: Audit", func(r *Rules) any { return r.UntrustedUntilChecked }, true},
		"cluster":                       {acting + ", budget: {cluster: 3%}", acting + ", budget: {cluster: 50%}", cluster, percent(3, 50)},
		"cluster, not given":            {acting, acting + ", budget: {cluster: 50%}", cluster, percent(10, 50)},
		"cluster, a number":             {acting + ", budget: {cluster: 2}", acting + ", budget: {cluster: 0}", cluster, []Limit{{Nodes: 2}, {}}},
		"pool, not given":               {acting, acting + ", budget: {pool: 1}", func(r *Rules) any { return r.Budget.Pool }, []Limit{{Percent: 25, IsPercent: true}, {Nodes: 1}}},
		"correlation, not given":        {acting, acting + ", budget: {correlation: 5%}", func(r *Rules) any { return r.Budget.Correlation }, percent(20, 5)},

		// What only audits has no say in what follows from others' failures.
		"grace beside an audit":            {"mode: Audit", acting + ", gracePeriod: 1h", grace, time.Hour},
		"grace of an audit":                {"mode: Audit, gracePeriod: 0s", acting, grace, 5 * time.Minute},
		"effect of an audit":               {"mode: Audit, effect: NoExecute", acting, effect, corev1.TaintEffectNoSchedule},
		"dwell of an audit":                {"mode: Audit, minimumDwell: 9h", acting, func(r *Rules) any { return r.MinimumDwell }, 5 * time.Minute},
		"control plane of an audit":        {"mode: Audit, controlPlane: true", acting, func(r *Rules) any { return r.ControlPlane }, false},
		"cluster beside an audit":          {"mode: Audit", acting + ", budget: {cluster: 50%}", cluster, percent(50)},
		"cluster of an audit":              {"mode: Audit, budget: {cluster: 1%}", acting + ", budget: {cluster: 50%}", cluster, percent(1, 50)},
		"cluster of an audit and no more":  {"mode: Audit", "mode: Audit", cluster, []Limit(nil)},
		"cluster where nodes are untrused": {"mode: Audit", "untrustedUntilChecked: true", cluster, percent(10)},
		"grace beside untrusted":           {"untrustedUntilChecked: true", acting + ", gracePeriod: 1h", grace, time.Hour},
		"control plane, untrusted":         {"untrustedUntilChecked: true, controlPlane: true", "mode: Audit", func(r *Rules) any { return r.ControlPlane }, true},
		"stale after, of one that keeps":   {acting + ", stale: Keep, staleAfter: 20m", "stale: Enforce, staleAfter: 3h", staleAfter, 3 * time.Hour},
		"stale after, where all keep":      {acting + ", stale: Keep, staleAfter: 20m", acting, staleAfter, time.Duration(0)},
		"grace beside stale":               {"stale: Warn", acting + ", gracePeriod: 1h", grace, 5 * time.Minute},

		"mode": {
			"controls: [{id: su-restricted, mode: Warn}]", acting,
			func(r *Rules) any { return r.Mode("su-restricted") }, control.Enforce,
		},
		"off in one": {
			`controls: [{id: su-restricted, mode: "Off"}]`, "controls: [{id: su-restricted, mode: Audit}]",
			off,
			[]any{control.Audit, false},
		},
		"off in both": {
			`controls: [{id: su-restricted, mode: "Off"}]`, `mode: "Off"`,
			off,
			[]any{control.Off, true},
		},
		"benchmarks": {
			"benchmark: ubuntu-22.04", "benchmark: \"1.8\"",
			func(r *Rules) any { return r.Benchmarks },
			[]string{"cis-kubernetes-1.8.0", "cis-ubuntu-22.04-3.0.0"},
		},
		"benchmarks by two names": {
			"benchmark: \"1.8\"", "benchmark: cis-kubernetes-1.8.0",
			func(r *Rules) any { return r.Benchmarks },
			[]string{"cis-kubernetes-1.8.0"},
		},
		"modules": {
			"controls: [{id: mod-unnecessary, mode: Enforce, parameters: {unnecessaryModules: [tipc, floppy]}}]",
			"controls: [{id: mod-unnecessary, parameters: {unnecessaryModules: [can, tipc]}}]",
			func(r *Rules) any { return r.UnnecessaryModules },
			[]string{"can", "floppy", "tipc"},
		},
		"modules of a control that is off": {
			`controls: [{id: mod-unnecessary, mode: "Off", parameters: {unnecessaryModules: [tipc]}}]`,
			"controls: [{id: mod-unnecessary, mode: Warn}]",
			func(r *Rules) any { return r.UnnecessaryModules }, []string(nil),
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			a, b := "{"+tt.a+"}", "{"+tt.b+"}"
			if diff := cmp.Diff(tt.want, tt.of(rulesOf(t, map[string]string{"a": a, "b": b}, nil))); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			other := tt.of(rulesOf(t, map[string]string{"a": b, "b": a}, nil))
			if limits, ok := other.([]Limit); ok {
				slices.Reverse(limits)
			}
			if diff := cmp.Diff(tt.want, other); diff != "" {
				t.Errorf("the other first (-want +got):\n%s", diff)
			}
		})
	}
}

func off(r *Rules) any        { return []any{r.Mode("su-restricted"), r.Off["su-restricted"]} }
func effect(r *Rules) any     { return r.Effect }
func grace(r *Rules) any      { return r.Grace }
func staleAfter(r *Rules) any { return r.StaleAfter }
func cluster(r *Rules) any    { return r.Budget.Cluster }

// Orders are the same where the same is asked for, by whichever policies.
func TestOrders(t *testing.T) {
	const tipc = "controls: [{id: mod-unnecessary, parameters: {unnecessaryModules: [tipc]}}]"
	of := func(a, b string) string {
		return rulesOf(t, map[string]string{"a": "{" + a + "}", "b": "{" + b + "}"}, nil).Orders
	}
	if got := of("mode: Enforce", "mode: Warn"); got != "" {
		t.Errorf("%q where nothing is asked for", got)
	}
	both := of(tipc, "benchmark: \"1.8\", mode: Warn")
	if other := of("benchmark: cis-kubernetes-1.8.0, mode: Warn", tipc); other != both {
		t.Errorf("%q and %q for the same", both, other)
	}
	seen := map[string]bool{"": true, both: true}
	for _, one := range []string{of(tipc, "mode: Warn"), of("benchmark: \"1.8\"", ""), of("benchmark: \"1.11\"", "")} {
		if seen[one] {
			t.Errorf("%q for something else", one)
		}
		seen[one] = true
	}
}

// A policy's mode is for the controls of its benchmark and level, and for no others.
func TestCovers(t *testing.T) {
	tests := map[string]struct {
		spec string
		want map[control.ID]control.Mode // of these
	}{
		"everything": {`{mode: Warn}`, map[control.ID]control.Mode{
			"kubelet-anonymous-auth": control.Warn, "kubelet-event-qps": control.Warn, "mod-cramfs": control.Warn, "reboot-required": control.Warn,
		}},
		"benchmark": {`{mode: Warn, benchmark: cis-kubernetes-1.8.0}`, map[control.ID]control.Mode{
			"kubelet-anonymous-auth": control.Warn, "kubelet-event-qps": control.Warn, "mod-cramfs": control.Audit, "reboot-required": control.Audit,
			"kubelet-protect-kernel-defaults": control.Audit, // it has a number in the AKS document only
		}},
		"another benchmark": {`{mode: Warn, benchmark: ubuntu}`, map[control.ID]control.Mode{
			"kubelet-anonymous-auth": control.Audit, "mod-cramfs": control.Warn, "reboot-required": control.Audit,
		}},
		"level 1": {`{mode: Warn, level: L1}`, map[control.ID]control.Mode{
			"kubelet-anonymous-auth": control.Warn, "kubelet-event-qps": control.Audit, "reboot-required": control.Warn, // of no level
		}},
		"level 2": {`{mode: Warn, level: L2}`, map[control.ID]control.Mode{
			"kubelet-anonymous-auth": control.Warn, "kubelet-event-qps": control.Warn, "reboot-required": control.Warn,
		}},
		"both": {`{mode: Warn, level: L1, benchmark: "1.8"}`, map[control.ID]control.Mode{
			"kubelet-anonymous-auth": control.Warn, "kubelet-event-qps": control.Audit, "mod-cramfs": control.Audit, "reboot-required": control.Audit,
		}},
		"listed besides": {
			`{mode: Warn, level: L1, benchmark: "1.8", controls: [{id: mod-cramfs}, {id: kubelet-event-qps, mode: Enforce}, {id: kubelet-anonymous-auth, mode: "Off"}]}`,
			map[control.ID]control.Mode{
				"kubelet-anonymous-auth": control.Off, "kubelet-event-qps": control.Enforce, "mod-cramfs": control.Warn, "reboot-required": control.Audit,
			},
		},
		"listed without a mode": {`{controls: [{id: mod-cramfs}]}`, map[control.ID]control.Mode{"mod-cramfs": control.Audit}},
		"off":                   {`{mode: "Off", level: L1}`, map[control.ID]control.Mode{"kubelet-anonymous-auth": control.Off, "kubelet-event-qps": control.Audit}},
		"no mode":               {`{level: L1, benchmark: "1.8"}`, map[control.ID]control.Mode{"kubelet-anonymous-auth": control.Audit}},
		// What an agent does not judge is in nobody's mode.
		"no workload": {`{mode: Warn}`, map[control.ID]control.Mode{"privileged": control.Audit, "apiserver-anonymous-auth": control.Audit}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			r := rulesOf(t, map[string]string{"a": tt.spec}, nil)
			for id, want := range tt.want {
				if got := r.Mode(id); got != want {
					t.Errorf("%s is in mode %s, want %s", id, got, want)
				}
			}
		})
	}
}

func TestSelection(t *testing.T) {
	tests := map[string]struct {
		specs map[string]string
		node  labels.Set
		want  []string
	}{
		"no policy":      {nil, nil, nil},
		"no selector":    {map[string]string{"b": `{}`, "a": `{}`}, nil, []string{"a", "b"}},
		"empty selector": {map[string]string{"a": `{nodeSelector: {}}`}, nil, []string{"a"}},
		"null selector":  {map[string]string{"a": `{nodeSelector: null}`}, nil, []string{"a"}},
		"labels": {
			map[string]string{"a": `{nodeSelector: {matchLabels: {pool: x}}}`, "b": `{nodeSelector: {matchLabels: {pool: z}}}`},
			labels.Set{"pool": "x"},
			[]string{"a"},
		},
		"not in, unlabelled": {map[string]string{"a": `{nodeSelector: {matchExpressions: [{key: pool, operator: NotIn, values: [x]}]}}`}, nil, []string{"a"}},
		"exists":             {map[string]string{"a": `{nodeSelector: {matchExpressions: [{key: pool, operator: Exists}]}}`}, labels.Set{"pool": ""}, []string{"a"}},
		"other labels":       {map[string]string{"a": `{nodeSelector: {matchLabels: {pool: x}}}`}, labels.Set{"Pool": "x"}, nil},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			r := rulesOf(t, tt.specs, tt.node)
			if diff := cmp.Diff(tt.want, r.Policies); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// Without a policy everything is audited and nothing follows, which also holds for a
// book that nobody compiled.
func TestNoPolicy(t *testing.T) {
	for name, r := range map[string]*Rules{"compiled": rulesOf(t, nil, labels.Set{"a": "b"}), "zero": new(Book).For(nil)} {
		if len(r.Modes) > 0 || r.Mode("mod-cramfs") != control.Audit || r.UntrustedUntilChecked || r.ControlPlane ||
			r.Stale != control.Audit || r.Effect != corev1.TaintEffectNoSchedule {
			t.Errorf("%s: %+v", name, r)
		}
	}
	if DefaultMode != control.Audit {
		t.Errorf("the default mode is %s", DefaultMode)
	}
}

func TestPaused(t *testing.T) {
	r := rulesOf(t, map[string]string{"a": `{}`, "b*": `{mode: Enforce}`, "c*": `{nodeSelector: {matchLabels: {pool: x}}}`}, nil)
	if diff := cmp.Diff([]string{"b"}, r.Paused); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if r.Mode("su-restricted") != control.Enforce {
		t.Error("a paused policy is forgotten, as if it were deleted")
	}
}

// A policy with a mistake is left out as a whole and told of, with its name; the others
// are in the book.
func TestCompileGoesOn(t *testing.T) {
	list := policies(t, map[string]string{"good": `{mode: Warn}`, "bad": `{mode: Enforce}`})
	for i := range list {
		if list[i].Name == "bad" {
			list[i].Spec.Effect = "NoScedule"
			list[i].Spec.Controls = []v1alpha1.NodeControlSetting{{ID: "su-restrictd"}}
		}
	}
	book, errs := Compile(list)
	var got []string
	for _, err := range errs {
		got = append(got, err.Error())
	}
	want := []string{
		`NodePolicy bad: spec.effect: unknown value "NoScedule", did you mean "NoSchedule"?`,
		`NodePolicy bad: spec.controls[0].id: no control "su-restrictd" is judged on nodes, did you mean "su-restricted"?`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"good"}, book.For(nil).Policies); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// Nodes that other policies select have other answers, whoever asks first, and all at
// once.
func TestAnswersAreNotMixedUp(t *testing.T) {
	const n = 8
	specs := map[string]string{}
	for i := range n {
		specs[fmt.Sprintf("p%d", i)] = fmt.Sprintf(`{nodeSelector: {matchLabels: {l%d: "y"}}}`, i)
	}
	book, errs := Compile(policies(t, specs))
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	var wg sync.WaitGroup
	for worker := range 4 {
		wg.Go(func() {
			for bits := range 1 << n {
				if bits%5 == worker {
					continue
				}
				node, want := labels.Set{}, []string(nil)
				for i := range n {
					if bits>>i&1 == 1 {
						node[fmt.Sprintf("l%d", i)] = "y"
						want = append(want, fmt.Sprintf("p%d", i))
					}
				}
				if got := book.For(node).Policies; !slices.Equal(got, want) {
					t.Errorf("%v: %v, want %v", node, got, want)
					return
				}
			}
		})
	}
	wg.Wait()
	if a, b := book.For(labels.Set{"l1": "y"}), book.For(labels.Set{"l1": "y", "other": "z"}); a != b {
		t.Error("an answer is not remembered")
	}
}
