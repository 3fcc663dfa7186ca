package controller

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/record"
	"sigs.k8s.io/controller-runtime/pkg/client"
	logf "sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/hardgate-dev/hardgate/audit"
	"github.com/hardgate-dev/hardgate/clock"
	"github.com/hardgate-dev/hardgate/taint/controller"
)

// Options say how often things are done.
type Options struct {
	// Namespaces are hardgate's own, which the webhook never fails closed on.
	Namespaces []string
	// Interval is how long it is from one audit to the next.
	Interval time.Duration
	// Tick is how often policies, exemptions and reports are looked at in between.
	Tick time.Duration
	// Provider is who answers for the control plane: "aks", "none", or "auto" to tell by
	// the nodes.
	Provider string
}

// Controller runs while this replica leads.
type Controller struct {
	Options Options
	// Config is that of the API server.
	Config  *rest.Config
	May     func() error
	Events  record.EventRecorder
	Metrics *Metrics

	client client.Client
	clock  *clock.Server

	// What follows is of the one goroutine.
	last *audit.Result
	// judgedBy tells by which policies and exemptions the last audit went.
	judgedBy string
	// carded is the end of the audit by which the benchmark's table was written last.
	carded time.Time
	// selfTest is what the last one has shown.
	selfTest selfTest
	// astray is why the webhook's registration is not what it should be; nil where it is.
	astray error
	// open is where something is enforced that does not fail closed.
	open open
	// late are the namespaces whose reports somebody else has written meanwhile, so that what
	// was decided is not in them.
	late map[string]bool
	// more is whether there is more to be confirmed than a round may take.
	more bool
	// told is what was said last, so that it is said once.
	told map[string]string
}

// What the audit's requests may be, beside those of tainting.
const (
	queriesPerSecond = 200
	burst            = 400
)

// New makes a Controller. It reads past caches: what it decides by is as it is stored.
func New(l controller.Leader, registry prometheus.Registerer, o Options) (*Controller, error) {
	scheme := runtime.NewScheme()
	if err := addToScheme(scheme); err != nil {
		return nil, fmt.Errorf("building the scheme: %w", err)
	}
	config := rest.CopyConfig(l.Config)
	config.QPS, config.Burst = queriesPerSecond, burst
	server := &clock.Server{}
	config.Wrap(server.Wrap)
	c, err := client.New(config, client.Options{Scheme: scheme, Mapper: mapper()})
	if err != nil {
		return nil, fmt.Errorf("making a client: %w", err)
	}
	m := NewMetrics(registry)
	m.interval.Set(o.Interval.Seconds())
	return &Controller{
		Options: o, Config: config, May: l.May, Events: l.Events, Metrics: m, client: c, clock: server, told: map[string]string{},
	}, nil
}

// NeedLeaderElection implements manager.LeaderElectionRunnable.
func (*Controller) NeedLeaderElection() bool { return true }

// Start implements manager.Runnable: it leads until ctx ends, and ends with an error
// where another may lead.
func (c *Controller) Start(ctx context.Context) error {
	log := logf.FromContext(ctx).WithName("audit")
	ctx = logf.IntoContext(ctx, log)
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-timer.C:
		}
		if err := c.May(); err != nil {
			return err
		}
		wait, err := c.round(ctx, c.clock.Now())
		switch {
		case err == nil:
		case ctx.Err() != nil && errors.Is(err, ctx.Err()):
			return nil
		default:
			log.Error(err, "a round did not come to its end; tried again")
			c.Metrics.failed.Inc()
		}
		timer.Reset(wait)
	}
}
