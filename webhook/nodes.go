package webhook

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"

	logf "sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/hardgate-dev/hardgate/taint/key"
	noderuling "github.com/hardgate-dev/hardgate/taint/ruling"
	"github.com/hardgate-dev/hardgate/webhook/node"
	"github.com/hardgate-dev/hardgate/webhook/review"
	"github.com/hardgate-dev/hardgate/webhook/workload"
)

// ControllerNamespace is where the controller runs unless another namespace is given.
const ControllerNamespace = "hardgate-system"

// registrar is what nodes that register are answered by.
type registrar struct {
	// key is that of the taint.
	key string
	// namespace is the controller's: a pause of it is one of everything.
	namespace string
	rules     *atomic.Pointer[nodeRules] // nil until the NodePolicies have been read
}

// nodeRules are the NodePolicies at one time.
type nodeRules struct {
	book *noderuling.Book
	// misunderstood is what is wrong with them; nil if nothing is.
	misunderstood error
	paused        bool
}

func newRegistrar() registrar {
	return registrar{key: key.Unverified, namespace: ControllerNamespace, rules: &atomic.Pointer[nodeRules]{}}
}

// TaintNodes sets the key by which nodes are tainted until they are checked, and the
// namespace whose pause stops that. It is for before the gate serves. The error is for a
// key that would not be known for ours, or that no node can carry.
func (g *Gate) TaintNodes(unverifiedKey, controllerNamespace string) error {
	if err := key.CheckUnverified(unverifiedKey); err != nil {
		return err
	}
	g.nodes.key, g.nodes.namespace = unverifiedKey, controllerNamespace
	return nil
}

// register taints a node that registers, where a NodePolicy trusts none until it has been
// checked. It refuses none: whatever it cannot tell is an error, with which the node
// registers as it came, and the controller looks after it.
func (g *Gate) register(ctx context.Context, r *review.Request) (response, error) {
	if r.Kind != (workload.Kind{Version: "v1", Kind: "Node"}) || r.Operation != review.Create || r.Subresource != "" || r.Object == nil {
		return response{}, fmt.Errorf("%s of %s %q is not answered here: the registration of a node is", r.Operation, r.Kind, r.Subresource)
	}
	n, err := node.Decode(r.Object)
	if err != nil {
		return response{}, fmt.Errorf("reading the node: %w", err)
	}
	answer := response{UID: r.UID, Allowed: true}
	due, err := g.nodes.due(n)
	if err != nil || !due {
		return answer, err
	}
	if answer.Patch, err = n.Taint(g.nodes.key); err != nil {
		return response{}, err
	}
	g.metrics.tainted.Inc()
	logf.FromContext(ctx).V(1).Info("a node registers with the taint of unverified nodes", "node", r.Name, "key", g.nodes.key)
	return answer, nil
}

// due is whether a node is to be tainted.
func (g *registrar) due(n *node.Node) (bool, error) {
	if n.Unverified || n.Paused {
		return false, nil
	}
	rules := g.rules.Load()
	switch {
	case rules == nil:
		return false, errors.New("the NodePolicies have not been read yet")
	case rules.paused:
		return false, nil
	case rules.misunderstood != nil:
		return false, fmt.Errorf("the NodePolicies are not understood: %w", rules.misunderstood)
	}
	ruled := rules.book.For(n.Labels)
	return ruled.UntrustedUntilChecked && len(ruled.Paused) == 0 && (ruled.ControlPlane || !n.ControlPlane), nil
}
