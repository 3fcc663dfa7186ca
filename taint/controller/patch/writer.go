package patch

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/hardgate-dev/hardgate/taint"
	"github.com/hardgate-dev/hardgate/taint/controller/roster"
)

// FieldManager owns what the controller writes.
const FieldManager = "hardgate-controller"

// requestTimeout bounds one request.
const requestTimeout = 10 * time.Second

// Writer writes. It is safe for concurrent use, though not for two writes of the same
// object.
type Writer struct {
	Client client.Client
	// Live reads past every cache.
	Live client.Reader
	// May is an error when nothing may be written any more. It is asked before each
	// request; nil allows all.
	May func() error
}

// Result is how a write ended.
type Result string

// The results. After Refused and Unknown there is an error.
const (
	// Written is a write that came to pass.
	Written Result = "written"
	// Unneeded is one that was not sent, since all is so already.
	Unneeded Result = "unneeded"
	// Void is one that was not sent, since what it was decided by is no longer there.
	Void Result = "void"
	// Gone is one for an object that is gone, or another of its name.
	Gone Result = "gone"
	// Refused is one that did not come to pass.
	Refused Result = "refused"
	// Unknown is one that may have come to pass, or may still.
	Unknown Result = "unknown"
)

// Outcome is how a write of a node ended.
type Outcome struct {
	Result Result
	// Node is the node as it is now; nil where that is not known.
	Node *corev1.Node
	// Base is, of a result that is unknown, the resourceVersion that the write depends on;
	// empty if it was not sent, and what is unknown is the one before.
	Base string
	// Conflicts is how often others were faster.
	Conflicts int
	Err       error
}

// Conditions writes the conditions of a decision. Others' conditions, which kubelets
// write all the time, are left alone.
func (w *Writer) Conditions(ctx context.Context, d *taint.Decision, now time.Time) Outcome {
	conditions := make([]corev1.NodeCondition, 0, len(d.Conditions))
	for _, c := range d.Conditions {
		c.LastHeartbeatTime = metav1.NewTime(now)
		conditions = append(conditions, c)
	}
	node := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: d.Node}}
	err := w.send(map[string]any{
		"metadata": map[string]any{"uid": d.UID},
		"status":   map[string]any{"conditions": conditions},
	}, types.StrategicMergePatchType, func(p client.Patch) error {
		ctx, cancel := context.WithTimeout(ctx, requestTimeout)
		defer cancel()
		return w.Client.Status().Patch(ctx, node, p, client.FieldOwner(FieldManager))
	})
	if err != nil {
		return Outcome{Result: ending(err), Err: doing(err, "writing the conditions of the node "+d.Node)}
	}
	return Outcome{Result: Written, Node: node}
}

// Order writes into a report what it is to ask of its agent. It returns the report as
// it is then.
func (w *Writer) Order(ctx context.Context, o roster.Order) (*roster.NodeReport, Result, error) {
	report := &roster.NodeReport{ObjectMeta: metav1.ObjectMeta{Name: o.Node}}
	err := w.send(map[string]any{
		"metadata": map[string]any{"uid": o.UID},
		// What is empty is null, and removed.
		"spec": map[string]any{"benchmarks": o.Spec.Benchmarks, "unnecessaryModules": o.Spec.UnnecessaryModules},
	}, types.MergePatchType, func(p client.Patch) error {
		ctx, cancel := context.WithTimeout(ctx, requestTimeout)
		defer cancel()
		return w.Client.Patch(ctx, report, p, client.FieldOwner(FieldManager))
	})
	if err != nil {
		return nil, ending(err), doing(err, "writing the spec of the NodeReport "+o.Node)
	}
	return report, Written, nil
}

func (w *Writer) send(body map[string]any, kind types.PatchType, patch func(client.Patch) error) error {
	if w.May != nil {
		if err := w.May(); err != nil {
			return &notSentError{err}
		}
	}
	data, err := json.Marshal(body)
	if err != nil {
		return &notSentError{err}
	}
	return patch(client.RawPatch(kind, data))
}

// notSentError is of a request that was not sent.
type notSentError struct{ error }

func (e *notSentError) Unwrap() error { return e.error }

// ending is how a request ended that has an error.
func ending(err error) Result {
	status, answered := errors.AsType[*apierrors.StatusError](err)
	_, notSent := errors.AsType[*notSentError](err)
	switch {
	case notSent:
		return Refused
	case apierrors.IsNotFound(err), anotherUID(err):
		return Gone
	case !answered, status.Status().Code >= http.StatusInternalServerError:
		return Unknown // a server that gave up waiting may have handed it on
	}
	return Refused
}

// anotherUID is whether an object was refused since its UID is not the one of the
// patch: it was deleted and made anew.
func anotherUID(err error) bool {
	status, answered := errors.AsType[*apierrors.StatusError](err)
	if !answered || !apierrors.IsInvalid(err) || status.ErrStatus.Details == nil {
		return false
	}
	return slices.ContainsFunc(status.ErrStatus.Details.Causes, func(c metav1.StatusCause) bool { return c.Field == "metadata.uid" })
}

func doing(err error, what string) error {
	return fmt.Errorf("%s: %w", what, err)
}
