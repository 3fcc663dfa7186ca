package audit

import (
	"context"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/client-go/rest"

	"github.com/hardgate-dev/hardgate/audit/clusterwide"
	"github.com/hardgate-dev/hardgate/control"
	"github.com/hardgate-dev/hardgate/exemption"
	"github.com/hardgate-dev/hardgate/webhook/policy"
	"github.com/hardgate-dev/hardgate/webhook/repair"
	"github.com/hardgate-dev/hardgate/webhook/ruling"
	"github.com/hardgate-dev/hardgate/webhook/scan"
	"github.com/hardgate-dev/hardgate/webhook/verdict"
	"github.com/hardgate-dev/hardgate/webhook/workload"
)

// Options are what a pass goes by.
type Options struct {
	Book *ruling.Book
	// Exemptions may be nil.
	Exemptions *exemption.Book
	// Now is for when exemptions end.
	Now func() time.Time
	// Page is how many objects are read at once; 500 for 0.
	Page int64
	// Running leaves out all but workloads, and the accounts by which they are judged.
	Running bool
	// Own are the namespaces of hardgate itself, which need no policy.
	Own []string
	// Log is told of every finding, with the object that it is about, "Pod/web-x7f2p"; nil
	// for nobody.
	Log func(namespace, object string, d *verdict.Decision, v *verdict.Violation)
	// Each is told of every object, one after the other, and keeps none of what it is given;
	// nil for nobody.
	Each func(*Seen)
}

// Pass judges all that is in a cluster. The error is for a cluster that cannot be read at
// all; what else could not be read is in the result.
func Pass(ctx context.Context, config *rest.Config, o Options) (*Result, error) {
	p, err := newPass(config, o)
	if err != nil {
		return nil, err
	}
	p.whole = clusterwide.New(o.Own)
	result := &Result{Started: o.Now()}
	for i := range resources {
		r := &resources[i]
		namespace := ""
		if r.bare {
			namespace = metav1.NamespaceDefault
		}
		if err := p.read(ctx, r, namespace); err != nil {
			if ctx.Err() != nil || r.kind.Kind == "Namespace" {
				return nil, fmt.Errorf("auditing: %w", err)
			}
			p.missed = append(p.missed, Miss{Resource: r.String(), Err: err})
		}
	}
	if result.Clusterwide, err = p.judgeWhole(ctx); err != nil {
		return nil, fmt.Errorf("auditing: %w", err)
	}
	p.conclude(result)
	result.Finished = o.Now()
	return result, nil
}

// Namespace judges what is in one namespace, as it is now. It is an error if anything of
// it could not be read.
func Namespace(ctx context.Context, config *rest.Config, name string, o Options) (*Summary, error) {
	p, err := newPass(config, o)
	if err != nil {
		return nil, err
	}
	for i := range resources {
		r := &resources[i]
		switch {
		case r.kind.Kind == "Namespace" && name != "":
			err = p.readOne(ctx, name)
		case o.Running && !workload.IsWorkload(r.kind) && r.kind.Kind != "ServiceAccount":
			continue
		case r.cluster != (name == ""), r.bare && name != metav1.NamespaceDefault:
			continue
		default:
			err = p.read(ctx, r, name)
		}
		if err == nil && len(p.missed) > 0 {
			err = p.missed[0].Err
		}
		if err != nil {
			return nil, fmt.Errorf("auditing the namespace %q: %s: %w", name, r, err)
		}
	}
	return p.of(name).sum(), nil
}

// pass is one that is under way. Items of one list are judged one after the other.
type pass struct {
	Options
	list   lister
	counts map[string]*count
	labels map[string]labels.Set
	// accounts are what ServiceAccounts say of their token, by namespace/name.
	accounts map[string]workload.Optional[bool]
	// owners are the Deployments of ReplicaSets and the CronJobs of Jobs, by
	// namespace/kind/name.
	owners map[string]string
	missed []Miss
	// whole is what is known of the cluster as a whole; nil where one namespace is read.
	whole *clusterwide.Facts
}

func newPass(config *rest.Config, o Options) (*pass, error) {
	config = rest.CopyConfig(config)
	scheme := runtime.NewScheme()
	metav1.AddToGroupVersion(scheme, schema.GroupVersion{Version: "v1"})
	config.NegotiatedSerializer = serializer.NewCodecFactory(scheme).WithoutConversion()
	config.QPS = -1                  // one page is asked for after the other
	config.DisableCompression = true // which would cost both sides more than it saves
	api, err := rest.UnversionedRESTClientFor(config)
	if err != nil {
		return nil, fmt.Errorf("making a client of %s: %w", config.Host, err)
	}
	if o.Page == 0 {
		o.Page = 500
	}
	return &pass{
		Options: o, list: lister{api: api, page: o.Page},
		counts: map[string]*count{}, labels: map[string]labels.Set{}, accounts: map[string]workload.Optional[bool]{}, owners: map[string]string{},
	}, nil
}

// read judges the objects of a resource.
func (p *pass) read(ctx context.Context, r *resource, namespace string) error {
	accept := "application/json"
	if r.bare {
		accept = metadataOnly
	}
	unreadable, why := 0, error(nil)
	err := p.list.each(ctx, r.path(namespace), accept, func(item []byte) error {
		err := p.item(ctx, r, item)
		if err == nil && p.whole != nil && r.kind.Kind == "Namespace" {
			err = p.listed(item)
		}
		if err != nil && ctx.Err() == nil {
			unreadable, why = unreadable+1, err
			return nil
		}
		return err
	})
	if unreadable > 0 {
		p.missed = append(p.missed, Miss{Resource: r.String(), Err: fmt.Errorf("%d could not be read, the last: %w", unreadable, why)})
	}
	return err
}

// readOne reads a namespace by itself.
func (p *pass) readOne(ctx context.Context, name string) error {
	item, err := ask(ctx, p.list.api.Get().AbsPath("/api/v1/namespaces", name).SetHeader("Accept", "application/json"))
	if err != nil {
		return err
	}
	return p.item(ctx, &resources[0], item)
}

// item judges one object.
func (p *pass) item(ctx context.Context, r *resource, item []byte) error {
	object, err := r.decode(item)
	if err != nil {
		return err
	}
	place := object.Namespace
	if r.kind.Kind == "Namespace" {
		m, err := readMeta(item)
		if err != nil {
			return err
		}
		// A namespace is judged by what holds in it.
		place = object.Name
		p.labels[place] = m.Metadata.Labels
	}
	if _, known := p.labels[place]; !known && place != "" {
		if err := p.readOne(ctx, place); err != nil { // it is younger than the list
			if apierrors.IsNotFound(err) {
				return nil
			}
			return err
		}
	}
	p.learn(&object)
	if err := p.note(&object, item); err != nil {
		return err
	}
	s := &policy.Subject{Object: &object, Admitted: true, Stored: true}
	if object.Pod != nil && object.Pod.Template && !object.Pod.Automount.Set {
		s.AccountAutomount = p.accounts[place+"/"+object.Pod.Account()]
	}
	judged := p.Book.For(place, p.labels[place])
	options := verdict.Options{Ceiling: control.Enforce, Exempt: verdict.Exempting(p.Exemptions, &object, p.Now())}
	if object.Pod != nil {
		options.Mended = repair.Mended(s, judged, options.Exempt) // what is made anew will be
	}
	decisions, err := verdict.Judge(ctx, judged, s, nil, options)
	if err != nil {
		return err
	}
	gone, asked := false, false
	p.of(place).add(p.owner(&object), decisions, func() bool {
		if !asked {
			gone, asked = spent(object.Kind.Kind, object.Controller.Kind == "Deployment", item), true
		}
		return gone
	})
	p.tell(place, &object, decisions)
	p.see(place, &object, decisions)
	return nil
}

// decode reads one object as what its list says that it is.
func (r *resource) decode(item []byte) (workload.Object, error) {
	s := scan.New(item)
	if r.bare { // it calls itself PartialObjectMetadata
		m := workload.Object{Kind: r.kind, Namespace: metav1.NamespaceDefault, Name: text(item, "metadata", "name")}
		return m, nil
	}
	o, err := workload.DecodeAs(s, r.kind)
	if err == nil {
		err = s.End()
	}
	return o, err
}

// learn remembers what an object tells of others.
func (p *pass) learn(o *workload.Object) {
	switch {
	case o.ServiceAccount != nil:
		p.accounts[o.Namespace+"/"+o.Name] = o.ServiceAccount.Automount
	case o.Controller.Kind != "" && (o.Kind.Kind == "ReplicaSet" || o.Kind.Kind == "Job"):
		p.owners[o.Namespace+"/"+o.Kind.Kind+"/"+o.Name] = o.Controller.Kind + "/" + o.Controller.Name
	}
}

// owner is whom a person would have to ask: the Deployment of a ReplicaSet's pod.
func (p *pass) owner(o *workload.Object) string {
	c := o.Controller
	if c.Kind == "" {
		return o.Kind.Kind + "/" + o.Name
	}
	if above := p.owners[o.Namespace+"/"+c.Kind+"/"+c.Name]; above != "" {
		return above
	}
	return c.Kind + "/" + c.Name
}

func (p *pass) of(namespace string) *count {
	c := p.counts[namespace]
	if c == nil {
		c = newCount()
		p.counts[namespace] = c
	}
	return c
}

func (p *pass) tell(namespace string, o *workload.Object, decisions []verdict.Decision) {
	if p.Log == nil {
		return
	}
	for i := range decisions {
		for j := range decisions[i].Violations {
			p.Log(namespace, o.Kind.Kind+"/"+o.Name, &decisions[i], &decisions[i].Violations[j])
		}
	}
}

func (p *pass) conclude(r *Result) {
	p.of("")
	r.Missed = p.missed
	r.Namespaces = make(map[string]*Summary, len(p.counts))
	for name, c := range p.counts {
		r.Namespaces[name] = c.sum()
		r.Objects += c.Objects
	}
}
