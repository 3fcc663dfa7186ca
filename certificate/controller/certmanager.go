package controller

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	certmanagerv1 "github.com/cert-manager/cert-manager/pkg/apis/certmanager/v1"
	cmmetav1 "github.com/cert-manager/cert-manager/pkg/apis/meta/v1"
	"github.com/prometheus/client_golang/prometheus"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"
	logf "sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/hardgate-dev/hardgate/clock"
	"github.com/hardgate-dev/hardgate/taint/controller"
)

// Certificate is the name of the webhook's.
const Certificate = "hardgate-webhook"

// Watcher watches what cert-manager keeps: it tells where the certificate is not ready or
// about to expire, and where the bundle is missing. It reads no Secret and writes nothing.
type Watcher struct {
	Options
	May func() error

	client  client.Client
	clock   *clock.Server
	metrics *Metrics
	teller  teller
}

// NewWatcher makes a Watcher.
func NewWatcher(l controller.Leader, registry prometheus.Registerer, o Options) (*Watcher, error) {
	own, err := newClient(l.Config)
	if err != nil {
		return nil, err
	}
	return &Watcher{Options: o, May: l.May, client: own.WithWatch, clock: own.clock, metrics: NewMetrics(registry), teller: teller{events: l.Events}}, nil
}

// NeedLeaderElection implements manager.LeaderElectionRunnable.
func (*Watcher) NeedLeaderElection() bool { return true }

// Start implements manager.Runnable.
func (w *Watcher) Start(ctx context.Context) error {
	ctx = logf.IntoContext(ctx, logf.FromContext(ctx).WithName("certificates"))
	ticker := time.NewTicker(tick)
	defer ticker.Stop()
	for {
		if err := w.May(); err != nil {
			return err
		}
		problem := w.look(ctx)
		if ctx.Err() != nil {
			return nil
		}
		w.metrics.found(problem)
		w.teller.problem(ctx, problem)
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}

func (w *Watcher) look(ctx context.Context) error {
	c := &certmanagerv1.Certificate{}
	err := w.client.Get(ctx, client.ObjectKey{Namespace: w.Namespace, Name: Certificate}, c)
	if apierrors.IsNotFound(err) {
		w.metrics.expires(serving, time.Time{})
		return fmt.Errorf("there is no Certificate %s in %s: install it, or start the controller with --certificates=builtin", Certificate, w.Namespace)
	}
	if err != nil {
		return fmt.Errorf("reading the Certificate %s: %w", Certificate, err)
	}
	var end time.Time
	if c.Status.NotAfter != nil {
		end = c.Status.NotAfter.Time
	}
	w.metrics.expires(serving, end)
	w.metrics.skew.WithLabelValues().Set(w.clock.Ahead().Seconds())
	all, err := readRegistered(ctx, w.client)
	if err != nil {
		return err
	}
	w.teller.know(all)
	return errors.Join(problem(&c.Status, w.clock.Now()), missing(all))
}

// late is how long after its time a renewal is still on its way.
const late = time.Hour

// problem is what is wrong with a Certificate.
func problem(c *certmanagerv1.CertificateStatus, now time.Time) error {
	i := slices.IndexFunc(c.Conditions, func(c certmanagerv1.CertificateCondition) bool {
		return c.Type == certmanagerv1.CertificateConditionReady
	})
	switch {
	case i < 0:
		return fmt.Errorf("cert-manager has not looked at the Certificate %s yet", Certificate)
	case c.Conditions[i].Status != cmmetav1.ConditionTrue:
		return fmt.Errorf("the Certificate %s is not ready: %s: %s", Certificate, c.Conditions[i].Reason, c.Conditions[i].Message)
	case c.NotAfter != nil && !now.Before(c.NotAfter.Time):
		return fmt.Errorf("the Certificate %s has expired at %s", Certificate, c.NotAfter.UTC().Format(time.RFC3339))
	case c.RenewalTime != nil && now.After(c.RenewalTime.Add(late)):
		return fmt.Errorf("the Certificate %s was to be renewed at %s and is not", Certificate, c.RenewalTime.UTC().Format(time.RFC3339))
	}
	return nil
}

// missing is a configuration that nobody has injected a bundle into.
func missing(all []registered) error {
	var errs []error
	for _, r := range all {
		if slices.ContainsFunc(bundles([]registered{r}), func(b []byte) bool { return len(b) == 0 }) {
			errs = append(errs, fmt.Errorf("the %s has no bundle: cert-manager's cainjector brings it where the annotation %s is", kindOf(r.object), injectors[0]))
		}
	}
	return errors.Join(errs...)
}
