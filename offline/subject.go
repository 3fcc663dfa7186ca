package offline

import (
	"fmt"

	"github.com/hardgate-dev/hardgate/manifest"
	"github.com/hardgate-dev/hardgate/report"
	"github.com/hardgate-dev/hardgate/webhook/workload"
)

// subject is one object with where it stands.
type subject struct {
	object *workload.Object
	// namespace is the one that the object is judged in; empty where it has none
	// and where that is not known.
	namespace string
	// scope is that of the object's kind.
	scope  scope
	source string
}

// read reads every object, and what they tell of each other. An object that
// cannot be read is an error and left out; namespace is for those that name none.
func read(objects []manifest.Object, namespace string) ([]*subject, *facts, []error) {
	var errs []error
	f := newFacts()
	subjects := make([]*subject, 0, len(objects))
	for _, o := range objects {
		object, err := workload.Decode(o.JSON)
		if err == nil {
			err = known(object.Kind)
		}
		if err == nil {
			err = f.define(&object, o.JSON)
		}
		if err != nil {
			errs = append(errs, &manifest.Error{Source: o.Source, Err: about(o.Kind, &object, err)})
			continue
		}
		subjects = append(subjects, &subject{object: &object, source: o.Source})
	}
	for _, s := range subjects { // only now is the scope of every kind known
		s.scope = f.scope(s.object.Kind)
		s.place(namespace)
		f.learn(s)
	}
	return subjects, f, errs
}

// about puts the kind before an error, and the name if that could be read.
func about(kind string, o *workload.Object, err error) error {
	if name := o.DisplayName(); name != "" {
		return fmt.Errorf("%s %q: %w", kind, name, manifest.Reword(err))
	}
	return fmt.Errorf("%s: %w", kind, manifest.Reword(err))
}

// place finds the namespace. One that an object of the cluster's names means
// nothing.
func (s *subject) place(fallback string) {
	switch {
	case s.scope == clusterScoped:
	case s.object.Namespace != "":
		s.namespace = s.object.Namespace
	case s.scope == namespaced:
		s.namespace = fallback
	}
}

// ruledIn is the namespace whose rulings hold for the object. A namespace is judged by what
// holds in it, as in the audit.
func (s *subject) ruledIn() string {
	switch {
	case s.object.Kind.Group == "" && s.object.Kind.Kind == "Namespace":
		return s.object.Name
	case s.namespace == "" && s.scope != clusterScoped:
		return unplaced
	}
	return s.namespace
}

func (s *subject) identity() report.Object {
	return report.Object{
		APIVersion: s.object.Kind.APIVersion(),
		Kind:       s.object.Kind.Kind,
		Namespace:  s.namespace,
		Name:       s.object.DisplayName(),
		Source:     s.source,
	}
}
