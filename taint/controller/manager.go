package controller

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/uuid"
	typedcoordinationv1 "k8s.io/client-go/kubernetes/typed/coordination/v1"
	typedcorev1 "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
	"k8s.io/client-go/tools/record"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	logf "sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"github.com/hardgate-dev/hardgate/api/v1alpha1"
	"github.com/hardgate-dev/hardgate/clock"
	"github.com/hardgate-dev/hardgate/taint"
	"github.com/hardgate-dev/hardgate/taint/controller/patch"
	"github.com/hardgate-dev/hardgate/taint/controller/roster"
)

// Options are what the controller is started with.
type Options struct {
	// Namespace is the controller's own, where the agents' Leases are as well.
	Namespace string
	// DriftedKey and UnverifiedKey are the keys of the taints; see package key.
	DriftedKey, UnverifiedKey string
	// PoolLabels are labels of nodes: the first that a node has names its pool.
	PoolLabels []string
	// LeaderElect is whether replicas elect a leader, by the Lease LeaderName in
	// LeaderNamespace.
	LeaderElect                 bool
	LeaderNamespace, LeaderName string
	// LeaseDuration is how long the others wait for a leader that is not heard of. It stops by
	// itself after two thirds.
	LeaseDuration time.Duration
	// The addresses are host:port; "0" turns a server off.
	MetricsAddress, HealthAddress, PprofAddress string
	Registry                                    prometheus.Registerer
	// Beside makes what the leader runs besides; nil for nothing.
	Beside func(Leader) (manager.Runnable, error)
}

// Leader is what is given to those that run while this replica leads.
type Leader struct {
	// Config is that of the API server; each has limits of its own.
	Config *rest.Config
	// May is an error once another may lead: nothing is written any more then.
	May    func() error
	Events record.EventRecorder
}

// What the client may send: enough to taint hundreds of nodes within seconds. Less
// urgent writes are limited by themselves.
const (
	queriesPerSecond = 400
	burst            = 800
)

// drain is how long what was begun may take to end at the end: longer than one request.
const drain = 12 * time.Second

// Run watches, and plans while it leads, until ctx ends.
func Run(ctx context.Context, config *rest.Config, o Options) error {
	config = rest.CopyConfig(config)
	config.QPS, config.Burst = queriesPerSecond, burst
	scheme := runtime.NewScheme()
	err := errors.Join(corev1.AddToScheme(scheme), coordinationv1.AddToScheme(scheme), roster.AddToScheme(scheme))
	if err != nil {
		return fmt.Errorf("building the scheme: %w", err)
	}
	server := &clock.Server{}
	config.Wrap(server.Wrap)
	r := roster.New(o.Namespace, o.PoolLabels, nil)
	c := New(r)
	c.Now = server.Now
	l := &listening{server: config.Host, absent: newAbsent(), done: make(chan struct{})}
	p := &patient{absent: l.absent, pending: func() []string { return l.pending() }, opened: make(chan struct{})}
	recorder, stop, err := recorder(ctx, config, scheme)
	if err != nil {
		return err
	}
	defer stop()
	election, err := o.election(config, recorder)
	if err != nil {
		return err
	}
	mgr, err := ctrl.NewManager(config, manager.Options{
		Scheme: scheme, MapperProvider: mapper, Logger: logf.FromContext(ctx),
		Cache: cache.Options{ByObject: r.ByObject()}, NewCache: patientCache(p),
		LeaderElection: o.LeaderElect, LeaderElectionID: o.LeaderName, LeaderElectionResourceLockInterface: election, LeaderElectionReleaseOnCancel: true,
		LeaseDuration: &o.LeaseDuration, RenewDeadline: new(renewDeadline(o.LeaseDuration)), RetryPeriod: new(retryPeriod(o.LeaseDuration)),
		GracefulShutdownTimeout: new(drain),
		Metrics:                 metricsserver.Options{BindAddress: o.MetricsAddress},
		HealthProbeBindAddress:  o.HealthAddress, PprofBindAddress: o.PprofAddress,
	})
	if err != nil {
		return fmt.Errorf("making the manager: %w", err)
	}
	if l.pending, err = r.Watch(ctx, mgr.GetCache()); err != nil {
		return err
	}
	c.Client, c.Live, c.Events, c.Metrics, c.Listening = mgr.GetClient(), mgr.GetAPIReader(), recorder, NewMetrics(o.Registry), l.ended
	c.May = election.check
	if !o.LeaderElect {
		c.May = func() error { return nil }
	}
	c.Config = taint.Config{DriftedKey: o.DriftedKey, UnverifiedKey: o.UnverifiedKey}
	if o.Beside != nil {
		beside, err := o.Beside(Leader{Config: config, May: c.May, Events: recorder})
		if err != nil {
			return err
		}
		if err := mgr.Add(beside); err != nil {
			return fmt.Errorf("making the manager: %w", err)
		}
	}
	if err := errors.Join(mgr.Add(l), mgr.Add(c), mgr.AddHealthzCheck("ping", alive), mgr.AddReadyzCheck("watching", l.ready)); err != nil {
		return fmt.Errorf("making the manager: %w", err)
	}
	go l.absent.tell(ctx)
	go l.tellOfWaiting(ctx)
	return until(ctx, mgr.Start, p.opened)
}

// until runs a manager until ctx ends. One that is still reading the cluster then does
// not end by itself: it would ask for the ends of its informers again and again. As it
// has written nothing, nothing is waited for.
func until(ctx context.Context, start func(context.Context) error, ready <-chan struct{}) error {
	ended := make(chan error, 1)
	go func() { ended <- start(ctx) }()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	}
	select {
	case <-ready:
		return <-ended
	default:
	}
	select {
	case err := <-ended:
		return err
	case <-time.After(time.Second):
		return nil
	}
}

// mapper knows the few kinds that the controller has to do with. To ask the API server
// for all that there are takes longer, and fails where the CRDs come after it.
func mapper(*rest.Config, *http.Client) (meta.RESTMapper, error) {
	m := meta.NewDefaultRESTMapper([]schema.GroupVersion{corev1.SchemeGroupVersion, coordinationv1.SchemeGroupVersion, v1alpha1.GroupVersion})
	for _, kind := range []string{"NodeReport", "NodePolicy", "Exemption", "ClusterReport"} {
		m.Add(v1alpha1.GroupVersion.WithKind(kind), meta.RESTScopeRoot)
	}
	for _, kind := range []string{"Node", "Namespace"} {
		m.Add(corev1.SchemeGroupVersion.WithKind(kind), meta.RESTScopeRoot)
	}
	m.Add(corev1.SchemeGroupVersion.WithKind("Event"), meta.RESTScopeNamespace)
	m.Add(coordinationv1.SchemeGroupVersion.WithKind("Lease"), meta.RESTScopeNamespace)
	return m, nil
}

// recorder makes Events. They are those of the core group: those of events.k8s.io that
// differ in what they say alone are one to its recorder, and the later is lost.
func recorder(ctx context.Context, config *rest.Config, scheme *runtime.Scheme) (record.EventRecorder, func(), error) {
	client, err := typedcorev1.NewForConfig(config)
	if err != nil {
		return nil, nil, fmt.Errorf("making a client of Events: %w", err)
	}
	b := record.NewBroadcaster(record.WithContext(ctx))
	b.StartRecordingToSink(&typedcorev1.EventSinkImpl{Interface: client.Events("")})
	return b.NewRecorder(scheme, corev1.EventSource{Component: patch.FieldManager}), b.Shutdown, nil
}

// election makes the lock by which replicas elect their leader. The Lease has a client
// of its own, so that nothing else keeps it waiting.
func (o Options) election(config *rest.Config, recorder record.EventRecorder) (*term, error) {
	config = rest.AddUserAgent(config, "leader-election")
	config.Timeout = renewDeadline(o.LeaseDuration) / 2 // one request that hangs must not cost the lead
	client, err := typedcoordinationv1.NewForConfig(config)
	if err != nil {
		return nil, fmt.Errorf("making a client of Leases: %w", err)
	}
	host, err := os.Hostname()
	if err != nil {
		return nil, fmt.Errorf("naming this replica: %w", err)
	}
	return &term{lasts: o.LeaseDuration, Interface: &resourcelock.LeaseLock{
		LeaseMeta:  metav1.ObjectMeta{Namespace: o.LeaderNamespace, Name: o.LeaderName},
		Client:     client,
		LockConfig: resourcelock.ResourceLockConfig{Identity: host + "_" + string(uuid.NewUUID()), EventRecorder: recorder},
	}}, nil
}

func alive(*http.Request) error { return nil }

// listening waits until the roster knows all that there is. Those who do not lead do
// so, too.
type listening struct {
	server  string
	absent  *absent
	pending func() []string // what the roster does not know yet
	done    chan struct{}
	since   time.Time
}

// NeedLeaderElection implements manager.LeaderElectionRunnable.
func (*listening) NeedLeaderElection() bool { return false }

// Start implements manager.Runnable.
func (l *listening) Start(ctx context.Context) error {
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for len(l.pending()) > 0 {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
	l.since = time.Now()
	close(l.done)
	logf.FromContext(ctx).Info("watching nodes, reports and policies")
	return nil
}

// tellOfWaiting says after a while that the cluster has not been read: that an API
// server refuses connections is nothing that client-go tells. The manager starts nobody
// before, so that this is nothing to be started by it.
func (l *listening) tellOfWaiting(ctx context.Context) {
	select {
	case <-l.done:
	case <-ctx.Done():
	case <-time.After(patienceToTell):
		logf.FromContext(ctx).Info("still waiting for the API server to answer all that is asked; no taint is set or removed until it does",
			"server", l.server, "for", strings.Join(l.pending(), ", "))
	}
}

// patienceToTell is how long the first reading may take until it is told of.
const patienceToTell = 10 * time.Second

func (l *listening) ended(ctx context.Context) (time.Time, error) {
	select {
	case <-l.done:
		return l.since, nil
	case <-ctx.Done():
		return time.Time{}, fmt.Errorf("waiting for the first reading of the cluster: %w", ctx.Err())
	}
}

func (l *listening) ready(*http.Request) error {
	select {
	case <-l.done:
		return nil
	default:
	}
	if missing := l.absent.all(); len(missing) > 0 {
		return fmt.Errorf("CRDs are missing: %s", strings.Join(missing, ", "))
	}
	return errors.New("the cluster has not been read yet")
}
