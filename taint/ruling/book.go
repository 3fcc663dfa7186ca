package ruling

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/hardgate-dev/hardgate/api/v1alpha1"
	"github.com/hardgate-dev/hardgate/control"
)

// Book is a set of compiled NodePolicies. It does not change and is safe for concurrent
// use. The zero value rules everything in DefaultMode.
type Book struct {
	entries []entry
	// answers holds what For has found, by which entries select a node: there are as
	// many as kinds of nodes, not as nodes.
	answers sync.Map // string -> *Rules
}

type entry struct {
	name     string
	paused   bool
	selector labels.Selector
	// settings are the controls that the policy says something of.
	settings map[control.ID]setting
	spec     v1alpha1.NodePolicySpec
	// benchmark is the full id, or empty.
	benchmark string
	stale     control.Mode
	// acts is whether it warns or enforces anything. What only audits has no say in
	// what follows from others' failures. taints is whether it can set any taint.
	acts, taints bool
	budget       Budget
}

type setting struct {
	mode    control.Mode
	modules []string
}

// Compile makes a Book. The errors name the policies that are not understood; those
// are not in the book, and whoever acts by it should not act while there are any:
// what they were meant to say is not known.
func Compile(policies []v1alpha1.NodePolicy) (*Book, []error) {
	book := &Book{}
	var errs []error
	for i := range policies {
		p := &policies[i]
		if problems := Validate(p); len(problems) > 0 {
			for _, problem := range problems {
				errs = append(errs, fmt.Errorf("NodePolicy %s: %w", p.Name, problem))
			}
			continue
		}
		e, err := compile(p)
		if err != nil {
			errs = append(errs, fmt.Errorf("NodePolicy %s: %w", p.Name, err))
			continue
		}
		book.entries = append(book.entries, e)
	}
	slices.SortFunc(book.entries, func(a, b entry) int { return cmp.Compare(a.name, b.name) })
	return book, errs
}

func compile(p *v1alpha1.NodePolicy) (entry, error) {
	e := entry{
		name: p.Name, spec: p.Spec, selector: labels.Everything(), settings: map[control.ID]setting{}, stale: stale(p.Spec.Stale),
	}
	_, e.paused = p.Annotations[v1alpha1.PauseAnnotation]
	var err error
	if p.Spec.NodeSelector != nil {
		if e.selector, err = metav1.LabelSelectorAsSelector(p.Spec.NodeSelector); err != nil {
			return entry{}, fmt.Errorf("spec.nodeSelector: %w", err)
		}
	}
	if p.Spec.Benchmark != "" {
		if e.benchmark, err = control.ParseBenchmark(p.Spec.Benchmark); err != nil {
			return entry{}, fmt.Errorf("spec.benchmark: %w", err)
		}
	}
	if p.Spec.Mode != "" {
		mode, err := control.ParseMode(string(p.Spec.Mode))
		if err != nil {
			return entry{}, fmt.Errorf("spec.mode: %w", err)
		}
		for _, c := range judged() {
			if covers(e.benchmark, p.Spec.Level, c) {
				e.settings[c.ID] = setting{mode: mode}
			}
		}
	}
	for i, c := range p.Spec.Controls {
		s := setting{mode: DefaultMode}
		if m := cmp.Or(c.Mode, p.Spec.Mode); m != "" {
			if s.mode, err = control.ParseMode(string(m)); err != nil {
				return entry{}, fmt.Errorf("spec.controls[%d].mode: %w", i, err)
			}
		}
		if c.Parameters != nil {
			s.modules = c.Parameters.UnnecessaryModules
		}
		e.settings[control.ID(c.ID)] = s
	}
	e.acts = e.stale > control.Audit
	for _, s := range e.settings {
		e.acts = e.acts || s.mode > control.Audit
	}
	e.taints = e.acts || p.Spec.UntrustedUntilChecked
	e.budget, err = limits(p.Spec.Budget, e.taints)
	return e, err
}

// stale is the mode in which a silent agent is a failure.
func stale(s string) control.Mode {
	switch s {
	case "Warn":
		return control.Warn
	case "Enforce":
		return control.Enforce
	}
	return control.Audit
}

// judged are the controls that an agent judges.
func judged() (list []control.Control) {
	for _, c := range control.All() {
		if c.Face == control.Node && c.Kind == control.Measured {
			list = append(list, c)
		}
	}
	return list
}

// covers is whether a policy's mode is for a control.
func covers(benchmark, level string, c control.Control) bool {
	if benchmark != "" && control.Number(c.ID, benchmark) == "" {
		return false
	}
	return level != control.L1.String() || c.Level <= control.L1
}

// For returns what holds for a node with these labels. The answer is shared.
func (b *Book) For(node labels.Set) *Rules {
	selecting := make([]byte, len(b.entries))
	for i := range b.entries {
		if b.entries[i].selector.Matches(node) {
			selecting[i] = 1
		}
	}
	if known, ok := b.answers.Load(string(selecting)); ok {
		return known.(*Rules)
	}
	rules, _ := b.answers.LoadOrStore(string(selecting), b.join(selecting))
	return rules.(*Rules)
}

// join makes one of the policies that select a node: the strictest of each.
func (b *Book) join(selecting []byte) *Rules {
	r := &Rules{
		Modes: map[control.ID]control.Mode{}, Off: map[control.ID]bool{}, Effect: corev1.TaintEffectNoSchedule,
		Stale: control.Audit,
	}
	modules := map[string]bool{}
	acting := false
	for i := range b.entries {
		e := &b.entries[i]
		if selecting[i] == 0 {
			continue
		}
		e.joinTo(r, modules)
		if e.acts {
			e.joinActs(r, !acting)
			acting = true
		}
	}
	for id := range r.Off {
		if _, ok := r.Modes[id]; ok {
			delete(r.Off, id)
		}
	}
	r.Benchmarks = b.benchmarks(selecting, acting)
	r.UnnecessaryModules = slices.Sorted(maps.Keys(modules))
	r.Orders = orders(r.Benchmarks, r.UnnecessaryModules)
	return r
}

// benchmarks are those by which a node is judged: of the policies that act, where any
// does, since what is only audited must not change what is enforced. The agent takes the
// stricter rule of several. A policy that names none means the source documents, and has
// to name them beside others: by another's benchmark alone it could be looser.
func (b *Book) benchmarks(selecting []byte, acting bool) []string {
	named, unnamed := map[string]bool{}, false
	for i := range b.entries {
		e := &b.entries[i]
		switch {
		case selecting[i] == 0 || acting && !e.acts:
		case e.benchmark == "":
			unnamed = unnamed || len(e.settings) > 0
		default:
			named[e.benchmark] = true
		}
	}
	if unnamed && len(named) > 0 {
		for _, id := range control.SourceBenchmarks() {
			named[id] = true
		}
	}
	return slices.Sorted(maps.Keys(named))
}

func orders(benchmarks, modules []string) string {
	if len(benchmarks)+len(modules) == 0 {
		return ""
	}
	// Neither has such characters in it.
	sum := sha256.Sum256([]byte(strings.Join(benchmarks, ",") + ";" + strings.Join(modules, ",")))
	return hex.EncodeToString(sum[:8])
}

// joinTo joins what every policy has a say in: what is judged, and what protects the
// cluster.
func (e *entry) joinTo(r *Rules, modules map[string]bool) {
	r.Policies = append(r.Policies, e.name)
	if e.paused {
		r.Paused = append(r.Paused, e.name)
	}
	for id, s := range e.settings {
		if s.mode == control.Off {
			r.Off[id] = true
			continue
		}
		r.Modes[id] = max(r.Modes[id], s.mode)
		for _, m := range s.modules {
			modules[m] = true
		}
	}
	r.Budget.Cluster = append(r.Budget.Cluster, e.budget.Cluster...)
	r.Budget.Pool = append(r.Budget.Pool, e.budget.Pool...)
	r.Budget.Correlation = append(r.Budget.Correlation, e.budget.Correlation...)
	r.ControlPlane = r.ControlPlane || e.spec.ControlPlane && e.taints
	r.UntrustedUntilChecked = r.UntrustedUntilChecked || e.spec.UntrustedUntilChecked
}

// joinActs joins what follows when a control fails. The first that does has nothing to
// be stricter than.
func (e *entry) joinActs(r *Rules, first bool) {
	s := &e.spec
	if s.Effect == string(corev1.TaintEffectNoExecute) {
		r.Effect = corev1.TaintEffectNoExecute
	}
	shorter := func(now *time.Duration, given *metav1.Duration, otherwise time.Duration, first bool) {
		if d := or(given, otherwise); first || d < *now {
			*now = d
		}
	}
	longer := func(now *time.Duration, given *metav1.Duration, otherwise time.Duration) {
		*now = max(*now, or(given, otherwise))
	}
	shorter(&r.Grace, s.GracePeriod, DefaultGracePeriod, first)
	// Where the last verdict is kept, the time is for nothing.
	if e.stale > control.Audit {
		shorter(&r.StaleAfter, s.StaleAfter, DefaultStaleAfter, r.Stale == control.Audit)
		r.Stale = max(r.Stale, e.stale)
	}
	longer(&r.ClearAfter, s.ClearAfter, DefaultClearAfter)
	longer(&r.MinimumDwell, s.MinimumDwell, DefaultMinimumDwell)
}

func or(given *metav1.Duration, otherwise time.Duration) time.Duration {
	if given == nil {
		return otherwise
	}
	return given.Duration
}

// limits are those of a policy. A default is for a policy that sets taints: one that
// sets none must not hold back what others allow, unless it says so.
func limits(b *v1alpha1.NodeBudget, taints bool) (Budget, error) {
	if b == nil {
		b = &v1alpha1.NodeBudget{}
	}
	var budget Budget
	for _, part := range []struct {
		name      string
		given     *intstr.IntOrString
		otherwise intstr.IntOrString
		to        *[]Limit
	}{
		{"cluster", b.Cluster, DefaultCluster, &budget.Cluster},
		{"pool", b.Pool, DefaultPool, &budget.Pool},
		{"correlation", b.Correlation, DefaultCorrelation, &budget.Correlation},
	} {
		value := part.otherwise
		switch {
		case part.given != nil:
			value = *part.given
		case !taints:
			continue
		}
		l, err := ParseLimit(value)
		if err != nil {
			return Budget{}, fmt.Errorf("spec.budget.%s: %w", part.name, err)
		}
		*part.to = []Limit{l}
	}
	return budget, nil
}
