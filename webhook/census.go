package webhook

import (
	"context"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"
	logf "sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/hardgate-dev/hardgate/api/v1alpha1"
	"github.com/hardgate-dev/hardgate/control"
	"github.com/hardgate-dev/hardgate/exemption"
	"github.com/hardgate-dev/hardgate/webhook/ruling"
)

// Census judges what runs in a namespace by a book and the exemptions in force, and returns
// what would be refused at its next start, by control.
type Census func(ctx context.Context, book *ruling.Book, exemptions *exemption.Book, namespace string) (map[control.ID]Refused, error)

// Refused is what would be refused for one control.
type Refused struct {
	Count  int
	Owners []string // the first of them: "Deployment/web"
}

const (
	// censusTime is what a census may take of the time that the API server waits.
	censusTime = 1500 * time.Millisecond
	maxNamed   = 5
)

// SetCensus makes the gate say what a switch to Enforce by hand would refuse. It is for
// before the gate serves.
func (g *Gate) SetCensus(c Census) { g.census = c }

// inForce is what the gate goes by, for telling what a change would change.
type inForce struct {
	policies   []v1alpha1.WorkloadPolicy
	reached    ruling.Reached
	namespaces func() map[string]labels.Set
}

// enforcing warns of what is running and would be refused when it starts again, where a
// policy is about to enforce what is not enforced yet.
func (g *Gate) enforcing(ctx context.Context, p *v1alpha1.WorkloadPolicy) []string {
	known := g.inForce.Load()
	if g.census == nil || known == nil {
		return nil
	}
	others := slices.DeleteFunc(slices.Clone(known.policies), func(o v1alpha1.WorkloadPolicy) bool { return o.Name == p.Name })
	compiled, _ := ruling.Compile(append(others, *p)) // what is wrong with others is told elsewhere
	next, now := compiled.At(known.reached), g.book.Load()
	namespaces := known.namespaces()
	affected := map[string][]control.ID{}
	for name, has := range namespaces {
		if ids := stricter(now.For(name, has), next.For(name, has)); len(ids) > 0 {
			affected[name] = ids
		}
	}
	if len(affected) == 0 {
		return nil
	}
	return g.count(ctx, next, affected)
}

// stricter are the controls that one answer enforces and another does not, or by other
// parameters.
func stricter(now, next []ruling.Judged) (ids []control.ID) {
	enforced := func(rulings []ruling.Ruling) (all []v1alpha1.Parameters) {
		for _, r := range rulings {
			if r.Mode == control.Enforce {
				all = append(all, r.Parameters)
			}
		}
		return all
	}
	before := map[control.ID][]v1alpha1.Parameters{}
	for _, j := range now {
		before[j.Policy.ID] = enforced(j.Rulings)
	}
	for _, j := range next {
		for _, p := range enforced(j.Rulings) {
			if !slices.ContainsFunc(before[j.Policy.ID], func(b v1alpha1.Parameters) bool { return reflect.DeepEqual(b, p) }) {
				ids = append(ids, j.Policy.ID)
				break
			}
		}
	}
	return ids
}

// count asks for a census of the namespaces, as far as there is time.
func (g *Gate) count(ctx context.Context, next *ruling.Book, affected map[string][]control.ID) []string {
	ctx, cancel := context.WithTimeout(ctx, censusTime)
	defer cancel()
	refused, looked := 0, 0
	var named []string
	for _, name := range slices.Sorted(maps.Keys(affected)) {
		found, err := g.census(ctx, next, g.exemptions.Load(), name)
		if err != nil {
			if ctx.Err() != nil {
				break
			}
			logf.FromContext(ctx).Error(err, "what a switch to Enforce would refuse is not known", "namespace", name)
			continue
		}
		looked++
		for _, id := range affected[name] {
			refused += found[id].Count
			for _, owner := range found[id].Owners {
				named = append(named, fmt.Sprintf("%s: %s (%s)", name, owner, id))
			}
		}
	}
	var warnings []string
	if refused > 0 {
		text := fmt.Sprintf("hardgate: %d running workloads would be refused at their next start: %s", refused, strings.Join(named[:min(maxNamed, len(named))], ", "))
		if more := refused - min(maxNamed, len(named)); more > 0 {
			text += fmt.Sprintf(", and %d more", more)
		}
		warnings = append(warnings, text)
	}
	if looked < len(affected) {
		warnings = append(warnings, fmt.Sprintf("hardgate: of %d namespaces in which this enforces more, %d could be looked at in time: see hardgate rollout for the others", len(affected), looked))
	}
	return warnings
}

// labelled are the namespaces that the informers know, with their labels.
func (i *Informers) labelled() map[string]labels.Set {
	all := map[string]labels.Set{}
	for _, o := range i.namespaces.GetStore().List() {
		ns := o.(*corev1.Namespace)
		all[ns.Name] = ns.Labels
	}
	return all
}
