package audit

import (
	"context"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/hardgate-dev/hardgate/audit/clusterwide"
	"github.com/hardgate-dev/hardgate/control"
	"github.com/hardgate-dev/hardgate/exemption"
	"github.com/hardgate-dev/hardgate/webhook/workload"
)

// listed notes a namespace of the list. One that has come since is for the next pass: what
// covers it may be younger than what has been read by then.
func (p *pass) listed(item []byte) error {
	m, err := readMeta(item)
	if err != nil {
		return err
	}
	p.whole.Namespace(m.Metadata.Name, p.labels[m.Metadata.Name], m.Metadata.Deletion != "")
	return nil
}

// note notes what an object says of the cluster as a whole.
func (p *pass) note(o *workload.Object, item []byte) error {
	switch kind := o.Kind.Kind; {
	case p.whole == nil:
	case kind == "NetworkPolicy":
		return p.whole.NetworkPolicy(item)
	case o.Pod == nil, o.Controller.Kind == "" && spent(kind, false, item):
	case kind == "DaemonSet":
		p.whole.Workload(o, text(item, "status", "desiredNumberScheduled"))
	default:
		p.whole.Workload(o, "")
	}
	return nil
}

// judgeWhole reads what no policy judges, and judges the cluster as a whole. What could
// not be read counts for these verdicts and for no other: a rollout does not wait for it.
func (p *pass) judgeWhole(ctx context.Context) ([]Clusterwide, error) {
	sources := clusterwide.Sources()
	for i := range sources {
		err := p.source(ctx, &sources[i])
		if ctx.Err() != nil {
			return nil, fmt.Errorf("reading %s: %w", sources[i].Resource, ctx.Err())
		}
		if err != nil {
			p.whole.Unread(sources[i].Resource, err)
		}
	}
	for _, m := range p.missed {
		p.whole.Unread(m.Resource, m.Err)
	}
	for name, ns := range p.whole.Namespaces {
		var err error
		if ns.Refused, err = p.refused(ctx, name); err != nil {
			return nil, err
		}
	}
	p.whole.Exempt = func(id control.ID, namespace string) string {
		o := exemption.Object{Kind: "Namespace", Namespace: namespace, Name: namespace}
		return p.Exemptions.On(o, p.Now()).Covers(id, "", "")
	}
	return p.whole.Judge(), nil
}

// source reads a source from the first of its paths that can be read. One that is served
// nowhere and may be is empty; one that is refused is not.
func (p *pass) source(ctx context.Context, s *clusterwide.Source) (first error) {
	accept := "application/json"
	if s.Metadata {
		accept = metadataOnly
	}
	for _, path := range s.Paths {
		unreadable, why := 0, error(nil)
		err := p.list.each(ctx, path, accept, func(item []byte) error {
			if err := s.Read(p.whole, item); err != nil {
				unreadable, why = unreadable+1, err
			}
			return nil
		})
		switch {
		case err == nil && unreadable > 0:
			return fmt.Errorf("%d could not be read, the last: %w", unreadable, why)
		case err == nil:
			p.whole.Serves(s.Resource)
			return nil
		case s.Optional && apierrors.IsNotFound(err):
		case first == nil:
			first = err
		}
	}
	return first
}
