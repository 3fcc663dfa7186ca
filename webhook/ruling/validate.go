package ruling

import (
	"fmt"
	"path"
	"reflect"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/hardgate-dev/hardgate/api/v1alpha1"
	"github.com/hardgate-dev/hardgate/control"
	"github.com/hardgate-dev/hardgate/resource"
	"github.com/hardgate-dev/hardgate/webhook/policy"
)

// Validate returns what is wrong with a resource, each error with its field path
// and, for an unknown name, the nearest known one.
func Validate(r *v1alpha1.WorkloadPolicy) []error {
	var errs []error
	if s := r.Spec.NamespaceSelector; s != nil {
		if _, err := metav1.LabelSelectorAsSelector(s); err != nil {
			errs = append(errs, fmt.Errorf("spec.namespaceSelector: %w", err))
		}
	}
	errs = append(errs, validateMode("spec.mode", r.Spec.Mode)...)
	errs = append(errs, validateRollout(r.Spec.Rollout)...)
	seen := map[string]bool{}
	for i, c := range r.Spec.Controls {
		at := fmt.Sprintf("spec.controls[%d]", i)
		if seen[c.ID] {
			errs = append(errs, fmt.Errorf("%s.id: control %q is set twice", at, c.ID))
		}
		seen[c.ID] = true
		p, ok := policy.Get(control.ID(c.ID))
		if !ok {
			errs = append(errs, fmt.Errorf("%s.id: unknown control %q%s", at, c.ID, control.Hint(c.ID, ids())))
		}
		errs = append(errs, validateMode(at+".mode", c.Mode)...)
		if ok {
			errs = append(errs, validateRepair(at, &c, p)...)
		}
		if c.Parameters != nil {
			if ok {
				errs = append(errs, validateReaders(at+".parameters", p, c.Parameters)...)
			}
			errs = append(errs, validateParameters(at+".parameters", c.Parameters)...)
		}
	}
	return errs
}

// Warnings returns what is allowed and yet surely not meant.
func Warnings(r *v1alpha1.WorkloadPolicy) []string {
	var warnings []string
	for i, c := range r.Spec.Controls {
		p, ok := policy.Get(control.ID(c.ID))
		if !ok || p.Undecidable == nil {
			continue
		}
		parameters := v1alpha1.Parameters{}
		if c.Parameters != nil {
			parameters = *c.Parameters
		}
		if inForce(r, &c) != control.Off && p.Undecidable(&parameters) {
			warnings = append(warnings, fmt.Sprintf("spec.controls[%d]: %s judges nothing without parameters: set %s",
				i, c.ID, strings.Join(p.Parameters, " or ")))
		}
	}
	return append(append(warnings, repairWarnings(r)...), rolloutWarnings(r)...)
}

func ids() []string {
	var ids []string
	for _, p := range policy.All() {
		ids = append(ids, string(p.ID))
	}
	return ids
}

func validateMode(at string, m v1alpha1.Mode) []error {
	if m == "" {
		return nil
	}
	if _, err := control.ParseMode(string(m)); err != nil {
		return []error{fmt.Errorf("%s: %w", at, err)}
	}
	return nil
}

// validateReaders refuses parameters that the control does not read: they would
// look as if they loosened it.
func validateReaders(at string, p *policy.Policy, params *v1alpha1.Parameters) []error {
	var errs []error
	v := reflect.ValueOf(*params)
	for i := range v.NumField() {
		name := resource.Name(v.Type().Field(i))
		if v.Field(i).IsZero() || slices.Contains(p.Parameters, name) {
			continue
		}
		reads := "takes no parameters"
		if len(p.Parameters) > 0 {
			reads = "reads " + strings.Join(p.Parameters, ", ")
		}
		errs = append(errs, fmt.Errorf("%s.%s: control %q %s", at, name, p.ID, reads))
	}
	return errs
}

func validateParameters(at string, params *v1alpha1.Parameters) []error {
	var errs []error
	for i, p := range params.AllowedHostPaths {
		switch clean := path.Clean(p.PathPrefix); {
		case !path.IsAbs(p.PathPrefix):
			errs = append(errs, fmt.Errorf("%s.allowedHostPaths[%d].pathPrefix: %q is not absolute", at, i, p.PathPrefix))
		case clean != p.PathPrefix && clean+"/" != p.PathPrefix:
			errs = append(errs, fmt.Errorf("%s.allowedHostPaths[%d].pathPrefix: %q means %q: write that", at, i, p.PathPrefix, clean))
		}
	}
	for i, r := range params.AllowedHostPorts {
		if r.Min < 1 || r.Max > 65535 || r.Min > r.Max {
			errs = append(errs, fmt.Errorf("%s.allowedHostPorts[%d]: %d to %d is not a range of ports", at, i, r.Min, r.Max))
		}
	}
	for i, entry := range params.AllowedRegistries {
		if err := policy.CheckRegistry(entry); err != nil {
			errs = append(errs, fmt.Errorf("%s.allowedRegistries[%d]: %w", at, i, err))
		}
	}
	for i, name := range params.AllowedCapabilities {
		if name == "" {
			errs = append(errs, fmt.Errorf("%s.allowedCapabilities[%d]: empty", at, i))
		}
	}
	for i, name := range params.SystemNamespaces {
		if problems := validation.IsDNS1123Label(name); len(problems) > 0 {
			errs = append(errs, fmt.Errorf("%s.systemNamespaces[%d]: %q is no name of a namespace", at, i, name))
		}
	}
	return errs
}
