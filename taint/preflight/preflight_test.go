package preflight

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"

	"github.com/hardgate-dev/hardgate/api/v1alpha1"
)

const mine = "hardgate.dev/drifted"

func tolerations(t *testing.T, text string) (list []corev1.Toleration) {
	t.Helper()
	if err := yaml.UnmarshalStrict([]byte(text), &list); err != nil {
		t.Fatal(err)
	}
	return list
}

// The first toleration that matches a taint counts.
func TestJudge(t *testing.T) {
	type effect = corev1.TaintEffect
	const no, evict, prefer = corev1.TaintEffectNoSchedule, corev1.TaintEffectNoExecute, corev1.TaintEffectPreferNoSchedule
	tests := map[string]struct {
		tolerations string
		value       string
		effect      effect
		want        string // "tolerated", "kept away", "evicted" or "evicted after …"
	}{
		"none":                         {"[]", "", no, "kept away"},
		"none, NoExecute":              {"[]", "", evict, "evicted"},
		"none, PreferNoSchedule":       {"[]", "", prefer, "tolerated"},
		"everything":                   {"[{operator: Exists}]", "", no, "tolerated"},
		"everything, NoExecute":        {"[{operator: Exists}]", "", evict, "tolerated"},
		"every NoSchedule":             {"[{operator: Exists, effect: NoSchedule}]", "", no, "tolerated"},
		"every NoSchedule, NoExecute":  {"[{operator: Exists, effect: NoSchedule}]", "", evict, "evicted"},
		"every NoExecute, NoSchedule":  {"[{operator: Exists, effect: NoExecute}]", "", no, "kept away"},
		"what Kubernetes adds":         {"[{key: node.kubernetes.io/not-ready, operator: Exists, effect: NoExecute}, {key: node.kubernetes.io/unschedulable, operator: Exists, effect: NoSchedule}]", "", no, "kept away"},
		"key, any effect":              {"[{key: hardgate.dev/drifted, operator: Exists}]", "", evict, "tolerated"},
		"key, one effect":              {"[{key: hardgate.dev/drifted, operator: Exists, effect: NoSchedule}]", "", no, "tolerated"},
		"key, the other effect":        {"[{key: hardgate.dev/drifted, operator: Exists, effect: NoExecute}]", "", no, "kept away"},
		"key that begins the same":     {"[{key: hardgate.dev/drift, operator: Exists}]", "", no, "kept away"},
		"no operator, no value":        {"[{key: hardgate.dev/drifted}]", "", no, "tolerated"},
		"no operator, another value":   {`[{key: hardgate.dev/drifted, value: "true"}]`, "", no, "kept away"},
		"Equal, no value":              {"[{key: hardgate.dev/drifted, operator: Equal}]", "x", no, "kept away"},
		"Equal, same value":            {"[{key: hardgate.dev/drifted, operator: Equal, value: x}]", "x", no, "tolerated"},
		"Exists, any value":            {"[{key: hardgate.dev/drifted, operator: Exists}]", "x", no, "tolerated"},
		"Gt, less":                     {`[{key: hardgate.dev/drifted, operator: Gt, value: "5"}]`, "5", no, "kept away"},
		"Gt, more":                     {`[{key: hardgate.dev/drifted, operator: Gt, value: "5"}]`, "6", no, "tolerated"},
		"Lt, more":                     {`[{key: hardgate.dev/drifted, operator: Lt, value: "5"}]`, "6", no, "kept away"},
		"Lt, no number":                {`[{key: hardgate.dev/drifted, operator: Lt, value: "5"}]`, "", no, "kept away"},
		"unknown operator":             {"[{key: hardgate.dev/drifted, operator: In}]", "", no, "kept away"},
		"second of two":                {"[{key: a, operator: Exists}, {key: hardgate.dev/drifted, operator: Exists}]", "", no, "tolerated"},
		"for a time":                   {"[{operator: Exists, effect: NoExecute, tolerationSeconds: 300}]", "", evict, "evicted after 5m"},
		"for no time":                  {"[{operator: Exists, effect: NoExecute, tolerationSeconds: 0}]", "", evict, "evicted after none"},
		"for less than no time":        {"[{operator: Exists, effect: NoExecute, tolerationSeconds: -1}]", "", evict, "evicted after none"},
		"for a time, then for ever":    {"[{key: hardgate.dev/drifted, operator: Exists, effect: NoExecute, tolerationSeconds: 300}, {operator: Exists}]", "", evict, "evicted after 5m"},
		"for ever, then for a time":    {"[{operator: Exists}, {key: hardgate.dev/drifted, operator: Exists, effect: NoExecute, tolerationSeconds: 300}]", "", evict, "tolerated"},
		"for a time, of another taint": {"[{key: a, operator: Exists, effect: NoExecute, tolerationSeconds: 300}, {operator: Exists}]", "", evict, "tolerated"},
		"seconds do not bind NoSchedule": {
			"[{operator: Exists, tolerationSeconds: 300}]", "", no, "tolerated",
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			taint := corev1.Taint{Key: mine, Value: tt.value, Effect: tt.effect}
			set := DaemonSet{Namespace: "logging", Name: "agent", Pods: 3, Tolerations: tolerations(t, tt.tolerations)}
			var want []Finding
			if u := (Untolerated{Taint: taint}); tt.want != "tolerated" {
				switch tt.want {
				case "evicted":
					u.Evicts = true
				case "evicted after none":
					u.Evicts, u.AfterSeconds = true, new(int64(0))
				case "evicted after 5m":
					u.Evicts, u.AfterSeconds = true, new(int64(300))
				}
				want = []Finding{{Namespace: "logging", Name: "agent", Pods: 3, NotTolerated: []Untolerated{u}}}
			}
			if diff := cmp.Diff(want, Judge([]DaemonSet{set}, []corev1.Taint{taint})); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// The order is that of names, and of the taints as they are given; each taint is judged
// by itself.
func TestJudgeMany(t *testing.T) {
	all := []corev1.Toleration{{Operator: corev1.TolerationOpExists}}
	sets := []DaemonSet{
		{Namespace: "b", Name: "a"},
		{Namespace: "a", Name: "c"},
		{Namespace: "a", Name: "b", Tolerations: []corev1.Toleration{{Key: unverified.Key, Operator: corev1.TolerationOpExists}}},
		{Namespace: "a", Name: "a", Tolerations: all},
	}
	keptAway := func(taints ...corev1.Taint) (list []Untolerated) {
		for _, t := range taints {
			list = append(list, Untolerated{Taint: t})
		}
		return list
	}
	want := []Finding{
		{Namespace: "a", Name: "b", NotTolerated: keptAway(drifted)},
		{Namespace: "a", Name: "c", NotTolerated: keptAway(unverified, drifted)},
		{Namespace: "b", Name: "a", NotTolerated: keptAway(unverified, drifted)},
	}
	if diff := cmp.Diff(want, Judge(sets, []corev1.Taint{unverified, drifted})); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// What Needed says mends what was found, where it is put first.
func TestNeeded(t *testing.T) {
	valued := corev1.Taint{Key: "example.com/hardgate-drifted", Value: "x", Effect: corev1.TaintEffectNoExecute}
	taints := []corev1.Taint{unverified, drifted, evicting, valued}
	sets := []DaemonSet{
		{Name: "none"},
		{Name: "for a time", Tolerations: tolerations(t, "[{operator: Exists, effect: NoExecute, tolerationSeconds: 60}]")},
		{Name: "another value", Tolerations: tolerations(t, "[{key: example.com/hardgate-drifted, operator: Equal, value: y}]")},
	}
	found := Judge(sets, taints)
	if len(found) != len(sets) {
		t.Fatalf("found %+v", found)
	}
	needed := Needed(found)
	want := tolerations(t, `[{key: example.com/hardgate-drifted, operator: Equal, value: x}, {key: hardgate.dev/drifted, operator: Exists}, {key: hardgate.dev/unverified, operator: Exists}]`)
	if diff := cmp.Diff(want, needed); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for i := range sets {
		sets[i].Tolerations = slices.Concat(needed, sets[i].Tolerations)
	}
	if left := Judge(sets, taints); left != nil {
		t.Errorf("with them, there are left: %+v", left)
	}
	if got := Needed(nil); got != nil {
		t.Errorf("for nothing: %+v", got)
	}
}

func TestTaints(t *testing.T) {
	tests := map[string]struct {
		specs []string
		want  []corev1.Taint
	}{
		"no policy":              {nil, nil},
		"audits":                 {[]string{"{mode: Audit}"}, []corev1.Taint{drifted}},
		"no mode":                {[]string{"{}"}, []corev1.Taint{drifted}},
		"warns, and would evict": {[]string{"{mode: Warn, effect: NoExecute}"}, []corev1.Taint{evicting}},
		"two effects":            {[]string{"{effect: NoExecute}", "{effect: NoSchedule}"}, []corev1.Taint{drifted, evicting}},
		"untrusted":              {[]string{"{}", "{untrustedUntilChecked: true, effect: NoExecute}"}, []corev1.Taint{drifted, evicting, unverified}},
		"untrusted, twice":       {[]string{"{untrustedUntilChecked: true}", "{untrustedUntilChecked: true}"}, []corev1.Taint{drifted, unverified}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			var policies []v1alpha1.NodePolicy
			for _, spec := range tt.specs {
				var p v1alpha1.NodePolicy
				if err := yaml.UnmarshalStrict([]byte(spec), &p.Spec); err != nil {
					t.Fatal(err)
				}
				policies = append(policies, p)
			}
			if diff := cmp.Diff(tt.want, Taints(policies)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
