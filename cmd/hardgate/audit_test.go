package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hardgate-dev/hardgate/audit"
	"github.com/hardgate-dev/hardgate/control"
	"github.com/hardgate-dev/hardgate/report"
	"github.com/hardgate-dev/hardgate/webhook/policy"
	"github.com/hardgate-dev/hardgate/webhook/verdict"
	"github.com/hardgate-dev/hardgate/webhook/workload"
)

const ownPath = "/apis/hardgate.dev/v1alpha1/"

// standing is an API server with objects, given as YAML by the path of their list. Lists that
// are not given are empty, those of hardgate's kinds are not served.
type standing struct {
	*answering
}

func stand(t *testing.T, lists map[string][]string) standing {
	t.Helper()
	handlers := map[string]http.HandlerFunc{}
	for path, items := range lists {
		kind := map[string]string{ownPath + "workloadpolicies": "WorkloadPolicy", ownPath + "exemptions": "Exemption", ownPath + "namespacereports": "NamespaceReport"}[path]
		handlers[path] = pages(kind, items...)
	}
	a := newAnswering(t, handlers)
	a.otherwise = func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, ownPath) || strings.Contains(r.URL.Path, "/api/v1/namespaces/") && strings.Count(r.URL.Path, "/") == 4 {
			refuse(http.StatusNotFound, "NotFound", "the server could not find the requested resource")(w, r)
			return
		}
		pages("")(w, r)
	}
	return standing{a}
}

func (s standing) audit(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	t.Setenv("KUBERNETES_SERVICE_HOST", "") // where the tests run in a pod
	return call(t, map[string]string{"config": kubeconfig(s.url)}, "", append([]string{"audit", "--kubeconfig", "config", "--context", "c0"}, args...)...)
}

func nsYAML(name string) string { return "metadata: {name: " + name + "}" }

// podYAML is a privileged pod, or not, that something may have made.
func podYAML(ns, name, by string, privileged bool) string {
	owner := ""
	if kind, of, owned := strings.Cut(by, "/"); owned {
		owner = fmt.Sprintf(", ownerReferences: [{apiVersion: apps/v1, kind: %s, name: %s, uid: u, controller: true}]", kind, of)
	}
	return fmt.Sprintf("metadata: {namespace: %s, name: %s%s}\nspec: {containers: [{name: a, image: i, securityContext: {privileged: %t}}]}", ns, name, owner, privileged)
}

func templateYAML(ns, name, by string) string {
	return strings.Replace(podYAML(ns, name, by, true), "spec: {", "spec: {template: {spec: {", 1) + "}}"
}

// shopServer has a namespace with a Deployment of two pods, and a pod of a Job that fails alike.
func shopServer(t *testing.T, more map[string][]string) standing {
	t.Helper()
	lists := map[string][]string{
		"/api/v1/namespaces":           {nsYAML("bank"), nsYAML("shop")},
		"/apis/apps/v1/deployments":    {templateYAML("shop", "web", "")},
		"/apis/apps/v1/replicasets":    {templateYAML("shop", "web-5", "Deployment/web")},
		"/api/v1/pods":                 {podYAML("shop", "web-5-b", "ReplicaSet/web-5", true), podYAML("shop", "web-5-a", "ReplicaSet/web-5", true), podYAML("shop", "good", "", false), podYAML("bank", "teller", "", true)},
		ownPath + "workloadpolicies":   {"apiVersion: hardgate.dev/v1alpha1\nkind: WorkloadPolicy\nmetadata: {name: p}\nspec: {mode: 'Off', controls: [{id: privileged, mode: Audit}], rollout: {}, namespaceSelector: {matchExpressions: [{key: absent, operator: DoesNotExist}]}}"},
		ownPath + "namespacereports":   {"metadata: {name: shop}\nstatus: {controls: [{id: privileged, modes: [{policy: p, reached: Enforce}]}]}"},
		ownPath + "exemptions":         {},
		"/apis/batch/v1/cronjobs":      {},
		"/api/v1/namespaces/shop/pods": {},
	}
	maps.Copy(lists, more)
	return stand(t, lists)
}

func TestAuditTable(t *testing.T) {
	code, stdout, stderr := shopServer(t, nil).audit(t, "--control", "privileged")
	c, _ := control.Get("privileged")
	mend := "mend: " + c.Remedy.EN + "\n"
	enforced := "  Fail (Enforce)  5.2.2  privileged  " + c.Title.EN + "\n                         "
	want := "Pod bank/teller\n  Fail (Audit)    5.2.2  privileged  " + c.Title.EN +
		"\n                         spec.containers[0].securityContext.privileged: privileged is true\n                         " + mend +
		"\nDeployment shop/web\n" + enforced + "spec.template.spec.containers[0].securityContext.privileged: privileged is true\n                         " + mend +
		"\nReplicaSet shop/web-5  (of Deployment/web)\n" + enforced + "spec.template.spec.containers[0].securityContext.privileged: privileged is true\n                         " + mend +
		"\nPod shop/web-5-a and 1 more  (of Deployment/web)\n" + enforced + "spec.containers[0].securityContext.privileged: privileged is true\n                         " + mend +
		"\n8 objects in 2 namespaces: 5 Fail, 1 Pass, 2 NotApplicable\n"
	if diff := cmp.Diff(want, stdout); diff != "" || code != exitFails || stderr != "" {
		t.Errorf("exit %d, stderr %q, output (-want +got):\n%s", code, stderr, diff)
	}
	if _, stdout, _ := shopServer(t, nil).audit(t, "--control", "privileged", "--lang", "ko"); !strings.Contains(stdout, "Pod shop/web-5-a 외 1개  (Deployment/web 소속)\n") ||
		!strings.HasSuffix(stdout, "네임스페이스 2개, 오브젝트 8개: Fail 5, Pass 1, NotApplicable 2\n") {
		t.Errorf("in Korean:\n%s", stdout)
	}
}

// results are those of a report as "kind namespace/name owner +alike control status mode".
func results(all []report.Result) (lines []string) {
	for _, r := range all {
		line := fmt.Sprintf("%s %s/%s %s +%d %s %s %s", r.Object.Kind, r.Object.Namespace, r.Object.Name, r.Object.Owner, r.Object.Alike, r.Control, r.Status, r.Mode)
		if r.Exemption != "" {
			line += " by " + r.Exemption
		}
		lines = append(lines, line)
	}
	return lines
}

func TestAudit(t *testing.T) {
	const exempt = "apiVersion: hardgate.dev/v1alpha1\nkind: Exemption\nmetadata: {name: %s}\nspec: {controls: [privileged], objects: {namespaces: [shop, bank]}, reason: r, owner: o, expires: %q}"
	until := func(name string, d time.Duration) string {
		return fmt.Sprintf(exempt, name, time.Now().Add(d).UTC().Format(time.RFC3339))
	}
	shopOnly := map[string][]string{ // what is asked of one namespace
		"/api/v1/namespaces/shop/pods":                {podYAML("shop", "web-5-b", "ReplicaSet/web-5", true)},
		"/apis/apps/v1/namespaces/shop/replicasets":   {templateYAML("shop", "web-5", "Deployment/web")},
		"/apis/apps/v1/namespaces/shop/deployments":   {},
		"/api/v1/namespaces/shop/serviceaccounts":     {},
		"/api/v1/namespaces/shop/podtemplates":        {},
		"/apis/apps/v1/namespaces/shop/statefulsets":  {},
		"/apis/batch/v1/namespaces/shop/cronjobs":     {},
		"/api/v1/namespaces/shop/something-unrelated": {},
	}
	tests := map[string]struct {
		lists  map[string][]string
		drop   []string // handlers
		refuse string   // a path
		args   []string
		code   int
		want   []string
		stderr string // a part; none if empty
	}{
		"a control that is Off": {args: []string{"--control", "host-pid"}},
		"passes too": {args: []string{"--all"}, code: exitFails, want: slices.Concat(
			[]string{"Namespace /bank  +0 privileged NotApplicable Audit"}, allInShop,
			[]string{"Namespace /shop  +0 privileged NotApplicable Enforce", "Pod shop/good  +0 privileged Pass Enforce"},
		)},
		"exempt": {
			lists: map[string][]string{ownPath + "exemptions": {until("e", month)}},
			want: []string{
				"Pod bank/teller  +0 privileged Exempt Audit by e", "Deployment shop/web  +0 privileged Exempt Enforce by e",
				"ReplicaSet shop/web-5 Deployment/web +0 privileged Exempt Enforce by e", "Pod shop/web-5-a Deployment/web +1 privileged Exempt Enforce by e",
			},
		},
		"ended": {
			lists: map[string][]string{ownPath + "exemptions": {until("e", -time.Second)}}, code: exitFails, want: allInShop, stderr: "hardgate: note: Exemption e: Ended at ",
		},
		"not installed": {
			drop: []string{ownPath + "workloadpolicies", ownPath + "exemptions", ownPath + "namespacereports"}, code: exitFails,
			want: []string{
				"Pod bank/teller  +0 privileged Fail Warn", "Deployment shop/web  +0 privileged Fail Warn",
				"ReplicaSet shop/web-5 Deployment/web +0 privileged Fail Warn", "Pod shop/web-5-a Deployment/web +1 privileged Fail Warn",
			},
			stderr: "hardgate: note: hardgate's WorkloadPolicies are not installed in the cluster: judged as without a policy\n",
		},
		"no policy": {
			lists: map[string][]string{ownPath + "workloadpolicies": {}}, args: []string{"-n", "gone"}, code: exitBad,
			stderr: "hardgate: note: the cluster has no WorkloadPolicy: judged as without one\nhardgate: auditing the namespace \"gone\": namespaces: ",
		},
		"a policy that is not understood": {
			lists: map[string][]string{ownPath + "workloadpolicies": {"apiVersion: hardgate.dev/v1alpha1\nkind: WorkloadPolicy\nmetadata: {name: q}\nspec: {contrls: []}"}}, code: exitBad,
			want: []string{
				"Pod bank/teller  +0 privileged Fail Warn", "Deployment shop/web  +0 privileged Fail Warn",
				"ReplicaSet shop/web-5 Deployment/web +0 privileged Fail Warn", "Pod shop/web-5-a Deployment/web +1 privileged Fail Warn",
			},
			stderr: "hardgate: WorkloadPolicy q is not understood, and left out: spec.contrls: unknown field, did you mean \"controls\"?\n",
		},
		"an Exemption that is not understood exempts nothing": {
			lists: map[string][]string{ownPath + "exemptions": {strings.Replace(until("e", month), "reason: r, ", "", 1)}}, code: exitBad, want: allInShop,
			stderr: "hardgate: Exemption e is not understood, and left out: spec.reason: say why\n",
		},
		"policies are forbidden": {refuse: ownPath + "workloadpolicies", code: exitBad, stderr: "the right to list workloadpolicies is needed; test it with: kubectl auth can-i list workloadpolicies.hardgate.dev\n"},
		"pods are forbidden": {
			refuse: "/api/v1/pods", code: exitBad, stderr: "hardgate: not all could be read: pods: ",
			want: []string{"Deployment shop/web  +0 privileged Fail Enforce", "ReplicaSet shop/web-5 Deployment/web +0 privileged Fail Enforce"},
		},
		"namespaces are forbidden": {refuse: "/api/v1/namespaces", code: exitBad, stderr: "hardgate: auditing: "},
		"one namespace": {
			lists: shopOnly, args: []string{"-n", "shop"}, code: exitFails,
			want: []string{"ReplicaSet shop/web-5 Deployment/web +0 privileged Fail Enforce", "Pod shop/web-5-b Deployment/web +0 privileged Fail Enforce"},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			s := shopServer(t, tt.lists)
			for _, path := range tt.drop {
				delete(s.handlers, path)
			}
			s.handlers["/api/v1/namespaces/shop"] = func(w http.ResponseWriter, _ *http.Request) {
				answer(w, http.StatusOK, map[string]any{"kind": "Namespace", "apiVersion": "v1", "metadata": map[string]any{"name": "shop"}})
			}
			if tt.refuse != "" {
				s.handlers[tt.refuse] = refuse(http.StatusForbidden, "Forbidden", "it is forbidden")
			}
			args := append([]string{"-o", "json"}, tt.args...)
			if !slices.Contains(args, "--control") {
				args = append(args, "--control", "privileged")
			}
			code, stdout, stderr := s.audit(t, args...)
			if code != tt.code || !strings.Contains(stderr, tt.stderr) || tt.stderr == "" && stderr != "" {
				t.Errorf("exit %d, want %d; stderr %q, want %q", code, tt.code, stderr, tt.stderr)
			}
			if stdout == "" && tt.want == nil {
				return
			}
			var r report.Report
			if err := json.Unmarshal([]byte(stdout), &r); err != nil {
				t.Fatalf("%v in %s", err, stdout)
			}
			if diff := cmp.Diff(tt.want, results(r.Results)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if code == exitBad != (len(r.Errors) > 0) {
				t.Errorf("exit %d with the errors %q", code, r.Errors)
			}
		})
	}
}

// allInShop is what fails in shop.
var allInShop = []string{
	"Pod bank/teller  +0 privileged Fail Audit", "Deployment shop/web  +0 privileged Fail Enforce",
	"ReplicaSet shop/web-5 Deployment/web +0 privileged Fail Enforce", "Pod shop/web-5-a Deployment/web +1 privileged Fail Enforce",
}

// TestAuditLines: each object has its line, and nothing else is in the output.
func TestAuditLines(t *testing.T) {
	code, stdout, stderr := shopServer(t, nil).audit(t, "--control", "privileged", "-o", "jsonl")
	if want := "hardgate: note: 8 objects in 2 namespaces: 5 Fail, 1 Pass, 2 NotApplicable\n"; code != exitFails || stderr != want {
		t.Errorf("exit %d, stderr %q", code, stderr)
	}
	var all []report.Result
	for lines := bufio.NewScanner(strings.NewReader(stdout)); lines.Scan(); {
		var r report.Result
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
			t.Fatal(err)
		}
		all = append(all, r)
	}
	want := []string{
		"Deployment shop/web  +0 privileged Fail Enforce", "ReplicaSet shop/web-5 Deployment/web +0 privileged Fail Enforce",
		"Pod shop/web-5-b Deployment/web +0 privileged Fail Enforce", "Pod shop/web-5-a Deployment/web +0 privileged Fail Enforce",
		"Pod bank/teller  +0 privileged Fail Audit",
	}
	if diff := cmp.Diff(want, results(all)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	t.Setenv("KUBERNETES_SERVICE_HOST", "")
	s := shopServer(t, nil)
	call(t, map[string]string{"config": kubeconfig(s.url)}, "", "version") // in a directory with the file
	var errs bytes.Buffer
	for _, output := range auditOutputs {
		errs.Reset()
		if code := run([]string{"hardgate", "audit", "--kubeconfig", "config", "-o", output}, strings.NewReader(""), broken{}, &errs); code != exitBad || !strings.Contains(errs.String(), "no space left") {
			t.Errorf("%s: exit %d, stderr %q", output, code, errs.String())
		}
	}
}

// TestAuditWhole: what no single object can break is part of it.
func TestAuditWhole(t *testing.T) {
	code, stdout, stderr := shopServer(t, nil).audit(t, "--control", "namespace-network-policy", "-o", "json")
	var r report.Report
	if err := json.Unmarshal([]byte(stdout), &r); err != nil {
		t.Fatalf("%v in %s", err, stdout)
	}
	if diff := cmp.Diff([]string{"Cluster /c0  +0 namespace-network-policy Fail "}, results(r.Results)); diff != "" || code != exitFails || stderr != "" {
		t.Fatalf("exit %d, stderr %q (-want +got):\n%s", code, stderr, diff)
	}
	if first := r.Results[0]; len(first.Findings) == 0 || first.Findings[0].Detail == "" || first.Remedy == "" {
		t.Errorf("%+v", first)
	}
	if code, stdout, _ := shopServer(t, nil).audit(t, "--control", "namespace-boundaries,image-provenance"); code != exitOK || !strings.HasPrefix(stdout, "Cluster c0\n  Manual  5.7.1  namespace-boundaries") || strings.Contains(stdout, "Pod ") {
		t.Errorf("what a person must judge: exit %d\n%s", code, stdout)
	}
	_, stdout, _ = shopServer(t, nil).audit(t, "--control", "namespace-network-policy")
	if strings.Contains(stdout, "  : ") {
		t.Errorf("a finding without a path:\n%s", stdout)
	}
}

func TestAuditUsage(t *testing.T) {
	const see = " (see \"hardgate audit --help\")\n"
	tests := map[string]struct {
		args []string
		want string
	}{
		"argument":           {[]string{"shop"}, `hardgate: unexpected argument "shop": choose namespaces with -n` + see},
		"output":             {[]string{"-o", "jsn"}, `hardgate: --output: unknown value "jsn", did you mean "json"?` + see},
		"lang":               {[]string{"--lang", "fr"}, `hardgate: --lang: unknown language "fr": use en or ko` + see},
		"namespace":          {[]string{"-n", "shop,BANK"}, notNamespace("BANK") + see},
		"namespace empty":    {[]string{"-n", ""}, "hardgate: --namespace: no namespace is named" + see},
		"control":            {[]string{"--control", "privleged"}, `hardgate: --control: unknown control "privleged", did you mean "privileged"?` + see},
		"control of nodes":   {[]string{"--control", "ssh-x11"}, `hardgate: --control: no object of a cluster shows control "ssh-x11"` + see},
		"control empty":      {[]string{"--control", ""}, "hardgate: --control: no control is named" + see},
		"timeout":            {[]string{"--request-timeout", "-1s"}, "hardgate: --request-timeout: -1s is less than nothing" + see},
		"no such kubeconfig": {[]string{"--kubeconfig", "gone"}, "hardgate: reading the kubeconfig: stat gone: no such file or directory\n"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			code, stdout, stderr := call(t, nil, "", append([]string{"audit"}, tt.args...)...)
			if code != exitBad || stdout != "" || stderr != tt.want {
				t.Errorf("exit %d, output %q, stderr %q", code, stdout, stderr)
			}
		})
	}
}

// TestAuditKeeps: pods that are alike cost one entry, and pods of many owners that have the
// same results cost one list of results.
func TestAuditKeeps(t *testing.T) {
	g := newGathering(&auditFlags{}, control.English, "c")
	for i := range 1000 {
		g.see(&audit.Seen{
			Namespace: "shop", Kind: workload.Kind{Version: "v1", Kind: "Pod"}, Name: fmt.Sprintf("p%d", i), Owner: fmt.Sprintf("Deployment/d%d", i%10), Decisions: failed(i),
		})
	}
	if len(g.groups) != 20 || len(g.results) != 2 {
		t.Errorf("%d groups and %d lists of results, want 20 and 2", len(g.groups), len(g.results))
	}
	r := g.report(nil)
	alike := 0
	for result := range r.Results {
		alike += 1 + result.Object.Alike
	}
	if alike != 1000 || r.Summary.Statuses[control.Fail] != 1000 || r.Summary.Objects != 1000 {
		t.Errorf("%d are told of, the summary is %+v", alike, r.Summary)
	}
}

// failed is one failure, one of two kinds.
func failed(i int) []verdict.Decision {
	f := policy.Finding{Path: "spec.a", Detail: []string{"one", "other"}[i/10%2]}
	return []verdict.Decision{{ID: "privileged", Status: control.Fail, Violations: []verdict.Violation{{Finding: f}}}}
}

func TestAuditProgress(t *testing.T) {
	var out bytes.Buffer
	now := time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
	p := progress{to: &out, now: func() time.Time { return now }, last: now}
	for range 12 {
		now = now.Add(time.Second)
		p.see(&audit.Seen{Kind: workload.Kind{Version: "v1", Kind: "Pod"}})
	}
	if want := "hardgate: 5 objects judged so far, now each Pod\nhardgate: 10 objects judged so far, now each Pod\n"; out.String() != want {
		t.Errorf("said %q", out.String())
	}
}
