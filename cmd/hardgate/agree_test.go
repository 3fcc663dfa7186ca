package main

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hardgate-dev/hardgate/control"
	"github.com/hardgate-dev/hardgate/report"
)

// agreeing are objects by the paths of their lists, as manifests. The API server would add
// nothing to them that is judged.
var agreeing = map[string][]string{
	"/api/v1/namespaces": {"apiVersion: v1\nkind: Namespace\nmetadata: {name: shop, labels: {tier: front, kubernetes.io/metadata.name: shop}}\n"},
	"/api/v1/serviceaccounts": {
		"apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: default, namespace: shop}\n",
		"apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: seller, namespace: shop}\nautomountServiceAccountToken: false\n",
	},
	"/apis/rbac.authorization.k8s.io/v1/clusterroles": {
		"apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: all}\nrules: [{apiGroups: ['*'], resources: ['*'], verbs: ['*']}]\n",
	},
	"/apis/rbac.authorization.k8s.io/v1/rolebindings": {
		"apiVersion: rbac.authorization.k8s.io/v1\nkind: RoleBinding\nmetadata: {name: admins, namespace: shop}\n" +
			"roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: cluster-admin}\nsubjects: [{kind: Group, apiGroup: rbac.authorization.k8s.io, name: 'system:masters'}]\n",
	},
	"/apis/apps/v1/deployments": {
		"apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web, namespace: shop}\nspec: {template: {spec: {serviceAccountName: seller, hostNetwork: true, containers: [" +
			"{name: a, image: 'registry.example.com/a:1', securityContext: {privileged: true}}, {name: b, image: 'registry.example.com/b:1', ports: [{hostPort: 80}, {hostPort: 443}]}]}}}\n",
		"apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: tidy, namespace: shop}\nspec: {template: {spec: {containers: [{name: a, image: 'registry.example.com/a:1'}]}}}\n",
	},
	"/apis/batch/v1/cronjobs": {
		"apiVersion: batch/v1\nkind: CronJob\nmetadata: {name: nightly, namespace: shop}\nspec: {schedule: '0 0 * * *', jobTemplate: {spec: {template: {spec: {restartPolicy: Never, " +
			"volumes: [{name: v, hostPath: {path: /}}], containers: [{name: a, image: 'registry.example.com/a:1', securityContext: {allowPrivilegeEscalation: true}}]}}}}}\n",
	},
}

// TestCheckSaysWhatTheAuditSays: of one object both say the same, with policies that disagree,
// with repairs and with exemptions.
func TestCheckSaysWhatTheAuditSays(t *testing.T) {
	policy := func(name, spec string) string {
		return "apiVersion: hardgate.dev/v1alpha1\nkind: WorkloadPolicy\nmetadata: {name: " + name + "}\nspec: " + spec + "\n"
	}
	tests := map[string]struct{ policies, exemptions []string }{
		"defaults": {policies: []string{policy("none", "{}")}},
		"two policies, the parameters of which differ": {policies: []string{
			policy("a", "{mode: Enforce, controls: [{id: host-ports, mode: Audit, parameters: {allowedHostPorts: [{min: 443, max: 443}]}}]}"),
			policy("b", "{mode: Warn, namespaceSelector: {matchLabels: {tier: front}}, controls: [{id: host-ports, mode: Enforce, parameters: {allowedHostPorts: [{min: 80, max: 80}]}}, {id: host-path, mode: 'Off'}]}"),
		}},
		"repairs": {policies: []string{policy("a", "{mode: Enforce, controls: [{id: net-raw, mode: Enforce, repair: true}, {id: privilege-escalation, mode: Enforce, repair: true}, {id: seccomp, mode: Warn, repair: true}]}")}},
		"exemptions": {
			policies: []string{policy("a", "{mode: Enforce, controls: [{id: net-raw, mode: Enforce, repair: true}]}")},
			exemptions: []string{
				exemptionOf("b", "controls: [privileged, net-raw], objects: {namespaces: [shop], images: [registry.example.com/a]}", month),
				exemptionOf("c", "controls: [host-path, run-as-root], objects: {namespaces: [shop], kinds: [CronJob]}", month),
				exemptionOf("d", "controls: [rbac-wildcards], objects: {kinds: [ClusterRole], names: [all]}", month),
				exemptionOf("ended", "controls: [host-network], objects: {namespaces: [shop]}", -month),
			},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			var all []string
			lists := map[string][]string{ownPath + "workloadpolicies": tt.policies, ownPath + "exemptions": tt.exemptions, ownPath + "namespacereports": {}}
			for path, objects := range agreeing {
				lists[path] = objects
				all = append(all, objects...)
			}
			files := map[string]string{"objects.yaml": strings.Join(all, "---\n"), "policies.yaml": strings.Join(tt.policies, "---\n")}
			args := []string{"check", "-f", "objects.yaml", "--policy", "policies.yaml", "-o", "json"}
			if tt.exemptions != nil {
				files["exemptions.yaml"] = strings.Join(tt.exemptions, "---\n")
				args = append(args, "--exemption", "exemptions.yaml")
			}
			_, offline, stderr := call(t, files, "", args...)
			_, live, more := stand(t, lists).audit(t, "--all", "-o", "json")
			want, got := saidOf(t, offline, stderr), saidOf(t, live, more)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-check +audit):\n%s", diff)
			}
			exempt := 0
			for _, r := range got {
				if r.Status == control.Exempt {
					exempt++
				}
			}
			if len(got) < 50 || (exempt > 0) != (tt.exemptions != nil) {
				t.Errorf("%d results, %d of them exempt", len(got), exempt)
			}
		})
	}
}

// saidOf are the results by object and control, without where the object was read. What
// does not apply is not compared: which such results are printed is another matter.
func saidOf(t *testing.T, stdout, stderr string) map[string]report.Result {
	t.Helper()
	var r report.Report
	if err := json.Unmarshal([]byte(stdout), &r); err != nil {
		t.Fatalf("%v: %s%s", err, stdout, stderr)
	}
	said := map[string]report.Result{}
	for _, result := range r.Results {
		if result.Object.Kind == "Cluster" || result.Status == control.NotApplicable {
			continue
		}
		result.Object.Source = ""
		said[result.Object.Kind+" "+result.Object.Name+" "+string(result.Control)] = result
	}
	return said
}
