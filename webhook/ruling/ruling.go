package ruling

import (
	"cmp"
	"fmt"
	"reflect"
	"slices"
	"sync"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/hardgate-dev/hardgate/api/v1alpha1"
	"github.com/hardgate-dev/hardgate/control"
	"github.com/hardgate-dev/hardgate/webhook/policy"
)

// DefaultMode is the mode of a control that no WorkloadPolicy mentions.
const DefaultMode = control.Warn

// Ruling is one way in which a control is judged in a namespace.
type Ruling struct {
	Mode       control.Mode
	Parameters v1alpha1.Parameters
	// Source is the name of the WorkloadPolicy; empty for the default.
	Source string
}

// Judged is a policy with its rulings for one namespace, the strictest first.
// Each ruling is judged with its own parameters: a finding has the mode of the
// first ruling under which it is one.
type Judged struct {
	Policy  *policy.Policy
	Rulings []Ruling
}

// Book is a set of compiled WorkloadPolicies. It does not change and is safe for
// concurrent use. The zero value rules everything in DefaultMode.
type Book struct {
	entries []entry
	// answers holds what For has found, by which entries select the namespace:
	// there are as many as kinds of namespaces, not as namespaces.
	answers sync.Map // string -> []Judged
}

type entry struct {
	name     string
	selector labels.Selector
	mode     control.Mode
	hasMode  bool
	controls map[control.ID]setting
}

type setting struct {
	mode       control.Mode
	hasMode    bool
	parameters v1alpha1.Parameters
}

// Compile makes a Book. Resources with errors are compiled as far as they make
// sense, and every error is returned: a gate goes on with what it understands.
func Compile(resources []v1alpha1.WorkloadPolicy) (*Book, []error) {
	book := &Book{}
	var errs []error
	for i := range resources {
		r := &resources[i]
		for _, problem := range Validate(r) {
			errs = append(errs, fmt.Errorf("WorkloadPolicy %s: %w", r.Name, problem))
		}
		e, err := compile(r)
		if err != nil {
			continue // Validate has told
		}
		book.entries = append(book.entries, e)
	}
	// By name, so that equal modes always name the same source.
	slices.SortFunc(book.entries, func(a, b entry) int { return cmp.Compare(a.name, b.name) })
	return book, errs
}

func compile(r *v1alpha1.WorkloadPolicy) (entry, error) {
	e := entry{name: r.Name, selector: labels.Everything(), controls: map[control.ID]setting{}}
	if r.Spec.NamespaceSelector != nil {
		var err error
		if e.selector, err = metav1.LabelSelectorAsSelector(r.Spec.NamespaceSelector); err != nil {
			return entry{}, fmt.Errorf("spec.namespaceSelector: %w", err)
		}
	}
	e.mode, e.hasMode = mode(r.Spec.Mode)
	for _, c := range r.Spec.Controls {
		s := setting{mode: e.mode, hasMode: e.hasMode}
		if m, ok := mode(c.Mode); ok {
			s.mode, s.hasMode = m, true
		}
		if c.Parameters != nil {
			s.parameters = *c.Parameters
		}
		e.controls[control.ID(c.ID)] = s
	}
	return e, nil
}

func mode(m v1alpha1.Mode) (control.Mode, bool) {
	parsed, err := control.ParseMode(string(m))
	return parsed, err == nil
}

// For returns what is judged in a namespace with these labels, in the order of the
// benchmark. Controls that are Off everywhere are left out. Labels that are
// missing, such as those of a manifest's namespace, simply do not match. The
// answer is shared: callers must not change it.
func (b *Book) For(namespace labels.Set) []Judged {
	selecting := make([]byte, len(b.entries))
	for i := range b.entries {
		if b.entries[i].selector.Matches(namespace) {
			selecting[i] = 1
		}
	}
	if known, ok := b.answers.Load(string(selecting)); ok {
		return known.([]Judged)
	}
	judged := b.answer(selecting)
	b.answers.Store(string(selecting), judged)
	return judged
}

func (b *Book) answer(selecting []byte) []Judged {
	all := policy.All()
	judged := make([]Judged, 0, len(all))
	for _, p := range all {
		if rulings := b.rulings(p.ID, selecting); len(rulings) > 0 {
			judged = append(judged, Judged{Policy: p, Rulings: rulings})
		}
	}
	return judged
}

func (b *Book) rulings(id control.ID, selecting []byte) []Ruling {
	var rulings []Ruling
	mentioned := false
	for i, e := range b.entries {
		if selecting[i] == 0 {
			continue
		}
		s, listed := e.controls[id]
		if !listed {
			s = setting{mode: e.mode, hasMode: e.hasMode}
		}
		switch {
		case s.hasMode:
			mentioned = true
			rulings = append(rulings, Ruling{Mode: s.mode, Parameters: s.parameters, Source: e.name})
		case listed: // parameters without a mode
			mentioned = true
			rulings = append(rulings, Ruling{Mode: DefaultMode, Parameters: s.parameters, Source: e.name})
		}
	}
	if !mentioned {
		return []Ruling{{Mode: DefaultMode}}
	}
	rulings = slices.DeleteFunc(rulings, func(r Ruling) bool { return r.Mode == control.Off })
	slices.SortStableFunc(rulings, func(a, b Ruling) int { return cmp.Compare(b.Mode, a.Mode) })
	return distinct(rulings)
}

// distinct drops rulings that say what a stricter one says: they find nothing more,
// and there may be hundreds of policies.
func distinct(rulings []Ruling) (kept []Ruling) {
	for _, r := range rulings {
		if !slices.ContainsFunc(kept, func(k Ruling) bool { return reflect.DeepEqual(k.Parameters, r.Parameters) }) {
			kept = append(kept, r)
		}
	}
	return kept
}
