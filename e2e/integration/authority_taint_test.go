package integration

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/hardgate-dev/hardgate/taint/key"
)

// tainted makes a node with taints: whoever may create a node gives it what it likes.
func tainted(t *testing.T, taints ...corev1.Taint) string {
	t.Helper()
	spec, err := json.Marshal(map[string]any{"taints": taints})
	if err != nil {
		t.Fatal(err)
	}
	return newNode(t, string(spec))
}

// installTaintPolicy puts the policy in force.
func installTaintPolicy(t *testing.T) {
	t.Helper()
	authorities(t)
	trial := newNode(t, "")
	awaitInForce(t, taintsPolicy, func(ctx context.Context) error {
		body := []byte(`{"spec":{"taints":[{"key":"` + key.Drifted + `","effect":"NoSchedule"}]}}`)
		_, err := administrator(t).nodes().Patch(ctx, trial, types.MergePatchType, body, metav1.PatchOptions{DryRun: []string{metav1.DryRunAll}})
		return err
	})
}

func TestTaintAuthority(t *testing.T) {
	installTaintPolicy(t)
	admin := administrator(t)
	for _, k := range ourKeys {
		name, before := tainted(t, foreign, ours(k)), []corev1.Taint{foreign, ours(k)}
		bare := newNode(t, "")
		for way, set := range waysToTaint {
			for what, edit := range edits {
				t.Run(k+", "+what+" by "+way, func(t *testing.T) {
					wantRefused(t, set(t.Context(), admin, name, edit(ours(k))), taintsPolicy)
				})
			}
			t.Run(k+", added by "+way, func(t *testing.T) {
				wantRefused(t, set(t.Context(), admin, bare, []corev1.Taint{ours(k)}), taintsPolicy)
			})
		}
		if after := getNode(t, name).Spec.Taints; !equality.Semantic.DeepEqual(after, before) {
			t.Errorf("taints %v, want %v", after, before)
		}
		if after := getNode(t, bare).Spec.Taints; len(after) > 0 {
			t.Errorf("taints %v", after)
		}
	}
}

// Nobody is the controller by a likeness.
func TestTaintAuthorityOfOthers(t *testing.T) {
	installTaintPolicy(t)
	name := tainted(t, ours(key.Drifted))
	for _, a := range []actor{
		impersonated(t, "hardgate-controller", masters),
		impersonated(t, "system:serviceaccount:another:hardgate-controller", masters),
		impersonated(t, "system:serviceaccount:hardgate-system:hardgate-nodecheck", masters),
		impersonated(t, "system:serviceaccount:hardgate-system:hardgate-controller2", masters),
		impersonated(t, "system:kube-controller-manager", masters),
		impersonated(t, "somebody", masters, "hardgate:break-glass2"),
		impersonated(t, breakGlass, masters),
	} {
		wantRefused(t, patchTaints(types.MergePatchType)(t.Context(), a, name, nil), taintsPolicy)
	}
	kubelet := impersonated(t, "system:node:"+name, "system:nodes", "system:authenticated")
	if err := patchTaints(types.MergePatchType)(t.Context(), kubelet, name, nil); !apierrors.IsForbidden(err) {
		t.Errorf("a kubelet removes the taint: %v", err)
	}
}

func TestTaintAuthorityBreaksTheGlass(t *testing.T) {
	installTaintPolicy(t)
	glass := impersonated(t, "somebody", masters, breakGlass)
	for way, set := range waysToTaint {
		for what, edit := range edits {
			name := tainted(t, foreign, ours(key.Drifted))
			want := edit(ours(key.Drifted))
			if err := set(t.Context(), glass, name, want); err != nil {
				t.Errorf("%s by %s: %v", what, way, err)
			} else if after := getNode(t, name).Spec.Taints; !equality.Semantic.DeepEqual(after, want) && len(after)+len(want) > 0 {
				t.Errorf("%s by %s: taints %v, want %v", what, way, after, want)
			}
		}
	}
}

// The controller has the right to patch, and takes care that nothing is lost by it.
func TestTaintAuthorityOfTheController(t *testing.T) {
	installTaintPolicy(t)
	control := theController(t)
	for what, edit := range edits {
		name := tainted(t, foreign, ours(key.Drifted))
		node := getNode(t, name)
		body, err := json.Marshal(map[string]any{
			"metadata": map[string]any{"resourceVersion": node.ResourceVersion}, "spec": map[string]any{"taints": edit(ours(key.Drifted))},
		})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := control.nodes().Patch(t.Context(), name, types.MergePatchType, body, metav1.PatchOptions{}); err != nil {
			t.Errorf("%s: %v", what, err)
		}
		if _, err := control.nodes().Patch(t.Context(), name, types.MergePatchType, body, metav1.PatchOptions{}); !apierrors.IsConflict(err) {
			t.Errorf("%s once more, with the version of before: %v, want a conflict", what, err)
		}
	}
}

// Others' taints are as free as ever, next to ours too.
func TestTaintAuthorityLeavesOthersAlone(t *testing.T) {
	installTaintPolicy(t)
	second := corev1.Taint{Key: "example.com/second", Effect: corev1.TaintEffectNoExecute}
	changed := foreign
	changed.Value = "changed"
	alike := corev1.Taint{Key: "hardgate.dev/other", Effect: corev1.TaintEffectNoSchedule}
	mine := ours(key.Drifted)
	actors := map[string]actor{
		"an administrator":              administrator(t),
		"the node lifecycle controller": impersonated(t, "system:serviceaccount:kube-system:node-controller", "system:serviceaccounts", "system:serviceaccounts:kube-system", "system:authenticated"),
	}
	for who, a := range actors {
		for way, set := range waysToTaint {
			name := tainted(t, mine, foreign)
			for i, want := range [][]corev1.Taint{{mine, foreign, second}, {second, mine, changed}, {changed, mine}, {mine}, {mine, alike}, {alike, mine}} {
				err := set(t.Context(), a, name, want)
				if apierrors.IsForbidden(err) && !refusedBy(err, taintsPolicy) && who != "an administrator" {
					continue // not a way that it has by RBAC
				}
				if err != nil {
					t.Errorf("%s, %s, edit %d: %v", who, way, i, err)
				} else if after := getNode(t, name).Spec.Taints; !equality.Semantic.DeepEqual(after, want) {
					t.Errorf("%s, %s, edit %d: taints %v, want %v", who, way, i, after, want)
				}
			}
		}
		name := tainted(t, mine, foreign)
		if err := patchTaints(types.StrategicMergePatchType)(t.Context(), a, name, []corev1.Taint{second, mine}); err != nil {
			t.Errorf("%s cannot patch at all: %v", who, err)
		}
	}
}

// The status subresource, which the policy does not look at, cannot change a taint.
func TestTaintAuthorityNeedsNoLookAtTheStatus(t *testing.T) {
	installTaintPolicy(t)
	admin := administrator(t)
	for way, set := range waysToTaint {
		name := tainted(t, foreign, ours(key.Drifted))
		before := getNode(t, name).Spec.Taints
		err := set(t.Context(), admin, name, nil, "status")
		if err != nil {
			t.Errorf("%s: %v, want an answer that drops it", way, err)
		}
		if after := getNode(t, name).Spec.Taints; !equality.Semantic.DeepEqual(after, before) {
			t.Errorf("%s: taints %v, want %v", way, after, before)
		}
	}
}

// shapes are nodes without what the policies look at.
var shapes = map[string]string{
	"no spec": "", "null spec": "null", "empty spec": "{}", "null taints": `{"taints":null}`, "no taints": `{"taints":[]}`,
	"a taint without a value": `{"taints":[{"key":"example.com/a","effect":"NoSchedule"}]}`,
}

// An error in a policy would refuse what it should not concern.
func TestTaintAuthorityOverNodesWithoutTaints(t *testing.T) {
	installTaintPolicy(t)
	admin := administrator(t)
	lifecycle := impersonated(t, "system:serviceaccount:kube-system:node-controller", "system:authenticated")
	for shape, spec := range shapes {
		for next, body := range shapes {
			if body == "" {
				body = "null"
			}
			name := newNode(t, spec)
			kubelet := impersonated(t, "system:node:"+name, "system:nodes", "system:authenticated")
			try := func(a actor, body string, subresources ...string) error {
				_, err := a.nodes().Patch(t.Context(), name, types.MergePatchType, []byte(body), metav1.PatchOptions{}, subresources...)
				return err
			}
			err := errors.Join(
				try(kubelet, `{"metadata":{"labels":{"a":"b"}}}`),
				try(kubelet, `{"status":{"conditions":[{"type":"Ready","status":"True"}]}}`, "status"),
				try(kubelet, `{"status":{"conditions":null}}`, "status"),
				try(kubelet, `{"status":null}`, "status"),
				try(admin, `{"spec":`+body+`}`),
				try(admin, `{"spec":{"unschedulable":true}}`),
				try(lifecycle, `{"spec":{"taints":[{"key":"node.kubernetes.io/not-ready","effect":"NoExecute"}]}}`),
				try(lifecycle, `{"spec":{"taints":null}}`),
				try(admin, `{"metadata":{"annotations":{"hardgate.dev/pause":""}}}`),
				try(kubelet, `{"metadata":{"labels":{"a":null}}}`),
			)
			if err != nil {
				t.Errorf("%s, then %s: %v", shape, next, err)
			}
		}
	}
	name := tainted(t, ours(key.Drifted))
	for _, body := range []string{`{"spec":null}`, `{"spec":{"taints":null}}`, `{"spec":{"taints":[]}}`} {
		_, err := admin.nodes().Patch(t.Context(), name, types.MergePatchType, []byte(body), metav1.PatchOptions{})
		wantRefused(t, err, taintsPolicy)
	}
}

// Expressions are evaluated up to a cost; above it, updates would be refused.
func TestTaintAuthorityOverManyTaints(t *testing.T) {
	installTaintPolicy(t)
	var many []corev1.Taint
	for i := range 1000 {
		many = append(many, corev1.Taint{Key: fmt.Sprintf("a-long-domain-of-somebody.example.com/another-taint-of-many-%d", i), Effect: corev1.TaintEffectNoSchedule})
	}
	name := tainted(t, append(slices.Clone(many), ours(key.Drifted))...)
	if err := waysToTaint["update"](t.Context(), administrator(t), name, append(many[1:], ours(key.Drifted))); err != nil {
		t.Errorf("a thousand taints: %v", err)
	}
	wantRefused(t, waysToTaint["update"](t.Context(), administrator(t), name, many), taintsPolicy)
}
