package clusterwide

import "github.com/hardgate-dev/hardgate/control"

const networkPolicies control.ID = "namespace-network-policy"

// namespaceNetworkPolicy: CIS 1.8 5.3.2. Every namespace has a network policy, of
// whatever kind, or one of the whole cluster isolates all pods. The row asks for no more;
// where none selects every pod, the evidence says so.
func (f *Facts) namespaceNetworkPolicy() Verdict {
	var bare, partial, exempt []string
	exemptions := map[string]bool{}
	names := f.judged()
	for _, name := range names {
		switch ns := f.Namespaces[name]; {
		case f.everyone != "", ns.policies&all != 0:
		case ns.policies != 0:
			partial = append(partial, name)
		case f.exempt(networkPolicies, name) != "":
			exempt, exemptions[f.exempt(networkPolicies, name)] = append(exempt, name), true
		default:
			bare = append(bare, name)
		}
	}

	var e evidence
	covering := f.missing("networkpolicies.networking.k8s.io", ciliumPolicies, ciliumClusterwide, calicoPolicies, calicoGlobal)
	unread := append(f.missing("namespaces"), covering...)
	status := control.Pass
	switch {
	case len(bare) > 0 && len(covering) == 0:
		status = control.Fail
	case len(unread) > 0 || len(names) == 0:
		status = control.Unknown
		e.all(unread)
		if len(names) == 0 {
			e.add("no namespace was read")
		}
	case len(exempt) > 0:
		status = control.Exempt
	case f.everyone != "":
		e.add("%s isolates the pods of every namespace", f.everyone)
	default:
		e.add("%s a network policy", have(len(names), "namespace"))
	}
	e.names(bare, "%d of %s without a network policy", len(bare), plural(len(names), "namespace"))
	e.names(exempt, "exempt by %s", some(keys(exemptions)))
	e.names(partial, "%s only policies that leave some pods out", have(len(partial), "namespace"))
	if f.narrow.count > 0 {
		e.add("not counted, as they do not isolate all pods: %s", f.narrow.String())
	}
	if status == control.Fail {
		e.all(unread)
	}
	return Verdict{networkPolicies, status, e}
}
