// Package clusterwide judges what no single object of a cluster can break: whether every
// namespace has a policy control and a network policy, and what a person needs to know
// to decide the rest. It is pure: the audit reads, and what it has read are Facts.
//
// Nothing passes that was not read, and nothing passes by its name alone: where objects do
// not show whether a thing works, the verdict is a person's and the evidence is here.
package clusterwide

import (
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/hardgate-dev/hardgate/control"
)

// Verdict is one on the cluster as a whole.
type Verdict struct {
	Control control.ID
	Status  control.Status
	// Evidence says what was found, a line each, what matters most first. It is bounded,
	// and the same for the same cluster.
	Evidence []string
}

// Facts are what was read of a cluster. Beside a few bytes for each namespace they keep
// what may decide about many: webhooks, admission policies, agents of network plugins.
// They are for one goroutine.
type Facts struct {
	// Namespaces are those that were listed.
	Namespaces map[string]*Namespace
	// Own are the namespaces of hardgate itself.
	Own []string
	// Exempt is the name of the Exemption that covers a namespace for a control; empty where
	// none does. It may be nil.
	Exempt func(id control.ID, namespace string) string

	unread map[string]error
	served map[string]bool

	gates    gates
	everyone string // a network policy that holds in every namespace
	narrow   sample // those of the whole cluster that select
	agents   []agent
	drivers  map[string]bool
	stores   map[string]*spread
	first    sample // workloads of the namespace "default"
}

// Namespace is what is known of one.
type Namespace struct {
	// Labels are its own.
	Labels map[string]string
	// Refused is how many of the Takeover controls hardgate refuses there.
	Refused int

	leaving   bool // it is being deleted
	policies  reach
	workloads int
	others    map[uint64]struct{} // owners of kinds that are not listed
}

// New are facts of a cluster of which nothing has been read.
func New(own []string) *Facts {
	return &Facts{
		Namespaces: map[string]*Namespace{}, Own: own, unread: map[string]error{}, served: map[string]bool{},
		drivers: map[string]bool{}, stores: map[string]*spread{},
	}
}

// Namespace notes one that was listed.
func (f *Facts) Namespace(name string, labels map[string]string, leaving bool) {
	f.Namespaces[name] = &Namespace{Labels: labels, leaving: leaving}
}

// Unread notes a resource, "daemonsets.apps", that could not be read to the end.
func (f *Facts) Unread(resource string, err error) { f.unread[resource] = err }

// Serves notes a resource that was read, and may not have been there.
func (f *Facts) Serves(resource string) { f.served[resource] = true }

// Judge gives a verdict on each control of the whole cluster, in the benchmark's order.
func (f *Facts) Judge() []Verdict {
	return []Verdict{
		f.systemMasters(),
		f.policyControlActive(),
		f.cniNetworkPolicy(),
		f.namespaceNetworkPolicy(),
		f.externalSecrets(),
		f.namespaceBoundaries(),
	}
}

// system are the API server's own namespaces. What runs there keeps the cluster going, and
// hardgate does not look at it either.
var system = []string{metav1.NamespaceSystem, metav1.NamespacePublic, "kube-node-lease"}

// judged are the namespaces in which tenants are, in order; none that is being deleted:
// nothing can be created in it any more.
func (f *Facts) judged() (names []string) {
	for name, ns := range f.Namespaces {
		if !ns.leaving && !slices.Contains(system, name) && !slices.Contains(f.Own, name) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

func (f *Facts) exempt(id control.ID, namespace string) string {
	if f.Exempt == nil {
		return ""
	}
	return f.Exempt(id, namespace)
}

// missing says which of some resources were not read.
func (f *Facts) missing(resources ...string) (lines []string) {
	for _, r := range resources {
		if err, unread := f.unread[r]; unread {
			lines = append(lines, "not read: "+r+": "+err.Error())
		}
	}
	return lines
}
