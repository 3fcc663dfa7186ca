package bench

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/pprof"
	"strings"
	"testing"
	"time"

	"github.com/google/pprof/profile"

	"github.com/hardgate-dev/hardgate/e2e/process"
)

// stacks makes a profile in which main calls each function so many times, from two
// addresses of the same line.
func stacks(counts map[string]int64) *profile.Profile {
	p := &profile.Profile{
		SampleType: []*profile.ValueType{{Type: "samples", Unit: "count"}},
		PeriodType: &profile.ValueType{Type: "cpu", Unit: "nanoseconds"},
		Mapping:    []*profile.Mapping{{ID: 1, File: "/home/somebody/webhook"}},
	}
	location := func(name string) *profile.Location {
		id := uint64(len(p.Function) + 1)
		f := &profile.Function{ID: id, Name: name, Filename: "/home/somebody/x.go", StartLine: 10}
		l := &profile.Location{ID: id, Mapping: p.Mapping[0], Address: id << 8, Line: []profile.Line{{Function: f, Line: 12}}}
		p.Function, p.Location = append(p.Function, f), append(p.Location, l)
		return l
	}
	for name, n := range counts {
		for range 2 {
			p.Sample = append(p.Sample, &profile.Sample{Location: []*profile.Location{location(name), location("main")}, Value: []int64{n}})
		}
	}
	return p
}

func TestPack(t *testing.T) {
	tests := map[string]struct {
		rare, limit int
		want        int // stacks
		wantErr     bool
	}{
		"all fits":        {rare: 3, limit: 1 << 20, want: 4},
		"the rare goes":   {rare: 1000, limit: 1 << 10, want: 1},
		"nothing helps":   {limit: 10, wantErr: true},
		"nothing is rare": {limit: 1 << 10, want: 1},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			counts := map[string]int64{"often": 1_000_000}
			for i := range tc.rare {
				counts[fmt.Sprint("rare", i)] = 1
			}
			packed, err := pack([]*profile.Profile{stacks(counts), stacks(counts)}, tc.limit)
			if tc.wantErr {
				if err == nil {
					t.Fatalf("pack gave %d bytes", len(packed))
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			p, err := profile.ParseData(packed)
			if err != nil {
				t.Fatal(err)
			}
			if len(p.Sample) != tc.want {
				t.Errorf("%d stacks, want %d", len(p.Sample), tc.want)
			}
			for _, s := range p.Sample {
				line := s.Location[0].Line[0]
				if line.Line != 12 || line.Function.StartLine != 10 {
					t.Errorf("the compiler cannot find %+v in %+v", line, line.Function)
				}
				if line.Function.Name == "often" && s.Value[0] != 4_000_000 {
					t.Errorf("%s was seen %d times", line.Function.Name, s.Value[0])
				}
			}
			if strings.Contains(p.String(), "somebody") {
				t.Errorf("the profile tells paths of this machine:\n%s", p)
			}
		})
	}
}

// This process is the server: the profile is of what it does, or of nothing.
func TestProfile(t *testing.T) {
	self, err := process.Self()
	if err != nil {
		t.Fatal(err)
	}
	empty := func(w http.ResponseWriter, _ *http.Request) {
		var b bytes.Buffer
		p := &profile.Profile{SampleType: []*profile.ValueType{{Type: "cpu", Unit: "nanoseconds"}}}
		if err := p.Write(&b); err != nil {
			t.Error(err)
		}
		_, _ = w.Write(b.Bytes())
	}
	tests := map[string]struct {
		serve   http.HandlerFunc
		wantErr string
	}{
		"real":     {serve: pprof.Profile},
		"idle":     {serve: empty, wantErr: "the profile shows 0s"},
		"no pprof": {serve: http.NotFound, wantErr: "404"},
		"no profile": {wantErr: "reading the profile", serve: func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write([]byte("x"))
		}},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			at := httptest.NewServer(tc.serve)
			defer at.Close()
			c := fake(t, func(uid string) (int, string) { return 200, fmt.Sprintf(`{"response":{"uid":%q,"allowed":true}}`, uid) })
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			plan := Plan{Warmup: 10 * time.Millisecond, Round: time.Second, Rounds: 1, Concurrency: 4}
			p, err := Server{Name: "self", Process: self, Client: c}.profile(ctx, []Request{request(t)}, at.URL, plan)
			switch {
			case tc.wantErr == "" && err != nil:
				t.Fatal(err)
			case tc.wantErr == "" && len(p.Sample) == 0:
				t.Error("the profile is empty")
			case tc.wantErr != "" && (err == nil || !strings.Contains(err.Error(), tc.wantErr)):
				t.Errorf("profile = %v, want an error with %q", err, tc.wantErr)
			}
		})
	}
}
