package ruling

import (
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/hardgate-dev/hardgate/api/v1alpha1"
	"github.com/hardgate-dev/hardgate/control"
	"github.com/hardgate-dev/hardgate/exemption"
)

// Exemption is one that is compiled.
type Exemption struct {
	Name     string
	Controls []control.ID
	Expires  time.Time

	names    []string
	selector labels.Selector
}

// CompileExemptions compiles Exemptions. The errors name those that are not
// understood, which exempt nothing. Those of objects alone are left out: see package
// exemption.
func CompileExemptions(exemptions []v1alpha1.Exemption) (list []Exemption, errs []error) {
	for i := range exemptions {
		e := &exemptions[i]
		if problems := exemption.Validate(e); len(problems) > 0 {
			for _, problem := range problems {
				errs = append(errs, &exemption.Error{Name: e.Name, Err: problem})
			}
			continue
		}
		if e.Spec.Nodes == nil {
			continue
		}
		c := Exemption{Name: e.Name, Expires: e.Spec.Expires.Time, names: e.Spec.Nodes.Names, selector: labels.Nothing()}
		for _, id := range e.Spec.Controls {
			c.Controls = append(c.Controls, control.ID(id))
		}
		if s := e.Spec.Nodes.Selector; s != nil {
			selector, err := metav1.LabelSelectorAsSelector(s)
			if err != nil {
				errs = append(errs, &exemption.Error{Name: e.Name, Err: err})
				continue
			}
			c.selector = selector
		}
		list = append(list, c)
	}
	return list, errs
}

// Applies is whether it lets a control fail on a node at that time.
func (e *Exemption) Applies(id control.ID, node string, has labels.Set, now time.Time) bool {
	return now.Before(e.Expires) && slices.Contains(e.Controls, id) &&
		(slices.Contains(e.names, node) || e.selector.Matches(has))
}
