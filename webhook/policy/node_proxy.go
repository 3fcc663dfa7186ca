package policy

import "github.com/hardgate-dev/hardgate/webhook/rbac"

// nodeProxy: CIS 1.8 5.1.10. Every verb that a request of one node may have counts: the
// kubelet takes commands by a websocket, which begins with a get. "nodes" alone is not it,
// "*" is.
var nodeProxy = about("node-proxy", rbac.Power{
	Deed:      rbac.UsesNodeProxy,
	Verbs:     []string{"get", "create", "update", "patch", "delete"},
	Resources: []string{"nodes/proxy"}, Cluster: true,
})
