package offline

import (
	"maps"

	"k8s.io/apimachinery/pkg/labels"

	"github.com/hardgate-dev/hardgate/webhook/workload"
)

// metadataName is the label that the API server gives every namespace.
const metadataName = "kubernetes.io/metadata.name"

// facts are what the objects of the input tell of each other.
type facts struct {
	accounts   map[accountName]workload.Optional[bool]
	namespaces map[string]labels.Set
	custom     scopeTable
}

type accountName struct{ namespace, name string }

func newFacts() *facts {
	return &facts{
		accounts:   map[accountName]workload.Optional[bool]{},
		namespaces: map[string]labels.Set{},
		custom:     scopeTable{},
	}
}

// define learns what does not depend on where an object stands.
func (f *facts) define(o *workload.Object, json []byte) error {
	switch (groupKind{o.Kind.Group, o.Kind.Kind}) {
	case groupKind{"", "Namespace"}:
		own, err := readLabels(json)
		if err != nil {
			return err
		}
		f.namespaces[o.Name] = own
	case groupKind{"apiextensions.k8s.io", "CustomResourceDefinition"}:
		kind, s, err := readDefinition(json)
		if err != nil {
			return err
		}
		f.custom[kind] = s
	}
	return nil
}

// learn remembers what an account says. Of several documents about one account
// the worst counts: which of them a cluster ends up with is not known here.
func (f *facts) learn(s *subject) {
	if s.object.ServiceAccount == nil {
		return
	}
	name := accountName{s.namespace, s.object.Name}
	if before, known := f.accounts[name]; known && (!before.Set || before.Value) {
		return
	}
	f.accounts[name] = s.object.ServiceAccount.Automount
}

// automount is automountServiceAccountToken of the account that a pod names; unset
// when the input does not have the account.
func (f *facts) automount(s *subject) workload.Optional[bool] {
	if s.object.Pod == nil {
		return workload.Optional[bool]{}
	}
	return f.accounts[accountName{s.namespace, s.object.Pod.Account()}]
}

// labels are those of a namespace as far as they are known.
func (f *facts) labels(namespace string) labels.Set {
	set := labels.Set{}
	if namespace != "" && namespace != unplaced {
		maps.Copy(set, f.namespaces[namespace])
		set[metadataName] = namespace
	}
	return set
}

func (f *facts) scope(k workload.Kind) scope {
	kind := groupKind{k.Group, k.Kind}
	if s, ok := builtIn[kind]; ok {
		return s
	}
	return f.custom[kind]
}
