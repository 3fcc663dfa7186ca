package audit

import (
	"github.com/hardgate-dev/hardgate/webhook/verdict"
	"github.com/hardgate-dev/hardgate/webhook/workload"
)

// Seen is one object that was judged, with every decision, those that pass among them.
type Seen struct {
	// Namespace is where it is counted: a Namespace in itself, and an object without one in
	// "".
	Namespace string
	Kind      workload.Kind
	Name      string
	// Owner is whom a person would have to ask, "Deployment/web"; the object itself where
	// nothing has made it.
	Owner     string
	Decisions []verdict.Decision
}

// see tells of an object.
func (p *pass) see(namespace string, o *workload.Object, decisions []verdict.Decision) {
	if p.Each != nil {
		p.Each(&Seen{Namespace: namespace, Kind: o.Kind, Name: o.Name, Owner: p.owner(o), Decisions: decisions})
	}
}
