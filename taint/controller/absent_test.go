package controller

import (
	"context"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-logr/logr/funcr"
	logf "sigs.k8s.io/controller-runtime/pkg/log"
)

// script is an API server that gives its answers one after the other; the last again and
// again.
func script(answers ...any) (next http.RoundTripper, asked *int) {
	asked = new(int)
	return roundTripper(func(r *http.Request) (*http.Response, error) {
		a := answers[min(*asked, len(answers)-1)]
		*asked++
		if err, ok := a.(error); ok {
			return nil, err
		}
		return &http.Response{StatusCode: a.(int), Body: io.NopCloser(strings.NewReader("{}")), Request: r}, nil
	}), asked
}

const ourPath, foreignPath = "/proxied/apis/hardgate.dev/v1alpha1/nodepolicies", "/api/v1/nodes"

func TestAbsent(t *testing.T) {
	broken := errors.New("broken")
	refused := &timeoutless{syscall.ECONNREFUSED}
	for name, c := range map[string]struct {
		method, path string
		answers      []any
		code         int // of what comes through
		err          error
		asked        int
		missing      []string // in the end
	}{
		"it is there":                       {"GET", ourPath, []any{200}, 200, nil, 1, nil},
		"it comes":                          {"GET", ourPath, []any{404, 404, 404, 200}, 200, nil, 4, nil},
		"it comes, and may not be read":     {"GET", ourPath, []any{404, 403}, 403, nil, 2, nil},
		"another kind is not there":         {"GET", foreignPath, []any{404}, 404, nil, 1, nil},
		"nothing but lists is asked again":  {"POST", ourPath, []any{404}, 404, nil, 1, []string{"nodepolicies.hardgate.dev"}},
		"the API server is busy":            {"GET", ourPath, []any{503}, 503, nil, 1, nil},
		"something else is wrong":           {"GET", foreignPath, []any{broken}, 0, broken, 1, nil},
		"nobody listens":                    {"GET", foreignPath, []any{refused, refused, 200}, 200, nil, 3, nil},
		"nobody listens, and it is missing": {"GET", ourPath, []any{404, refused, 404, 200}, 200, nil, 4, nil},
		"it never comes":                    {"GET", ourPath, []any{404}, 0, context.DeadlineExceeded, 0, []string{"nodepolicies.hardgate.dev"}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
				defer cancel()
				next, asked := script(c.answers...)
				a := newAbsent()
				r, err := http.NewRequestWithContext(ctx, c.method, "https://a.example"+c.path+"?limit=500", http.NoBody)
				if err != nil {
					t.Fatal(err)
				}
				began := time.Now()
				resp, err := a.wrap(next).RoundTrip(r)
				if !errors.Is(err, c.err) || err == nil && resp.StatusCode != c.code {
					t.Errorf("%+v, %v, want %d, %v", resp, err, c.code, c.err)
				}
				if err == nil {
					_ = resp.Body.Close()
				}
				if got := a.all(); !slices.Equal(got, c.missing) {
					t.Errorf("missing are %q, want %q", got, c.missing)
				}
				if c.asked == 0 { // until it is given up, once in one to two seconds
					if n := *asked; n < 1700 || n > 3600 {
						t.Errorf("asked %d times in an hour", n)
					}
					return
				}
				if *asked != c.asked {
					t.Errorf("asked %d times, want %d", *asked, c.asked)
				}
				if took, n := time.Since(began), time.Duration(c.asked-1); took < n*again || took > n*2*again {
					t.Errorf("took %s", took)
				}
			})
		})
	}
}

// timeoutless is an error of the network.
type timeoutless struct{ syscall.Errno }

func (e *timeoutless) Unwrap() error { return e.Errno }

// What is missing is told once it has settled, and once.
func TestTellOfAbsent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var said []string
		log := funcr.New(func(_, line string) { said = append(said, line) }, funcr.Options{})
		ctx, cancel := context.WithCancel(logf.IntoContext(t.Context(), log))
		a := newAbsent()
		done := make(chan struct{})
		go func() {
			defer close(done)
			a.tell(ctx)
		}()
		expect := func(what string, words ...string) {
			t.Helper()
			time.Sleep(10 * time.Second)
			synctest.Wait()
			if len(said) != min(1, len(words)) || len(words) > 0 && slices.ContainsFunc(words, func(w string) bool { return !strings.Contains(said[0], w) }) {
				t.Errorf("%s: said %q, want one line with %q", what, said, words)
			}
			said = nil
		}
		expect("nothing is missing")
		a.note("nodereports.hardgate.dev", true)
		time.Sleep(1100 * time.Millisecond)
		a.note("exemptions.hardgate.dev", true)
		expect("two are", "exemptions.hardgate.dev, nodereports.hardgate.dev", "install manifests/crd again", "no taint is set or removed")
		expect("they still are")
		a.note("exemptions.hardgate.dev", false)
		expect("one is back", `"crds"="nodereports.hardgate.dev"`)
		a.note("nodereports.hardgate.dev", false)
		expect("all are", "the CRDs of nodes are there again")
		a.note("nodereports.hardgate.dev", true)
		time.Sleep(500 * time.Millisecond)
		a.note("nodereports.hardgate.dev", false)
		expect("for a moment")
		cancel()
		<-done
	})
}

// The manager goes on without what is missing, and without nothing else: what is only late
// is waited for, so that a replica that could not do its work does not lead.
func TestPatient(t *testing.T) {
	const nodes, reports, policies = "nodes", "nodereports.hardgate.dev", "nodepolicies.hardgate.dev"
	for name, c := range map[string]struct {
		pending, missing []string
		opens            bool
	}{
		"all is read":                      {nil, nil, true},
		"something is missing":             {[]string{reports}, []string{reports}, true},
		"another is late":                  {[]string{reports, policies}, []string{reports}, false},
		"nodes are late":                   {[]string{nodes, reports}, []string{reports}, false},
		"something went after it was read": {nil, []string{reports}, true},
		"all is late":                      {[]string{nodes, reports, policies}, nil, false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a := newAbsent()
				for _, crd := range c.missing {
					a.note(crd, true)
				}
				p := &patient{absent: a, pending: func() []string { return c.pending }, opened: make(chan struct{})}
				ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
				defer cancel()
				if got := p.WaitForCacheSync(ctx); got != c.opens {
					t.Errorf("it goes on: %t", got)
				}
				select {
				case <-p.opened:
					if !c.opens {
						t.Error("it says that it went on")
					}
				default:
					if c.opens {
						t.Error("it does not say that it went on")
					}
				}
			})
		})
	}
}
