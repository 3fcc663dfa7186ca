package webhook

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"runtime/debug"
	"strconv"
	"sync"
	"time"

	logf "sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/hardgate-dev/hardgate/webhook/registration"
	"github.com/hardgate-dev/hardgate/webhook/review"
)

// maxBody is the largest request that is read. The API server stores objects of up
// to 1.5 MiB and takes requests of up to 3 MiB; an update carries two objects.
const maxBody = 7 << 20

// judgeFunc judges one request. An error of type badRequest is the client's; any
// other means that the gate could not tell.
type judgeFunc func(context.Context, *review.Request) (response, error)

// Handler serves the paths of package registration.
func (g *Gate) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle(registration.WorkloadPath, g.serve(review.DecodeObjects, g.workloads))
	mux.Handle(registration.NamespacedPath, g.serve(review.DecodeObjects, g.namespaced))
	mux.Handle(registration.PolicyPath, g.serve(review.RawObjects, g.policies))
	return mux
}

func (g *Gate) serve(objects review.Objects, judge judgeFunc) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		start := time.Now()
		outcome := outcomeError
		defer func() {
			if p := recover(); p != nil {
				panicked(w, req, p)
			}
			g.metrics.answered(outcome, time.Since(start))
		}()
		outcome = g.answer(w, req, objects, judge)
	})
}

// panicked answers a request on which the gate has broken: it could not tell.
func panicked(w http.ResponseWriter, req *http.Request, p any) {
	logf.FromContext(req.Context()).Error(fmt.Errorf("%v", p), "request panicked", "stack", string(debug.Stack()))
	http.Error(w, "hardgate: internal error", http.StatusInternalServerError)
}

// answer reads, judges and writes one request and returns what metrics call it.
func (g *Gate) answer(w http.ResponseWriter, req *http.Request, objects review.Objects, judge judgeFunc) string {
	body, err := read(w, req)
	defer release(body)
	if err != nil {
		http.Error(w, "hardgate: "+err.Error(), err.code)
		return outcomeBad
	}
	r, decodeErr := review.Decode(body.Bytes(), objects)
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
	case !resp.Allowed:
		return outcomeDenied
	case len(resp.Warnings) > 0:
		return outcomeWarned
	}
	return outcomeAllowed
}

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
	_, _ = w.Write(body) // the client is gone: nobody is left to tell
}

// answers keeps the memory of answers, which are a few kB: net/http has copied one
// when Write returns.
var answers = sync.Pool{New: func() any { return new([]byte) }}

// httpError is an error with its HTTP status.
type httpError struct {
	error
	code int
}

// bodies keeps buffers of ordinary requests: nothing that is decoded points into
// them once the request is answered.
var bodies = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// maxPooled keeps a few giant requests from holding memory for ever.
const maxPooled = 256 << 10

func release(b *bytes.Buffer) {
	if b != nil && b.Cap() <= maxPooled {
		b.Reset()
		bodies.Put(b)
	}
}

// read reads the body of a request that can be an AdmissionReview.
func read(w http.ResponseWriter, req *http.Request) (*bytes.Buffer, *httpError) {
	if req.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		return nil, &httpError{errors.New("only POST is served here"), http.StatusMethodNotAllowed}
	}
	if t, _, err := mime.ParseMediaType(req.Header.Get("Content-Type")); err != nil || t != "application/json" {
		return nil, &httpError{fmt.Errorf("content type %q where application/json should be", req.Header.Get("Content-Type")), http.StatusUnsupportedMediaType}
	}
	if req.ContentLength > maxBody {
		return nil, tooLarge()
	}
	body := bodies.Get().(*bytes.Buffer)
	if req.ContentLength > 0 {
		body.Grow(int(req.ContentLength) + bytes.MinRead)
	}
	if _, err := body.ReadFrom(io.LimitReader(req.Body, maxBody+1)); err != nil {
		return body, &httpError{fmt.Errorf("reading the request: %w", err), http.StatusBadRequest}
	}
	if body.Len() > maxBody {
		return body, tooLarge()
	}
	return body, nil
}

func tooLarge() *httpError {
	return &httpError{fmt.Errorf("the request is larger than %d bytes", maxBody), http.StatusRequestEntityTooLarge}
}
