package ruling

import (
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/hardgate-dev/hardgate/api/v1alpha1"
	"github.com/hardgate-dev/hardgate/control"
	"github.com/hardgate-dev/hardgate/webhook/policy"
)

// maxWindow bounds a clean window: a longer one is a slip, and nothing would ever be
// promoted.
const maxWindow = 366 * 24 * time.Hour

// validateRollout returns what is wrong with a rollout; nil is none.
func validateRollout(r *v1alpha1.Rollout) (errs []error) {
	if r == nil {
		return nil
	}
	if r.Target != "" && r.Target != "Warn" && r.Target != "Enforce" {
		errs = append(errs, fmt.Errorf("spec.rollout.target: unknown target %q%s", r.Target, control.Hint(string(r.Target), []string{"Warn", "Enforce"})))
	}
	if w := r.CleanWindow; w != nil && (w.Duration < 0 || w.Duration > maxWindow) {
		errs = append(errs, fmt.Errorf("spec.rollout.cleanWindow: %s is not between none and %s", w.Duration, maxWindow))
	}
	for i := range r.Exclude {
		errs = append(errs, validateCells(fmt.Sprintf("spec.rollout.exclude[%d]", i), &r.Exclude[i])...)
	}
	for i := range r.Pins {
		at := fmt.Sprintf("spec.rollout.pins[%d]", i)
		errs = append(errs, validateCells(at, &r.Pins[i].RolloutCells)...)
		if r.Pins[i].Mode == "" {
			errs = append(errs, fmt.Errorf("%s.mode: say which", at))
		}
		errs = append(errs, validateMode(at+".mode", r.Pins[i].Mode)...)
	}
	return errs
}

func validateCells(at string, c *v1alpha1.RolloutCells) (errs []error) {
	if len(c.Namespaces) == 0 && len(c.Controls) == 0 {
		errs = append(errs, fmt.Errorf("%s: say which cells, by namespaces or controls; to hold all, pause the rollout", at))
	}
	for i, ns := range c.Namespaces {
		if ns != v1alpha1.ClusterScopedReportName && len(validation.IsDNS1123Label(ns)) > 0 {
			errs = append(errs, fmt.Errorf("%s.namespaces[%d]: %q is no name of a namespace", at, i, ns))
		}
	}
	for i, id := range c.Controls {
		if _, ok := policy.Get(control.ID(id)); !ok {
			errs = append(errs, fmt.Errorf("%s.controls[%d]: unknown control %q%s", at, i, id, control.Hint(id, ids())))
		}
	}
	return errs
}

// rolloutWarnings returns what is allowed in a rollout and surely not meant.
func rolloutWarnings(r *v1alpha1.WorkloadPolicy) (warnings []string) {
	rollout := r.Spec.Rollout
	if rollout == nil {
		return nil
	}
	if w := rollout.CleanWindow; w != nil && w.Duration < 24*time.Hour {
		warnings = append(warnings, fmt.Sprintf("spec.rollout.cleanWindow: within %s, few workloads start again: what they would be refused for is not seen", w.Duration))
	}
	for i := range rollout.Pins {
		if p := &rollout.Pins[i]; p.AtMost && p.Mode == "Enforce" {
			warnings = append(warnings, fmt.Sprintf("spec.rollout.pins[%d]: at most Enforce holds nothing: no mode is stricter", i))
		}
	}
	target := control.Enforce
	if m, ok := mode(rollout.Target); ok {
		target = m
	}
	leads := false
	says := func(m v1alpha1.Mode) {
		parsed, ok := mode(m)
		leads = leads || ok && parsed != control.Off && parsed < target
	}
	says(r.Spec.Mode)
	for _, c := range r.Spec.Controls {
		if c.Mode != "" {
			says(c.Mode)
		} else if r.Spec.Mode == "" {
			says(v1alpha1.Mode(DefaultMode.String()))
		}
	}
	if !leads && len(rollout.Pins) == 0 {
		warnings = append(warnings, fmt.Sprintf("spec.rollout: it leads nothing on: no control is in a mode below %s", target))
	}
	return warnings
}
