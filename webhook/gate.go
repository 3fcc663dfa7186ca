package webhook

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/sync/semaphore"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/hardgate-dev/hardgate/clock"
	"github.com/hardgate-dev/hardgate/control"
	"github.com/hardgate-dev/hardgate/exemption"
	"github.com/hardgate-dev/hardgate/webhook/policy"
	"github.com/hardgate-dev/hardgate/webhook/repair"
	"github.com/hardgate-dev/hardgate/webhook/review"
	"github.com/hardgate-dev/hardgate/webhook/ruling"
	"github.com/hardgate-dev/hardgate/webhook/verdict"
	"github.com/hardgate-dev/hardgate/webhook/workload"
)

// Cluster is what the gate asks the cluster. Errors mean "could not tell".
type Cluster interface {
	// Labels returns the labels of a namespace.
	Labels(ctx context.Context, namespace string) (labels.Set, error)
	// Automount returns automountServiceAccountToken of an account; unset where the
	// account does not say or does not exist.
	Automount(ctx context.Context, namespace, account string) (workload.Optional[bool], error)
}

// Gate judges requests. It is safe for concurrent use.
type Gate struct {
	cluster Cluster
	metrics *Metrics
	book    atomic.Pointer[ruling.Book]
	nodes   registrar
	tallies *tallies
	// answered is the self-test.
	answered pulse
	// exemptions exempt nothing until they are read.
	exemptions atomic.Pointer[exemption.Book]
	inForce    atomic.Pointer[inForce]
	census     Census
	// large weighs large requests in bytes.
	large *semaphore.Weighted
	// clock is the API server's where SetClock has given it, and this machine's before.
	clock *clock.Server
	// unasked are the namespaces whose images are let through.
	unasked []string
}

// NewGate makes a gate that rules everything in the default mode until SetBook.
func NewGate(cluster Cluster, metrics *Metrics) *Gate {
	g := &Gate{cluster: cluster, metrics: metrics, clock: &clock.Server{}, nodes: newRegistrar(), tallies: newTallies(), large: semaphore.NewWeighted(maxLarge)}
	g.book.Store(&ruling.Book{})
	g.ExcludeImages(ControllerNamespace)
	return g
}

// SetBook puts other rulings in force for requests that start from now on.
func (g *Gate) SetBook(b *ruling.Book) { g.book.Store(b) }

// SetClock makes the gate go by an API server's clock: Exemptions end by it. What would have
// been refused is noted by that or by this machine's, whichever is later: noted as earlier
// than it was, it would hold no rollout back. It is for before the gate is used.
func (g *Gate) SetClock(c *clock.Server) {
	g.clock, g.tallies.now = c, func() time.Time { return time.Now().Add(max(c.Ahead(), 0)) }
	g.metrics.clock.Store(c)
}

// badRequest is an error in what was asked, not in answering it.
type badRequest struct{ error }

// workloads judges a workload, a ServiceAccount, or a role or binding.
func (g *Gate) workloads(ctx context.Context, r *review.Request) (response, error) {
	if err := judgeable(r); err != nil {
		return response{}, badRequest{err}
	}
	return g.decide(ctx, r, nil)
}

// namespaced judges any object by where it stands.
func (g *Gate) namespaced(ctx context.Context, r *review.Request) (response, error) {
	if err := complete(r); err != nil {
		return response{}, badRequest{err}
	}
	return g.decide(ctx, r, func(id control.ID) bool { return id == "default-namespace" })
}

// subresources are those of pods that carry a whole pod whose containers change.
var subresources = map[string]bool{"": true, "ephemeralcontainers": true, "resize": true}

// judgeable refuses what the workload controls are not about. The API server sends
// such requests only where a configuration is wrong, and to wave them through
// would hide that.
func judgeable(r *review.Request) error {
	switch {
	case !workload.IsWorkload(r.Kind) && !isAccount(r.Kind) && !workload.IsRBAC(r.Kind):
		return fmt.Errorf("kind %s is not judged here", r.Kind)
	case !subresources[r.Subresource] || r.Subresource != "" && r.Kind.Kind != "Pod":
		return fmt.Errorf("subresource %q of %s is not judged here", r.Subresource, r.Kind)
	}
	return complete(r)
}

// complete refuses a request without the objects of its operation.
func complete(r *review.Request) error {
	switch {
	case r.Operation != review.Create && r.Operation != review.Update:
		return fmt.Errorf("operation %q is not judged: create and update are", r.Operation)
	case r.Workload == nil:
		return fmt.Errorf("the request has no object")
	case r.Operation == review.Update && r.OldWorkload == nil:
		return fmt.Errorf("the update has no oldObject")
	case r.Namespace == "" && !hasNoNamespace(r.Kind):
		return fmt.Errorf("the request has no namespace")
	}
	return nil
}

func isAccount(k workload.Kind) bool { return k.Group == "" && k.Kind == "ServiceAccount" }

// hasNoNamespace is for the kinds of cluster scope that are judged.
func hasNoNamespace(k workload.Kind) bool {
	return workload.IsRBAC(k) && strings.HasPrefix(k.Kind, "Cluster")
}

// decide judges the request by the controls that only lets through; nil is all.
func (g *Gate) decide(ctx context.Context, r *review.Request, only func(control.ID) bool) (response, error) {
	var namespace labels.Set
	if r.Namespace != "" {
		var err error
		if namespace, err = g.cluster.Labels(ctx, r.Namespace); err != nil {
			return response{}, fmt.Errorf("reading namespace %s: %w", r.Namespace, err)
		}
	}
	judged := g.book.Load().For(r.Namespace, namespace)
	if only != nil {
		judged = restrict(judged, only)
	}
	subject, err := g.subject(ctx, r, r.Workload)
	if err != nil {
		return response{}, err
	}
	var old *policy.Subject
	if r.Operation == review.Update {
		if old, err = g.subject(ctx, r, r.OldWorkload); err != nil {
			return response{}, err
		}
	}
	exemptions, now := g.exemptions.Load(), g.clock.Now()
	options := verdict.Options{Ceiling: ceiling(r), Exempt: verdict.Exempting(exemptions, subject.Object, now)}
	if old != nil {
		options.OldExempt = verdict.Exempting(exemptions, old.Object, now)
	}
	if p := subject.Pod; p != nil && p.Template {
		options.Mended = repair.Mended(subject, judged, options.Exempt)
	}
	decisions, err := verdict.Judge(ctx, judged, subject, old, options)
	if err != nil {
		return response{}, fmt.Errorf("judging %s: %w", describe(r), err)
	}
	g.metrics.count(decisions)
	answer := respond(r.UID, describe(r), decisions)
	if answer.Allowed && options.Ceiling == control.Enforce { // else it would never be refused
		g.tallies.note(r, decisions, g.tallies.now())
	}
	return answer, nil
}

func restrict(judged []ruling.Judged, only func(control.ID) bool) []ruling.Judged {
	var kept []ruling.Judged
	for _, j := range judged {
		if only(j.Policy.ID) {
			kept = append(kept, j)
		}
	}
	return kept
}

// subject adds the facts of the cluster to an object.
func (g *Gate) subject(ctx context.Context, r *review.Request, o *workload.Object) (*policy.Subject, error) {
	o.Namespace = r.Namespace // an object may leave it out, the request does not
	s := &policy.Subject{Object: o, Admitted: true, Stored: r.Operation == review.Update}
	// Pods show by their volumes whether they get a token; templates do not.
	if p := o.Pod; p != nil && p.Template && !p.Automount.Set {
		var err error
		if s.AccountAutomount, err = g.cluster.Automount(ctx, r.Namespace, p.Account()); err != nil {
			return nil, fmt.Errorf("reading ServiceAccount %s/%s: %w", r.Namespace, p.Account(), err)
		}
	}
	return s, nil
}

// describe names the object to the user: "Deployment shop/web", "ClusterRole team".
func describe(r *review.Request) string {
	name := r.Workload.DisplayName()
	if name == "" {
		name = r.Name
	}
	if r.Subresource != "" {
		name += " (" + r.Subresource + ")"
	}
	if r.Namespace != "" {
		name = r.Namespace + "/" + name
	}
	return r.Kind.Kind + " " + name
}
