package tainting

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/hardgate-dev/hardgate/taint/key"
)

// Two hundred edits of others' taints, while ours comes and goes: none is lost.
func TestOthersTaintsStay(t *testing.T) {
	const editors, edits = 4, 50
	g := newGroup(t, 2)
	g.policy(prompt)
	c := start(t)
	name := g.nodes[0]
	stop := make(chan struct{})
	var turning, editing sync.WaitGroup
	turns := 0
	turning.Go(func() {
		for ; ; turns++ {
			select {
			case <-stop:
				return
			default:
			}
			g.report(name, [][]string{{crontab}, nil}[turns%2])
			want := [](func(*corev1.Node) bool){tainted, untainted}[turns%2]
			for !want(g.node(name)) {
			}
		}
	})
	errs := make([]error, editors)
	for e := range editors {
		editing.Go(func() {
			for i := range edits {
				if errs[e] = addTaint(t, name, fmt.Sprintf("example.com/editor-%d-%02d", e, i)); errs[e] != nil {
					return
				}
			}
		})
	}
	editing.Wait()
	close(stop)
	turning.Wait()
	for _, err := range errs {
		g.must(err)
	}
	g.report(name, nil)
	n := g.await(name, "no taint", untainted)
	var missing []string
	for e := range editors {
		for i := range edits {
			k := fmt.Sprintf("example.com/editor-%d-%02d", e, i)
			if !slices.ContainsFunc(n.Spec.Taints, func(t corev1.Taint) bool { return t.Key == k }) {
				missing = append(missing, k)
			}
		}
	}
	if len(missing) > 0 {
		t.Errorf("lost: %s", strings.Join(missing, ", "))
	}
	series, err := c.Metrics(t.Context())
	g.must(err)
	t.Logf("our taint came or went %d times; we lost %v races", turns, series["hardgate_taint_conflicts_total"])
	if turns < 4 {
		t.Errorf("our taint came or went %d times only", turns)
	}
}

// addTaint adds a taint as kubectl taint does: with the version that it read.
func addTaint(t *testing.T, name, taintKey string) error {
	t.Helper()
	for {
		n, err := lab.admin.CoreV1().Nodes().Get(t.Context(), name, metav1.GetOptions{})
		if err != nil {
			return err
		}
		patch, err := json.Marshal(map[string]any{
			"metadata": map[string]any{"resourceVersion": n.ResourceVersion},
			"spec":     map[string]any{"taints": append(n.Spec.Taints, corev1.Taint{Key: taintKey, Effect: corev1.TaintEffectPreferNoSchedule})},
		})
		if err != nil {
			return err
		}
		_, err = lab.admin.CoreV1().Nodes().Patch(t.Context(), name, types.MergePatchType, patch, metav1.PatchOptions{})
		if !apierrors.IsConflict(err) {
			return err
		}
	}
}

// A node that is deleted and made anew is another: what was found on the one before
// says nothing of it.
func TestRecreated(t *testing.T) {
	g := newGroup(t, 2)
	g.policy(prompt)
	start(t)
	name := g.nodes[0]
	g.report(name, []string{crontab})
	g.await(name, "taint", tainted)
	g.must(lab.admin.CoreV1().Nodes().Delete(t.Context(), name, metav1.DeleteOptions{}))
	g.register(name)
	n := g.await(name, "verdict", func(n *corev1.Node) bool { return compliant(n).Reason == "Unverified" })
	if !untainted(n) {
		t.Errorf("tainted for the node before: %s", describe(n))
	}
	g.report(name, []string{crontab})
	g.await(name, "taint", tainted)
}

// Taints of other keys of ours: a key that was configured before is taken away, too.
func TestConfiguredKeys(t *testing.T) {
	g := newGroup(t, 2)
	g.policy(prompt)
	const custom = "status-taint.cluster-autoscaler.kubernetes.io/hardgate-drifted"
	c := startReplica(t, "controller-custom", "--drifted-taint-key", custom)
	name := g.nodes[0]
	g.report(name, []string{crontab})
	has := func(k string) func(*corev1.Node) bool {
		return func(n *corev1.Node) bool {
			return len(n.Spec.Taints) == 1 && n.Spec.Taints[0].Key == k
		}
	}
	before := g.await(name, "custom taint", has(custom))
	g.must(c.Stop(t.Context()))
	start(t)
	after := g.await(name, "taint of the default key alone", has(key.Drifted))
	if a, b := before.Spec.Taints[0].TimeAdded, after.Spec.Taints[0].TimeAdded; !a.Equal(b) {
		t.Errorf("tainted since %s, and not since %s", b, a)
	}
}
