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

// maxBody is the largest request that is judged. The API server stores objects of
// up to 1.5 MiB; in JSON, "<" becomes six bytes, and an update carries two objects.
// What is larger is refused, whatever the failurePolicy: size must be no way in.
const maxBody = 24 << 20

// Bodies of up to smallBody are read freely. The bytes of larger ones, as they
// arrive, share maxLarge: what finds no room in time is refused with its UID, so
// that pressure is no way in either.
const (
	smallBody = 256 << 10
	largeStep = 1 << 20
	maxLarge  = 2 * maxBody
	roomWait  = time.Second
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
	if err := admissible(w, req); err != nil {
		http.Error(w, "hardgate: "+err.Error(), err.code)
		return outcomeBad
	}
	body := bodies.Get().(*bytes.Buffer)
	defer release(body)
	weight, err := g.read(body, req)
	defer g.large.Release(weight)
	if err != nil {
		if uid := review.UID(body.Bytes()); err.refuse && uid != "" && !onlyRepairs(req) {
			write(w, refusal(uid, err.code, err.Error()))
		} else {
			http.Error(w, "hardgate: "+err.Error(), err.code)
		}
		return outcomeBad
	}
	r, decodeErr := review.Decode(body.Bytes(), objects)
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
	_, _ = w.Write(body) // the client is gone: nobody is left to tell
}

// answers keeps the memory of answers, which are a few kB: net/http has copied one
// when Write returns.
var answers = sync.Pool{New: func() any { return new([]byte) }}

// httpError is an error with its HTTP status.
type httpError struct {
	error
	code int
	// refuse is whether the request must not go through, whatever the failurePolicy.
	refuse bool
}

// bodies keeps buffers of ordinary requests: nothing that is decoded points into
// them once the request is answered.
var bodies = sync.Pool{New: func() any { return new(bytes.Buffer) }}

func release(b *bytes.Buffer) {
	if b.Cap() <= smallBody { // a few giant requests must not hold memory for ever
		b.Reset()
		bodies.Put(b)
	}
}

// admissible refuses what cannot be a review.
func admissible(w http.ResponseWriter, req *http.Request) *httpError {
	if req.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		return &httpError{error: errors.New("only POST is served here"), code: http.StatusMethodNotAllowed}
	}
	if t, _, err := mime.ParseMediaType(req.Header.Get("Content-Type")); err != nil || t != "application/json" {
		return &httpError{
			error: fmt.Errorf("content type %q where application/json should be", req.Header.Get("Content-Type")),
			code:  http.StatusUnsupportedMediaType,
		}
	}
	return nil
}

// read reads the body of a request: of one that is too large, enough to know it by.
// Memory follows what arrives and not what is announced. The caller releases the
// weight in g.large, also after an error.
func (g *Gate) read(body *bytes.Buffer, req *http.Request) (weight int64, _ *httpError) {
	if req.ContentLength > maxBody {
		_, _ = body.ReadFrom(io.LimitReader(req.Body, 4<<10)) // for the uid, if it is there
		return 0, tooLarge()
	}
	body.Grow(int(min(max(req.ContentLength, 0), smallBody)) + bytes.MinRead)
	for limit := int64(smallBody); ; limit = largeStep {
		n, err := body.ReadFrom(io.LimitReader(req.Body, limit))
		switch {
		case err != nil:
			return weight, &httpError{error: fmt.Errorf("reading the request: %w", err), code: http.StatusBadRequest}
		case n < limit:
			return weight, nil
		case body.Len() > maxBody:
			return weight, tooLarge()
		}
		if err := g.room(req.Context()); err != nil {
			return weight, err
		}
		weight += largeStep
	}
}

// room waits for the memory of the next step of a large request.
func (g *Gate) room(ctx context.Context) *httpError {
	ctx, cancel := context.WithTimeout(ctx, roomWait)
	defer cancel()
	if g.large.Acquire(ctx, largeStep) != nil {
		return &httpError{
			error: errors.New("too many large requests at once, try again"), code: http.StatusTooManyRequests, refuse: true,
		}
	}
	return nil
}

func tooLarge() *httpError {
	return &httpError{
		error: fmt.Errorf("the request is larger than %d bytes", maxBody), code: http.StatusRequestEntityTooLarge, refuse: true,
	}
}
