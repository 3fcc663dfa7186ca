package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/spf13/pflag"
	"golang.org/x/sync/errgroup"
	"sigs.k8s.io/controller-runtime/pkg/manager"

	"github.com/hardgate-dev/hardgate/certificate"
	issuing "github.com/hardgate-dev/hardgate/certificate/controller"
	"github.com/hardgate-dev/hardgate/taint/controller"
)

// Who keeps the webhook's certificate.
const (
	builtin     = "builtin"
	certManager = "cert-manager"
	none        = "none"
)

type certificates struct {
	by      string
	service string
	config  certificate.Config
}

// flags are those of the certificates. Without them nothing is read or written: who has
// brought a certificate by hand keeps it.
func (c *certificates) flags(f *pflag.FlagSet) {
	f.StringVar(&c.by, "certificates", none, "who keeps the webhook's certificate and the bundles: `builtin` makes and renews them here, cert-manager is watched, none is whoever installs")
	f.StringVar(&c.service, "webhook-service", "hardgate-webhook", "`name` of the webhook's Service, in --namespace, which the certificate is for")
	f.DurationVar(&c.config.Lifetime, "certificate-lifetime", 90*24*time.Hour, "how long a serving certificate is valid; renewed after two thirds")
	f.DurationVar(&c.config.CALifetime, "ca-lifetime", 5*365*24*time.Hour, "how long an authority is valid; another follows after two thirds")
	f.DurationVar(&c.config.Settle, "certificate-settle", 30*time.Second, "how long API servers may take to go by a bundle that is stored: so long a new authority does not sign")
	f.DurationVar(&c.config.Overlap, "certificate-overlap", time.Hour, "how long replicas may take to serve a certificate that is stored: so long the authority before stays trusted")
}

func (c *certificates) check() error {
	if !slices.Contains([]string{builtin, certManager, none}, c.by) {
		return fmt.Errorf("--certificates: %q is none of builtin, cert-manager and none", c.by)
	}
	if c.by != builtin {
		return nil
	}
	var errs []error
	if c.service == "" {
		errs = append(errs, errors.New("--webhook-service: the certificate needs a name"))
	}
	if c.config.Settle < time.Second || c.config.Overlap < time.Second {
		errs = append(errs, errors.New("--certificate-settle or --certificate-overlap is less than 1s: API servers and replicas would not follow, and requests be refused meanwhile"))
	}
	if c.config.Lifetime < time.Minute || c.config.Overlap > c.config.Lifetime/3 || c.config.Settle > c.config.Lifetime/3 || c.config.CALifetime < c.config.Lifetime {
		// A third is what is left when a certificate is renewed.
		errs = append(errs, errors.New("--certificate-lifetime: it is less than 1m, less than three times the overlap or the settling, or more than --ca-lifetime"))
	}
	return errors.Join(errs...)
}

// runnable is what the leader runs for them; nil for nothing.
func (c *certificates) runnable(l controller.Leader, registry prometheus.Registerer, namespace string) (manager.Runnable, error) {
	o := issuing.Options{Namespace: namespace, Service: c.service, Certificate: c.config}
	switch c.by {
	case builtin:
		return issuing.NewIssuer(l, registry, o)
	case certManager:
		return issuing.NewWatcher(l, registry, o)
	}
	return nil, nil //nolint:nilnil // there is nothing to run, and nothing is wrong
}

// together runs all until the first ends with an error.
type together []manager.Runnable

// Start implements manager.Runnable.
func (t together) Start(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	for _, r := range t {
		if r != nil {
			group.Go(func() error { return r.Start(ctx) })
		}
	}
	return group.Wait()
}

// NeedLeaderElection implements manager.LeaderElectionRunnable.
func (together) NeedLeaderElection() bool { return true }
