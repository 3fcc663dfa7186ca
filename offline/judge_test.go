package offline_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hardgate-dev/hardgate/control"
	"github.com/hardgate-dev/hardgate/manifest"
	"github.com/hardgate-dev/hardgate/offline"
	"github.com/hardgate-dev/hardgate/report"
	"github.com/hardgate-dev/hardgate/webhook/policy"
)

// judge reads a manifest that is all right and judges it.
func judge(t *testing.T, in string, o offline.Options) ([]report.Result, []error) {
	t.Helper()
	set, errs := manifest.Read(strings.NewReader(in), "f")
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	return offline.Judge(set.Objects, o)
}

// lines are results as "source control status mode: path, path".
func lines(results []report.Result) (all []string) {
	for _, r := range results {
		line := fmt.Sprintf("%s %s %s", strings.TrimPrefix(r.Object.Source, "f"), r.Control, r.Status)
		if r.Mode != "" {
			line += " " + r.Mode
		}
		var paths []string
		for _, f := range r.Findings {
			paths = append(paths, f.Path)
		}
		if len(paths) > 0 {
			line += ": " + strings.Join(paths, ", ")
		}
		all = append(all, line)
	}
	return all
}

const (
	deployment = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec: {template: {spec: {serviceAccountName: web, containers: [{name: a, image: x}]}}}
`
	account = `
apiVersion: v1
kind: ServiceAccount
metadata: {name: web}
automountServiceAccountToken: false
`
)

func inNamespace(namespace, object string) string {
	return strings.Replace(object, "metadata: {", "metadata: {namespace: "+namespace+", ", 1)
}

func join(documents ...string) string { return strings.Join(documents, "\n---\n") }

func TestAccounts(t *testing.T) {
	const at = "spec.template.spec.automountServiceAccountToken"
	tests := map[string]struct {
		in        string
		namespace string
		want      string
	}{
		"alone":                        {in: deployment, want: "#0 service-account-token Fail: " + at},
		"account says false":           {in: join(deployment, account), want: "#0 service-account-token Pass"},
		"account in another namespace": {in: join(deployment, inNamespace("shop", account)), want: "#0 service-account-token Fail: " + at},
		"both in one":                  {in: join(inNamespace("shop", deployment), inNamespace("shop", account)), want: "#0 service-account-token Pass"},
		"same by --namespace":          {in: join(deployment, inNamespace("shop", account)), namespace: "shop", want: "#0 service-account-token Pass"},
		"account of another name":      {in: join(deployment, strings.Replace(account, "web", "db", 1)), want: "#0 service-account-token Fail: " + at},
		"account says true":            {in: join(deployment, strings.Replace(account, "false", "true", 1)), want: "#0 service-account-token Fail: " + at},
		"account says nothing":         {in: join(deployment, strings.Replace(account, "automountServiceAccountToken: false", "", 1)), want: "#0 service-account-token Fail: " + at},
		"the worst of two counts":      {in: join(deployment, account, strings.Replace(account, "false", "true", 1), account), want: "#0 service-account-token Fail: " + at},
		"the worst comes first":        {in: join(deployment, strings.Replace(account, "automountServiceAccountToken: false", "", 1), account), want: "#0 service-account-token Fail: " + at},
		"unset is default": {
			in:   join(strings.Replace(deployment, "serviceAccountName: web, ", "", 1), strings.Replace(account, "web", "default", 1)),
			want: "#0 service-account-token Pass",
		},
		"in a List": {
			in:   `{"apiVersion":"v1","kind":"List","items":[{"apiVersion":"v1","kind":"Pod","metadata":{"name":"p"},"spec":{"serviceAccountName":"web","containers":[]}},{"apiVersion":"v1","kind":"ServiceAccount","metadata":{"name":"web"},"automountServiceAccountToken":false}]}`,
			want: "#0[0] service-account-token Pass",
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			results, errs := judge(t, tt.in, offline.Options{Namespace: tt.namespace, Controls: []control.ID{"service-account-token"}})
			if diff := cmp.Diff([]string{tt.want}, lines(results)); diff != "" || errs != nil {
				t.Errorf("errors %v, results (-want +got):\n%s", errs, diff)
			}
		})
	}
}

func TestNamespaces(t *testing.T) {
	const (
		configMap = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\n"
		role      = "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: r, namespace: default}\n"
		tab       = "apiVersion: stable.example.com/v1\nkind: CronTab\nmetadata: {name: t}\n"
		crd       = "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: c}\n" +
			"spec: {group: stable.example.com, names: {kind: CronTab}, scope: "
	)
	tests := map[string]struct {
		in        string
		namespace string
		want      []string
		judgedIn  string
	}{
		"unset":                   {in: configMap, want: []string{"#0 default-namespace NotApplicable"}},
		"unset, would be default": {in: configMap, namespace: "default", want: []string{"#0 default-namespace Fail: metadata.namespace"}, judgedIn: "default"},
		"unset, would be shop":    {in: configMap, namespace: "shop", want: []string{"#0 default-namespace Pass"}, judgedIn: "shop"},
		"default":                 {in: inNamespace("default", configMap), want: []string{"#0 default-namespace Fail: metadata.namespace"}, judgedIn: "default"},
		"its own counts":          {in: inNamespace("shop", configMap), namespace: "default", want: []string{"#0 default-namespace Pass"}, judgedIn: "shop"},
		"of the system":           {in: "apiVersion: v1\nkind: Service\nmetadata: {name: kubernetes}\n", namespace: "default", want: []string{"#0 default-namespace Pass"}, judgedIn: "default"},
		"of the cluster": {in: role, namespace: "default", want: []string{
			"#0 cluster-admin-bindings NotApplicable", "#0 secret-access Pass", "#0 rbac-wildcards Pass", "#0 pod-creation Pass", "#0 system-masters NotApplicable",
			"#0 bind-impersonate-escalate Pass", "#0 persistent-volume-creation Pass", "#0 node-proxy Pass", "#0 csr-approval Pass", "#0 webhook-configurations Pass",
			"#0 token-creation Pass", "#0 default-namespace NotApplicable",
		}},
		"custom, scope unknown":        {in: tab, namespace: "default", want: []string{"#0 default-namespace Unknown: metadata.namespace"}},
		"custom, scope does not count": {in: tab, namespace: "shop", want: []string{"#0 default-namespace Pass"}},
		"custom, no namespace given":   {in: tab, want: []string{"#0 default-namespace NotApplicable"}},
		"custom, in default":           {in: inNamespace("default", tab), want: []string{"#0 default-namespace Fail: metadata.namespace"}, judgedIn: "default"},
		"custom, of the cluster": {
			in: join(tab, crd+"Cluster}"), namespace: "default",
			want: []string{"#0 default-namespace NotApplicable", "#1 default-namespace NotApplicable"},
		},
		"custom, namespaced": {
			in: join(tab, crd+"Namespaced}"), namespace: "default",
			want: []string{"#0 default-namespace Fail: metadata.namespace", "#1 default-namespace NotApplicable"}, judgedIn: "default",
		},
		"no definition changes a built-in kind": {
			in: join(configMap, strings.Replace(strings.Replace(crd, "stable.example.com", `""`, 1), "CronTab", "ConfigMap", 1)+"Cluster}"), namespace: "default",
			want: []string{"#0 default-namespace Fail: metadata.namespace", "#1 default-namespace NotApplicable"}, judgedIn: "default",
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			results, errs := judge(t, tt.in, offline.Options{Namespace: tt.namespace})
			if diff := cmp.Diff(tt.want, lines(results)); diff != "" || errs != nil {
				t.Fatalf("errors %v, results (-want +got):\n%s", errs, diff)
			}
			if got := results[0].Object.Namespace; got != tt.judgedIn {
				t.Errorf("judged in namespace %q, want %q", got, tt.judgedIn)
			}
		})
	}
}

func TestWhatIsJudged(t *testing.T) {
	var all []string
	for _, p := range policy.All() {
		if c, _ := control.Get(p.ID); c.Scope == control.InNamespaces {
			all = append(all, string(p.ID))
		}
	}
	roles := []string{
		"cluster-admin-bindings", "secret-access", "rbac-wildcards", "pod-creation", "system-masters", "bind-impersonate-escalate", "token-creation", "default-namespace",
	}
	tests := map[string]struct {
		in   string
		want []string
	}{
		"Role":           {"apiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata: {name: r}\n", roles},
		"RoleBinding":    {"apiVersion: rbac.authorization.k8s.io/v1\nkind: RoleBinding\nmetadata: {name: r}\n", roles},
		"workload":       {deployment, all},
		"ServiceAccount": {account, []string{"default-service-account", "default-namespace"}},
		"other":          {"apiVersion: v1\nkind: Secret\nmetadata: {name: s}\n", []string{"default-namespace"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			results, errs := judge(t, tt.in, offline.Options{})
			var ids []string
			for _, r := range results {
				ids = append(ids, string(r.Control))
				if own := r.Control == "tainted-node-toleration"; own != (len(r.Rows) == 0) {
					t.Errorf("%s has the rows %v", r.Control, r.Rows)
				}
				if (r.Remedy != "") != (r.Status == control.Fail) {
					t.Errorf("%s: status %s and remedy %q", r.Control, r.Status, r.Remedy)
				}
			}
			if diff := cmp.Diff(tt.want, ids); diff != "" || errs != nil {
				t.Errorf("errors %v, controls (-want +got):\n%s", errs, diff)
			}
		})
	}
}

func TestPods(t *testing.T) {
	pod := func(spec string) string {
		return "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec: " + spec + "\n"
	}
	const bad = "{name: a, image: x, securityContext: {privileged: yes}}"
	tests := map[string]struct{ in, want string }{
		"main":      {pod("{containers: [" + bad + "]}"), "Fail: spec.containers[0].securityContext.privileged"},
		"init":      {pod("{initContainers: [{name: i}, " + bad + "]}"), "Fail: spec.initContainers[1].securityContext.privileged"},
		"ephemeral": {pod("{ephemeralContainers: [" + bad + "]}"), "Fail: spec.ephemeralContainers[0].securityContext.privileged"},
		"CronJob": {
			"apiVersion: batch/v1\nkind: CronJob\nmetadata: {name: j}\nspec: {jobTemplate: {spec: {template: {spec: {containers: [" + bad + "]}}}}}\n",
			"Fail: spec.jobTemplate.spec.template.spec.containers[0].securityContext.privileged",
		},
		"extensions/v1beta1": {
			"apiVersion: extensions/v1beta1\nkind: Deployment\nmetadata: {name: d}\nspec: {template: {spec: {containers: [" + bad + "]}}}\n",
			"Fail: spec.template.spec.containers[0].securityContext.privileged",
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			results, errs := judge(t, tt.in, offline.Options{Controls: []control.ID{"privileged"}})
			if diff := cmp.Diff([]string{"#0 privileged " + tt.want}, lines(results)); diff != "" || errs != nil {
				t.Errorf("errors %v, results (-want +got):\n%s", errs, diff)
			}
		})
	}
	t.Run("Windows", func(t *testing.T) {
		results, errs := judge(t, pod("{os: {name: windows}, containers: [{name: a}]}"), offline.Options{Controls: []control.ID{"net-raw", "host-path"}})
		if diff := cmp.Diff([]string{"#0 net-raw NotApplicable", "#0 host-path Pass"}, lines(results)); diff != "" || errs != nil {
			t.Errorf("errors %v, results (-want +got):\n%s", errs, diff)
		}
	})
}

// TestCustomKinds: a custom group may have a kind of any name.
func TestCustomKinds(t *testing.T) {
	for _, in := range []string{
		strings.Replace(deployment, "apps/v1", "apps.example.com/v1", 1),
		"apiVersion: example.com/v1\nkind: pod\nmetadata: {name: p}\n",
		"apiVersion: v1\nkind: Podium\nmetadata: {name: p}\n",
	} {
		if results, errs := judge(t, in, offline.Options{}); len(results) != 1 || errs != nil {
			t.Errorf("%s\nresults %q, errors %v", in, lines(results), errs)
		}
	}
}

// TestManyFindings: none is lost of a number that only linear time gets through.
func TestManyFindings(t *testing.T) {
	const n = 20_000
	in := "apiVersion: v1\nkind: Pod\nmetadata: {name: p, namespace: n1}\nspec: {containers: [{name: a, image: x, " +
		"ports: [" + strings.Repeat("{hostPort: 1, containerPort: 1},", n) + "]}]}\n"
	results, errs := judge(t, in, offline.Options{Controls: []control.ID{"host-ports"}})
	if len(results) != 1 || errs != nil {
		t.Fatalf("%d results, errors %v", len(results), errs)
	}
	if got := len(results[0].Findings); got != n {
		t.Errorf("%d findings, want %d", got, n)
	}
}

func TestBadObjects(t *testing.T) {
	tests := map[string]struct{ in, want string }{
		"wrong type": {
			strings.Replace(deployment, "image: x", `image: x, securityContext: {privileged: "true"}`, 1),
			`f#1: Deployment "web": spec.template.spec.containers[0].securityContext.privileged: a string where true or false should be`,
		},
		"no pod spec": {"apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: d}\nspec: {}\n", `f#1: Deployment "d": apps/v1 Deployment has no spec.template.spec`},
		"kind in small letters": {
			"apiVersion: v1\nkind: pod\nmetadata: {name: p}\nspec: {hostPID: true}\n",
			`f#1: pod "p": the API server has no v1 pod, did you mean v1 Pod?`,
		},
		"kind in another group": {
			strings.Replace(deployment, "apps/v1", "v1", 1), `f#1: Deployment "web": the API server has no v1 Deployment, did you mean apps/v1 Deployment?`,
		},
		"kind in the wrong group and case": {
			"apiVersion: apps/v1\nkind: CronJOB\nmetadata: {name: j}\n",
			`f#1: CronJOB "j": the API server has no apps/v1 CronJOB, did you mean batch/v1 CronJob?`,
		},
		"kind of a group misspelt": {
			strings.Replace(deployment, "apps/v1", "app/v1", 1), `f#1: Deployment "web": the API server has no app/v1 Deployment, did you mean apps/v1 Deployment?`,
		},
		"unknown version":   {strings.Replace(deployment, "apps/v1", "apps/v9", 1), `f#1: Deployment: unknown version "apps/v9" of Deployment`},
		"label of a number": {"apiVersion: v1\nkind: Namespace\nmetadata: {name: c, labels: {a: 1}}\n", `f#1: Namespace "c": metadata.labels["a"]: a number where a string should be: quote it, as YAML takes a bare n, no, on or 123 for no string`},
		"namespace of a word": {
			"apiVersion: v1\nkind: Secret\nmetadata: {name: s, namespace: n}\n",
			`f#1: Secret "s": metadata.namespace: false where a string should be: quote it, as YAML takes a bare n, no, on or 123 for no string`,
		},
		"definition": {
			"apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: c}\nspec: {scope: 1}\n",
			`f#1: CustomResourceDefinition "c": spec.scope: a number where a string should be: quote it, as YAML takes a bare n, no, on or 123 for no string`,
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			results, errs := judge(t, join(account, tt.in, account), offline.Options{Controls: []control.ID{"default-namespace"}})
			if len(errs) != 1 || errs[0].Error() != tt.want {
				t.Errorf("errors are %v\nwant %s", errs, tt.want)
			}
			want := []string{"#0 default-namespace NotApplicable", "#2 default-namespace NotApplicable"}
			if diff := cmp.Diff(want, lines(results)); diff != "" {
				t.Errorf("results (-want +got):\n%s", diff)
			}
		})
	}
}
