package integration

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/hardgate-dev/hardgate/api/v1alpha1"
	"github.com/hardgate-dev/hardgate/e2e/agent"
	"github.com/hardgate-dev/hardgate/e2e/controller"
)

// The policies, which say in each refusal who refuses.
const (
	reportsPolicy  = "hardgate-nodecheck-reports"
	leasesPolicy   = "hardgate-nodecheck-leases"
	specPolicy     = "hardgate-nodereport-spec"
	taintsPolicy   = "hardgate-taints"
	kubeletsPolicy = "hardgate-kubelets"
)

const (
	masters    = "system:masters"
	breakGlass = "hardgate:break-glass"
)

var (
	reportsResource = v1alpha1.GroupVersion.WithResource("nodereports")
	leasesResource  = schema.GroupVersionResource{Group: "coordination.k8s.io", Version: "v1", Resource: "leases"}
	nodesResource   = schema.GroupVersionResource{Version: "v1", Resource: "nodes"}
)

// authorities installs the accounts and the policies of agents and controller.
func authorities(t *testing.T) {
	t.Helper()
	if err := agent.Install(t.Context(), lab.cluster, lab.repo); err != nil {
		t.Fatal(err)
	}
	if err := controller.Install(t.Context(), lab.cluster, lab.repo); err != nil {
		t.Fatal(err)
	}
}

// actor is somebody who asks the API server.
type actor struct {
	dynamic dynamic.Interface
	typed   kubernetes.Interface
}

func newActor(t *testing.T, cfg *rest.Config) actor {
	t.Helper()
	var a actor
	var err error
	if a.dynamic, err = dynamic.NewForConfig(cfg); err != nil {
		t.Fatal(err)
	}
	if a.typed, err = kubernetes.NewForConfig(cfg); err != nil {
		t.Fatal(err)
	}
	return a
}

func (a actor) reports() dynamic.ResourceInterface { return a.dynamic.Resource(reportsResource) }
func (a actor) nodes() dynamic.ResourceInterface   { return a.dynamic.Resource(nodesResource) }
func (a actor) leases(namespace string) dynamic.ResourceInterface {
	return a.dynamic.Resource(leasesResource).Namespace(namespace)
}

func administrator(t *testing.T) actor {
	t.Helper()
	return newActor(t, lab.config)
}

// bearer proves itself with a token alone.
func bearer(t *testing.T, token string) actor {
	t.Helper()
	cfg := rest.AnonymousClientConfig(lab.config)
	cfg.BearerToken, cfg.QPS, cfg.WarningHandler = token, -1, rest.NoWarnings{}
	return newActor(t, cfg)
}

// impersonated is the administrator in another's name.
func impersonated(t *testing.T, user string, groups ...string) actor {
	t.Helper()
	cfg := rest.CopyConfig(lab.config)
	cfg.Impersonate = rest.ImpersonationConfig{UserName: user, Groups: groups}
	return newActor(t, cfg)
}

// theController is the controller's account, by a token of its own.
func theController(t *testing.T) actor {
	t.Helper()
	return bearer(t, serviceAccountToken(t, controller.Namespace, controller.Account))
}

// newNode makes a node of the JSON of a spec or, with no text, of none. It has the
// taints of the spec and not the one that the API server gives to new nodes.
func newNode(t *testing.T, spec string) string {
	t.Helper()
	name := fmt.Sprintf("authority-%d", serial.Add(1))
	node := map[string]any{"apiVersion": "v1", "kind": "Node", "metadata": map[string]any{"name": name}}
	if spec != "" {
		node["spec"] = json.RawMessage(spec)
	}
	body, err := json.Marshal(node)
	if err != nil {
		t.Fatal(err)
	}
	post := lab.admin.CoreV1().RESTClient().Post().Resource("nodes").SetHeader("Content-Type", "application/json").Body(body)
	if err := post.Do(t.Context()).Error(); err != nil {
		t.Fatalf("creating a node with the spec %s: %v", spec, err)
	}
	isTheServers := func(t corev1.Taint) bool { return t.Key == corev1.TaintNodeNotReady }
	taints := slices.DeleteFunc(getNode(t, name).Spec.Taints, isTheServers)
	if err := patchTaints(types.MergePatchType)(t.Context(), administrator(t), name, taints); err != nil {
		t.Fatal(err)
	}
	return name
}

func getNode(t *testing.T, name string) *corev1.Node {
	t.Helper()
	node, err := lab.admin.CoreV1().Nodes().Get(t.Context(), name, metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return node
}

// station is a node with the agent's pod on it, and what speaks with that pod's token.
type station struct {
	actor
	name string
	node *corev1.Node
}

func newStation(t *testing.T) station {
	t.Helper()
	name := fmt.Sprintf("authority-%d", serial.Add(1))
	node, err := agent.Enlist(t.Context(), lab.admin, name)
	if err != nil {
		t.Fatal(err)
	}
	token, err := agent.Token(t.Context(), lab.admin, name)
	if err != nil {
		t.Fatal(err)
	}
	return station{actor: bearer(t, token), name: name, node: node}
}

// ownReport is what the agent of the station makes.
func (s station) ownReport() *unstructured.Unstructured {
	r := newReport(s.name)
	r.SetOwnerReferences([]metav1.OwnerReference{{APIVersion: "v1", Kind: "Node", Name: s.name, UID: s.node.UID}})
	return r
}

func (s station) ownLease() *unstructured.Unstructured {
	l := newLease(agent.Namespace, s.name, s.name)
	l.SetOwnerReferences([]metav1.OwnerReference{{APIVersion: "v1", Kind: "Node", Name: s.name, UID: s.node.UID}})
	return l
}

func newReport(name string) *unstructured.Unstructured {
	r := &unstructured.Unstructured{}
	r.SetGroupVersionKind(v1alpha1.GroupVersion.WithKind("NodeReport"))
	r.SetName(name)
	return r
}

func newLease(namespace, name, holder string) *unstructured.Unstructured {
	l := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "coordination.k8s.io/v1", "kind": "Lease",
		"spec": map[string]any{"leaseDurationSeconds": int64(900), "holderIdentity": holder},
	}}
	l.SetNamespace(namespace)
	l.SetName(name)
	return l
}

// with returns a copy with one field set.
func with(o *unstructured.Unstructured, value any, path ...string) *unstructured.Unstructured {
	o = o.DeepCopy()
	if err := unstructured.SetNestedField(o.Object, value, path...); err != nil {
		panic(err) // a path through what is no object: the test is wrong
	}
	return o
}

func applied(manager string) metav1.ApplyOptions {
	return metav1.ApplyOptions{FieldManager: manager, Force: true}
}

// refusedBy is whether an error is the answer 403 of a policy.
func refusedBy(err error, policy string) bool {
	return apierrors.IsForbidden(err) && strings.Contains(err.Error(), "ValidatingAdmissionPolicy '"+policy+"'") &&
		!strings.Contains(err.Error(), "resulted in error") && !strings.Contains(err.Error(), "failed expression")
}

func wantRefused(t *testing.T, err error, policy string) {
	t.Helper()
	if !refusedBy(err, policy) {
		t.Errorf("error %v, want a refusal by %s", err, policy)
	}
}

// awaitInForce waits until a policy refuses what is tried: the API server takes notice
// of policies, and of rights, some moments after they are stored.
func awaitInForce(t *testing.T, policy string, try func(context.Context) error) {
	t.Helper()
	await(t, policy+" is not in force", func() error {
		if err := try(t.Context()); !refusedBy(err, policy) {
			return fmt.Errorf("the last trial gave: %w", err)
		}
		return nil
	})
}

func await(t *testing.T, complaint string, done func() error) {
	t.Helper()
	for deadline := time.Now().Add(soon); ; time.Sleep(50 * time.Millisecond) {
		err := done()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s after %s: %v", complaint, soon, err)
		}
	}
}
