package audit_test

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"

	"github.com/hardgate-dev/hardgate/api/v1alpha1"
	"github.com/hardgate-dev/hardgate/audit"
	"github.com/hardgate-dev/hardgate/audit/clusterwide"
	"github.com/hardgate-dev/hardgate/control"
	"github.com/hardgate-dev/hardgate/exemption"
	"github.com/hardgate-dev/hardgate/webhook/registration"
	"github.com/hardgate-dev/hardgate/webhook/ruling"
)

// The paths of what is read for the cluster as a whole.
const (
	webhooksPath = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations"
	ciliumPath   = "/apis/cilium.io/v2/ciliumnetworkpolicies"
	calicoPath   = "/apis/projectcalico.org/v3/networkpolicies"
	calicoStored = "/apis/crd.projectcalico.org/v1/networkpolicies"
	netpolPath   = "/apis/networking.k8s.io/v1/networkpolicies"
)

// optional are the paths that a cluster without add-ons does not serve.
func optional() map[string]bool {
	paths := map[string]bool{}
	for _, s := range clusterwide.Sources() {
		for _, p := range s.Paths {
			if s.Optional {
				paths[p] = true
			}
		}
	}
	return paths
}

// said is the verdict on a control: "Fail: line | line".
func said(t *testing.T, r *audit.Result, id control.ID) string {
	t.Helper()
	for _, v := range r.Clusterwide {
		if v.Control == id {
			return string(v.Status) + ": " + strings.Join(v.Evidence, " | ")
		}
	}
	t.Fatalf("nothing is said of %s", id)
	return ""
}

func labelled(name, label string) string {
	key, value, _ := strings.Cut(label, "=")
	return fmt.Sprintf(`{"metadata":{"name":%q,"labels":{%q:%q}}}`, name, key, value)
}

func netpol(ns, name, spec string) string {
	return fmt.Sprintf(`{"metadata":{"namespace":%q,"name":%q},"spec":{%s}}`, ns, name, spec)
}

func TestWholeNetworkPolicies(t *testing.T) {
	base := func() *lists {
		return &lists{
			items: map[string][]string{
				"/api/v1/namespaces": {
					namespace("kube-system"), namespace("shop"), namespace("cart"), namespace("mine"),
					`{"metadata":{"name":"gone","deletionTimestamp":"2026-01-01T00:00:00Z"}}`,
				},
				netpolPath: {netpol("shop", "a", `"podSelector":{"matchLabels":{"a":"b"}}`), netpol("shop", "b", ""), netpol("shop", "c", `"podSelector":{"matchLabels":{"a":"c"}}`)},
			},
			lacks: optional(), refuses: map[string]bool{},
		}
	}
	tests := map[string]struct {
		change func(*lists)
		want   string
	}{
		"one lacks it":    {func(*lists) {}, "Fail: 1 of 2 namespaces without a network policy: cart"},
		"Cilium's counts": {func(l *lists) { serve(l, ciliumPath, netpol("cart", "a", `"endpointSelector":{},"ingress":[{}]`)) }, "Pass: 2 namespaces have a network policy"},
		"Calico's counts": {func(l *lists) { serve(l, calicoStored, netpol("cart", "a", ``)) }, "Pass: 2 namespaces have a network policy"},
		"what Calico serves is what counts": {func(l *lists) {
			serve(l, calicoPath)
			serve(l, calicoStored, netpol("cart", "left-over", ``))
		}, "Fail: 1 of 2 namespaces without a network policy: cart"},
		"what its own API server refuses is stored": {func(l *lists) {
			refuse(l, calicoPath)
			serve(l, calicoStored, netpol("cart", "a", ``))
		}, "Pass: 2 namespaces have a network policy"},
		"refused and nowhere else":  {func(l *lists) { refuse(l, calicoPath) }, "Unknown: not read: networkpolicies.projectcalico.org: "},
		"refused":                   {func(l *lists) { refuse(l, ciliumPath) }, "Unknown: not read: ciliumnetworkpolicies.cilium.io: "},
		"what is needed is refused": {func(l *lists) { refuse(l, netpolPath) }, "Unknown: not read: networkpolicies.networking.k8s.io: "},
		"not understood": {func(l *lists) {
			serve(l, ciliumPath, `{"metadata":{"namespace":"cart"},"spec":7}`)
		}, "Unknown: not read: ciliumnetworkpolicies.cilium.io: 1 could not be read"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			for _, page := range []int64{1, 500} {
				l := base()
				test.change(l)
				r := pass(t, l, audit.Options{Book: only(t, "privileged"), Own: []string{"mine"}, Page: page})
				got := said(t, r, "namespace-network-policy")
				if strings.HasPrefix(test.want, "Unknown") { // the rest is client-go's
					got = got[:min(len(got), len(test.want))]
				}
				if got != test.want {
					t.Errorf("pages of %d: got  %s\nwant %s", page, got, test.want)
				}
				for _, m := range r.Missed {
					if m.Resource != "networkpolicies.networking.k8s.io" {
						t.Errorf("%s is missed, and a rollout would wait for it: %v", m.Resource, m.Err)
					}
				}
				judged := 5 // namespaces, and NetworkPolicies: what is read for the whole is judged by no policy
				if !l.refuses[netpolPath] {
					judged += len(l.items[netpolPath])
				}
				if r.Objects != judged {
					t.Errorf("%d objects", r.Objects)
				}
			}
		})
	}
}

func serve(l *lists, path string, items ...string) {
	delete(l.lacks, path)
	l.items[path] = items
}

func refuse(l *lists, path string) {
	delete(l.lacks, path)
	l.refuses[path] = true
}

// enforcing is a policy that enforces controls, one of them with parameters.
func enforcing(of control.ID, parameters *v1alpha1.Parameters, ids ...control.ID) v1alpha1.WorkloadPolicy {
	p := v1alpha1.WorkloadPolicy{ObjectMeta: metav1.ObjectMeta{Name: "p"}, Spec: v1alpha1.WorkloadPolicySpec{Mode: "Warn"}}
	for _, id := range ids {
		c := v1alpha1.ControlSetting{ID: string(id), Mode: "Enforce"}
		if id == of {
			c.Parameters = parameters
		}
		p.Spec.Controls = append(p.Spec.Controls, c)
	}
	return p
}

func exempting(control string, o v1alpha1.ExemptObjects, expires time.Time) v1alpha1.Exemption {
	e := v1alpha1.Exemption{ObjectMeta: metav1.ObjectMeta{Name: "batch"}}
	e.Spec.Controls, e.Spec.Reason, e.Spec.Owner, e.Spec.Expires = []string{control}, "a test", "tests", metav1.NewTime(expires)
	e.Spec.Objects = &o
	return e
}

func TestWholePolicyControl(t *testing.T) {
	now := time.Now()
	in := func(namespaces ...string) v1alpha1.ExemptObjects {
		return v1alpha1.ExemptObjects{Namespaces: namespaces}
	}
	all := clusterwide.Takeover()
	const (
		covered = "Pass: 1 namespace covered by hardgate: shop"
		bare    = "Fail: 1 of 1 namespace without an active policy control: shop"
		partly  = bare + " | hardgate does not enforce all of privileged, host-pid, host-ipc, host-network, added-capabilities, windows-host-process, host-path, host-ports: shop (7 of 8)"
	)
	pinned := enforcing("", nil, all...)
	pinned.Spec.Rollout = &v1alpha1.Rollout{Pins: []v1alpha1.RolloutPin{{RolloutCells: v1alpha1.RolloutCells{Controls: []string{"host-path"}}, Mode: "Warn"}}}
	tests := map[string]struct {
		namespace string
		policy    v1alpha1.WorkloadPolicy
		exempt    *v1alpha1.Exemption
		absent    bool
		want      string
	}{
		"all enforced":         {policy: enforcing("", nil, all...), want: covered},
		"nothing enforced":     {policy: enforcing("", nil), want: bare},
		"not registered":       {policy: enforcing("", nil, all...), absent: true, want: bare + " | hardgate enforces, but there is no ValidatingWebhookConfiguration hardgate: shop"},
		"a harmless one":       {policy: enforcing("", nil, "seccomp", "secrets-as-env", "run-as-root"), want: bare},
		"held back":            {policy: pinned, want: partly},
		"some allowed":         {policy: enforcing("host-path", &v1alpha1.Parameters{AllowedHostPaths: []v1alpha1.AllowedHostPath{{PathPrefix: "/var/log"}}}, all...), want: covered},
		"every path allowed":   {policy: enforcing("host-path", &v1alpha1.Parameters{AllowedHostPaths: []v1alpha1.AllowedHostPath{{PathPrefix: "/"}}}, all...), want: partly},
		"every port allowed":   {policy: enforcing("host-ports", &v1alpha1.Parameters{AllowedHostPorts: []v1alpha1.PortRange{{Min: 1, Max: 65535}}}, all...), want: partly},
		"exempt as a whole":    {policy: enforcing("", nil, all...), exempt: new(exempting("privileged", in("shop"), now.Add(time.Hour))), want: partly},
		"exempt elsewhere":     {policy: enforcing("", nil, all...), exempt: new(exempting("privileged", in("cart"), now.Add(time.Hour))), want: covered},
		"exempt, and expired":  {policy: enforcing("", nil, all...), exempt: new(exempting("privileged", in("shop"), now.Add(-time.Hour))), want: covered},
		"one image is exempt":  {policy: enforcing("", nil, all...), exempt: new(exempting("privileged", v1alpha1.ExemptObjects{Namespaces: []string{"shop"}, Images: []string{"registry.example/a"}}, now.Add(time.Hour))), want: covered},
		"one account is":       {policy: enforcing("", nil, all...), exempt: new(exempting("privileged", v1alpha1.ExemptObjects{Namespaces: []string{"shop"}, ServiceAccounts: []string{"default"}}, now.Add(time.Hour))), want: covered},
		"the control":          {policy: enforcing("", nil), exempt: new(exempting("policy-control-active", in("shop"), now.Add(time.Hour))), want: "Exempt: exempt by batch: shop"},
		"the control, expired": {policy: enforcing("", nil), exempt: new(exempting("policy-control-active", in("shop"), now.Add(-time.Hour))), want: bare},
		"the control, for pods": {
			policy: enforcing("", nil), exempt: new(exempting("policy-control-active", v1alpha1.ExemptObjects{Namespaces: []string{"shop"}, Kinds: []string{"Pod"}}, now.Add(time.Hour))), want: bare,
		},
		"Pod Security": {namespace: labelled("shop", "pod-security.kubernetes.io/enforce=restricted"), policy: enforcing("", nil), want: "Pass: 1 namespace covered by Pod Security: shop"},
	}
	for _, id := range all { // each counts
		var others []control.ID
		for _, o := range all {
			if o != id {
				others = append(others, o)
			}
		}
		tests["all but "+string(id)] = struct {
			namespace string
			policy    v1alpha1.WorkloadPolicy
			exempt    *v1alpha1.Exemption
			absent    bool
			want      string
		}{policy: enforcing("", nil, others...), want: partly}
	}
	config, err := json.Marshal(registration.Build(registration.Options{URL: "https://localhost:1", Enforced: []string{"shop"}}))
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			l := &lists{items: map[string][]string{"/api/v1/namespaces": {namespace("shop")}, webhooksPath: {string(config)}}, lacks: optional()}
			if test.namespace != "" {
				l.items["/api/v1/namespaces"] = []string{test.namespace}
			}
			if test.absent {
				delete(l.items, webhooksPath)
			}
			o := audit.Options{}
			var errs []error
			if o.Book, errs = ruling.Compile([]v1alpha1.WorkloadPolicy{test.policy}); len(errs) > 0 {
				t.Fatal(errs)
			}
			if test.exempt != nil {
				if o.Exemptions, errs = exemption.Compile([]v1alpha1.Exemption{*test.exempt}); len(errs) > 0 {
					t.Fatal(errs)
				}
			}
			if got := said(t, pass(t, l, o), "policy-control-active"); got != test.want {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
		})
	}
}

// What every API server serves is not absent where it cannot be found.
func TestWholeNotServed(t *testing.T) {
	l := &lists{items: map[string][]string{"/api/v1/namespaces": {labelled("shop", "pod-security.kubernetes.io/enforce=restricted")}}, lacks: optional()}
	l.lacks[webhooksPath] = true
	const want = "Unknown: not read: validatingwebhookconfigurations.admissionregistration.k8s.io: "
	if got := said(t, pass(t, l, audit.Options{Book: only(t, "privileged")}), "policy-control-active"); !strings.HasPrefix(got, want) {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// What is evidence comes with the objects that are judged.
func TestWholeEvidence(t *testing.T) {
	agent := `{"metadata":{"namespace":"kube-system","name":"cilium"},"spec":{"template":{"spec":{"hostNetwork":true,"containers":[{"name":"a","image":"registry.example/cilium/cilium:1"}]}}},"status":{"desiredNumberScheduled":%d}}`
	l := &lists{
		items: map[string][]string{
			"/api/v1/namespaces":                 {namespace("kube-system"), namespace("default"), namespace("shop")},
			"/apis/apps/v1/daemonsets":           {fmt.Sprintf(agent, 2)},
			"/apis/apps/v1/deployments":          {template("default", "web", "", "") + "}"},
			"/apis/apps/v1/replicasets":          {template("default", "web-1", by("Deployment", "web"), "") + "}"},
			"/api/v1/pods":                       {pod("default", "web-1-a", by("ReplicaSet", "web-1")) + "}", pod("default", "bare", "") + "}", pod("default", "ended", "") + `,"status":{"phase":"Succeeded"}}`},
			"/apis/storage.k8s.io/v1/csidrivers": {`{"metadata":{"name":"secrets-store.csi.k8s.io"}}`},
		},
		lacks: optional(),
	}
	want := map[control.ID]string{
		"cni-network-policy":   "Manual: DaemonSet kube-system/cilium: Cilium enforces",
		"external-secrets":     "Manual: the CSIDriver secrets-store.csi.k8s.io is installed",
		"namespace-boundaries": "Manual: 2 namespaces besides those of the system | 2 workloads in the namespace default: Deployment/web, Pod/bare | most workloads: default 2",
		"system-masters":       "Manual: a certificate",
	}
	r := pass(t, l, audit.Options{Book: only(t, "privileged")})
	for id, w := range want {
		if got := said(t, r, id); !strings.HasPrefix(got, w) {
			t.Errorf("%s: got  %s\nwant %s", id, got, w)
		}
	}
	l.items["/apis/apps/v1/daemonsets"] = []string{fmt.Sprintf(agent, 0)}
	if got := said(t, pass(t, l, audit.Options{Book: only(t, "privileged")}), "cni-network-policy"); !strings.HasPrefix(got, "Manual: no DaemonSet") {
		t.Errorf("an agent on no node: %s", got)
	}
	for _, path := range l.asked {
		if strings.HasSuffix(path, "/secrets") {
			t.Errorf("asked for %s", path)
		}
	}
}

// The controller may read what it is to read: an API server that is asked for what nobody
// may read says so before it says that there is no such thing.
func TestRightsForTheWhole(t *testing.T) {
	data, err := os.ReadFile("../manifests/controller/rbac.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var rules []rbacv1.PolicyRule
	for document := range strings.SplitSeq(string(data), "\n---\n") {
		var role rbacv1.ClusterRole
		if err := yaml.Unmarshal([]byte(document), &role); err != nil {
			t.Fatal(err)
		}
		if role.Kind == "ClusterRole" {
			rules = append(rules, role.Rules...)
		}
	}
	for _, s := range clusterwide.Sources() {
		for _, path := range s.Paths {
			parts := strings.Split(path, "/") // /apis/group/version/resource
			if !slices.ContainsFunc(rules, func(r rbacv1.PolicyRule) bool {
				return slices.Contains(r.APIGroups, parts[2]) && slices.Contains(r.Resources, parts[4]) && slices.Contains(r.Verbs, "list")
			}) {
				t.Errorf("no rule lets the controller list %s", path)
			}
		}
	}
}
