package controller

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	certmanagerv1 "github.com/cert-manager/cert-manager/pkg/apis/certmanager/v1"
	"github.com/prometheus/client_golang/prometheus"
	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
	logf "sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/hardgate-dev/hardgate/certificate"
	"github.com/hardgate-dev/hardgate/clock"
	"github.com/hardgate-dev/hardgate/taint/controller"
)

// The Secrets, in hardgate's own namespace.
const (
	CASecret      = "hardgate-ca"
	ServingSecret = "hardgate-webhook-tls"
)

// Options say what is wanted.
type Options struct {
	// Namespace is hardgate's own.
	Namespace string
	// Service is the webhook's; the certificate is for its name, besides those that the
	// webhook configurations have.
	Service string
	// Certificate has all but the names.
	Certificate certificate.Config
}

// tick is how often is looked at what is stored, besides when it changes.
const tick = 10 * time.Second

// every is the tick, or less where it is waited for less.
func (o *Options) every() time.Duration {
	return min(tick, max(o.Certificate.Settle/2, time.Second))
}

// Issuer makes, brings and renews the certificates. It runs while this replica leads.
type Issuer struct {
	Options
	// May is an error once another may lead: nothing is written any more then.
	May func() error

	client  client.WithWatch
	clock   *clock.Server
	metrics *Metrics
	teller  teller

	// What follows is of the one goroutine.
	memory certificate.Memory
	pace   pace
	waits  string
}

// NewIssuer makes an Issuer. It reads past caches, and no other Secret than its own two.
func NewIssuer(l controller.Leader, registry prometheus.Registerer, o Options) (*Issuer, error) {
	own, err := newClient(l.Config)
	if err != nil {
		return nil, err
	}
	return &Issuer{Options: o, May: l.May, client: own.WithWatch, clock: own.clock, metrics: NewMetrics(registry), teller: teller{events: l.Events}, pace: newPace()}, nil
}

// dialed is a client, and the clock of its API server.
type dialed struct {
	client.WithWatch
	clock *clock.Server
}

func newClient(config *rest.Config) (dialed, error) {
	scheme := runtime.NewScheme()
	if err := errors.Join(corev1.AddToScheme(scheme), admissionregistrationv1.AddToScheme(scheme), certmanagerv1.AddToScheme(scheme)); err != nil {
		return dialed{}, fmt.Errorf("building the scheme: %w", err)
	}
	t := &clock.Server{}
	config = rest.CopyConfig(config)
	config.QPS, config.Burst = 20, 40
	config.Wrap(t.Wrap)
	c, err := client.NewWithWatch(config, client.Options{Scheme: scheme, Mapper: mapper()})
	if err != nil {
		return dialed{}, fmt.Errorf("making a client: %w", err)
	}
	return dialed{c, t}, nil
}

// mapper knows what is read and written here.
func mapper() meta.RESTMapper {
	m := meta.NewDefaultRESTMapper([]schema.GroupVersion{corev1.SchemeGroupVersion, admissionregistrationv1.SchemeGroupVersion, certmanagerv1.SchemeGroupVersion})
	m.Add(corev1.SchemeGroupVersion.WithKind("Secret"), meta.RESTScopeNamespace)
	for _, kind := range []string{"ValidatingWebhookConfiguration", "MutatingWebhookConfiguration"} {
		m.Add(admissionregistrationv1.SchemeGroupVersion.WithKind(kind), meta.RESTScopeRoot)
	}
	m.Add(certmanagerv1.SchemeGroupVersion.WithKind("Certificate"), meta.RESTScopeNamespace)
	return m
}

// NeedLeaderElection implements manager.LeaderElectionRunnable.
func (*Issuer) NeedLeaderElection() bool { return true }

// Start implements manager.Runnable: it leads until ctx ends, and ends with an error where
// another may lead.
func (i *Issuer) Start(ctx context.Context) error {
	ctx = logf.IntoContext(ctx, logf.FromContext(ctx).WithName("certificates"))
	wake := i.watch(ctx)
	ticker := time.NewTicker(i.every())
	defer ticker.Stop()
	for {
		if err := i.May(); err != nil {
			return err
		}
		problem := i.round(ctx)
		if problem == nil {
			problem = i.pace.look()
		}
		if ctx.Err() != nil {
			return nil
		}
		if err := i.May(); err != nil { // then that is the problem
			return err
		}
		i.metrics.found(problem)
		i.teller.problem(ctx, problem)
		select {
		case <-ctx.Done():
			return nil
		case <-wake:
		case <-ticker.C:
		}
	}
}

// steps is how many there are in a round at most: more than any way to the end has.
const steps = 12

// round goes on until there is nothing to do but wait.
func (i *Issuer) round(ctx context.Context) error {
	for range steps {
		if again, err := i.step(ctx); err != nil || !again {
			return err
		}
	}
	return errFought
}

// errNoDate is there for what stands between: an API server's answers have dates. By this
// machine's own clock, a certificate might be made that no API server accepts.
var errNoDate = errors.New("the API server's answers do not say what time it is, by which certificates are made: what stands before it has to let the header Date through")

// step reads, decides and writes one thing.
func (i *Issuer) step(ctx context.Context) (again bool, _ error) {
	s, err := i.read(ctx)
	if err != nil {
		return false, err
	}
	i.teller.know(s.registered)
	if !i.clock.Heard() {
		return false, errNoDate
	}
	for _, r := range s.registered {
		if r.injected() {
			return false, fmt.Errorf("cert-manager is asked to inject the bundle of %s: start the controller with --certificates=cert-manager, or take the annotations %s away",
				kindOf(r.object), strings.Join(injectors, ", "))
		}
	}
	config, now := i.Certificate, i.clock.Now()
	config.Behind = i.clock.Ahead()
	config.Names = certificate.NewNames(append(reachedBy(s.registered), certificate.ServiceName(i.Namespace, i.Service))...)
	i.measure(s.State)
	plan := certificate.Plan(s.State, i.memory.Note(s.State, time.Now()), config, now)
	i.tellOfWaiting(ctx, plan)
	if plan.Action == certificate.None {
		return false, nil
	}
	change, err := certificate.Carry(plan.Action, s.State, config, now)
	if err != nil {
		return false, err
	}
	if err := errors.Join(i.May(), i.pace.next()); err != nil {
		return false, err
	}
	return i.write(ctx, s, plan, change)
}

func (i *Issuer) measure(s certificate.State) {
	ca, served := s.Expiry()
	i.metrics.expires(authority, ca)
	i.metrics.expires(serving, served)
	i.metrics.skew.WithLabelValues().Set(i.clock.Ahead().Seconds())
}

// tellOfWaiting logs once for what is waited.
func (i *Issuer) tellOfWaiting(ctx context.Context, plan certificate.Step) {
	if plan.Action == certificate.None && plan.Why != "" && plan.Why != i.waits {
		logf.FromContext(ctx).Info("waiting with the next step", "why", plan.Why)
	}
	i.waits = plan.Why
}
