package clusterwide

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/hardgate-dev/hardgate/control"
	"github.com/hardgate-dev/hardgate/webhook/workload"
)

// enforcement is what a network plugin does about network policies.
type enforcement int

const (
	never   enforcement = iota // it connects pods and no more
	depends                    // on its version or a setting
	enforces
)

// plugin is known by its DaemonSets' names, or by the ends of its agents' images.
type plugin struct {
	name       string
	does       enforcement
	daemonSets []string
	images     []string
}

// plugins are those whose documentation says what they do. An image is compared by whole
// elements of its path: cilium-operator is no agent.
var plugins = []plugin{
	{"Antrea", enforces, []string{"antrea-agent"}, []string{"antrea/antrea-agent-ubuntu", "antrea/antrea-ubuntu"}},
	{"Azure Network Policy Manager", enforces, []string{"azure-npm"}, []string{"azure-npm"}},
	{"Calico", enforces, []string{"calico-node", "canal", "rke2-canal"}, []string{"calico/node", "calico-node"}},
	{"Cilium", enforces, []string{"cilium", "anetd"}, []string{"cilium/cilium"}},
	{"kube-network-policies", enforces, []string{"kube-network-policies"}, []string{"kube-network-policies"}},
	{"Kube-OVN", enforces, []string{"kube-ovn-cni"}, []string{"kubeovn/kube-ovn"}},
	{"kube-router", enforces, []string{"kube-router"}, []string{"cloudnativelabs/kube-router"}},
	{"OVN-Kubernetes", enforces, []string{"ovnkube-node"}, nil},
	{"the network policy agent of AWS", enforces, nil, []string{"aws-network-policy-agent"}},
	{"Weave Net", enforces, []string{"weave-net"}, []string{"weaveworks/weave-npc", "weave-npc"}},

	{"Amazon VPC CNI", depends, []string{"aws-node"}, []string{"amazon-k8s-cni"}},
	{"kindnet", depends, []string{"kindnet"}, []string{"kindest/kindnetd"}},

	{"Azure CNI", never, []string{"azure-cns"}, []string{"azure-cns"}},
	{"Flannel", never, []string{"kube-flannel-ds", "kube-flannel"}, []string{"flannel/flannel", "coreos/flannel", "flannelcni/flannel"}},
}

// agent is a DaemonSet that runs a plugin.
type agent struct {
	plugin *plugin
	where  string // "kube-system/cilium"
}

const maxAgents = 16

// daemonSet notes the agents that one runs. They all use the network of their nodes, so
// that a tenant's DaemonSet of the same name is none; and what runs on no node does nothing.
func (f *Facts) daemonSet(o *workload.Object, nodes string) {
	if o.Pod == nil || !o.Pod.HostNetwork || nodes == "" || nodes == "0" {
		return
	}
	for i := range plugins {
		p := &plugins[i]
		if !slices.Contains(p.daemonSets, o.Name) && !runs(o.Pod, p.images) {
			continue
		}
		a := agent{p, o.Namespace + "/" + o.Name}
		at, found := slices.BinarySearchFunc(f.agents, a, compare)
		if !found {
			f.agents = slices.Insert(f.agents, at, a)
			f.agents = f.agents[:min(len(f.agents), maxAgents)]
		}
	}
}

// compare puts those first that enforce most: what is cut off decides nothing.
func compare(a, b agent) int {
	return cmp.Or(cmp.Compare(b.plugin.does, a.plugin.does), cmp.Compare(a.plugin.name, b.plugin.name), cmp.Compare(a.where, b.where))
}

// runs is whether a container has one of some images, from whatever registry.
func runs(p *workload.Pod, images []string) bool {
	for c := range p.Containers() {
		repository, _, _ := strings.Cut(c.Image, "@")
		if colon := strings.LastIndexByte(repository, ':'); colon > strings.LastIndexByte(repository, '/') {
			repository = repository[:colon]
		}
		for _, i := range images {
			if repository == i || strings.HasSuffix(repository, "/"+i) {
				return true
			}
		}
	}
	return false
}

// cniNetworkPolicy: CIS 1.8 5.3.1. Which agents run can be seen, and that one of them is
// known to ignore policies; that packets are dropped cannot, so that nothing passes.
func (f *Facts) cniNetworkPolicy() Verdict {
	var e evidence
	status := control.ByHand
	for i, a := range f.agents {
		if i == 0 && a.plugin.does == never {
			status = control.Fail // and so do all that follow
		}
		does := fmt.Sprintf("%s enforces network policies unless configured otherwise", a.plugin.name)
		switch a.plugin.does {
		case never:
			does = fmt.Sprintf("%s by itself enforces no network policy", a.plugin.name)
		case depends:
			does = fmt.Sprintf("whether %s enforces network policies depends on its version and settings", a.plugin.name)
		case enforces:
		}
		e.add("DaemonSet %s: %s", a.where, does)
	}
	if len(f.agents) == 0 {
		e.add("no DaemonSet of a network plugin that hardgate knows: look at what the nodes have in /etc/cni/net.d")
	}
	if unread := f.missing("daemonsets.apps"); len(unread) > 0 {
		status, e = control.Unknown, append(unread, e...)
		e = e[:min(len(e), maxLines)]
	}
	var kinds []string
	for _, r := range []string{calicoPolicies, ciliumPolicies} {
		if f.served[r] {
			kinds = append(kinds, r)
		}
	}
	e.names(kinds, "served")
	if status == control.ByHand {
		e.add("nothing shows that packets are dropped: try a connection that a policy denies")
	}
	return Verdict{"cni-network-policy", status, e}
}
