package clock

import (
	"net/http"
	"testing"
	"time"
)

// says is a server that says what time it is.
type says string

func (s says) RoundTrip(*http.Request) (*http.Response, error) {
	return &http.Response{Header: http.Header{"Date": {string(s)}}, Body: http.NoBody}, nil
}

func date(ahead time.Duration) says { return says(time.Now().Add(ahead).UTC().Format(http.TimeFormat)) }

func hear(t *testing.T, s *Server, says says) {
	t.Helper()
	resp, err := s.Wrap(says).RoundTrip(nil)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
}

// The clock is the API server's, but for what is no more than the way of an answer.
func TestServer(t *testing.T) {
	const day = 24 * time.Hour
	for name, tt := range map[string]struct {
		says says
		want time.Duration
	}{
		"the same":     {date(0), 0},
		"a moment":     {date(-3 * time.Second), 0},
		"ahead":        {date(40 * day), 40 * day},
		"behind":       {date(-2 * 365 * day), -2 * 365 * day},
		"no date":      {"", 7 * time.Minute}, // as before
		"another date": {"yesterday", 7 * time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			s := &Server{}
			hear(t, s, date(7*time.Minute))
			hear(t, s, tt.says)
			if off := s.Ahead() - tt.want; off.Abs() > 2*time.Second {
				t.Errorf("it is ahead by %s, want %s", s.Ahead(), tt.want)
			}
			if off := time.Until(s.Now()) - tt.want; off.Abs() > 2*time.Second {
				t.Errorf("now is off by %s", off)
			}
		})
	}
}

// Who has heard nothing goes by this machine's clock, and can tell.
func TestNothingHeard(t *testing.T) {
	s := &Server{}
	hear(t, s, "")
	if s.Heard() || s.Ahead() != 0 || time.Since(s.Now()).Abs() > time.Second {
		t.Errorf("heard %t, ahead by %s", s.Heard(), s.Ahead())
	}
	hear(t, s, date(0))
	if !s.Heard() {
		t.Error("a date is not heard")
	}
}

// Between two answers time goes on as this machine's monotonic clock does, whatever the
// other one shows: an answer of an hour ago says what time it is by itself.
func TestTimeGoesOn(t *testing.T) {
	s := &Server{}
	now := time.Now()
	s.heard.Store(&answer{now.Add(time.Hour).Round(0), now.Add(-time.Hour)})
	if off := s.Ahead() - 2*time.Hour; off.Abs() > time.Second {
		t.Errorf("it is ahead by %s, want 2h", s.Ahead())
	}
}

// Who stands before an API server answers by a clock of its own, or an old one.
func TestAnswerOfAnother(t *testing.T) {
	for _, by := range []another{{code: http.StatusBadGateway}, {code: http.StatusServiceUnavailable}, {code: http.StatusGatewayTimeout}, {code: http.StatusOK, age: "3600"}} {
		s := &Server{}
		hear(t, s, date(7*time.Minute))
		by.says = date(40 * 24 * time.Hour)
		resp, err := s.Wrap(by).RoundTrip(nil)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if off := s.Ahead() - 7*time.Minute; off.Abs() > 2*time.Second {
			t.Errorf("after %d of age %q it is ahead by %s", by.code, by.age, s.Ahead())
		}
	}
}

// another says what time it is, and that it does not reach who was asked, or did once.
type another struct {
	says
	code int
	age  string
}

func (a another) RoundTrip(request *http.Request) (*http.Response, error) {
	resp, err := a.says.RoundTrip(request)
	if err == nil {
		if resp.StatusCode = a.code; a.age != "" {
			resp.Header.Set("Age", a.age)
		}
	}
	return resp, err
}
