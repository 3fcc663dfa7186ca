// Package story tells on a real node what hardgate does with one that drifts: it is
// registered as unverified, verified, loosened, tainted, mended and untainted, and a new
// pod waits meanwhile. `make up` tells it to a person, the test of this package asserts
// what is told.
package story

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/hardgate-dev/hardgate/e2e/apply"
	"github.com/hardgate-dev/hardgate/e2e/cluster"
	"github.com/hardgate-dev/hardgate/e2e/node"
	"github.com/hardgate-dev/hardgate/taint"
	"github.com/hardgate-dev/hardgate/taint/key"
)

// Control is the one that is enforced on the node, and that it fails when it is loosened.
const Control = "ssh-login-grace-time"

// Chapter is one thing that happened.
type Chapter struct {
	// Title is a word or two, Says the rest, in the words of the API server where there
	// are any.
	Title string
	Says  []string
	// Took is how long it took since its cause.
	Took time.Duration
	// Node is the node at its end, Pod the new work where it is about that.
	Node *corev1.Node
	Pod  *corev1.Pod
	// Describe is what kubectl describes the node as.
	Describe string
}

// Config is where it is told.
type Config struct {
	Cluster *cluster.Cluster
	Repo    string // the root of the checkout
	Kubectl string
}

// Story is one to be told on the node of a cluster with webhook and controller.
type Story struct {
	cfg    Config
	access *rest.Config
	core   kubernetes.Interface
	watch  *watcher
}

// Begin puts the policy in force and looks at the node from now on. The node has yet to
// be started, or is there from an earlier telling.
func Begin(ctx context.Context, cfg Config) (*Story, error) {
	s := &Story{cfg: cfg}
	var err error
	if s.access, err = cfg.Cluster.RESTConfig(); err != nil {
		return nil, err
	}
	if s.core, err = kubernetes.NewForConfig(s.access); err != nil {
		return nil, fmt.Errorf("beginning the story: %w", err)
	}
	if err := apply.File(ctx, s.access, s.manifest("node-policy.yaml")); err != nil {
		return nil, err
	}
	if err := s.awaitPolicy(ctx); err != nil {
		return nil, err
	}
	if s.watch, err = newWatcher(ctx, s.core, node.Name); err != nil {
		return nil, err
	}
	return s, nil
}

// End ends the looking.
func (s *Story) End() { s.watch.stop() }

func (s *Story) manifest(name string) string {
	return filepath.Join(s.cfg.Repo, "e2e", "demo", name)
}

// awaitPolicy returns when a node that registered now would be taken for unverified: the
// webhook learns of policies, and the API server of the webhook, some moments later.
func (s *Story) awaitPolicy(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	trial := &corev1.Node{ObjectMeta: metav1.ObjectMeta{
		GenerateName: node.Name + "-trial-", Labels: map[string]string{corev1.LabelHostname: node.Name},
	}}
	for {
		got, err := s.core.CoreV1().Nodes().Create(ctx, trial, metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}})
		if err == nil && tainted(got, key.Unverified) {
			return nil
		}
		select {
		case <-time.After(50 * time.Millisecond):
		case <-ctx.Done():
			return fmt.Errorf("waiting until new nodes are taken for unverified: %w; the last trial: %w", ctx.Err(), err)
		}
	}
}

// tainted is whether a node has a taint of that key that keeps new pods away.
func tainted(n *corev1.Node, key string) bool {
	for _, t := range n.Spec.Taints {
		if t.Key == key && t.Effect == corev1.TaintEffectNoSchedule {
			return true
		}
	}
	return false
}

// compliance is the node's condition; the zero value if there is none.
func compliance(n *corev1.Node) corev1.NodeCondition {
	for _, c := range n.Status.Conditions {
		if c.Type == taint.ConditionCompliant {
			return c
		}
	}
	return corev1.NodeCondition{}
}

// taints are the taints of a node that are hardgate's, as kubectl writes them.
func taints(n *corev1.Node) string {
	var ours []string
	for i := range n.Spec.Taints {
		if t := &n.Spec.Taints[i]; key.Ours(t.Key) {
			ours = append(ours, t.ToString())
		}
	}
	if len(ours) == 0 {
		return "no taint of hardgate"
	}
	return "taint " + strings.Join(ours, ", ")
}

// condition is the node's condition in one line.
func condition(n *corev1.Node) string {
	c := compliance(n)
	return fmt.Sprintf("%s=%s (%s): %s", taint.ConditionCompliant, c.Status, c.Reason, c.Message)
}
