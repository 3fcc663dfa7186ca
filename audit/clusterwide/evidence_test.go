package clusterwide

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/hardgate-dev/hardgate/control"
)

func TestCNINetworkPolicy(t *testing.T) {
	const (
		host    = `"hostNetwork":true,"containers":[{"name":"a","image":"registry.example:5000/%s"}]`
		nothing = " | nothing shows that packets are dropped: try a connection that a policy denies"
		none    = "Manual: no DaemonSet of a network plugin that hardgate knows: look at what the nodes have in /etc/cni/net.d" + nothing
	)
	image := func(i string) string { return fmt.Sprintf(host, i) }
	judge(t, "cni-network-policy", map[string]struct {
		cluster cluster
		want    string
	}{
		"none":                {nil, none},
		"by name":             {cluster{works("DaemonSet", "kube-system", "cilium", image("x"))}, "Manual: DaemonSet kube-system/cilium: Cilium enforces network policies unless configured otherwise" + nothing},
		"by image":            {cluster{works("DaemonSet", "net", "agent", image("mirror/calico/node:v3@sha256:0"))}, "Manual: DaemonSet net/agent: Calico enforces network policies unless configured otherwise" + nothing},
		"kinds are served":    {cluster{works("DaemonSet", "net", "agent", image("cilium/cilium")), serves(ciliumPolicies)}, "Manual: DaemonSet net/agent: Cilium enforces network policies unless configured otherwise | served: ciliumnetworkpolicies.cilium.io" + nothing},
		"a name within names": {cluster{works("DaemonSet", "kube-system", "cilium-envoy", image("cilium/cilium-envoy:1")), works("DaemonSet", "a", "b", image("notcilium/cilium/extra")), works("DaemonSet", "a", "c", image("evilcilium/cilium"))}, none},
		"a tenant's":          {cluster{works("DaemonSet", "shop", "cilium", `"containers":[{"name":"a","image":"x"}]`)}, none},
		"no DaemonSet":        {cluster{works("Deployment", "kube-system", "cilium", image("cilium/cilium"))}, none},
		"on no node":          {cluster{onNodes("0", "DaemonSet", "kube-system", "azure-npm-win", "", image("azure-npm:1"))}, none},
		"Flannel":             {cluster{works("DaemonSet", "kube-flannel", "kube-flannel-ds", image("flannel/flannel:v0.26"))}, "Fail: DaemonSet kube-flannel/kube-flannel-ds: Flannel by itself enforces no network policy"},
		"Flannel, with an agent of its own": {
			cluster{works("DaemonSet", "kube-flannel", "kube-flannel-ds", `"hostNetwork":true,"containers":[{"name":"a","image":"flannel/flannel"},{"name":"b","image":"registry.example/networking/kube-network-policies:v1"}]`)},
			"Manual: DaemonSet kube-flannel/kube-flannel-ds: kube-network-policies enforces network policies unless configured otherwise | DaemonSet kube-flannel/kube-flannel-ds: Flannel by itself enforces no network policy" + nothing,
		},
		"Canal": {
			cluster{works("DaemonSet", "kube-system", "canal", image("coreos/flannel:1"))},
			"Manual: DaemonSet kube-system/canal: Calico enforces network policies unless configured otherwise | DaemonSet kube-system/canal: Flannel by itself enforces no network policy" + nothing,
		},
		"Azure, with Cilium": {
			cluster{works("DaemonSet", "kube-system", "azure-cns", image("azure-cns:1")), works("DaemonSet", "kube-system", "cilium", image("x"))},
			"Manual: DaemonSet kube-system/cilium: Cilium enforces network policies unless configured otherwise | DaemonSet kube-system/azure-cns: Azure CNI by itself enforces no network policy" + nothing,
		},
		"Azure alone": {cluster{works("DaemonSet", "kube-system", "azure-cns", image("x"))}, "Fail: DaemonSet kube-system/azure-cns: Azure CNI by itself enforces no network policy"},
		"kindnet":     {cluster{works("DaemonSet", "kube-system", "kindnet", image("kindest/kindnetd:1"))}, "Manual: DaemonSet kube-system/kindnet: whether kindnet enforces network policies depends on its version and settings" + nothing},
		"not read":    {cluster{works("DaemonSet", "kube-system", "kube-flannel-ds", image("x")), unread("daemonsets.apps")}, "Unknown: not read: daemonsets.apps: forbidden | DaemonSet kube-system/kube-flannel-ds: Flannel by itself enforces no network policy"},
	})
}

func TestExternalSecrets(t *testing.T) {
	one := func(resource, ns string) func(*testing.T, *Facts) {
		return item(resource, `{"metadata":{"namespace":%q,"name":"a"}}`, ns)
	}
	judge(t, "external-secrets", map[string]struct {
		cluster cluster
		want    string
	}{
		"none":           {nil, "Manual: no external store is connected in a way that hardgate knows: no CSIDriver secrets-store.csi.k8s.io, no ExternalSecrets"},
		"another driver": {cluster{item(csiDrivers, `{"metadata":{"name":"disk.csi.example.com"}}`)}, "Manual: no external store is connected in a way that hardgate knows: no CSIDriver secrets-store.csi.k8s.io, no ExternalSecrets"},
		"the driver, unused": {
			cluster{item(csiDrivers, `{"metadata":{"name":"secrets-store.csi.k8s.io"}}`), serves(secretProviders)},
			"Manual: the CSIDriver secrets-store.csi.k8s.io is installed | secretproviderclasses.secrets-store.csi.x-k8s.io: served, and none is there",
		},
		"used":     {cluster{one(externalSecrets, "a"), one(externalSecrets, "b"), one(externalSecrets, "b")}, "Manual: externalsecrets.external-secrets.io: 3 objects in 2 namespaces"},
		"not read": {cluster{unread(csiDrivers)}, "Manual: not read: csidrivers.storage.k8s.io: forbidden"},
	})
}

func TestNamespaceBoundaries(t *testing.T) {
	const one = `"containers":[{"name":"a"}]`
	judge(t, "namespace-boundaries", map[string]struct {
		cluster cluster
		want    string
	}{
		"none": {cluster{ns("default")}, "Manual: 1 namespace besides those of the system | no workload in the namespace default"},
		"an owner counts once": {
			cluster{
				ns("default"), ns("shop"), ns("cart"),
				works("Deployment", "default", "web", one), owned("ReplicaSet", "default", "web-1", "Deployment", "web"), owned("Pod", "default", "web-1-a", "ReplicaSet", "web-1"),
				owned("Pod", "default", "static", "Node", "n1"),
				owned("ReplicaSet", "shop", "a-1", "Rollout", "a"), owned("ReplicaSet", "shop", "a-2", "Rollout", "a"), owned("ReplicaSet", "shop", "b-1", "Rollout", "b"),
				works("Pod", "cart", "bare", one), works("Pod", "kube-system", "x", one), works("Pod", "unknown", "x", one),
			},
			"Manual: 3 namespaces besides those of the system | 1 workload in the namespace default: Deployment/web | most workloads: shop 2, cart 1, default 1",
		},
	})
}

func TestSystemMasters(t *testing.T) {
	if got := verdict(t, New(nil), "system-masters"); !strings.HasPrefix(got, "Manual: a certificate that carries the group leaves no object") {
		t.Error(got)
	}
}

// Nothing passes where something that it depends on was not read, whatever else there is,
// and what a person must decide never does.
func TestNothingUnreadPasses(t *testing.T) {
	resources := []string{"namespaces", "networkpolicies.networking.k8s.io", "daemonsets.apps"}
	for _, s := range Sources() {
		resources = append(resources, s.Resource)
	}
	needs := map[control.ID][]string{
		policyControl:   {"namespaces", webhookConfigurations, admissionPolicies, admissionBindings},
		networkPolicies: {"namespaces", "networkpolicies.networking.k8s.io", ciliumPolicies, ciliumClusterwide, calicoPolicies, calicoGlobal},
	}
	passes := 0
	for seed := range uint64(4000) {
		r := rand.New(rand.NewPCG(seed, 1))
		var c cluster
		for i := range r.IntN(4) {
			name := fmt.Sprint("team-", i)
			c = append(c, ns(name, []string{enforce + "baseline", enforce + "restricted", "team=a", enforce + "privileged"}[max(0, r.IntN(8)-4)]))
			if r.IntN(4) > 0 {
				c = append(c, item("networkpolicies", `{"metadata":{"namespace":%q}}`, name))
			}
		}
		var missed []string
		for _, resource := range resources {
			if r.IntN(12) == 0 {
				c, missed = append(c, unread(resource)), append(missed, resource)
			}
		}
		for _, v := range c.facts(t).Judge() {
			if v.Status != control.Pass {
				continue
			}
			passes++
			if needs[v.Control] == nil || slices.ContainsFunc(missed, func(m string) bool { return slices.Contains(needs[v.Control], m) }) {
				t.Fatalf("seed %d: %s passes, and not read were %v: %v", seed, v.Control, missed, v.Evidence)
			}
		}
	}
	if passes == 0 {
		t.Error("nothing has passed: the property has not been tried")
	}
}

// Evidence is bounded, whatever there is, and does not depend on the order in which it
// was read.
func TestEvidence(t *testing.T) {
	build := func(reverse bool) []Verdict {
		f := New(nil)
		var steps []func()
		for i := range 500 {
			name := fmt.Sprintf("%s-%03d", strings.Repeat("ñ", 30), i)
			f.Namespace(name, map[string]string{"team": "a"}, false)
			f.Namespaces[name].Refused = i % 9
			steps = append(steps,
				func() {
					item(webhookConfigurations, `{"metadata":{"name":%q},"webhooks":[{"namespaceSelector":{"matchLabels":{"team":"b"}},"rules":[{"operations":["*"],"apiGroups":["*"],"apiVersions":["*"],"resources":["*/*"]}]}]}`, name)(t, f)
				},
				func() { item(adminPolicies, `{"metadata":{"name":%q}}`, name)(t, f) },
				func() { works("DaemonSet", name, "cilium", `"hostNetwork":true,"containers":[{"name":"a"}]`)(t, f) },
				func() { works("Pod", name, "p", `"containers":[{"name":"a"}]`)(t, f) },
			)
		}
		f.Unread("namespaces", errors.New(strings.Repeat("é\n", 300)))
		if reverse {
			slices.Reverse(steps)
		}
		for _, s := range steps {
			s()
		}
		return f.Judge()
	}
	one, two := build(false), build(true)
	if diff := cmp.Diff(one, two); diff != "" {
		t.Errorf("(-forwards +backwards):\n%s", diff)
	}
	for _, v := range one {
		if len(v.Evidence) == 0 || len(v.Evidence) > 20 {
			t.Errorf("%s has %d lines", v.Control, len(v.Evidence))
		}
		for _, l := range v.Evidence {
			if len(l) > 200 || !utf8.ValidString(l) {
				t.Errorf("%s: a line of %d bytes: %q", v.Control, len(l), l)
			}
		}
		if c, ok := control.Get(v.Control); !ok || (c.Kind == control.Manual) != (v.Status == control.ByHand) && v.Control != "system-masters" {
			t.Errorf("%s is %s: %+v", v.Control, v.Status, c.Kind)
		}
	}
}
