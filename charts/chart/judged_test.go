package chart_test

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/pod-security-admission/api"
	"k8s.io/pod-security-admission/policy"

	"github.com/hardgate-dev/hardgate/api/v1alpha1"
	"github.com/hardgate-dev/hardgate/charts/chart"
	"github.com/hardgate-dev/hardgate/control"
	"github.com/hardgate-dev/hardgate/exemption"
	"github.com/hardgate-dev/hardgate/manifest"
	"github.com/hardgate-dev/hardgate/offline"
	"github.com/hardgate-dev/hardgate/taint/ruling"
	workloads "github.com/hardgate-dev/hardgate/webhook/ruling"
)

var now = time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC)

// variants are the ways to render that differ in what is judged.
func variants() map[string]chart.Options {
	return map[string]chart.Options{
		"builtin":      {},
		"cert-manager": {APIVersions: []string{"cert-manager.io/v1"}},
		"another key":  {Values: map[string]any{"taints": map[string]any{"unverifiedKey": "startup-taint.cluster-autoscaler.kubernetes.io/hardgate-unverified"}}},
		"in its own":   {Namespace: "hardgate-system"},
	}
}

// exemptions are those that are shipped, read as the webhook reads them.
func exemptions(t *testing.T, all []manifest.Object) []v1alpha1.Exemption {
	t.Helper()
	var found []v1alpha1.Exemption
	for _, o := range all {
		if o.Kind != "Exemption" {
			continue
		}
		e, err := exemption.Read(o.JSON)
		if err != nil {
			t.Fatalf("%s: %v", o.Source, err)
		}
		found = append(found, *e)
	}
	if len(found) == 0 {
		t.Fatal("no Exemption is shipped")
	}
	return found
}

// pods are the pods that the templates make.
func pods(t *testing.T, o chart.Options) (all []manifest.Object) {
	t.Helper()
	rendered := objects(t, render(t, o))
	owner := map[string]string{}
	for _, maker := range rendered {
		switch m := maker.(type) {
		case *appsv1.Deployment:
			owner[m.Name] = "ReplicaSet"
		case *appsv1.DaemonSet:
			owner[m.Name] = "DaemonSet"
		}
	}
	for name, template := range templates(t, rendered) {
		controller := metav1.OwnerReference{APIVersion: "apps/v1", Kind: owner[name], Name: name, UID: "u", Controller: new(true)}
		pod := corev1.Pod{
			TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "Pod"},
			ObjectMeta: metav1.ObjectMeta{Name: name + "-x", Namespace: "hardgate-system", Labels: template.Labels, OwnerReferences: []metav1.OwnerReference{controller}},
			Spec:       template.Spec,
		}
		text, err := json.Marshal(pod)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, manifest.Object{Source: "pod of " + name, APIVersion: "v1", Kind: "Pod", JSON: text})
	}
	return all
}

// hardgate's own parts are held to hardgate's own controls, each by its strictest
// parameters. What they cannot keep is said openly in an Exemption, and no Exemption says
// more than is needed.
func TestOwnControls(t *testing.T) {
	for name, o := range variants() {
		t.Run(name, func(t *testing.T) {
			all := plain(t, render(t, o))
			shipped := exemptions(t, all)
			book, errs := exemption.Compile(shipped)
			for _, err := range errs {
				t.Fatal(err)
			}
			used := map[string]map[string]bool{}
			makers := map[string]bool{}
			results, errs := offline.Judge(append(all, pods(t, o)...), offline.Options{Exemptions: book, Now: now})
			for _, err := range errs {
				t.Error(err)
			}
			for _, r := range results {
				makers[r.Object.Kind] = true
				if r.Status == control.Fail {
					t.Errorf("%s %s fails %s, and no Exemption says why: %+v", r.Object.Kind, r.Object.Name, r.Control, r.Findings)
				}
				for _, f := range r.Findings {
					if f.Exemption != "" {
						if used[f.Exemption] == nil {
							used[f.Exemption] = map[string]bool{}
						}
						used[f.Exemption][string(r.Control)] = true
					}
				}
			}
			for _, kind := range []string{"Deployment", "DaemonSet", "Pod", "ClusterRole", "Role", "RoleBinding"} {
				if !makers[kind] {
					t.Errorf("no %s was judged", kind)
				}
			}
			for _, e := range shipped {
				needed := slices.Sorted(maps.Keys(used[e.Name]))
				if diff := cmp.Diff(slices.Sorted(slices.Values(e.Spec.Controls)), needed); diff != "" {
					t.Errorf("the Exemption %s exempts what it need not:\n%s", e.Name, diff)
				}
			}
		})
	}
}

// Installing refuses nothing and taints nothing.
func TestOwnPoliciesOnlyWarn(t *testing.T) {
	var found int
	for _, o := range plain(t, render(t, chart.Options{})) {
		switch o.Kind {
		case "WorkloadPolicy":
			p, err := workloads.Read(o.JSON)
			if err != nil {
				t.Fatal(err)
			}
			found++
			if p.Spec.Mode != "Warn" || p.Spec.Rollout != nil || len(p.Spec.Controls) > 0 {
				t.Errorf("WorkloadPolicy %s does more than warn: %+v", p.Name, p.Spec)
			}
		case "NodePolicy":
			p, err := ruling.ReadPolicy(o.JSON)
			if err != nil {
				t.Fatal(err)
			}
			found++
			if p.Spec.Mode != "Audit" || p.Spec.UntrustedUntilChecked || p.Spec.Stale != "" || len(p.Spec.Controls) > 0 {
				t.Errorf("NodePolicy %s does more than audit: %+v", p.Name, p.Spec)
			}
		}
	}
	if found != 2 {
		t.Errorf("%d policies are shipped, want a WorkloadPolicy and a NodePolicy", found)
	}
}

// The API server's own Pod Security finds nothing in who serves and who leads; the agent
// needs what its Exemption says, and is no further from it.
func TestPodSecurity(t *testing.T) {
	evaluator, err := policy.NewEvaluator(policy.DefaultChecks(), nil)
	if err != nil {
		t.Fatal(err)
	}
	restricted := api.LevelVersion{Level: api.LevelRestricted, Version: api.LatestVersion()}
	want := map[string][]string{
		"hardgate-webhook":    nil,
		"hardgate-controller": nil,
		"hardgate-nodecheck":  {"host namespaces", "unrestricted capabilities", "restricted volume types", "runAsNonRoot != true", "runAsUser=0", "probe or lifecycle host"},
	}
	found := templates(t, objects(t, render(t, chart.Options{})))
	if len(found) != len(want) {
		t.Errorf("%d kinds of pods, want %d", len(found), len(want))
	}
	for name, template := range found {
		var got []string
		for _, result := range evaluator.EvaluatePod(restricted, &template.ObjectMeta, &template.Spec) {
			if !result.Allowed {
				got = append(got, result.ForbiddenReason)
			}
		}
		slices.Sort(got)
		expected := slices.Clone(want[name])
		slices.Sort(expected)
		if diff := cmp.Diff(expected, got); diff != "" {
			t.Errorf("%s: Pod Security finds:\n%s\n%s", name, diff, strings.Join(got, ", "))
		}
	}
}
