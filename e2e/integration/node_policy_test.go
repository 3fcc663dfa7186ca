package integration

import (
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/dynamic"
	"sigs.k8s.io/yaml"

	"github.com/hardgate-dev/hardgate/api/v1alpha1"
	"github.com/hardgate-dev/hardgate/webhook/registration"
)

// own is a client of one of hardgate's own resources.
func own(t *testing.T, resource string) dynamic.ResourceInterface {
	t.Helper()
	client, err := dynamic.NewForConfig(lab.config)
	if err != nil {
		t.Fatal(err)
	}
	return client.Resource(v1alpha1.GroupVersion.WithResource(resource))
}

// A policy that was stored while the gate was away and is not understood: nothing is
// known of any node then, so that all register.
func TestNodePolicyThatIsNotUnderstood(t *testing.T) {
	pool := newUntrustingPool(t)
	webhooks := lab.admin.AdmissionregistrationV1().ValidatingWebhookConfigurations()
	if err := webhooks.Delete(t.Context(), registration.Name, metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	policies := own(t, "nodepolicies")
	t.Cleanup(func() {
		if err := lab.gate.Register(ctxOf(t), []string{enforced}); err != nil {
			t.Error(err)
		}
		for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
			if createOwn(t, policies, "NodePolicy", `{mod: Warn}`) != nil {
				return
			}
		}
		t.Error("the gate is not asked again")
	})
	bad := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "hardgate.dev/v1alpha1", "kind": "NodePolicy", "metadata": map[string]any{"name": "misspelt"},
		"spec": map[string]any{"nodeSelecter": map[string]any{"matchLabels": map[string]any{poolLabel: "nobody"}}, "mode": "Audit"},
	}}
	var err error
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(50 * time.Millisecond) { // until the API server no longer asks the gate
		if _, err = policies.Create(t.Context(), bad, metav1.CreateOptions{}); err == nil || !strings.Contains(err.Error(), "hardgate") || time.Now().After(deadline) {
			break
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	deleted := false
	remove := func() {
		if !deleted {
			deleted = true
			if err := policies.Delete(ctxOf(t), "misspelt", metav1.DeleteOptions{}); err != nil {
				t.Error(err)
			}
		}
	}
	t.Cleanup(remove)
	awaitMetric(t, "hardgate_admission_node_policy_errors 1")
	wantTaints(t, registerNode(t, lab.admin, nodeIn(pool)))
	remove()
	awaitTainting(t, pool)
}

// What a NodePolicy or an Exemption gets wrong is refused when it is written, with a hint,
// also from clients that do not ask for strict field validation.
func TestNodePolicySlipsAreRefused(t *testing.T) {
	const exempt = `controls: [su-restricted], reason: r, owner: o, expires: "2999-01-01T00:00:00Z"`
	tests := map[string]struct {
		kind, resource, spec string
		want                 []string // all of them
	}{
		"unknown control":         {"NodePolicy", "nodepolicies", `{controls: [{id: su-restrictd, mode: Enforce}]}`, []string{"su-restrictd", `did you mean "su-restricted"?`}},
		"control of a workload":   {"NodePolicy", "nodepolicies", `{controls: [{id: privileged}]}`, []string{`"privileged" judges workloads`}},
		"unknown field":           {"NodePolicy", "nodepolicies", `{nodeSelecter: {}, mode: Enforce}`, []string{"spec.nodeSelecter", `did you mean "nodeSelector"?`}},
		"all at once":             {"NodePolicy", "nodepolicies", `{untrusted: true, gracePeriod: soon, budget: {pool: ten, clusters: 1}}`, []string{"- spec.untrusted: ", `- spec.gracePeriod: "soon" is no duration`, "- spec.budget.clusters: ", `- spec.budget.pool: "ten"`}},
		"unknown parameter":       {"NodePolicy", "nodepolicies", `{controls: [{id: mod-unnecessary, parameters: {modules: [tipc]}}]}`, []string{"parameters.modules", "use one of unnecessaryModules"}},
		"unknown mode":            {"NodePolicy", "nodepolicies", `{mode: Enfroce}`, []string{"spec.mode", "Enforce"}},
		"bare Off":                {"NodePolicy", "nodepolicies", `{mode: Off}`, []string{"spec.mode", "string"}},
		"effect":                  {"NodePolicy", "nodepolicies", `{effect: PreferNoSchedule}`, []string{"spec.effect", "NoSchedule"}},
		"benchmark":               {"NodePolicy", "nodepolicies", `{benchmark: cis-ubuntu-22.04-3.0}`, []string{"spec.benchmark", `did you mean "cis-ubuntu-22.04-3.0.0"?`}},
		"budget":                  {"NodePolicy", "nodepolicies", `{budget: {cluster: 101%}}`, []string{"spec.budget.cluster", "101%"}},
		"sooner than stale":       {"NodePolicy", "nodepolicies", `{staleAfter: 1m}`, []string{"spec.staleAfter: 1m0s is less than 15m0s"}},
		"exemption from nowhere":  {"Exemption", "exemptions", `{` + exempt + `}`, []string{"spec.nodes: say which nodes"}},
		"exemption by a slip":     {"Exemption", "exemptions", `{` + exempt + `, nodes: {selectors: {}, names: [n1]}}`, []string{"spec.nodes.selectors", `did you mean "selector"?`}},
		"exemption for ever":      {"Exemption", "exemptions", `{controls: [su-restricted], reason: r, owner: o, nodes: {names: [n1]}}`, []string{"spec.expires"}},
		"exemption of no control": {"Exemption", "exemptions", `{controls: [su], reason: r, owner: o, expires: "2999-01-01T00:00:00Z", nodes: {names: [n1]}}`, []string{`no control "su"`}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			err := createOwn(t, own(t, tt.resource), tt.kind, tt.spec)
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

// createOwn tries to create one of hardgate's own kinds.
func createOwn(t *testing.T, client dynamic.ResourceInterface, kind, spec string) error {
	t.Helper()
	object := map[string]any{"apiVersion": "hardgate.dev/v1alpha1", "kind": kind, "metadata": map[string]any{"generateName": "slip-"}}
	var content map[string]any
	if err := yaml.Unmarshal([]byte(spec), &content); err != nil {
		t.Fatal(err)
	}
	object["spec"] = content
	_, err := client.Create(ctxOf(t), &unstructured.Unstructured{Object: object},
		metav1.CreateOptions{FieldValidation: metav1.FieldValidationIgnore, DryRun: []string{metav1.DryRunAll}})
	return err
}

// What is allowed and may not be meant is warned of.
func TestNodePolicyWarnings(t *testing.T) {
	client := newClient(t)
	for _, tt := range []struct{ kind, spec, want string }{
		{"NodePolicy", `{mode: Enforce, effect: NoExecute, nodeSelector: {matchLabels: {test.hardgate.dev/nobody: x}}}`, "spec.effect: NoExecute evicts"},
		{"NodePolicy", `{mode: Enforce, budget: {cluster: 0}, nodeSelector: {matchLabels: {test.hardgate.dev/nobody: x}}}`, "spec.budget.cluster: with 0 no node is ever tainted"},
		{"Exemption", `{controls: [su-restricted], reason: r, owner: o, nodes: {names: [n1]}, expires: "2020-01-01T00:00:00Z"}`, "spec.expires: 2020-01-01T00:00:00Z has passed"},
	} {
		var spec map[string]any
		if err := yaml.Unmarshal([]byte(tt.spec), &spec); err != nil {
			t.Fatal(err)
		}
		warnings, err := client.Create(t.Context(), &unstructured.Unstructured{Object: map[string]any{
			"apiVersion": "hardgate.dev/v1alpha1", "kind": tt.kind, "metadata": map[string]any{"generateName": "warned-"}, "spec": spec,
		}}, metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}})
		if err != nil || len(warnings) != 1 || !strings.Contains(warnings[0], tt.want) {
			t.Errorf("%s: warnings %q, error %v, want %q", tt.spec, warnings, err, tt.want)
		}
	}
}
