package offline_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"

	"github.com/hardgate-dev/hardgate/api/v1alpha1"
	"github.com/hardgate-dev/hardgate/control"
	"github.com/hardgate-dev/hardgate/exemption"
	"github.com/hardgate-dev/hardgate/offline"
	"github.com/hardgate-dev/hardgate/report"
)

var ends = time.Date(2030, 1, 31, 12, 0, 0, 0, time.UTC)

// exempt compiles Exemptions named e0, e1 and so on, of which the controls and the objects
// are given.
func exempt(t *testing.T, specs ...string) *exemption.Book {
	t.Helper()
	var all []v1alpha1.Exemption
	for i, spec := range specs {
		text, err := yaml.YAMLToJSON(fmt.Appendf(nil, "apiVersion: hardgate.dev/v1alpha1\nkind: Exemption\nmetadata: {name: e%d}\nspec: {%s, reason: r, owner: o, expires: %q}",
			i, spec, ends.Format(time.RFC3339)))
		if err != nil {
			t.Fatal(err)
		}
		e, err := exemption.Read(text)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, *e)
	}
	b, errs := exemption.Compile(all)
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	return b
}

// told are results as "status mode by exemption: path (exemption), path (repaired)".
func told(results []report.Result) (all []string) {
	for _, r := range results {
		line := strings.TrimSpace(string(r.Status) + " " + r.Mode)
		if r.Exemption != "" {
			line += " by " + r.Exemption
		}
		for i, f := range r.Findings {
			line += map[bool]string{true: ": ", false: ", "}[i == 0] + strings.ReplaceAll(f.Path, ".securityContext.", "…")
			if f.Exemption != "" {
				line += " (" + f.Exemption + ")"
			}
			if f.Repaired {
				line += " (repaired)"
			}
		}
		all = append(all, line)
	}
	return all
}

func TestExemptions(t *testing.T) {
	const pair = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec: {template: {spec: {serviceAccountName: seller, containers: [
  {name: a, image: "registry.example.com/a:1", securityContext: {privileged: true}},
  {name: b, image: "registry.example.com/b:1", securityContext: {privileged: true}}]}}}
`
	const a, b = "spec.template.spec.containers[0]…privileged", "spec.template.spec.containers[1]…privileged"
	fails := "Fail: " + a + ", " + b
	tests := map[string]struct {
		in, namespace string
		specs         []string
		policies      []string
		after         time.Duration // the end
		want          []string
	}{
		"none":                {in: pair, want: []string{fails}},
		"all":                 {in: pair, specs: []string{"controls: [privileged], objects: {namespaces: [shop]}"}, want: []string{"Exempt by e0: " + a + " (e0), " + b + " (e0)"}},
		"the second it ends":  {in: pair, specs: []string{"controls: [privileged], objects: {namespaces: [shop]}"}, after: time.Second, want: []string{fails}},
		"another control":     {in: pair, specs: []string{"controls: [host-pid], objects: {namespaces: [shop]}"}, want: []string{fails}},
		"another namespace":   {in: pair, specs: []string{"controls: [privileged], objects: {namespaces: [shop-2]}"}, want: []string{fails}},
		"its pods only":       {in: pair, specs: []string{"controls: [privileged], objects: {namespaces: [shop], kinds: [Pod]}"}, want: []string{fails}},
		"another group":       {in: pair, specs: []string{"controls: [privileged], objects: {kinds: [Deployment.extensions]}"}, want: []string{fails}},
		"by account":          {in: pair, specs: []string{"controls: [privileged], objects: {serviceAccounts: [shop/seller], names: [w*b]}"}, want: []string{"Exempt by e0: " + a + " (e0), " + b + " (e0)"}},
		"one image":           {in: pair, specs: []string{"controls: [privileged], objects: {images: [registry.example.com/a]}"}, want: []string{"Fail: " + a + " (e0), " + b}},
		"an image by each":    {in: pair, specs: []string{"controls: [privileged], objects: {images: ['registry.example.com/b:1']}", "controls: [privileged], objects: {images: [registry.example.com/a]}"}, want: []string{"Exempt by e0,e1: " + a + " (e1), " + b + " (e0)"}},
		"one field":           {in: pair, specs: []string{"controls: [privileged], objects: {namespaces: [shop], fieldPaths: ['spec.template.spec.containers[1]']}"}, want: []string{"Fail: " + a + ", " + b + " (e0)"}},
		"in no namespace":     {in: strings.Replace(pair, ", namespace: shop", "", 1), specs: []string{"controls: [privileged], objects: {namespaces: [shop, default]}"}, want: []string{fails}},
		"in the one it goes":  {in: strings.Replace(pair, ", namespace: shop", "", 1), namespace: "shop", specs: []string{"controls: [privileged], objects: {namespaces: [shop]}"}, want: []string{"Exempt by e0: " + a + " (e0), " + b + " (e0)"}},
		"passes all the same": {in: strings.ReplaceAll(pair, "privileged: true", "privileged: false"), specs: []string{"controls: [privileged], objects: {namespaces: [shop]}"}, want: []string{"Pass"}},
		"an annotation is nothing": {
			in: strings.Replace(pair, "metadata: {", "metadata: {annotations: {hardgate.dev/exempt: privileged}, labels: {hardgate.dev/exempt: all}, ", 1), want: []string{fails},
		},
		"the mode of what is left": {
			in: pair, specs: []string{"controls: [privileged], objects: {namespaces: [shop], images: [registry.example.com/a]}"},
			policies: []string{"spec: {mode: Enforce}", "spec: {mode: Audit}"}, want: []string{"Fail Enforce: " + a + " (e0), " + b},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			o := offline.Options{Namespace: tt.namespace, Controls: []control.ID{"privileged"}, Now: ends.Add(tt.after - time.Second), Exemptions: exempt(t, tt.specs...)}
			if tt.policies != nil {
				o.Book = book(t, tt.policies...)
			}
			results, errs := judge(t, tt.in, o)
			if diff := cmp.Diff(tt.want, told(results)); diff != "" || errs != nil {
				t.Errorf("errors %v, results (-want +got):\n%s", errs, diff)
			}
			for _, r := range results {
				if (r.Remedy != "") != (r.Status == control.Fail) {
					t.Errorf("%s with the remedy %q", r.Status, r.Remedy)
				}
			}
		})
	}
}

// TestRepaired: what new pods are repaired in is warned of, as by the webhook, and still
// fails. What is exempt is not repaired.
func TestRepaired(t *testing.T) {
	const (
		template = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web, namespace: shop}\nspec: {template: {spec: {containers: [{name: a, image: x}]}}}\n"
		pod      = "apiVersion: v1\nkind: Pod\nmetadata: {name: p, namespace: shop}\nspec: {containers: [{name: a, image: x}]}\n"
		repairs  = "spec: {controls: [{id: net-raw, mode: Enforce, repair: true}]}"
	)
	tests := map[string]struct {
		in, policy string
		specs      []string
		want       string
	}{
		"template":       {in: template, policy: repairs, want: "Fail Warn: spec.template.spec.containers[0]…capabilities.drop (repaired)"},
		"pod":            {in: pod, policy: repairs, want: "Fail Warn: spec.containers[0]…capabilities.drop (repaired)"},
		"without repair": {in: pod, policy: "spec: {controls: [{id: net-raw, mode: Enforce}]}", want: "Fail Enforce: spec.containers[0]…capabilities.drop"},
		"explicit": {
			in: strings.Replace(pod, "image: x", "image: x, securityContext: {capabilities: {add: [NET_RAW]}}", 1), policy: repairs,
			want: "Fail Enforce: spec.containers[0]…capabilities.add[0], spec.containers[0]…capabilities.drop",
		},
		"exempt": {
			in: pod, policy: repairs, specs: []string{"controls: [net-raw], objects: {namespaces: [shop]}"},
			want: "Exempt Enforce by e0: spec.containers[0]…capabilities.drop (e0)",
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			o := offline.Options{Controls: []control.ID{"net-raw"}, Book: book(t, tt.policy), Exemptions: exempt(t, tt.specs...), Now: ends.Add(-time.Hour)}
			results, errs := judge(t, tt.in, o)
			if diff := cmp.Diff([]string{tt.want}, told(results)); diff != "" || errs != nil {
				t.Errorf("errors %v, results (-want +got):\n%s", errs, diff)
			}
		})
	}
}

// TestNamespaceIsRuledByItself: a Namespace is judged by the policies that select it.
func TestNamespaceIsRuledByItself(t *testing.T) {
	const shop = "apiVersion: v1\nkind: Namespace\nmetadata: {name: shop, labels: {tier: front}}\n"
	for selector, want := range map[string]int{"tier: front": 0, "tier: back": 1, "kubernetes.io/metadata.name: shop": 0} {
		o := offline.Options{Controls: []control.ID{"default-namespace"}, Book: book(t, `spec: {mode: "Off", namespaceSelector: {matchLabels: {`+selector+`}}}`)}
		if results, errs := judge(t, shop, o); len(results) != want || errs != nil {
			t.Errorf("%s: %q, errors %v", selector, lines(results), errs)
		}
	}
}
