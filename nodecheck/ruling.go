package nodecheck

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	logf "sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/hardgate-dev/hardgate/api/v1alpha1"
	"github.com/hardgate-dev/hardgate/control"
	"github.com/hardgate-dev/hardgate/nodecheck/check"
	"github.com/hardgate-dev/hardgate/nodecheck/delivery"
	"github.com/hardgate-dev/hardgate/nodecheck/host/modprobe"
	"github.com/hardgate-dev/hardgate/nodecheck/synopsis"
)

// ruling is what a node is judged by, and what the report says of that.
type ruling struct {
	checks []*check.Check
	rules  *check.Rules
	says   synopsis.Agent
}

// follow puts in force what an order asks for. One that asks for what this agent does
// not know is not obeyed in part: the rules before stay in force, and the report goes
// on naming the generation that they are of. Those of another report do not: of this
// one, that generation may be another spec.
func (a *Agent) follow(ctx context.Context, o delivery.Order) {
	log := logf.FromContext(ctx).WithName("rules")
	a.order = o
	in, err := a.own.under(o)
	a.Metrics.spec(err != nil)
	switch {
	case err == nil:
		a.obeyed = o
	case a.obeyed.Report == o.Report:
		log.Error(err, "the spec of the report is not obeyed; the rules before stay in force", "generation", o.Generation, "obeyed", a.obeyed.Generation)
		return
	default:
		log.Error(err, "the spec of the report is not obeyed; the flags hold", "generation", o.Generation)
		a.obeyed, in = delivery.Order{}, a.own
	}
	a.Scanner.Checks, a.Scanner.Rules, a.Self = in.checks, in.rules, in.says
	log.Info("rules", "generation", in.says.Generation, "ruleSet", in.says.RuleSet, "benchmarks", in.says.Benchmarks, "modules", len(in.rules.Modules))
}

// under returns what an order makes of the agent's own ruling: all controls, by the
// order's rules, and what is exempt on this node stays so. An order that asks for
// nothing changes nothing.
func (r ruling) under(o delivery.Order) (ruling, error) {
	if o == (delivery.Order{}) {
		return r, nil
	}
	spec, err := readSpec(o.Spec)
	if err != nil {
		return ruling{}, err
	}
	rules := check.NewRules(spec.Benchmarks...)
	rules.Modules, rules.Exempt = spec.UnnecessaryModules, r.rules.Exempt
	under := ruling{checks: check.All(), rules: rules, says: r.says}
	under.says.Benchmarks, under.says.Generation = spec.Benchmarks, o.Generation
	under.says.RuleSet, err = synopsis.RuleSet(under.checks, rules)
	return under, err
}

// readSpec reads a spec. An error says what of it this agent does not know: a newer
// controller may ask for what came later. Short names of benchmarks are none: what they
// are short for changes.
func readSpec(text string) (spec v1alpha1.NodeReportSpec, err error) {
	in := json.NewDecoder(strings.NewReader(text))
	in.DisallowUnknownFields()
	if err := in.Decode(&spec); err != nil {
		return spec, fmt.Errorf("reading the spec of the report: %w", err)
	}
	for _, b := range spec.Benchmarks {
		switch id, err := control.ParseBenchmark(b); {
		case err != nil:
			return spec, fmt.Errorf("spec.benchmarks: %w", err)
		case id != b:
			return spec, fmt.Errorf("spec.benchmarks: %q is short for %q", b, id)
		}
	}
	for _, m := range spec.UnnecessaryModules {
		if !modprobe.Valid(m) {
			return spec, fmt.Errorf("spec.unnecessaryModules: %q cannot be the name of a kernel module", m)
		}
	}
	slices.Sort(spec.Benchmarks)
	spec.Benchmarks = slices.Compact(spec.Benchmarks)
	return spec, nil
}
