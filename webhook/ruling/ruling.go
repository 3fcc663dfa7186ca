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
	// Repair is whether what a new object leaves unsaid is set.
	Repair bool
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
	stages  map[string]stage
	// answers holds what For has found, by which entries select the namespace and how
	// far it has come: there are as many as kinds of namespaces, not as namespaces.
	answers sync.Map // string -> []Judged
}

type entry struct {
	name     string
	identity string
	// all is whether it selects whatever has no namespace, too.
	all      bool
	selector labels.Selector
	rollout  *rollout
	mode     control.Mode
	hasMode  bool
	controls map[control.ID]setting
}

type setting struct {
	mode       control.Mode
	hasMode    bool
	parameters v1alpha1.Parameters
	repair     bool
}

// Compile makes a Book. Resources with errors are compiled as far as they make
// sense, and every error is returned: a gate goes on with what it understands.
// Rollouts are where their policies put them: see At.
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

// At is the book with rollouts that have come as far as reached says.
func (b *Book) At(reached Reached) *Book { return &Book{entries: b.entries, stages: reached.stages()} }

func compile(r *v1alpha1.WorkloadPolicy) (entry, error) {
	e := entry{name: r.Name, identity: Identity(r.Name, r.UID), selector: labels.Everything(), controls: map[control.ID]setting{}, rollout: compileRollout(r.Spec.Rollout)}
	if r.Spec.NamespaceSelector != nil {
		var err error
		if e.selector, err = metav1.LabelSelectorAsSelector(r.Spec.NamespaceSelector); err != nil {
			return entry{}, fmt.Errorf("spec.namespaceSelector: %w", err)
		}
	}
	e.all = e.selector.Empty()
	e.mode, e.hasMode = mode(r.Spec.Mode)
	for _, c := range r.Spec.Controls {
		s := setting{mode: e.mode, hasMode: e.hasMode, repair: c.Repair}
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

// For returns what is judged in a namespace of that name and with these labels, in the
// order of the benchmark; without a name, what is judged of objects that have none: by
// the policies that select all namespaces. Controls that are Off everywhere are left out,
// and those that are about no object there.
// Labels that are missing, such as those of a manifest's namespace, simply do not match.
// The answer is shared: callers must not change it.
func (b *Book) For(namespace string, has labels.Set) []Judged {
	selecting := make([]byte, len(b.entries)+1, len(b.entries)+64)
	if namespace == "" { // other controls hold there
		selecting[len(b.entries)] = 1
	}
	for i := range b.entries {
		e := &b.entries[i]
		if e.all || namespace != "" && e.selector.Matches(has) {
			selecting[i] = 1
		}
	}
	stage := b.stages[namespace]
	known := string(append(selecting, stage.key...))
	if b.named(namespace, selecting) {
		known += "/" + namespace
	}
	if answer, ok := b.answers.Load(known); ok {
		return answer.([]Judged)
	}
	judged := b.answer(namespace, selecting, stage)
	b.answers.Store(known, judged)
	return judged
}

// named is whether a policy that selects a namespace says something of it by its name: what
// holds there is for no other then.
func (b *Book) named(namespace string, selecting []byte) bool {
	for i := range b.entries {
		if selecting[i] == 1 && b.entries[i].rollout.named(namespace) {
			return true
		}
	}
	return false
}

// Enforces is whether anything is enforced in a namespace.
func (b *Book) Enforces(namespace string, has labels.Set) bool {
	return slices.ContainsFunc(b.For(namespace, has), func(j Judged) bool { return j.Rulings[0].Mode == control.Enforce })
}

func (b *Book) answer(namespace string, selecting []byte, s stage) []Judged {
	all := policy.All()
	judged := make([]Judged, 0, len(all))
	for _, p := range all {
		if c, _ := control.Get(p.ID); !c.Scope.Reaches(namespace) {
			continue
		}
		if rulings := b.rulings(p.ID, namespace, selecting, s); len(rulings) > 0 {
			judged = append(judged, Judged{Policy: p, Rulings: rulings})
		}
	}
	return judged
}

func (b *Book) rulings(id control.ID, namespace string, selecting []byte, reached stage) []Ruling {
	var rulings []Ruling
	mentioned := false
	for i := range b.entries {
		e := &b.entries[i]
		if selecting[i] == 0 {
			continue
		}
		if s, ok := e.says(id); ok {
			mentioned = true
			s.mode = e.rollout.mode(namespace, id, s.mode, reached.of(e, id))
			rulings = append(rulings, Ruling{Mode: s.mode, Parameters: s.parameters, Source: e.name, Repair: s.repair})
		}
	}
	if !mentioned {
		return []Ruling{{Mode: DefaultMode}}
	}
	rulings = slices.DeleteFunc(rulings, func(r Ruling) bool { return r.Mode == control.Off })
	slices.SortStableFunc(rulings, func(a, b Ruling) int { return cmp.Compare(b.Mode, a.Mode) })
	return distinct(rulings)
}

// says is what the policy says of a control; ok is false where it says nothing.
func (e *entry) says(id control.ID) (s setting, ok bool) {
	s, listed := e.controls[id]
	switch {
	case !listed:
		return setting{mode: e.mode}, e.hasMode
	case !s.hasMode: // parameters without a mode
		s.mode = DefaultMode
	}
	return s, true
}

// distinct drops rulings that say what a stricter one says: they find nothing more,
// and there may be hundreds of policies.
func distinct(rulings []Ruling) (kept []Ruling) {
	for _, r := range rulings {
		same := slices.IndexFunc(kept, func(k Ruling) bool { return reflect.DeepEqual(k.Parameters, r.Parameters) })
		if same < 0 {
			kept = append(kept, r)
			continue
		}
		kept[same].Repair = kept[same].Repair || r.Repair
	}
	return kept
}
