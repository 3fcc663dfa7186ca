package tainting

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"
	"sigs.k8s.io/yaml"

	"github.com/hardgate-dev/hardgate/api/v1alpha1"
	"github.com/hardgate-dev/hardgate/e2e/controller"
	"github.com/hardgate-dev/hardgate/e2e/process"
	"github.com/hardgate-dev/hardgate/taint"
	"github.com/hardgate-dev/hardgate/taint/key"
)

// Controls that the tests let nodes fail.
const (
	crontab = "perm-crontab"
	x11     = "ssh-x11"
)

// serial makes names unique, also under -count.
var serial atomic.Int32

// group are nodes of one test, which its policies select.
type group struct {
	t     *testing.T
	name  string
	nodes []string
}

// newGroup makes nodes that pass everything.
func newGroup(t *testing.T, n int) *group {
	t.Helper()
	g := &group{t: t, name: fmt.Sprintf("group-%d", serial.Add(1))}
	for i := range n {
		g.add(fmt.Sprintf("%s-%03d", g.name, i))
	}
	t.Cleanup(func() {
		for _, name := range g.nodes {
			g.delete(name)
		}
	})
	return g
}

func (g *group) must(err error) {
	g.t.Helper()
	if err != nil {
		g.t.Fatal(err)
	}
}

// ctx outlives the test, for what is taken away at its end.
func (g *group) ctx() context.Context { return context.WithoutCancel(g.t.Context()) }

// add registers a node that is ready, and reports of it.
func (g *group) add(name string) {
	g.t.Helper()
	g.nodes = append(g.nodes, name)
	g.register(name)
	g.report(name, nil)
}

// register makes a node that is ready and has no report.
func (g *group) register(name string) {
	g.t.Helper()
	node := &corev1.Node{
		ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{"group": g.name, "agentpool": g.name}},
		Status:     corev1.NodeStatus{Conditions: []corev1.NodeCondition{{Type: corev1.NodeReady, Status: corev1.ConditionTrue}}},
	}
	node, err := lab.admin.CoreV1().Nodes().Create(g.t.Context(), node, metav1.CreateOptions{})
	g.must(err)
	// Admission adds the taint not-ready, which the node lifecycle controller would remove.
	g.taint(node.Name, `{"spec":{"taints":null}}`)
}

// taint patches a node as an administrator.
func (g *group) taint(name, patch string) {
	g.t.Helper()
	_, err := lab.admin.CoreV1().Nodes().Patch(g.t.Context(), name, types.MergePatchType, []byte(patch), metav1.PatchOptions{})
	g.must(err)
}

func (g *group) delete(name string) {
	g.t.Helper()
	for _, err := range []error{
		lab.admin.CoreV1().Nodes().Delete(g.ctx(), name, metav1.DeleteOptions{}),
		reports().Delete(g.ctx(), name, metav1.DeleteOptions{}),
	} {
		if err != nil && !apierrors.IsNotFound(err) {
			g.t.Error(err)
		}
	}
}

func resource(plural string) dynamic.NamespaceableResourceInterface {
	return lab.dynamic.Resource(v1alpha1.GroupVersion.WithResource(plural))
}

func reports() dynamic.ResourceInterface { return resource("nodereports") }

// report writes what an agent would that has seen these controls fail. more changes the
// status.
func (g *group) report(name string, fails []string, more ...func(*v1alpha1.NodeReportStatus)) {
	g.t.Helper()
	node := g.node(name)
	s := v1alpha1.NodeReportStatus{AgentVersion: "v1", RuleSet: "tainting"}
	for _, id := range []string{crontab, x11} {
		r := v1alpha1.NodeResult{Control: id, Status: "Pass"}
		if slices.Contains(fails, id) {
			r.Status = "Fail"
			r.Findings = []v1alpha1.NodeFinding{{Path: "/etc/example", Expected: "one", Actual: "another"}}
		}
		s.Results = append(s.Results, r)
	}
	for _, change := range more {
		change(&s)
	}
	owner := metav1.OwnerReference{APIVersion: "v1", Kind: "Node", Name: name, UID: node.UID}
	r := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": v1alpha1.GroupVersion.String(), "kind": "NodeReport", "metadata": map[string]any{"name": name},
	}}
	r.SetOwnerReferences([]metav1.OwnerReference{owner})
	_, err := reports().Create(g.t.Context(), r, metav1.CreateOptions{})
	if apierrors.IsAlreadyExists(err) {
		var patch []byte
		patch, err = json.Marshal(map[string]any{"metadata": map[string]any{"ownerReferences": []any{owner}}})
		g.must(err)
		_, err = reports().Patch(g.t.Context(), name, types.MergePatchType, patch, metav1.PatchOptions{})
	}
	g.must(err)
	patch, err := json.Marshal(map[string]any{"status": s})
	g.must(err)
	_, err = reports().Patch(g.t.Context(), name, types.MergePatchType, patch, metav1.PatchOptions{}, "status")
	g.must(err)
}

func (g *group) node(name string) *corev1.Node {
	g.t.Helper()
	n, err := lab.admin.CoreV1().Nodes().Get(g.t.Context(), name, metav1.GetOptions{})
	g.must(err)
	return n
}

// policy applies a NodePolicy for the nodes of the group and takes it away again. spec
// is YAML.
func (g *group) policy(spec string) {
	g.t.Helper()
	var content map[string]any
	g.must(yaml.Unmarshal([]byte(spec), &content))
	content["nodeSelector"] = map[string]any{"matchLabels": map[string]any{"group": g.name}}
	g.apply("nodepolicies", "NodePolicy", g.name, content)
}

// apply applies a resource and takes it away again.
func (g *group) apply(plural, kind, name string, spec map[string]any) {
	g.t.Helper()
	u := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": v1alpha1.GroupVersion.String(), "kind": kind, "metadata": map[string]any{"name": name}, "spec": spec,
	}}
	_, err := resource(plural).Apply(g.t.Context(), name, u, metav1.ApplyOptions{FieldManager: "test", Force: true})
	g.must(err)
	g.t.Cleanup(func() {
		if err := resource(plural).Delete(g.ctx(), name, metav1.DeleteOptions{}); err != nil && !apierrors.IsNotFound(err) {
			g.t.Error(err)
		}
	})
}

// prompt is a policy that enforces both controls at once and bounds nothing but that
// one node of the pool must stay.
const prompt = `{controls: [{id: perm-crontab, mode: Enforce}, {id: ssh-x11, mode: Enforce}], gracePeriod: 0s, clearAfter: 0s, minimumDwell: 0s,
	budget: {cluster: 100%, pool: 100%, correlation: 100%}}`

// soon is how long something may take that takes a moment.
const soon = 15 * time.Second

// await waits until a node is as wanted, and returns it.
func (g *group) await(name, what string, is func(*corev1.Node) bool) *corev1.Node {
	g.t.Helper()
	var n *corev1.Node
	g.until(what+" on "+name, func() bool {
		n = g.node(name)
		return is(n)
	}, func() string { return describe(n) })
	return n
}

// until waits until something is so. else says what is instead.
func (g *group) until(what string, is func() bool, otherwise func() string) {
	g.t.Helper()
	for deadline := time.Now().Add(soon); !is(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			g.t.Fatalf("no %s after %s: %s", what, soon, otherwise())
		}
	}
}

func describe(n *corev1.Node) string {
	return fmt.Sprintf("taints %v, conditions %+v", n.Spec.Taints, n.Status.Conditions)
}

// tainted is whether a node has the taint of drifted nodes that keeps pods away.
func tainted(n *corev1.Node) bool {
	return slices.ContainsFunc(n.Spec.Taints, func(t corev1.Taint) bool {
		return key.IsDrifted(t.Key) && t.Effect == corev1.TaintEffectNoSchedule
	})
}

func untainted(n *corev1.Node) bool {
	return !slices.ContainsFunc(n.Spec.Taints, func(t corev1.Taint) bool { return key.Ours(t.Key) })
}

// verdict is a predicate: the stored verdict is this one.
func verdict(v taint.Verdict) func(*corev1.Node) bool {
	return func(n *corev1.Node) bool { return compliant(n).Reason == string(v) }
}

func compliant(n *corev1.Node) corev1.NodeCondition {
	for _, c := range n.Status.Conditions {
		if c.Type == taint.ConditionCompliant {
			return c
		}
	}
	return corev1.NodeCondition{}
}

// events are those on an object, as "reason: message".
func (g *group) events(kind, name string) (list []string) {
	g.t.Helper()
	all, err := lab.admin.CoreV1().Events(metav1.NamespaceDefault).List(g.t.Context(), metav1.ListOptions{})
	g.must(err)
	for i := range all.Items {
		if e := &all.Items[i]; e.InvolvedObject.Kind == kind && e.InvolvedObject.Name == name {
			list = append(list, e.Reason+": "+e.Message)
		}
	}
	return list
}

// awaitEvent waits for an Event that begins like that.
func (g *group) awaitEvent(kind, name, prefix string) {
	g.t.Helper()
	var list []string
	g.until("Event "+prefix, func() bool {
		list = g.events(kind, name)
		return slices.ContainsFunc(list, func(e string) bool { return strings.HasPrefix(e, prefix) })
	}, func() string { return strings.Join(list, "\n") })
}

// start starts the one controller of a test.
func start(t *testing.T, flags ...string) *controller.Controller {
	t.Helper()
	return startReplica(t, "controller", flags...)
}

func startReplica(t *testing.T, name string, flags ...string) *controller.Controller {
	t.Helper()
	c, err := controller.StartReplica(t.Context(), lab.cluster, lab.repo, name, flags...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		log, err := os.ReadFile(process.LogFile(lab.cluster.Config().Dir, name))
		if err != nil {
			t.Error(err)
		}
		// Its account has the rights of manifests/controller, and must not lack any.
		if bytes.Contains(log, []byte("forbidden")) {
			t.Errorf("%s was forbidden something", name)
		}
		if t.Failed() {
			t.Logf("the end of the log of %s:\n%s", name, c.Log())
		}
		if err := c.Stop(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
	})
	return c
}
