package patch

import (
	"context"
	"math/rand/v2"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/hardgate-dev/hardgate/taint"
	"github.com/hardgate-dev/hardgate/taint/key"
)

const (
	// tries is how often a write is begun anew when others were faster. What still
	// fails then is decided anew.
	tries = 6
	// firstPause is how long it waits then at most, the first time.
	firstPause = 20 * time.Millisecond
)

// Taints writes the taints of a decision. The list of a node's taints is written as a
// whole, since the API has it so: the patch carries the resourceVersion that it was
// made by, and is refused if anybody has changed the node since. Then it is made anew
// by what is there, others' changes included; unless they are changes of ours, which
// the decision did not know of.
//
// base is the node as it was seen last. If unsure, an earlier write may have come to
// pass since, or may still: the node is read first.
func (w *Writer) Taints(ctx context.Context, base *corev1.Node, d *taint.Decision, unsure bool) (o Outcome) {
	node, known := base, ours(base)
	for {
		if unsure || o.Conflicts > 0 {
			live := &corev1.Node{}
			if err := w.read(ctx, d.Node, live); err != nil {
				o.Result, o.Err = Refused, doing(err, "reading the node "+d.Node)
				if apierrors.IsNotFound(err) {
					o.Result = Gone
				} else if unsure {
					o.Result = Unknown
				}
				return o
			}
			if node = live; node.UID != d.UID {
				o.Result = Gone
				return o
			}
			if unsure {
				known = ours(node)
			}
		}
		switch has := ours(node); {
		case sameTaints(has, d.Taints):
			o.Result, o.Node = Unneeded, node
			return o
		case !sameTaints(has, known):
			o.Result, o.Node = Void, node
			return o
		}
		now, err := w.taints(ctx, node, d.Taints)
		switch {
		case err == nil:
			o.Result, o.Node = Written, now
			return o
		case apierrors.IsConflict(err) && o.Conflicts+1 < tries:
			o.Conflicts++
			pause(ctx, firstPause<<o.Conflicts)
		default:
			o.Result, o.Base, o.Err = ending(err), node.ResourceVersion, doing(err, "writing the taints of the node "+d.Node)
			return o
		}
	}
}

func (w *Writer) read(ctx context.Context, name string, into *corev1.Node) error {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	return w.Live.Get(ctx, client.ObjectKey{Name: name}, into)
}

// taints sends one patch.
func (w *Writer) taints(ctx context.Context, base *corev1.Node, want []corev1.Taint) (*corev1.Node, error) {
	node := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: base.Name}}
	err := w.send(map[string]any{
		"metadata": map[string]any{"resourceVersion": base.ResourceVersion},
		"spec":     map[string]any{"taints": replaced(base.Spec.Taints, want)},
	}, types.MergePatchType, func(p client.Patch) error {
		ctx, cancel := context.WithTimeout(ctx, requestTimeout)
		defer cancel()
		return w.Client.Patch(ctx, node, p, client.FieldOwner(FieldManager))
	})
	return node, err
}

// ours are the taints of a node that are hardgate's.
func ours(n *corev1.Node) (list []corev1.Taint) {
	for _, t := range n.Spec.Taints {
		if key.Ours(t.Key) {
			list = append(list, t)
		}
	}
	return list
}

// replaced are taints with others of ours. Nil removes all, as null does in a patch.
func replaced(taints, want []corev1.Taint) (list []corev1.Taint) {
	for _, t := range taints {
		if !key.Ours(t.Key) {
			list = append(list, t)
		}
	}
	return append(list, want...)
}

// sameTaints is whether two lists have the same taints, in whatever order.
func sameTaints(a, b []corev1.Taint) bool {
	return len(a) == len(b) && !slices.ContainsFunc(a, func(t corev1.Taint) bool {
		return !slices.ContainsFunc(b, func(u corev1.Taint) bool {
			return t.Key == u.Key && t.Value == u.Value && t.Effect == u.Effect && t.TimeAdded.Equal(u.TimeAdded)
		})
	})
}

// pause waits for a part of a time, so that those who collided do not do so again.
func pause(ctx context.Context, most time.Duration) {
	timer := time.NewTimer(most/2 + rand.N(most/2)) //nolint:gosec // spreads load, protects nothing
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
