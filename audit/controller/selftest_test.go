package controller

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-logr/logr/funcr"
	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
	logf "sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/hardgate-dev/hardgate/api/v1alpha1"
	"github.com/hardgate-dev/hardgate/webhook/registration"
	"github.com/hardgate-dev/hardgate/webhook/ruling"
)

var (
	reports = schema.GroupResource{Group: "hardgate.dev", Resource: "clusterreports"}

	errReached = &apierrors.StatusError{ErrStatus: metav1.Status{
		Code: 403, Reason: metav1.StatusReasonForbidden,
		Message: `admission webhook "self-test.hardgate.dev" denied the request: ` + registration.SelfTestDenial("v1"),
	}}
	errRefused = apierrors.NewInternalError(errors.New(`failed calling webhook "self-test.hardgate.dev": failed to call webhook: ` +
		`Post "https://webhook.hardgate.svc:443/self-test?timeout=3s": dial tcp 10.0.0.1:443: connect: connection refused`))
	errNotAllowed = apierrors.NewForbidden(reports, "self-test",
		//nolint:staticcheck // as the API server says it
		errors.New(`User "system:serviceaccount:hardgate-system:hardgate-controller" cannot create resource "clusterreports" in API group "hardgate.dev" at the cluster scope`))
)

// apiServer is one that knows the registration and answers the self-test.
type apiServer struct {
	client.Client

	t        *testing.T
	stored   *admissionregistrationv1.ValidatingWebhookConfiguration
	answer   error
	asked    int
	refuse   error      // what is written
	written  [][]string // the namespaces that fail closed, by write
	annotate map[string]string
}

func (a *apiServer) Get(_ context.Context, key client.ObjectKey, into client.Object, _ ...client.GetOption) error {
	switch o := into.(type) {
	case *admissionregistrationv1.ValidatingWebhookConfiguration:
		if a.stored == nil {
			return apierrors.NewNotFound(schema.GroupResource{Resource: "validatingwebhookconfigurations"}, key.Name)
		}
		a.stored.DeepCopyInto(o)
	case *metav1.PartialObjectMetadata:
		o.Annotations = a.annotate
	default:
		a.t.Errorf("%T is read", into)
	}
	return nil
}

func (a *apiServer) Update(_ context.Context, o client.Object, _ ...client.UpdateOption) error {
	if a.refuse != nil {
		return a.refuse
	}
	a.stored = o.(*admissionregistrationv1.ValidatingWebhookConfiguration).DeepCopy()
	a.written = append(a.written, registration.Closed(a.stored))
	return nil
}

func (a *apiServer) Create(_ context.Context, o client.Object, options ...client.CreateOption) error {
	var c client.CreateOptions
	c.ApplyOptions(options)
	if !slices.Equal(c.DryRun, []string{metav1.DryRunAll}) {
		a.t.Errorf("%s %s is created, not tried", o.GetObjectKind().GroupVersionKind().Kind, o.GetName())
	}
	if _, ok := o.(*v1alpha1.ClusterReport); !ok || o.GetName() != "self-test" {
		a.t.Errorf("%T %s is tried", o, o.GetName())
	}
	a.asked++
	return a.answer
}

// bench is a controller and the API server before it.
type bench struct {
	*Controller
	t    *testing.T
	api  *apiServer
	now  time.Time
	logs []string
	ctx  context.Context
}

// newBench makes a controller where closed fail closed already.
func newBench(t *testing.T, answer error, closed ...string) *bench {
	t.Helper()
	b := &bench{t: t, now: time.Unix(1e9, 0)}
	b.api = &apiServer{t: t, answer: answer, stored: registration.Build(registration.Options{URL: "https://localhost:1", Enforced: closed, Excluded: []string{"hardgate-system"}})}
	asStored(b.api.stored)
	b.Controller = &Controller{
		Options: Options{Namespaces: []string{"hardgate-system"}, Interval: time.Minute, Tick: 10 * time.Second},
		May:     func() error { return nil }, Metrics: NewMetrics(prometheus.NewRegistry()), client: b.api, told: map[string]string{},
	}
	b.ctx = logf.IntoContext(t.Context(), funcr.New(func(_, args string) { b.logs = append(b.logs, args) }, funcr.Options{}))
	return b
}

// asStored fills in what the API server does.
func asStored(c *admissionregistrationv1.ValidatingWebhookConfiguration) {
	for i := range c.Webhooks {
		c.Webhooks[i].ObjectSelector = &metav1.LabelSelector{}
		if c.Webhooks[i].NamespaceSelector == nil {
			c.Webhooks[i].NamespaceSelector = &metav1.LabelSelector{}
		}
	}
}

// state is that of a cluster in which these namespaces are enforced, and one is not.
func (b *bench) state(enforced ...string) *state {
	b.t.Helper()
	p := v1alpha1.WorkloadPolicy{ObjectMeta: metav1.ObjectMeta{Name: "p"}, Spec: v1alpha1.WorkloadPolicySpec{
		Mode: "Off", NamespaceSelector: &metav1.LabelSelector{MatchLabels: map[string]string{"enforced": "yes"}},
		Controls: []v1alpha1.ControlSetting{{ID: "privileged", Mode: "Enforce"}},
	}}
	book, errs := ruling.Compile([]v1alpha1.WorkloadPolicy{p})
	if len(errs) > 0 {
		b.t.Fatal(errors.Join(errs...))
	}
	s := &state{now: b.now, book: book, namespaces: map[string]namespace{"open": {}}}
	for _, name := range enforced {
		s.namespaces[name] = namespace{labels: labels.Set{"enforced": "yes"}}
	}
	return s
}

// round does of a round what has to do with the registration, and says why rollouts are
// frozen.
func (b *bench) round(enforced ...string) string {
	b.t.Helper()
	s := b.state(enforced...)
	why := b.frozen(b.ctx, s, false)
	if err := b.followEnforced(b.ctx, s); err != nil {
		b.t.Error(err)
	}
	return why
}

func (b *bench) closed() []string { return registration.Closed(b.api.stored) }

// What fails closed is widened where the gate itself has answered, and by no other answer.
func TestWidening(t *testing.T) {
	tests := map[string]struct {
		answer error
		want   string // in what rollouts are frozen with
	}{
		"reached":            {errReached, ""},
		"nobody answers":     {errRefused, "connection refused"},
		"nobody is asked":    {nil, "install the ValidatingWebhookConfiguration hardgate"},
		"one is there":       {apierrors.NewAlreadyExists(reports, "self-test"), "install the ValidatingWebhookConfiguration hardgate"},
		"not allowed":        {errNotAllowed, "give hardgate-controller the right to create clusterreports"},
		"another's denial":   {apierrors.NewForbidden(reports, "self-test", errors.New("ValidatingAdmissionPolicy 'x' denied request: no")), "denied request: no"},
		"no dry run":         {apierrors.NewBadRequest(`admission webhook "x.example.com" does not support dry run`), "x.example.com"},
		"an older gate":      {apierrors.NewInternalError(errors.New(`failed calling webhook "self-test.hardgate.dev": the server could not find the requested resource`)), "could not find"},
		"the server is busy": {apierrors.NewTooManyRequests("later", 1), "later"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, tt.answer, "cart", "shop")
			why := b.round("new", "shop")
			reached, want := 1.0, []string{"new", "shop"}
			if tt.want != "" {
				reached, want = 0, []string{"shop"} // what is enforced no more is open, what is stays closed
			}
			said := strings.HasPrefix(why, "the API server does not reach the webhook: ") && strings.Contains(why, tt.want)
			if (why != "") != (tt.want != "") || why != "" && !said {
				t.Errorf("frozen: %q, want %q", why, tt.want)
			}
			if got := testutil.ToFloat64(b.Metrics.open); got != 1-reached {
				t.Errorf("hardgate_enforced_namespaces_open is %v", got)
			}
			b.now = b.now.Add(time.Second)
			b.round("new", "shop")
			if diff := cmp.Diff(want, b.closed()); diff != "" {
				t.Errorf("closed (-want +got):\n%s", diff)
			}
			if got := testutil.ToFloat64(b.Metrics.reached.WithLabelValues()); got != reached {
				t.Errorf("hardgate_webhook_reached is %v", got)
			}
			if b.api.asked != 1 {
				t.Errorf("asked %d times within a tick", b.api.asked)
			}
		})
	}
}

// Narrowing never waits, and nothing is asked for it beyond what is asked anyway.
func TestNarrowing(t *testing.T) {
	b := newBench(t, errRefused, "cart", "shop")
	b.round("shop")
	if got := b.closed(); !slices.Equal(got, []string{"shop"}) {
		t.Errorf("closed are %q", got)
	}
	b.now = b.now.Add(10 * time.Second)
	b.round()
	if got := b.closed(); len(got) > 0 {
		t.Errorf("closed are %q", got)
	}
}

// A registration of an older version gets the self-test first, with what fails closed as
// it was: only then can anybody be asked.
func TestOlderRegistration(t *testing.T) {
	b := newBench(t, nil, "shop")
	b.api.stored.Webhooks = slices.DeleteFunc(b.api.stored.Webhooks, func(w admissionregistrationv1.ValidatingWebhook) bool { return w.Name == "self-test.hardgate.dev" })
	if why := b.round("new", "shop"); why == "" {
		t.Error("promoted by a registration that has no self-test")
	}
	if got := b.closed(); !slices.Equal(got, []string{"shop"}) {
		t.Errorf("closed are %q", got)
	}
	b.api.answer = errReached
	b.now = b.now.Add(10 * time.Second)
	if why := b.round("new", "shop"); why != "" {
		t.Errorf("frozen: %s", why)
	}
	if diff := cmp.Diff([][]string{{"shop"}, {"new", "shop"}}, b.api.written); diff != "" {
		t.Errorf("written (-want +got):\n%s", diff)
	}
}

// What is not installed is not made, and nothing is promoted to what nobody would keep.
func TestNotInstalled(t *testing.T) {
	b := newBench(t, nil)
	b.api.stored = nil
	if why := b.round("new"); !strings.Contains(why, "install the ValidatingWebhookConfiguration") || len(b.api.written) > 0 {
		t.Errorf("frozen: %q; %d writes", why, len(b.api.written))
	}
}

// The self-test is made when something depends on it, at each tick while it fails, and
// otherwise as often as audits are.
func TestHowOftenAsked(t *testing.T) {
	b := newBench(t, errReached, "shop")
	steps := []struct {
		after    time.Duration
		answer   error
		enforced []string
		asked    int
		what     string
	}{
		{0, errReached, []string{"shop"}, 1, "the first time"},
		{10 * time.Second, errReached, []string{"shop"}, 1, "nothing depends on it"},
		{9 * time.Second, errReached, []string{"shop", "new"}, 2, "a namespace is to fail closed"},
		{1 * time.Second, errReached, []string{"shop", "new", "newer"}, 2, "within the tick"},
		{10 * time.Second, errReached, []string{"shop", "new", "newer"}, 2, "it is done"},
		{49 * time.Second, errReached, []string{"shop", "new", "newer"}, 3, "an interval has passed"},
		{60 * time.Second, errRefused, []string{"shop", "new", "newer"}, 4, "and another"},
		{1 * time.Second, errRefused, []string{"shop", "new", "newer"}, 4, "a failure is not tried again at once"},
		{9 * time.Second, errRefused, []string{"shop", "new", "newer"}, 5, "but at the next tick"},
		{10 * time.Second, errReached, []string{"shop", "new", "newer"}, 6, "until it succeeds"},
		{10 * time.Second, errReached, []string{"shop", "new", "newer"}, 6, "and then no more"},
	}
	for _, s := range steps {
		b.now, b.api.answer = b.now.Add(s.after), s.answer
		why := b.round(s.enforced...)
		if b.api.asked != s.asked {
			t.Errorf("%s: asked %d times in all, want %d", s.what, b.api.asked, s.asked)
		}
		if (why != "") != errors.Is(s.answer, errRefused) {
			t.Errorf("%s: frozen %q", s.what, why)
		}
	}
	// reached, lost, reached again; and what followed the registration.
	var told []string
	for _, l := range b.logs {
		if strings.Contains(l, "the API server") {
			told = append(told, l[:min(len(l), 60)])
		}
	}
	if len(told) != 3 {
		t.Errorf("told %d times: %s", len(told), strings.Join(told, "\n"))
	}
}

// What is due now is not promoted by what was known long ago.
func TestDue(t *testing.T) {
	b := newBench(t, errReached, "shop")
	if why := b.round("shop"); why != "" {
		t.Fatal(why)
	}
	b.api.answer = errRefused
	b.now = b.now.Add(10 * time.Second)
	if why := b.frozen(b.ctx, b.state("shop"), false); why != "" || b.api.asked != 1 {
		t.Errorf("asked %d times where nothing is due: %q", b.api.asked, why)
	}
	if why := b.frozen(b.ctx, b.state("shop"), true); why == "" || b.api.asked != 2 {
		t.Errorf("asked %d times where something is due: %q", b.api.asked, why)
	}
}

// The words go into every policy's status: what differs from one trial to the next and
// says nothing is left out of them, and so is no end of text.
func TestWords(t *testing.T) {
	b := newBench(t, nil)
	seen := map[string]bool{}
	for _, port := range []string{"127.0.0.1:40001", "127.0.0.1:40002", "[::1]:40003"} {
		b.api.answer = fmt.Errorf(`failed calling webhook "self-test.hardgate.dev": read tcp %s->127.0.0.1:9443: read: connection reset by peer`, port)
		seen[b.round()] = true
		b.now = b.now.Add(10 * time.Second)
	}
	if len(seen) != 1 || len(b.logs) != 1 {
		t.Errorf("%d words %v, %d lines of log", len(seen), seen, len(b.logs))
	}
	b.api.answer = errors.New(strings.Repeat("ä", 10000))
	if why := b.round(); len(why) > 1000 || !strings.Contains(why, "ää") {
		t.Errorf("%d bytes of words", len(why))
	}
}

// A round that ends because the process does says nothing of the webhook.
func TestEnding(t *testing.T) {
	b := newBench(t, errReached, "shop")
	b.round("shop")
	ctx, cancel := context.WithCancel(b.ctx)
	cancel()
	b.api.answer = context.Canceled
	b.now = b.now.Add(time.Hour)
	if why := b.frozen(ctx, b.state("shop"), true); why == "" {
		t.Error("what was not answered unfreezes")
	}
	if got := testutil.ToFloat64(b.Metrics.reached.WithLabelValues()); got != 1 || len(b.logs) != 1 {
		t.Errorf("hardgate_webhook_reached is %v, told %q", got, b.logs)
	}
}
