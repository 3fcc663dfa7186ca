package clusterwide

import (
	"encoding/json"
	"strings"
)

// reach is whom the network policies of a namespace select.
type reach uint8

const (
	someone reach = 1 << iota // there is a policy
	all                       // there is one that selects every pod
)

type named struct {
	Metadata struct {
		Namespace string `json:"namespace"`
		Name      string `json:"name"`
	} `json:"metadata"`
}

// selector is one by labels; a nil pointer to it is one that is not there.
type selector struct {
	MatchLabels      map[string]string `json:"matchLabels"`
	MatchExpressions []json.RawMessage `json:"matchExpressions"`
}

func (s *selector) empty() bool { return len(s.MatchLabels)+len(s.MatchExpressions) == 0 }

// reach notes a policy of a namespace. One that is younger than the list of namespaces is
// for the next audit.
func (f *Facts) reach(namespace string, everybody bool) {
	ns := f.Namespaces[namespace]
	if ns == nil {
		return
	}
	ns.policies |= someone
	if everybody {
		ns.policies |= all
	}
}

// NetworkPolicy takes in one of networking.k8s.io.
func (f *Facts) NetworkPolicy(item []byte) error {
	var p struct {
		named

		Spec struct {
			PodSelector selector `json:"podSelector"` // absent is empty
		} `json:"spec"`
	}
	if err := json.Unmarshal(item, &p); err != nil {
		return err
	}
	f.reach(p.Metadata.Namespace, p.Spec.PodSelector.empty())
	return nil
}

// ciliumPolicy has a rule, or a list of them, or both. Cilium says in its status that it
// does not take one for valid, and goes on without it.
type ciliumPolicy struct {
	named

	Spec   *ciliumRule  `json:"spec"`
	Specs  []ciliumRule `json:"specs"`
	Status struct {
		Conditions []struct {
			Type   string `json:"type"`
			Status string `json:"status"`
		} `json:"conditions"`
	} `json:"status"`
}

type ciliumRule struct {
	EndpointSelector  *selector         `json:"endpointSelector"`
	Ingress           []json.RawMessage `json:"ingress"`
	IngressDeny       []json.RawMessage `json:"ingressDeny"`
	Egress            []json.RawMessage `json:"egress"`
	EgressDeny        []json.RawMessage `json:"egressDeny"`
	EnableDefaultDeny struct {
		Ingress *bool `json:"ingress"`
		Egress  *bool `json:"egress"`
	} `json:"enableDefaultDeny"`
}

// isolates is whether what it does not allow is denied to pods, in one direction at least.
// A list of rules that is empty is one that is not there, as Cilium reads it.
func (r *ciliumRule) isolates() bool {
	denies := func(said *bool, rules ...[]json.RawMessage) bool {
		if said != nil {
			return *said
		}
		for _, list := range rules {
			if len(list) > 0 {
				return true
			}
		}
		return false
	}
	return r.EndpointSelector != nil && // a nodeSelector is about nodes
		(denies(r.EnableDefaultDeny.Ingress, r.Ingress, r.IngressDeny) || denies(r.EnableDefaultDeny.Egress, r.Egress, r.EgressDeny))
}

// reach is whether the policy isolates any pods, and whether it isolates all.
func (p *ciliumPolicy) reach() (some, everybody bool) {
	for _, c := range p.Status.Conditions {
		if c.Type == "Valid" && c.Status == "False" {
			return false, false
		}
	}
	rules := p.Specs
	if p.Spec != nil {
		rules = append(rules, *p.Spec)
	}
	for i := range rules {
		if rules[i].isolates() {
			some, everybody = true, everybody || rules[i].EndpointSelector.empty()
		}
	}
	return some, everybody
}

func (f *Facts) readCilium(item []byte) error {
	var p ciliumPolicy
	if err := json.Unmarshal(item, &p); err != nil {
		return err
	}
	if some, everybody := p.reach(); some {
		f.reach(p.Metadata.Namespace, everybody)
	}
	return nil
}

func (f *Facts) readCiliumClusterwide(item []byte) error {
	var p ciliumPolicy
	if err := json.Unmarshal(item, &p); err != nil {
		return err
	}
	_, everybody := p.reach()
	f.global("CiliumClusterwideNetworkPolicy "+p.Metadata.Name, everybody)
	return nil
}

type calicoPolicy struct {
	named

	Spec struct {
		Selector               string `json:"selector"`
		NamespaceSelector      string `json:"namespaceSelector"`
		ServiceAccountSelector string `json:"serviceAccountSelector"`
		// These two are for the interfaces of nodes.
		DoNotTrack bool `json:"doNotTrack"`
		PreDNAT    bool `json:"preDNAT"`
	} `json:"spec"`
}

// everybody is whether a selector in Calico's language is one of those that select all.
func everybody(selector string) bool {
	s := strings.TrimSpace(selector)
	return s == "" || s == "all()"
}

func (f *Facts) readCalico(item []byte) error {
	var p calicoPolicy
	if err := json.Unmarshal(item, &p); err != nil {
		return err
	}
	f.reach(p.Metadata.Namespace, everybody(p.Spec.Selector) && everybody(p.Spec.ServiceAccountSelector))
	return nil
}

func (f *Facts) readCalicoGlobal(item []byte) error {
	var p calicoPolicy
	if err := json.Unmarshal(item, &p); err != nil {
		return err
	}
	s := &p.Spec
	f.global("GlobalNetworkPolicy "+p.Metadata.Name,
		everybody(s.Selector) && everybody(s.NamespaceSelector) && everybody(s.ServiceAccountSelector) && !s.DoNotTrack && !s.PreDNAT)
	return nil
}

// global notes a policy of the whole cluster: one that isolates all pods stands for one in
// each namespace, any other is for a person to read.
func (f *Facts) global(name string, everybody bool) {
	switch {
	case !everybody:
		f.narrow.add(name)
	case f.everyone == "" || name < f.everyone:
		f.everyone = name
	}
}

// narrowed reads the names of policies that are not counted.
func narrowed(kind string) func(*Facts, []byte) error {
	return func(f *Facts, item []byte) error {
		var p named
		if err := json.Unmarshal(item, &p); err != nil {
			return err
		}
		f.narrow.add(kind + " " + p.Metadata.Name)
		return nil
	}
}
