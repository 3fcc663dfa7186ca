package node

import (
	"encoding/json"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/hardgate-dev/hardgate/api/v1alpha1"
	"github.com/hardgate-dev/hardgate/taint/key"
	"github.com/hardgate-dev/hardgate/webhook/scan"
)

// Node is what is read of one.
type Node struct {
	Labels labels.Set
	// Paused is whether it is to be left alone.
	Paused bool
	// ControlPlane is whether it is one of the control plane.
	ControlPlane bool
	// Unverified is whether it keeps pods away until it is checked.
	Unverified bool

	// spec and taints are whether the node has these, be they empty.
	spec, taints bool
}

// The keys of control-plane nodes. A kubelet may not label its own node so, but it may
// register it with the taint, and that is what installers have it do: the label follows
// when the node is there.
var controlPlane = map[string]bool{
	"node-role.kubernetes.io/control-plane": true,
	"node-role.kubernetes.io/master":        true,
}

// Decode reads a Node from JSON.
func Decode(data []byte) (*Node, error) {
	d := decoder{Scanner: scan.New(data), node: &Node{}}
	_, err := d.Object(func(name []byte) error {
		switch string(name) {
		case "metadata":
			return within("metadata", d.metadata())
		case "spec":
			return within("spec", d.spec())
		}
		return d.Skip()
	})
	if err == nil {
		err = d.End()
	}
	if err != nil {
		return nil, err
	}
	return d.node, nil
}

type decoder struct {
	*scan.Scanner
	node *Node
}

func within(field string, err error) error {
	if err != nil {
		return fmt.Errorf("%s: %w", field, err)
	}
	return nil
}

func (d decoder) metadata() error {
	_, err := d.Object(func(name []byte) error {
		switch string(name) {
		case "labels":
			d.node.Labels = labels.Set{}
			_, err := d.Object(func(name []byte) error {
				label := string(name) // name is not valid for long
				value, err := d.String()
				d.node.Labels[label] = value
				d.node.ControlPlane = d.node.ControlPlane || controlPlane[label]
				return err
			})
			return within("labels", err)
		case "annotations":
			_, err := d.Object(func(name []byte) error {
				d.node.Paused = d.node.Paused || string(name) == v1alpha1.PauseAnnotation
				return d.Skip()
			})
			return within("annotations", err)
		}
		return d.Skip()
	})
	return err
}

func (d decoder) spec() (err error) {
	d.node.spec, err = d.Object(func(name []byte) error {
		if string(name) != "taints" {
			return d.Skip()
		}
		null, err := d.Null()
		if null || err != nil {
			return err
		}
		d.node.taints = true
		return within("taints", d.List(func(int) error { return d.taint() }))
	})
	return err
}

func (d decoder) taint() error {
	var name, effect string
	_, err := d.Object(func(field []byte) (err error) {
		switch string(field) {
		case "key":
			name, err = d.String()
		case "effect":
			effect, err = d.String()
		default:
			return d.Skip()
		}
		return err
	})
	d.node.Unverified = d.node.Unverified || key.IsUnverified(name) && effect == string(corev1.TaintEffectNoSchedule)
	d.node.ControlPlane = d.node.ControlPlane || controlPlane[name]
	return err
}

// Taint is the JSON patch (RFC 6902) that adds the taint behind those that are there. It
// has no time: by that the controller knows that the node has had it since it registered.
func (n *Node) Taint(name string) ([]byte, error) {
	taint := corev1.Taint{Key: name, Effect: corev1.TaintEffectNoSchedule}
	type operation struct {
		Op    string `json:"op"`
		Path  string `json:"path"`
		Value any    `json:"value"`
	}
	add := operation{"add", "/spec/taints/-", taint}
	switch {
	case !n.spec:
		add.Path, add.Value = "/spec", map[string][]corev1.Taint{"taints": {taint}}
	case !n.taints:
		add.Path, add.Value = "/spec/taints", []corev1.Taint{taint}
	}
	patch, err := json.Marshal([]operation{add})
	if err != nil {
		return nil, fmt.Errorf("writing the patch: %w", err)
	}
	return patch, nil
}
