package webhook

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/hardgate-dev/hardgate/api/v1alpha1"
	"github.com/hardgate-dev/hardgate/clock"
	"github.com/hardgate-dev/hardgate/exemption"
	"github.com/hardgate-dev/hardgate/webhook/ruling"
)

// heard is the clock of an API server that is ahead of this machine's.
func heard(t *testing.T, ahead time.Duration) *clock.Server {
	t.Helper()
	c := &clock.Server{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Date", time.Now().Add(ahead).UTC().Format(http.TimeFormat))
	}))
	defer server.Close()
	req, err := http.NewRequestWithContext(context.WithoutCancel(t.Context()), http.MethodGet, server.URL, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := c.Wrap(http.DefaultTransport).RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	return c
}

// An Exemption ends by the API server's clock: by that of a replica that is behind it would
// go on.
func TestGoesByTheServersClock(t *testing.T) {
	const day = 24 * time.Hour
	for name, tt := range map[string]struct {
		ahead time.Duration // the API server's clock
		ends  time.Duration // from this machine's time
		want  bool
	}{
		"the same, not ended":          {0, time.Minute, true},
		"the same, ended":              {0, -time.Minute, false},
		"this one is behind, ended":    {day, day - time.Minute, false},
		"this one is behind, not yet":  {day, day + time.Minute, true},
		"this one is ahead, not ended": {-day, -day + time.Minute, true},
		"this one is ahead, ended":     {-day, -day - time.Minute, false},
	} {
		t.Run(name, func(t *testing.T) {
			gate, _ := newGate(t, "privileged")
			gate.SetClock(heard(t, tt.ahead))
			e, err := exemption.Read([]byte(`{"apiVersion":"hardgate.dev/v1alpha1","kind":"Exemption","metadata":{"name":"e"},"spec":` +
				exemptSpec(`{"namespaces":["shop"]}`, time.Now().Add(tt.ends)) + `}`))
			if err != nil {
				t.Fatal(err)
			}
			book, errs := exemption.Compile([]v1alpha1.Exemption{*e})
			if len(errs) > 0 {
				t.Fatal(errs)
			}
			gate.exemptions.Store(book)
			if got := letsThrough(t, gate); got != tt.want {
				t.Errorf("let through: %t", got)
			}
		})
	}
}

// When something would have been refused is noted by whichever clock is ahead: a rollout
// would go on over what is noted as long ago, by a replica that is behind or since the one
// of several API servers is that it has asked last.
func TestNotesByTheServersClock(t *testing.T) {
	for _, ahead := range []time.Duration{0, 8 * 24 * time.Hour, -8 * 24 * time.Hour} {
		gate, _ := newGate(t)
		gate.SetBook(&ruling.Book{}) // which warns
		gate.SetClock(heard(t, ahead))
		if !letsThrough(t, gate) {
			t.Fatal("it is not let through")
		}
		tallies := gate.tallies.take()
		if len(tallies) == 0 {
			t.Fatal("nothing is noted")
		}
		for _, all := range tallies {
			for _, one := range all {
				if off := time.Until(one.Last.Time) - max(ahead, 0); off.Abs() > 2*time.Second {
					t.Errorf("%s is noted at %s, which is off by %s", one.Control, one.Last, off)
				}
			}
		}
	}
}
