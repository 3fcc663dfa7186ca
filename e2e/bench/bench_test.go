package bench

import (
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hardgate-dev/hardgate/e2e/process"
)

const recorded = `{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1","request":{"uid":"705ab4f5-6393-11e8-b7cc-42010a800002","object":{"metadata":{"uid":"11111111-6393-11e8-b7cc-42010a800002"}}}}`

func request(t *testing.T) Request {
	t.Helper()
	r, err := newRequest("pod", []byte(recorded))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestWithUID(t *testing.T) {
	const uid = "00000000-0000-4000-8000-0000000000ff"
	r := request(t)
	got := string(r.withUID(nil, uid))
	if want := strings.Replace(recorded, "705ab4f5-6393-11e8-b7cc-42010a800002", uid, 1); got != want {
		t.Errorf("withUID = %s\nwant %s", got, want)
	}
	if string(r.Body) != recorded {
		t.Error("the recorded body was changed")
	}
}

func TestLoadRefusesWhatIsNoRequest(t *testing.T) {
	for name, content := range map[string]string{
		"not JSON":   "x",
		"no request": `{"kind":"AdmissionReview"}`,
		"odd UID":    `{"request":{"uid":"7"}}`,
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			if err := os.WriteFile(filepath.Join(dir, "01-x.json"), []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
			if set, err := Load(dir); err == nil {
				t.Errorf("Load = %v", set)
			}
		})
	}
	if set, err := Load(t.TempDir()); err == nil {
		t.Errorf("an empty directory gave %v", set)
	}
}

// fake is a webhook that answers with the text that the function makes of the UID.
func fake(t *testing.T, answer func(uid string) (int, string)) *Client {
	t.Helper()
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var review struct{ Request struct{ UID string } }
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return // the client gave up
		}
		if err := json.Unmarshal(body, &review); err != nil {
			t.Error(err)
		}
		code, text := answer(review.Request.UID)
		w.WriteHeader(code)
		_, _ = io.WriteString(w, text)
	}))
	s.EnableHTTP2 = true
	s.StartTLS()
	t.Cleanup(s.Close)
	c, err := NewClient(s.URL+"/validate", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw}), true)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func TestDriveChecksEveryAnswer(t *testing.T) {
	var calls atomic.Int32
	tests := map[string]struct {
		answer  func(uid string) (int, string)
		wantErr string
	}{
		"allowed": {answer: func(uid string) (int, string) {
			return 200, fmt.Sprintf(`{"response":{"uid":%q,"allowed":true}}`, uid)
		}},
		"denied": {answer: func(uid string) (int, string) {
			return 200, fmt.Sprintf(`{"response":{"uid":%q,"allowed":false,"status":{"code":403}}}`, uid)
		}},
		"error in the review": {wantErr: "error 500: broken", answer: func(uid string) (int, string) {
			return 200, fmt.Sprintf(`{"response":{"uid":%q,"allowed":false,"status":{"code":500,"message":"broken"}}}`, uid)
		}},
		"HTTP error":      {wantErr: "500 Internal", answer: func(string) (int, string) { return 500, "broken" }},
		"not JSON":        {wantErr: "reading the answer", answer: func(string) (int, string) { return 200, "x" }},
		"no response":     {wantErr: "no response", answer: func(string) (int, string) { return 200, "{}" }},
		"another request": {wantErr: "answer for 7", answer: func(string) (int, string) { return 200, `{"response":{"uid":"7","allowed":true}}` }},
		"changing its mind": {wantErr: "before", answer: func(uid string) (int, string) {
			return 200, fmt.Sprintf(`{"response":{"uid":%q,"allowed":%t,"status":{"code":403}}}`, uid, calls.Add(1)%2 == 0)
		}},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			c := fake(t, tc.answer)
			l, err := c.drive(t.Context(), []Request{request(t)}, 50*time.Millisecond, 1)
			if tc.wantErr != "" {
				if err == nil || !strings.Contains(err.Error(), tc.wantErr) {
					t.Fatalf("drive = %v, want an error with %q", err, tc.wantErr)
				}
				return
			}
			if err != nil || l.requests == 0 || len(l.latencies) != l.requests {
				t.Errorf("drive = %d requests, %d latencies, %v", l.requests, len(l.latencies), err)
			}
		})
	}
}

func TestMeasure(t *testing.T) {
	c := fake(t, func(uid string) (int, string) { return 200, fmt.Sprintf(`{"response":{"uid":%q,"allowed":true}}`, uid) })
	self, err := process.Self()
	if err != nil {
		t.Fatal(err)
	}
	server := Server{Name: "self", Process: self, Client: c}
	plan := Plan{Warmup: 10 * time.Millisecond, Round: 200 * time.Millisecond, Rounds: 3, Concurrency: 4}
	r, err := Measure(t.Context(), "small", []Request{request(t)}, server, server, plan)
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Floor) != 3 || len(r.Webhook) != 3 {
		t.Fatalf("%d and %d samples, want 3 each", len(r.Floor), len(r.Webhook))
	}
	if got := r.Ratio(); got < 0.3 || got > 3 {
		t.Errorf("a server costs %.2f times itself", got)
	}
}

func TestRatioIsTheMedianOfTheRounds(t *testing.T) {
	samples := func(us ...int) (s []Sample) {
		for _, v := range us {
			s = append(s, Sample{CPU: time.Duration(v) * time.Microsecond})
		}
		return s
	}
	tests := map[string]struct {
		floor, webhook []Sample
		want           float64
	}{
		"steady":            {samples(100, 100, 100), samples(170, 170, 170), 1.7},
		"one round is busy": {samples(100, 300, 100), samples(170, 510, 900), 1.7},
		"even":              {samples(100, 100), samples(150, 250), 2},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			r := Result{Floor: tc.floor, Webhook: tc.webhook}
			if got := r.Ratio(); got < tc.want-1e-9 || got > tc.want+1e-9 {
				t.Errorf("ratio %v, want %v", got, tc.want)
			}
		})
	}
}

func TestQuantile(t *testing.T) {
	l := load{}
	for i := range 100 {
		l.latencies = append(l.latencies, time.Duration(i+1))
	}
	for q, want := range map[float64]time.Duration{0: 1, 0.5: 50, 0.99: 99, 1: 100} {
		if got := l.quantile(q); got != want {
			t.Errorf("quantile %v is %d, want %d", q, got, want)
		}
	}
	if got := (load{latencies: []time.Duration{7}}).quantile(0.99); got != 7 {
		t.Errorf("quantile of one value is %d", got)
	}
}

func TestRatioLine(t *testing.T) {
	one := Result{Floor: []Sample{{CPU: 100}}, Webhook: []Sample{{CPU: 170}}}
	two := Result{Floor: []Sample{{CPU: 100}}, Webhook: []Sample{{CPU: 191}}}
	if got, want := RatioLine(one, two), "ratio small=1.7 large=1.9\n"; got != want {
		t.Errorf("RatioLine = %q, want %q", got, want)
	}
}
