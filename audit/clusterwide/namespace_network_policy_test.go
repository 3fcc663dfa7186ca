package clusterwide

import (
	"fmt"
	"testing"
)

func TestNamespaceNetworkPolicy(t *testing.T) {
	const (
		none     = "Fail: 1 of 1 namespace without a network policy: shop"
		has      = "Pass: 1 namespace has a network policy"
		partly   = has + " | 1 namespace has only policies that leave some pods out: shop"
		native   = `{"metadata":{"namespace":"shop","name":"p"},"spec":{%s}}`
		global   = `{"metadata":{"name":"g"},"spec":{%s}}`
		cilium   = `{"metadata":{"name":"g"},%s}`
		everyone = "Pass: %s isolates the pods of every namespace"
		ignored  = none + " | not counted, as they do not isolate all pods: %s"
	)
	cg, gg := "CiliumClusterwideNetworkPolicy g", "GlobalNetworkPolicy g"
	judge(t, networkPolicies, map[string]struct {
		cluster cluster
		want    string
	}{
		"none":                          {cluster{ns("shop")}, none},
		"one":                           {cluster{ns("shop"), item("networkpolicies", native, `"podSelector":{}`)}, has},
		"one without a word":            {cluster{ns("shop"), item("networkpolicies", native, ``)}, has},
		"some pods":                     {cluster{ns("shop"), item("networkpolicies", native, `"podSelector":{"matchLabels":{"a":"b"}}`)}, partly},
		"some expressions":              {cluster{ns("shop"), item("networkpolicies", native, `"podSelector":{"matchExpressions":[{"key":"a","operator":"Exists"}]}`)}, partly},
		"some, and all":                 {cluster{ns("shop"), item("networkpolicies", native, `"podSelector":{}`), item("networkpolicies", native, `"podSelector":{"matchLabels":{"a":"b"}}`)}, has},
		"elsewhere":                     {cluster{ns("shop"), ns("cart"), item("networkpolicies", native, "")}, "Fail: 1 of 2 namespaces without a network policy: cart"},
		"of no namespace that is known": {cluster{ns("cart"), item("networkpolicies", native, "")}, "Fail: 1 of 1 namespace without a network policy: cart"},
		"being deleted":                 {cluster{leaving("gone"), ns("shop"), item("networkpolicies", native, "")}, has},
		"only the system":               {nil, "Unknown: no namespace was read"},

		"Cilium's":                      {cluster{ns("shop"), item(ciliumPolicies, native, `"endpointSelector":{},"ingress":[{}]`)}, has},
		"Cilium's, of some":             {cluster{ns("shop"), item(ciliumPolicies, native, `"endpointSelector":{"matchLabels":{"a":"b"}},"egressDeny":[{}]`)}, partly},
		"Cilium's, that denies nothing": {cluster{ns("shop"), item(ciliumPolicies, native, `"endpointSelector":{},"egress":[{}],"enableDefaultDeny":{"egress":false}`)}, none},
		"Cilium's, that is not valid": {
			cluster{ns("shop"), item(ciliumPolicies, `{"metadata":{"namespace":"shop"},"spec":{"endpointSelector":{},"ingress":[{}]},"status":{"conditions":[{"type":"Valid","status":"False"}]}}`)}, none,
		},
		"Cilium's, that is": {
			cluster{ns("shop"), item(ciliumPolicies, `{"metadata":{"namespace":"shop"},"spec":{"endpointSelector":{},"ingress":[{}]},"status":{"conditions":[{"type":"Valid","status":"True"}]}}`)}, has,
		},
		"Cilium's, of nodes":         {cluster{ns("shop"), item(ciliumPolicies, native, `"nodeSelector":{},"ingress":[{}]`)}, none},
		"Calico's":                   {cluster{ns("shop"), item(calicoPolicies, native, `"types":["Ingress"]`)}, has},
		"Calico's, of all":           {cluster{ns("shop"), item(calicoPolicies, native, `"selector":" all() "`)}, has},
		"Calico's, of some":          {cluster{ns("shop"), item(calicoPolicies, native, `"selector":"app == 'a'"`)}, partly},
		"Calico's, of some accounts": {cluster{ns("shop"), item(calicoPolicies, native, `"serviceAccountSelector":"a == 'b'"`)}, partly},

		"everywhere by Cilium":            {cluster{ns("shop"), item(ciliumClusterwide, cilium, `"spec":{"endpointSelector":{},"ingress":[{}]}`)}, fmt.Sprintf(everyone, cg)},
		"everywhere by one of the list":   {cluster{ns("shop"), item(ciliumClusterwide, cilium, `"specs":[{"nodeSelector":{},"ingress":[{}]},{"endpointSelector":{},"egressDeny":[{}]}]`)}, fmt.Sprintf(everyone, cg)},
		"somewhere by Cilium":             {cluster{ns("shop"), item(ciliumClusterwide, cilium, `"spec":{"endpointSelector":{"matchLabels":{"io.kubernetes.pod.namespace":"shop"}},"ingress":[{}]}`)}, fmt.Sprintf(ignored, cg)},
		"nodes by Cilium":                 {cluster{ns("shop"), item(ciliumClusterwide, cilium, `"spec":{"nodeSelector":{},"ingress":[{}]}`)}, fmt.Sprintf(ignored, cg)},
		"an empty list of rules":          {cluster{ns("shop"), item(ciliumClusterwide, cilium, `"spec":{"endpointSelector":{},"ingress":[]}`)}, fmt.Sprintf(ignored, cg)},
		"denied by default, and no rules": {cluster{ns("shop"), item(ciliumClusterwide, cilium, `"spec":{"endpointSelector":{},"enableDefaultDeny":{"ingress":true}}`)}, fmt.Sprintf(everyone, cg)},
		"watched by Cilium": {
			cluster{ns("shop"), item(ciliumClusterwide, cilium, `"spec":{"endpointSelector":{},"ingress":[{}],"egress":[{}],"enableDefaultDeny":{"ingress":false,"egress":false}}`)},
			fmt.Sprintf(ignored, cg),
		},
		"everywhere by Calico":       {cluster{ns("shop"), item(calicoGlobal, global, `"namespaceSelector":"all()"`)}, fmt.Sprintf(everyone, gg)},
		"somewhere by Calico":        {cluster{ns("shop"), item(calicoGlobal, global, `"selector":"all()","namespaceSelector":"team == 'a'"`)}, fmt.Sprintf(ignored, gg)},
		"what has no namespace":      {cluster{ns("shop"), item(calicoGlobal, global, `"namespaceSelector":"global()"`)}, fmt.Sprintf(ignored, gg)},
		"some pods by Calico":        {cluster{ns("shop"), item(calicoGlobal, global, `"selector":"has(a)"`)}, fmt.Sprintf(ignored, gg)},
		"interfaces of nodes":        {cluster{ns("shop"), item(calicoGlobal, global, `"doNotTrack":true`)}, fmt.Sprintf(ignored, gg)},
		"an administrator's":         {cluster{ns("shop"), item(adminPolicies, global, "")}, fmt.Sprintf(ignored, "AdminNetworkPolicy g")},
		"an administrator's default": {cluster{ns("shop"), item(baselinePolicies, global, "")}, fmt.Sprintf(ignored, "BaselineAdminNetworkPolicy g")},

		"exempt":            {cluster{ns("shop"), exempting(networkPolicies, "shop", "batch")}, "Exempt: exempt by batch: shop"},
		"exempt of another": {cluster{ns("shop"), exempting(policyControl, "shop", "batch")}, none},

		"policies not read":     {cluster{ns("shop"), unread("networkpolicies.networking.k8s.io")}, "Unknown: not read: networkpolicies.networking.k8s.io: forbidden | 1 of 1 namespace without a network policy: shop"},
		"Cilium's not read":     {cluster{ns("shop"), item("networkpolicies", native, ""), unread(ciliumPolicies)}, "Unknown: not read: ciliumnetworkpolicies.cilium.io: forbidden"},
		"Calico's not read":     {cluster{ns("shop"), unread(calicoGlobal)}, "Unknown: not read: globalnetworkpolicies.projectcalico.org: forbidden | 1 of 1 namespace without a network policy: shop"},
		"not all namespaces":    {cluster{ns("shop"), item("networkpolicies", native, ""), unread("namespaces")}, "Unknown: not read: namespaces: forbidden"},
		"one is enough":         {cluster{ns("shop"), unread("namespaces")}, none + " | not read: namespaces: forbidden"},
		"what is not counted":   {cluster{ns("shop"), item("networkpolicies", native, ""), unread(adminPolicies)}, has},
		"everywhere, and doubt": {cluster{ns("shop"), item(calicoGlobal, global, ""), unread(ciliumClusterwide)}, "Unknown: not read: ciliumclusterwidenetworkpolicies.cilium.io: forbidden"},
	})
}
