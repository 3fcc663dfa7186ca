package webhook

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"testing"
	"testing/synctest"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

// unanswered is the error of a request that nobody has answered, as client-go hands it on.
func unanswered() error {
	return fmt.Errorf("%w - error from a previous attempt", &url.Error{Op: "Get", URL: "https://localhost:1", Err: errors.New("connection refused")})
}

// An API server that was away for long is asked as often as at first; its own errors are
// answers.
func TestInsist(t *testing.T) {
	refused, full := unanswered(), apierrors.NewTooManyRequestsError("later")
	tests := map[string]struct {
		away time.Duration
		then error
	}{
		"at once":          {0, nil},
		"after an hour":    {time.Hour, nil},
		"an error at last": {time.Minute, full},
		"an error at once": {0, full},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				began, asked := time.Now(), 0
				answer, err := insist(t.Context(), func() (int, error) {
					asked++
					if time.Since(began) < tt.away {
						return 0, refused
					}
					return 7, tt.then
				})
				late := time.Since(began) - tt.away
				if answer != 7 || !errors.Is(err, tt.then) || late > 2*asking {
					t.Errorf("%d, %v, %s after its return", answer, err, late)
				}
				if most := 1 + int(tt.away/asking) + 1; asked > most {
					t.Errorf("asked %d times in %s", asked, tt.away)
				}
			})
		})
	}
}

func TestInsistEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		refused := unanswered()
		if _, err := insist(ctx, func() (int, error) { return 0, refused }); !errors.Is(err, refused) {
			t.Error(err)
		}
	})
}
