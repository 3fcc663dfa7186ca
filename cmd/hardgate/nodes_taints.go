package main

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/hardgate-dev/hardgate/control"
	"github.com/hardgate-dev/hardgate/taint/key"
	"github.com/hardgate-dev/hardgate/taint/preflight"
)

// expectation is which taints are looked for, and why.
type expectation struct {
	taints []corev1.Taint
	from   taintsFrom
	notes  []string
	// untold is about policies that are not understood: whatever they ask for is not
	// among the taints.
	untold []error
}

// taintsFrom is how it is known which taints there will be.
type taintsFrom string

const (
	fromFlags    taintsFrom = "flags"
	fromPolicies taintsFrom = "nodePolicies"
	// fromDefault: there is no policy yet.
	fromDefault taintsFrom = "default"
	// fromAssumption: there may be policies, and they may not be read.
	fromAssumption taintsFrom = "assumption"
)

// expect are the taints that the cluster's policies will set.
func expect(ctx context.Context, c *clusterClient) (expectation, error) {
	policies, untold, err := c.nodePolicies(ctx)
	byDefault := func(why string) (expectation, error) {
		e := expectation{taints: preflight.Default(), from: fromDefault, untold: untold}
		e.notes = []string{fmt.Sprintf("%s: a policy sets %s unless it says otherwise", why, joinTaints(e.taints))}
		return e, nil
	}
	switch {
	case apierrors.IsForbidden(err):
		e := expectation{taints: preflight.Assumed(), from: fromAssumption}
		e.notes = []string{fmt.Sprintf("NodePolicies may not be read: %s are assumed; if a policy asks for NoExecute, name the taints with --taint: %v", joinTaints(e.taints), err)}
		return e, nil
	case apierrors.IsNotFound(err):
		return byDefault("the cluster does not know NodePolicies")
	case err != nil:
		return expectation{}, err
	}
	taints := preflight.Taints(policies)
	if len(taints) == 0 {
		return byDefault("there is no NodePolicy to go by")
	}
	return expectation{taints: taints, from: fromPolicies, untold: untold}, nil
}

// parseTaints reads taints as kubectl writes them.
func parseTaints(values []string) (taints []corev1.Taint, err error) {
	for _, value := range values {
		t, err := parseTaint(value)
		if err != nil {
			return nil, err
		}
		if slices.ContainsFunc(taints, func(o corev1.Taint) bool { return o.MatchTaint(&t) }) {
			return nil, fmt.Errorf("%s:%s is given twice: a node has it once", t.Key, t.Effect)
		}
		taints = append(taints, t)
	}
	return taints, nil
}

func parseTaint(text string) (corev1.Taint, error) {
	rest, effect, found := strings.Cut(text, ":")
	if !found {
		return corev1.Taint{}, fmt.Errorf("%q has no effect: use %s:NoSchedule or %[2]s:NoExecute", text, cmp.Or(rest, "KEY"))
	}
	name, value, _ := strings.Cut(rest, "=")
	if problems := validation.IsQualifiedName(name); len(problems) > 0 {
		return corev1.Taint{}, fmt.Errorf("%q is no key of a taint, such as %s", name, key.Drifted)
	}
	if problems := validation.IsValidLabelValue(value); len(problems) > 0 {
		return corev1.Taint{}, fmt.Errorf("%q is no value of a taint: use letters, digits, '-', '_' and '.', 63 at most, with a letter or a digit at either end", value)
	}
	switch effect := corev1.TaintEffect(effect); effect {
	case corev1.TaintEffectNoSchedule, corev1.TaintEffectNoExecute:
		return corev1.Taint{Key: name, Value: value, Effect: effect}, nil
	case corev1.TaintEffectPreferNoSchedule:
		return corev1.Taint{}, fmt.Errorf("%s keeps no DaemonSet away: use NoSchedule or NoExecute", effect)
	}
	effects := []string{string(corev1.TaintEffectNoSchedule), string(corev1.TaintEffectNoExecute)}
	return corev1.Taint{}, fmt.Errorf("unknown effect %q%s", effect, control.Hint(effect, effects))
}

func joinTaints(taints []corev1.Taint) string {
	texts := make([]string, 0, len(taints))
	for i := range taints {
		texts = append(texts, taints[i].ToString())
	}
	return strings.Join(texts, ", ")
}
