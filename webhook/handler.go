package webhook

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"runtime/debug"
	"strconv"
	"sync"
	"time"

	logf "sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/hardgate-dev/hardgate/webhook/registration"
	"github.com/hardgate-dev/hardgate/webhook/review"
)

// judgeFunc judges one request. An error of type badRequest is the client's; any
// other means that the gate could not tell.
type judgeFunc func(context.Context, *review.Request) (response, error)

// Handler serves the paths of package registration.
func (g *Gate) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle(registration.WorkloadPath, g.serve(review.DecodeObjects, g.workloads))
	mux.Handle(registration.NamespacedPath, g.serve(review.DecodeObjects, g.namespaced))
	mux.Handle(registration.PolicyPath, g.serve(review.RawObjects, g.policies))
	mux.Handle(registration.NodePath, g.serve(review.RawObjects, g.register))
	mux.Handle(registration.RepairPath, g.serve(review.RawObjects, g.repair))
	mux.Handle(registration.ImagePath, g.counted(g.answerImages))
	mux.Handle(registration.SelfTestPath, g.serve(review.RawObjects, g.selfTest))
	return mux
}

func (g *Gate) serve(objects review.Objects, judge judgeFunc) http.Handler {
	return g.counted(func(w http.ResponseWriter, req *http.Request) string { return g.answer(w, req, objects, judge) })
}

// counted counts the answers of answer, which returns what metrics call them.
func (g *Gate) counted(answer func(http.ResponseWriter, *http.Request) string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		start := time.Now()
		outcome := outcomeError
		defer func() {
			if p := recover(); p != nil {
				panicked(w, req, p)
			}
			g.metrics.answered(outcome, time.Since(start))
		}()
		deepen(len(outcome))
		outcome = answer(w, req)
	})
}

// deepen makes the goroutine's stack as deep as decoding needs it. HTTP/2 answers
// every request on a new goroutine, whose stack would be copied three times on the
// way down: a twentieth of the time of large requests.
//
//go:noinline
func deepen(i int) byte {
	var frame [12 << 10]byte
	return frame[i]
}

// panicked answers a request on which the gate has broken: it could not tell.
func panicked(w http.ResponseWriter, req *http.Request, p any) {
	logf.FromContext(req.Context()).Error(fmt.Errorf("%v", p), "request panicked", "stack", string(debug.Stack()))
	http.Error(w, "hardgate: internal error", http.StatusInternalServerError)
}

// answer reads, judges and writes one request and returns what metrics call it.
func (g *Gate) answer(w http.ResponseWriter, req *http.Request, objects review.Objects, judge judgeFunc) string {
	in, err := g.receive(w, req)
	defer in.release()
	if err != nil {
		if uid := review.UID(in.bytes()); err.refuse && uid != "" && !onlyRepairs(req) {
			write(w, refusal(uid, err.code, err.Error()))
		} else {
			err.answer(w)
		}
		return outcomeBad
	}
	r, decodeErr := review.Decode(in.bytes(), objects)
	if decodeErr != nil && onlyRepairs(req) {
		decodeErr = errors.Unwrap(decodeErr) // without the UID
	}
	if decodeErr != nil {
		return refuse(w, decodeErr)
	}
	resp, judgeErr := judge(req.Context(), r)
	if bad := (badRequest{}); errors.As(judgeErr, &bad) {
		return refuse(w, &review.Error{UID: r.UID, Err: bad})
	}
	if judgeErr != nil {
		// The failurePolicy of the webhook decides what cannot be decided here.
		logf.FromContext(req.Context()).Error(judgeErr, "could not judge a request", "uid", r.UID, "kind", r.Kind.Kind, "namespace", r.Namespace)
		http.Error(w, "hardgate: "+judgeErr.Error(), http.StatusInternalServerError)
		return outcomeError
	}
	write(w, resp)
	switch {
	case req.URL.Path == registration.SelfTestPath:
		return outcomeSelfTest
	case !resp.Allowed:
		return outcomeDenied
	case len(resp.Warnings) > 0:
		return outcomeWarned
	}
	return outcomeAllowed
}

// onlyRepairs is whether nothing may be refused: what is not repaired is judged all the
// same, and refused there.
func onlyRepairs(req *http.Request) bool { return req.URL.Path == registration.RepairPath }

// refuse answers a request that makes no sense: with its UID where that is known.
func refuse(w http.ResponseWriter, err error) string {
	var bad *review.Error
	if errors.As(err, &bad) && bad.UID != "" {
		write(w, refusal(bad.UID, http.StatusBadRequest, bad.Error()))
	} else {
		http.Error(w, "hardgate: this is not an AdmissionReview of "+review.APIVersion+": "+err.Error(), http.StatusBadRequest)
	}
	return outcomeBad
}

func write(w http.ResponseWriter, r response) {
	text := answers.Get().(*[]byte)
	defer answers.Put(text)
	body := r.appendTo((*text)[:0])
	*text = body
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	_, _ = w.Write(body) //nolint:gosec // JSON, and said to be; a client that is gone is told nothing
}

// answers keeps the memory of answers, which are a few kB: net/http has copied one
// when Write returns.
var answers = sync.Pool{New: func() any { return new([]byte) }}
