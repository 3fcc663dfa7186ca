package ruling

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/hardgate-dev/hardgate/api/v1alpha1"
	"github.com/hardgate-dev/hardgate/control"
)

func named(namespace string, more ...string) labels.Set {
	set := labels.Set{"kubernetes.io/metadata.name": namespace}
	for _, pair := range more {
		name, value, _ := strings.Cut(pair, "=")
		set[name] = value
	}
	return set
}

func TestRepaired(t *testing.T) {
	namespaces := map[string]labels.Set{"shop": named("shop", "team=a"), "cart": named("cart", "team=b"), "bare": named("bare")}
	every := []string{"bare", "cart", "shop"}
	tests := map[string]struct {
		specs []string
		want  Repaired
	}{
		"no policy":                 {nil, Repaired{}},
		"none repairs":              {[]string{`{mode: Enforce, controls: [{id: seccomp, mode: Warn}]}`}, Repaired{}},
		"all namespaces":            {[]string{`{controls: [{id: seccomp, repair: true}]}`}, Repaired{Namespaces: every, Everywhere: true}},
		"in mode Audit":             {[]string{`{mode: Audit, controls: [{id: seccomp, repair: true}]}`}, Repaired{Namespaces: every, Everywhere: true}},
		"Off":                       {[]string{`{mode: "Off", controls: [{id: seccomp, repair: true}, {id: default-service-account, repair: true}]}`}, Repaired{}},
		"by a label":                {[]string{`{namespaceSelector: {matchLabels: {team: a}}, controls: [{id: net-raw, repair: true}]}`}, Repaired{Namespaces: []string{"shop"}}},
		"by a name":                 {[]string{`{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: cart}}, controls: [{id: net-raw, repair: true}]}`}, Repaired{Namespaces: []string{"cart"}}},
		"all but some":              {[]string{`{namespaceSelector: {matchExpressions: [{key: kubernetes.io/metadata.name, operator: NotIn, values: [shop]}]}, controls: [{id: net-raw, repair: true}]}`}, Repaired{Namespaces: []string{"bare", "cart"}, Everywhere: true}},
		"two policies":              {[]string{`{namespaceSelector: {matchLabels: {team: a}}, controls: [{id: net-raw, repair: true}]}`, `{namespaceSelector: {matchLabels: {team: b}}, controls: [{id: seccomp, repair: true}]}`}, Repaired{Namespaces: []string{"cart", "shop"}}},
		"accounts are no pods":      {[]string{`{controls: [{id: default-service-account, repair: true}]}`}, Repaired{Accounts: true}},
		"accounts, by a label":      {[]string{`{namespaceSelector: {matchLabels: {none: x}}, controls: [{id: default-service-account, repair: true}]}`}, Repaired{Accounts: true}},
		"one without a repair":      {[]string{`{controls: [{id: privileged, repair: true}]}`}, Repaired{}},
		"pinned Off in one":         {[]string{`{controls: [{id: seccomp, repair: true}], rollout: {pins: [{namespaces: [cart], mode: "Off"}]}}`}, Repaired{Namespaces: []string{"bare", "shop"}, Everywhere: true}},
		"pinned on in one":          {[]string{`{mode: "Off", controls: [{id: seccomp, repair: true}], rollout: {pins: [{namespaces: [cart], mode: Warn}]}}`}, Repaired{Namespaces: []string{"cart"}}},
		"the same, and no repair":   {[]string{`{controls: [{id: seccomp}]}`, `{mode: Enforce, controls: [{id: seccomp, repair: true, mode: Audit}]}`}, Repaired{Namespaces: every, Everywhere: true}},
		"Off by one, asked another": {[]string{`{controls: [{id: seccomp, mode: "Off", repair: true}]}`, `{controls: [{id: seccomp, mode: Enforce}]}`}, Repaired{}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			var policies []v1alpha1.WorkloadPolicy
			for i, spec := range tt.specs {
				policies = append(policies, policyResource(t, string(rune('a'+i)), spec))
			}
			book, _ := Compile(policies)
			if diff := cmp.Diff(tt.want, book.Repaired(namespaces)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			for namespace, has := range namespaces {
				pods := slices.Contains(tt.want.Namespaces, namespace)
				if got := book.Repairs(namespace, has); got != pods && !tt.want.Accounts {
					t.Errorf("%s: Repairs is %v", namespace, got)
				}
			}
		})
	}
}

func TestRepairsAccounts(t *testing.T) {
	book, errs := Compile([]v1alpha1.WorkloadPolicy{policyResource(t, "p", `{namespaceSelector: {matchLabels: {team: a}}, controls: [{id: default-service-account, repair: true}]}`)})
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	if !book.Repairs("shop", named("shop", "team=a")) || book.Repairs("cart", named("cart")) {
		t.Error("Repairs says something else of accounts")
	}
	if j := book.For("shop", named("shop", "team=a")); !slices.ContainsFunc(j, func(j Judged) bool {
		return j.Policy.ID == accountControl && j.Rulings[0].Mode == control.Warn && j.Repairs()
	}) {
		t.Errorf("%+v", j)
	}
}

func TestValidateRepair(t *testing.T) {
	tests := map[string]struct {
		spec     string
		errs     []string
		warnings []string
	}{
		"fine": {spec: `{controls: [{id: net-raw, repair: true}, {id: privileged, repair: false}]}`},
		"no repair": {
			spec: `{controls: [{id: net-raw}, {id: privileged, repair: true}]}`,
			errs: []string{`spec.controls[1].repair: control "privileged" repairs nothing: default-service-account, privilege-escalation, net-raw, seccomp do`},
		},
		"an unknown control is told once": {
			spec: `{controls: [{id: net-rax, repair: true}]}`,
			errs: []string{`spec.controls[0].id: unknown control "net-rax", did you mean "net-raw"?`},
		},
		"off": {
			spec:     `{controls: [{id: seccomp, mode: "Off", repair: true}, {id: net-raw, mode: "Off"}]}`,
			warnings: []string{"spec.controls[0]: seccomp is Off and repairs nothing: Audit is the mildest mode that does"},
		},
		"off as a whole": {
			spec:     `{mode: "Off", controls: [{id: seccomp, repair: true}, {id: net-raw, mode: Audit, repair: true}]}`,
			warnings: []string{"spec.controls[0]: seccomp is Off and repairs nothing: Audit is the mildest mode that does"},
		},
		"off until it is pinned": {spec: `{mode: "Off", controls: [{id: seccomp, repair: true}], rollout: {pins: [{namespaces: [shop], mode: Warn}]}}`},
		"off, and another is pinned": {
			spec:     `{mode: "Off", controls: [{id: seccomp, repair: true}], rollout: {pins: [{namespaces: [shop], controls: [net-raw], mode: Warn}, {controls: [seccomp], mode: "Off"}]}}`,
			warnings: []string{"spec.controls[0]: seccomp is Off and repairs nothing: Audit is the mildest mode that does"},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			r := policyResource(t, "p", tt.spec)
			if diff := cmp.Diff(tt.errs, texts(Validate(&r))); diff != "" {
				t.Errorf("errors (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tt.warnings, Warnings(&r)); diff != "" {
				t.Errorf("warnings (-want +got):\n%s", diff)
			}
		})
	}
}
