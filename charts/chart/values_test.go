package chart_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"helm.sh/helm/v4/pkg/chart/common"
	"helm.sh/helm/v4/pkg/chart/v2/lint"
	"helm.sh/helm/v4/pkg/chart/v2/lint/support"

	"github.com/hardgate-dev/hardgate/charts/chart"
)

// What is wrong is refused, and the message says where and what is possible.
func TestSchemaRefuses(t *testing.T) {
	tests := map[string]struct{ values, want string }{
		"a value that does not exist":     {"webhok: {replicas: 3}", "additional properties 'webhok' not allowed"},
		"one below that does not exist":   {"webhook: {replica: 3}", "'/webhook': additional properties 'replica' not allowed"},
		"a single replica":                {"webhook: {replicas: 1}", "'/webhook/replicas': minimum: got 1, want 2"},
		"no replica":                      {"controller: {replicas: 0}", "'/controller/replicas': minimum: got 0, want 1"},
		"replicas as a word":              {"webhook: {replicas: two}", "'/webhook/replicas': got string, want integer"},
		"a drain without a unit":          {"webhook: {drainSeconds: 10s}", "'/webhook/drainSeconds': got string, want integer"},
		"a tag in the repository":         {"webhook: {image: {repository: 'hardgate/webhook:1'}}", "'/webhook/image/repository': 'hardgate/webhook:1' does not match pattern"},
		"half a digest":                   {"controller: {image: {digest: 'sha256:abc'}}", "'/controller/image/digest': 'sha256:abc' does not match pattern"},
		"a registry with a slash":         {"image: {registry: 'registry.example/'}", "'/image/registry': 'registry.example/' does not match pattern"},
		"a registry with a scheme":        {"image: {registry: 'https://registry.example'}", "'/image/registry': 'https://registry.example' does not match pattern"},
		"a registry with a gap":           {"image: {registry: 'registry.example//team'}", "'/image/registry'"},
		"a path in capitals":              {"image: {registry: registry.example/Team}", "'/image/registry'"},
		"a policy of pulling":             {"image: {pullPolicy: Sometimes}", "'/image/pullPolicy': value must be one of 'Always', 'IfNotPresent', 'Never'"},
		"secrets as names":                {"image: {pullSecrets: [login]}", "'/image/pullSecrets/0': got string, want object"},
		"a taint's key of somebody else":  {"taints: {driftedKey: example.com/drifted}", "'/taints/driftedKey': 'example.com/drifted' does not match pattern"},
		"the keys exchanged":              {"taints: {unverifiedKey: hardgate.dev/drifted}", "'/taints/unverifiedKey'"},
		"a taint's key of no domain":      {"taints: {driftedKey: a..b/hardgate-drifted}", "'/taints/driftedKey': 'a..b/hardgate-drifted' does not match pattern"},
		"an issuer that does not exist":   {"certificates: {issuer: vault}", "'/certificates/issuer': value must be one of 'auto', 'builtin', 'cert-manager'"},
		"a provider that does not exist":  {"controller: {provider: eks}", "'/controller/provider': value must be one of 'auto', 'aks', 'none'"},
		"an interval without a unit":      {"controller: {auditInterval: '15'}", "'/controller/auditInterval': '15' does not match pattern"},
		"an interval of nothing":          {"controller: {auditInterval: 0s}", "'/controller/auditInterval': '0s' does not match pattern"},
		"an interval in parts of seconds": {"controller: {auditInterval: 0.5s}", "'/controller/auditInterval'"},
		"a pool label that is none":       {"controller: {poolLabels: ['node pool']}", "'/controller/poolLabels/0': 'node pool' does not match pattern"},
		"two pool labels in one":          {"controller: {poolLabels: ['pool,agentpool']}", "'/controller/poolLabels/0'"},
		"a share of more than all":        {"nodecheck: {maxUnavailable: 110%}", "'/nodecheck/maxUnavailable'"},
		"no node at a time":               {"nodecheck: {maxUnavailable: 0}", "'/nodecheck/maxUnavailable'"},
		"no port for probes":              {"nodecheck: {healthPort: 0}", "'/nodecheck/healthPort': minimum: got 0, want 1"},
		"a module with a flag in it":      {"nodecheck: {unnecessaryModules: ['usb --exempt']}", "'/nodecheck/unnecessaryModules/0'"},
		"the root as one directory":       {"nodecheck: {hostPaths: [/]}", "'/nodecheck/hostPaths/0': '/' does not match pattern"},
		"a directory by a relative path":  {"nodecheck: {hostPaths: [srv]}", "'/nodecheck/hostPaths/0'"},
		"a directory that leads up":       {"nodecheck: {hostPaths: [/srv/../root]}", "'/nodecheck/hostPaths/0'"},
		"a directory with a slash behind": {"nodecheck: {hostPaths: [/srv/]}", "'/nodecheck/hostPaths/0'"},
		"the root as a word":              {"nodecheck: {hostRoot: 'yes'}", "'/nodecheck/hostRoot': got string, want boolean"},
		"a toleration without a key":      {"webhook: {tolerations: [{operator: Exists}]}", "'/webhook/tolerations/0': missing property 'key'"},
		"a port that is none":             {"networkPolicies: {apiServerPorts: [0]}", "'/networkPolicies/apiServerPorts/0': minimum: got 0, want 1"},
		"an address without a length":     {"networkPolicies: {apiServerCIDRs: [192.0.2.1]}", "'/networkPolicies/apiServerCIDRs/0': '192.0.2.1' does not match pattern"},
		"anybody may ask":                 {"networkPolicies: {webhookFrom: [{}]}", "'/networkPolicies/webhookFrom/0': minProperties: got 0, want 1"},
		"a peer that is everybody":        {"networkPolicies: {metricsFrom: [{}]}", "'/networkPolicies/metricsFrom/0': minProperties: got 0, want 1"},
		"an end in no month":              {"policies: {exemptionsExpire: '2028-13-01T00:00:00Z'}", "'/policies/exemptionsExpire'"},
		"an end that is no time":          {"policies: {exemptionsExpire: never}", "'/policies/exemptionsExpire': 'never' does not match pattern"},
		"a bool in quotes":                {"nodecheck: {enabled: 'false'}", "'/nodecheck/enabled': got string, want boolean"},
		"a resource that does not exist":  {"webhook: {resources: {limits: {memry: 1Gi}}}", "'/webhook/resources/limits': additional properties 'memry' not allowed"},
		"a quantity of another unit":      {"webhook: {resources: {limits: {memory: 256MB}}}", "'/webhook/resources/limits/memory'"},
		"a quantity with a gap":           {"nodecheck: {resources: {requests: {cpu: '100 m'}}}", "'/nodecheck/resources/requests/cpu'"},
		"a label of a node as a number":   {"webhook: {nodeSelector: {pool: 1}}", "'/webhook/nodeSelector/pool': got number, want string"},
		"a value that is taken away":      {"webhook: {replicas: null}", "'/webhook': missing property 'replicas'"},
		"a section that is taken away":    {"networkPolicies: null", "missing property 'networkPolicies'"},
		"a section that is of other type": {"monitoring: true", "'/monitoring'"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := chart.Render(load(t), chart.Options{Values: values(t, tt.values)})
			if err == nil {
				t.Fatal("it is accepted")
			}
			if !strings.Contains(err.Error(), tt.want) {
				t.Errorf("the message is\n%v\nand should say\n%s", err, tt.want)
			}
		})
	}
}

// Whatever is chosen, every object decodes strictly into its type.
func TestEveryCombinationDecodes(t *testing.T) {
	choices := [][]string{
		{"{}", "certificates: {issuer: cert-manager}", "certificates: {issuer: builtin}"},
		{"{}", "nodecheck: {enabled: false}", "nodecheck: {maxUnavailable: 3, kubeletPort: 0, unnecessaryModules: [usb-storage, cramfs], priorityClassName: ''}"},
		{"{}", "networkPolicies: {enabled: false}", "networkPolicies: {apiServerCIDRs: [192.0.2.0/28, '2001:db8::/64'], apiServerPorts: [443], webhookFrom: [{ipBlock: {cidr: 192.0.2.0/28}}], metricsFrom: [{namespaceSelector: {matchLabels: {a: b}}, podSelector: {}}]}"},
		{"{}", "policies: {create: false}\nresourceQuota: {enabled: false}"},
		{
			"{}",
			"webhook: {replicas: 3, priorityClassName: '', spreadOverHosts: ScheduleAnyway, tolerations: [{key: a, operator: Equal, value: b, effect: NoSchedule}], nodeSelector: {kubernetes.io/os: null}, resources: {limits: null}}\n" +
				"controller: {priorityClassName: '', tolerations: [{key: a}], nodeSelector: {pool: system}, poolLabels: [pool, agentpool], provider: aks, auditInterval: 1h}\n" +
				"image: {registry: 'registry.example:5000/mirror', tag: v1.2.3, pullPolicy: Never, pullSecrets: [{name: login}]}\n" +
				"taints: {driftedKey: example.com/hardgate-drifted, unverifiedKey: example.com/hardgate-unverified}",
		},
	}
	for _, where := range []chart.Options{{}, {Namespace: "hardgate-system"}, {Upgrade: true, APIVersions: []string{"cert-manager.io/v1"}}} {
		for i, set := range combinations(choices) {
			t.Run(fmt.Sprintf("%s %v %d", where.Namespace, where.Upgrade, i), func(t *testing.T) {
				all := map[string]any{}
				for _, text := range set {
					all = merged(all, values(t, text))
				}
				where.Values = all
				objects(t, render(t, where))
			})
		}
	}
}

func combinations(choices [][]string) [][]string {
	all := [][]string{nil}
	for _, of := range choices {
		var next [][]string
		for _, before := range all {
			for _, choice := range of {
				next = append(next, append(slices.Clip(before), choice))
			}
		}
		all = next
	}
	return all
}

func merged(a, b map[string]any) map[string]any {
	for key, value := range b {
		has, ok1 := a[key].(map[string]any)
		more, ok2 := value.(map[string]any)
		if ok1 && ok2 {
			value = merged(has, more)
		}
		a[key] = value
	}
	return a
}

// What is unusual and right is taken.
func TestSchemaTakes(t *testing.T) {
	for name, text := range map[string]string{
		"a registry on a port":   "image: {registry: 'localhost:5000'}",
		"a path with separators": "image: {registry: 'registry.example:5000/a_b/c--d/e.f'}",
		"a mixed interval":       "controller: {auditInterval: 1h30m}",
		"a fraction of an hour":  "controller: {auditInterval: 1.5h}",
		"seconds":                "controller: {auditInterval: 90s}",
		"pool labels":            "controller: {poolLabels: [agentpool, cloud.google.com/gke-nodepool, Pool_1]}",
		"bytes":                  "webhook: {resources: {limits: {memory: 268435456, cpu: 2}}}",
		"fractions":              "webhook: {resources: {limits: {memory: 0.5Gi}, requests: {cpu: 0.25}}}",
		"an exponent":            "webhook: {resources: {limits: {memory: 128e6}}}",
		"a taint's key":          "taints: {driftedKey: status-taint.cluster-autoscaler.kubernetes.io/hardgate-drifted}",
	} {
		t.Run(name, func(t *testing.T) { objects(t, render(t, chart.Options{Values: values(t, text)})) })
	}
}

// helm lint, which looks at what Helm itself expects of a chart.
func TestLint(t *testing.T) {
	version, err := common.ParseKubeVersion(chart.Oldest)
	if err != nil {
		t.Fatal(err)
	}
	linted := lint.RunAll(dir, map[string]any{}, "hardgate-system", lint.WithKubeVersion(version))
	for _, m := range linted.Messages {
		if m.Severity >= support.WarningSev {
			t.Error(m)
		}
	}
}

// A cluster that is too old is told so by Helm, before anything is made.
func TestOldestVersion(t *testing.T) {
	c := load(t)
	if want := ">=" + strings.TrimPrefix(chart.Oldest, "v") + "-0"; c.Metadata.KubeVersion != want {
		t.Errorf("the chart asks for Kubernetes %s, want %s", c.Metadata.KubeVersion, want)
	}
}
