package offline_test

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"

	"github.com/hardgate-dev/hardgate/api/v1alpha1"
	"github.com/hardgate-dev/hardgate/control"
	"github.com/hardgate-dev/hardgate/offline"
	"github.com/hardgate-dev/hardgate/webhook/ruling"
)

func book(t *testing.T, policies ...string) *ruling.Book {
	t.Helper()
	var all []v1alpha1.WorkloadPolicy
	for i, p := range policies {
		text, err := yaml.YAMLToJSON([]byte(p))
		if err != nil {
			t.Fatal(err)
		}
		var w v1alpha1.WorkloadPolicy
		if err := json.Unmarshal(text, &w); err != nil {
			t.Fatal(err)
		}
		w.Name = fmt.Sprintf("p%d", i)
		all = append(all, w)
	}
	b, errs := ruling.Compile(all)
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	return b
}

func TestRulings(t *testing.T) {
	const pod = `
apiVersion: v1
kind: Pod
metadata: {name: p, namespace: shop}
spec:
  containers: [{name: a, image: registry.example.com/x, ports: [{hostPort: 80}, {hostPort: 443}]}]
`
	const shop = "apiVersion: v1\nkind: Namespace\nmetadata: {name: shop, labels: {tier: front}}\n"
	ports := func(mode string, port int) string {
		return fmt.Sprintf("spec: {controls: [{id: host-ports, mode: %q, parameters: {allowedHostPorts: [{min: %d, max: %d}]}}]}", mode, port, port)
	}
	both := ": spec.containers[0].ports[0].hostPort, spec.containers[0].ports[1].hostPort"
	tests := map[string]struct {
		in       string
		control  control.ID
		policies []string
		want     []string
	}{
		"strictest without policies": {in: pod, control: "host-ports", want: []string{"#0 host-ports Fail" + both}},
		"not mentioned":              {in: pod, control: "host-ports", policies: []string{"spec: {}"}, want: []string{"#0 host-ports Fail Warn" + both}},
		"off":                        {in: pod, control: "host-ports", policies: []string{`spec: {mode: "Off"}`}},
		"parameters":                 {in: pod, control: "host-ports", policies: []string{ports("Enforce", 80)}, want: []string{"#0 host-ports Fail Enforce: spec.containers[0].ports[1].hostPort"}},
		"every policy's findings": {
			in: pod, control: "host-ports", policies: []string{ports("Audit", 80), ports("Enforce", 443)},
			want: []string{"#0 host-ports Fail Enforce: spec.containers[0].ports[0].hostPort, spec.containers[0].ports[1].hostPort"},
		},
		"mode of the ruling that fails": {
			in: pod, control: "host-ports",
			policies: []string{`spec: {controls: [{id: host-ports, mode: Enforce, parameters: {allowedHostPorts: [{min: 1, max: 9999}]}}]}`, ports("Audit", 80)},
			want:     []string{"#0 host-ports Fail Audit: spec.containers[0].ports[1].hostPort"},
		},
		"by the namespace's name": {
			in: pod, control: "host-ports",
			policies: []string{`spec: {mode: "Off", namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: shop}}}`},
		},
		"by labels that are not in the input": {
			in: pod, control: "host-ports", policies: []string{`spec: {mode: "Off", namespaceSelector: {matchLabels: {tier: front}}}`},
			want: []string{"#0 host-ports Fail Warn" + both},
		},
		"by labels in the input": {
			in: join(pod, shop), control: "host-ports", policies: []string{`spec: {mode: "Off", namespaceSelector: {matchLabels: {tier: front}}}`},
		},
		"nothing to judge by": {in: pod, control: "image-provenance", want: []string{"#0 image-provenance Manual"}},
		"one ruling has something to judge by": {
			in: pod, control: "image-provenance",
			policies: []string{"spec: {mode: Enforce}", "spec: {controls: [{id: image-provenance, mode: Warn, parameters: {allowedRegistries: [registry.example.com], requireDigest: false}}]}"},
			want:     []string{"#0 image-provenance Pass Warn"},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			o := offline.Options{Controls: []control.ID{tt.control}}
			if tt.policies != nil {
				o.Book = book(t, tt.policies...)
			}
			results, errs := judge(t, tt.in, o)
			if diff := cmp.Diff(tt.want, lines(results)); diff != "" || errs != nil {
				t.Errorf("errors %v, results (-want +got):\n%s", errs, diff)
			}
		})
	}
}
