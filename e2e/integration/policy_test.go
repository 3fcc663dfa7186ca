package integration

import (
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"sigs.k8s.io/yaml"
)

// What a WorkloadPolicy gets wrong is refused when it is written, with a hint, also
// from clients that do not ask for strict field validation.
func TestWorkloadPolicySlipsAreRefused(t *testing.T) {
	tests := map[string]struct {
		spec string
		want []string // all of them
	}{
		"unknown control":           {`{controls: [{id: privilegd, mode: Enforce}]}`, []string{"privilegd", `did you mean "privileged"?`}},
		"unknown field":             {`{namespaceSelecter: {}, mode: Enforce}`, []string{"spec.namespaceSelecter", `did you mean "namespaceSelector"?`}},
		"unknown field of control":  {`{controls: [{id: privileged, mod: Enforce}]}`, []string{"spec.controls[0].mod", `did you mean "mode"?`}},
		"unknown parameter":         {`{controls: [{id: host-path, parameters: {allowedPaths: []}}]}`, []string{"allowedPaths", `did you mean "allowedHostPaths"?`}},
		"unknown mode":              {`{mode: Enfroce}`, []string{"spec.mode", "Enforce"}},
		"bare Off":                  {`{mode: Off}`, []string{"spec.mode", "string"}},
		"parameter of another":      {`{controls: [{id: privileged, parameters: {requireDigest: true}}]}`, []string{"requireDigest", "takes no parameters"}},
		"relative host path":        {`{controls: [{id: host-path, parameters: {allowedHostPaths: [{pathPrefix: var/log}]}}]}`, []string{"pathPrefix"}},
		"ports the wrong way round": {`{controls: [{id: host-ports, parameters: {allowedHostPorts: [{min: 90, max: 80}]}}]}`, []string{"90 to 80"}},
		"control twice":             {`{controls: [{id: privileged}, {id: privileged}]}`, []string{"Duplicate value"}},
		"impossible selector":       {`{namespaceSelector: {matchExpressions: [{key: a, operator: Im, values: [b]}]}}`, []string{"namespaceSelector"}},
	}
	client, err := dynamic.NewForConfig(lab.config)
	if err != nil {
		t.Fatal(err)
	}
	policies := client.Resource(schema.GroupVersionResource{Group: "hardgate.dev", Version: "v1alpha1", Resource: "workloadpolicies"})
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			var spec map[string]any
			if err := yaml.Unmarshal([]byte(tt.spec), &spec); err != nil {
				t.Fatal(err)
			}
			_, err := policies.Create(t.Context(), &unstructured.Unstructured{Object: map[string]any{
				"apiVersion": "hardgate.dev/v1alpha1", "kind": "WorkloadPolicy",
				"metadata": map[string]any{"generateName": "slip-"}, "spec": spec,
			}}, metav1.CreateOptions{FieldValidation: metav1.FieldValidationIgnore, DryRun: []string{metav1.DryRunAll}})
			if err == nil {
				t.Fatal("it is taken")
			}
			for _, want := range tt.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("the error does not say %q: %v", want, err)
				}
			}
		})
	}
}
