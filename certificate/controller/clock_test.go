package controller

import (
	"crypto/x509"
	"encoding/pem"
	"errors"
	"net/http"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/hardgate-dev/hardgate/clock"
)

// answer is an API server's, with a date.
type answer string

func (a answer) RoundTrip(*http.Request) (*http.Response, error) {
	return &http.Response{Header: http.Header{"Date": {string(a)}}, Body: http.NoBody}, nil
}

// ahead is the clock of an API server that is ahead of this machine's.
func ahead(d time.Duration) *clock.Server {
	c := &clock.Server{}
	resp, err := c.Wrap(answer(time.Now().Add(d).UTC().Format(http.TimeFormat))).RoundTrip(nil)
	if err == nil {
		_ = resp.Body.Close()
	}
	return c
}

// What is made is good where it is checked: by the API server's clock, however far the
// leader's own is off, and by that of another API server that is a day behind.
func TestMadeByTheServersClock(t *testing.T) {
	const day = 24 * time.Hour
	for name, off := range map[string]time.Duration{"the same": 0, "ahead": 2 * 365 * day, "behind": -2 * 365 * day} {
		t.Run(name, func(t *testing.T) {
			c := cluster(t, registrations()...).Build()
			i, _ := issuer(c)
			i.clock = ahead(off)
			if err := i.round(t.Context()); err != nil {
				t.Fatal(err)
			}
			pool := x509.NewCertPool()
			pool.AppendCertsFromPEM([]byte(bundlesOf(t, c)[0]))
			block, _ := pem.Decode(secret(t, c, ServingSecret).Data["tls.crt"])
			cert, err := x509.ParseCertificate(block.Bytes)
			if err != nil {
				t.Fatal(err)
			}
			for _, at := range []time.Duration{0, time.Minute - day, 89 * day} {
				now := time.Now().Add(off + at)
				if _, err := cert.Verify(x509.VerifyOptions{Roots: pool, CurrentTime: now, DNSName: "hardgate-webhook.hardgate-system.svc"}); err != nil {
					t.Errorf("at %s: %v", now, err)
				}
			}
		})
	}
}

// Where nobody says what time it is, nothing is made: this machine's clock may be wrong.
func TestNoDate(t *testing.T) {
	c := cluster(t, registrations()...).Build()
	i, events := issuer(c)
	i.clock = &clock.Server{}
	if err := i.round(t.Context()); !errors.Is(err, errNoDate) {
		t.Errorf("%v", err)
	}
	for _, name := range []string{CASecret, ServingSecret} {
		if err := c.Get(t.Context(), client.ObjectKey{Namespace: namespace, Name: name}, &corev1.Secret{}); !apierrors.IsNotFound(err) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if all := told(events); len(all) > 0 {
		t.Errorf("it tells of %q", all)
	}
}
