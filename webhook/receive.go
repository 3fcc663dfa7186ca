package webhook

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"sync"
	"time"

	"golang.org/x/sync/semaphore"
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

// received is the body of a request, and the room that it takes.
type received struct {
	body   *bytes.Buffer
	large  *semaphore.Weighted
	weight int64
}

// bytes is what was read; nil where nothing was.
func (r *received) bytes() []byte {
	if r.body == nil {
		return nil
	}
	return r.body.Bytes()
}

// release gives back the buffer and the room. What was decoded points into neither.
func (r *received) release() {
	if r.body == nil {
		return
	}
	r.large.Release(r.weight)
	if r.body.Cap() <= smallBody { // a few giant requests must not hold memory for ever
		r.body.Reset()
		bodies.Put(r.body)
	}
}

// bodies keeps buffers of ordinary requests.
var bodies = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// receive reads the body of a request, or as much as tells what the request is. The caller
// releases what was received, also after an error, which is the caller's to answer.
func (g *Gate) receive(w http.ResponseWriter, req *http.Request) (received, *httpError) {
	if err := admissible(w, req); err != nil {
		return received{}, err
	}
	in := received{body: bodies.Get().(*bytes.Buffer), large: g.large}
	err := g.read(&in, req)
	return in, err
}

// httpError is an error with its HTTP status.
type httpError struct {
	error
	code int
	// refuse is whether the request must not go through, whatever the failurePolicy.
	refuse bool
}

func (e *httpError) answer(w http.ResponseWriter) { http.Error(w, "hardgate: "+e.Error(), e.code) }

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
// Memory follows what arrives and not what is announced.
func (g *Gate) read(in *received, req *http.Request) *httpError {
	body := in.body
	if req.ContentLength > maxBody {
		_, _ = body.ReadFrom(io.LimitReader(req.Body, 4<<10)) // for the uid, if it is there
		return tooLarge()
	}
	body.Grow(int(min(max(req.ContentLength, 0), smallBody)) + bytes.MinRead)
	for limit := int64(smallBody); ; limit = largeStep {
		n, err := body.ReadFrom(io.LimitReader(req.Body, limit))
		switch {
		case err != nil:
			return &httpError{error: fmt.Errorf("reading the request: %w", err), code: http.StatusBadRequest}
		case n < limit:
			return nil
		case body.Len() > maxBody:
			return tooLarge()
		}
		if err := g.room(req.Context()); err != nil {
			return err
		}
		in.weight += largeStep
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
