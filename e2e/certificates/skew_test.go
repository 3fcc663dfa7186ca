package certificates

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hardgate-dev/hardgate/certificate"
	"github.com/hardgate-dev/hardgate/e2e/controller"
	"github.com/hardgate-dev/hardgate/e2e/process"
	"github.com/hardgate-dev/hardgate/e2e/skew"
)

const (
	day = 24 * time.Hour
	// far is more than a certificate lives, and less than the API server's does.
	far = 100 * day
	// years is more than any.
	years = 2 * 365 * day
)

// skewed builds both programs with a clock that can be set.
func skewed(t *testing.T) (webhook, leader string) {
	t.Helper()
	dir := t.TempDir()
	say("building both programs with a clock that can be set, some minutes the first time")
	webhook, leader = filepath.Join(dir, "webhook"), filepath.Join(dir, "controller")
	for binary, pkg := range map[string]string{webhook: "./cmd/webhook", leader: "./cmd/controller"} {
		if err := skew.Build(t.Context(), lab.repo, pkg, binary); err != nil {
			t.Fatal(err)
		}
	}
	return webhook, leader
}

func clockAt(t *testing.T, ahead time.Duration) *skew.Clock {
	t.Helper()
	c, err := skew.NewClock(filepath.Join(t.TempDir(), "clock"))
	if err == nil {
		err = c.Set(ahead)
	}
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestClockSkew: the clocks of both replicas of the webhook are a hundred days off, each in
// its direction, and so are those of the controllers; they jump while they lead. Nothing is
// renewed that is not due by the API server's clock, all that is, and what is made is good
// by that clock: no request is lost.
func TestClockSkew(t *testing.T) {
	webhook, binary := skewed(t)
	replicaClock := clockAt(t, far)
	s := serveBy(t, []process.Program{
		{Name: "webhook-0", Path: webhook, Env: []string{replicaClock.Env()}},
		{Name: "webhook-1", Path: webhook, Env: []string{clockAt(t, -far).Env()}},
	})
	register(t, s)
	start := func(name string, clock *skew.Clock) *controller.Controller {
		return started(t, name, func() (*controller.Controller, error) {
			return controller.StartBuilt(t.Context(), lab.cluster, controller.Built{Name: name, Path: binary, Env: []string{clock.Env()}}, slices.Concat(often, flags)...)
		})
	}
	clocks := []*skew.Clock{clockAt(t, -far), clockAt(t, far)}
	first := start("controller", clocks[0])
	await(t, "the bundles are stored", func() bool {
		bundles, err := stored(t.Context())
		return err == nil && len(bundles) == 1 && bundles[0] != ""
	})
	s.ready(t)
	enforce(t, "skew") // what is enforced fails closed, though nothing is audited
	second := start("controller-2", clocks[1])
	stopLoad, stopProbe := load(t, "skew"), probe(t, s)

	told(t, first, far)
	ends := exempt(t, s)
	if made := wrote(t, first, "issue"); made != 1 {
		t.Errorf("by a clock that is behind, a new certificate is renewed %g times", made-1)
	}
	old(t)
	await(t, "a leader whose clock is behind renews what is old", func() bool { return wrote(t, first, "issue") == 2 })
	s.serves(t)
	ends()

	if err := clocks[0].Set(far); err != nil {
		t.Fatal(err)
	}
	jumped := time.Now()
	old(t)
	await(t, "a leader whose clock has jumped ahead ends, and the next renews what is old", func() bool { return wrote(t, second, "issue") == 1 })
	t.Logf("renewed by the next leader %s after the clock of the one before had jumped", time.Since(jumped).Round(100*time.Millisecond))
	if running, err := first.Process().Running(); err != nil || running {
		t.Errorf("%v; the leader whose clock has jumped ahead runs: %t", err, running)
	}
	told(t, second, -far)
	replace(t)
	for name, ahead := range map[string]time.Duration{"controller-3": years, "controller-4": -years} {
		outside(t, controller.Built{Name: name, Path: binary, Env: []string{clockAt(t, ahead).Env()}})
	}
	await(t, "a leader whose clock is ahead replaces an old authority", func() bool {
		return wrote(t, second, "make-ca") == 1 && wrote(t, second, "issue") == 2 && wrote(t, second, "prune") == 1
	})

	if err := errors.Join(clocks[1].Set(-years), replicaClock.Set(years)); err != nil {
		t.Fatal(err)
	}
	old(t)
	await(t, "a leader whose clock has jumped back by years goes on, as does a replica whose has jumped ahead", func() bool { return wrote(t, second, "issue") == 3 })
	s.serves(t)
	asked, all := stopLoad(), stopProbe()
	if asked < 200 {
		t.Errorf("only %d requests", asked)
	}
	if len(all.served) < 4 || len(all.bundles) < 3 {
		t.Errorf("%d certificates and %d bundles were seen: what is shown by that is too little", len(all.served), len(all.bundles))
	}
}

// old stores a certificate that is due by the API server's clock.
func old(t *testing.T) {
	t.Helper()
	restore(t, servingSecret, made(t, certificate.Issue, certificate.State{CA: secret(t, authoritySecret)}, 61*day).Serving)
}

// replace stores an authority that is due.
func replace(t *testing.T) {
	t.Helper()
	restore(t, authoritySecret, made(t, certificate.MakeCA, certificate.State{}, 4*365*day).CA)
}

// told awaits that a leader tells how far the API server's clock is ahead of its own, and
// that it audits nothing.
func told(t *testing.T, c *controller.Controller, ahead time.Duration) {
	t.Helper()
	await(t, "the leader tells that its clock is off", func() bool {
		m, err := c.Metrics(t.Context())
		return err == nil && near(m["hardgate_certificate_clock_skew_seconds"], ahead) && m["hardgate_audit_rounds_failed_total"] > 0
	})
	m, err := c.Metrics(t.Context())
	if err != nil || m["hardgate_audit_finished_timestamp_seconds"] != 0 {
		t.Errorf("%v; an audit has ended at %g", err, m["hardgate_audit_finished_timestamp_seconds"])
	}
}

func near(seconds float64, d time.Duration) bool {
	return (time.Duration(seconds*float64(time.Second)) - d).Abs() < time.Minute
}

// outside holds that a controller by whose clock the API server's own certificate is not
// good does not become ready, and says why.
func outside(t *testing.T, b controller.Built) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	ended := make(chan error, 1)
	go func() {
		c, err := controller.StartBuilt(ctx, lab.cluster, b, flags...)
		if err == nil {
			t.Errorf("%s is ready", b.Name)
			err = c.Stop(context.WithoutCancel(ctx))
		}
		ended <- err
	}()
	await(t, b.Name+" says why it is not ready", func() bool {
		text, err := os.ReadFile(process.LogFile(lab.dir, b.Name))
		return err == nil && strings.Contains(string(text), "certificate has expired or is not yet valid")
	})
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("%s: %v", b.Name, err)
	}
}
