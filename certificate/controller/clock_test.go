package controller

import (
	"net/http"
	"testing"
	"time"
)

// answer is a server that says what time it is.
type answer string

func (a answer) RoundTrip(*http.Request) (*http.Response, error) {
	return &http.Response{Header: http.Header{"Date": {string(a)}}, Body: http.NoBody}, nil
}

// The clock is the API server's, but for what is no more than the way of an answer.
func TestClock(t *testing.T) {
	date := func(d time.Duration) answer { return answer(time.Now().Add(d).UTC().Format(http.TimeFormat)) }
	for name, tt := range map[string]struct {
		says answer
		want time.Duration
	}{
		"the same":     {date(0), 0},
		"a moment":     {date(-3 * time.Second), 0},
		"ahead":        {date(48 * time.Hour), 48 * time.Hour},
		"behind":       {date(-time.Minute), -time.Minute},
		"no date":      {"", 7 * time.Minute}, // as before
		"another date": {"yesterday", 7 * time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			c := &clock{ahead: 7 * time.Minute}
			resp, err := c.wrap(tt.says).RoundTrip(nil)
			if err != nil {
				t.Fatal(err)
			}
			_ = resp.Body.Close()
			if off := c.skew() - tt.want; off.Abs() > 2*time.Second {
				t.Errorf("it is ahead by %s, want %s", c.skew(), tt.want)
			}
			if off := time.Until(c.now()) - tt.want; off.Abs() > 2*time.Second {
				t.Errorf("now is off by %s", off)
			}
		})
	}
}
