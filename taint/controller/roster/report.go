package roster

import (
	"maps"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"

	"github.com/hardgate-dev/hardgate/api/v1alpha1"
	"github.com/hardgate-dev/hardgate/taint"
)

// NodeReport is what the controller reads of a v1alpha1.NodeReport. It takes that type's
// place in the controller's scheme: what is not here, the findings above all, is not
// even decoded.
type NodeReport struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata"`

	Spec   *v1alpha1.NodeReportSpec `json:"spec,omitempty"`
	Status NodeReportStatus         `json:"status"`
}

// NodeReportStatus is what is read of a v1alpha1.NodeReportStatus.
type NodeReportStatus struct {
	ObservedGeneration int64        `json:"observedGeneration,omitempty"`
	AgentVersion       string       `json:"agentVersion,omitempty"`
	RuleSet            string       `json:"ruleSet,omitempty"`
	Results            []NodeResult `json:"results,omitempty"`

	// verdicts are the results, once the report is trimmed.
	verdicts *verdicts
}

// NodeResult is what is read of a v1alpha1.NodeResult.
type NodeResult struct {
	Control string `json:"control"`
	Status  string `json:"status"`
}

// DeepCopyObject implements runtime.Object.
func (r *NodeReport) DeepCopyObject() runtime.Object {
	c, m := *r, r.ObjectMeta
	m.DeepCopyInto(&c.ObjectMeta)
	c.Spec = r.Spec.DeepCopy()
	c.Status.Results = slices.Clone(r.Status.Results)
	return &c
}

// NodeReportList is a list of NodeReports.
type NodeReportList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata"`

	Items []NodeReport `json:"items"`
}

// DeepCopyObject implements runtime.Object.
func (l *NodeReportList) DeepCopyObject() runtime.Object {
	c, m := *l, l.ListMeta
	m.DeepCopyInto(&c.ListMeta)
	c.Items = nil
	for i := range l.Items {
		c.Items = append(c.Items, *l.Items[i].DeepCopyObject().(*NodeReport))
	}
	return &c
}

// AddToScheme makes NodeReports known to a scheme, in place of v1alpha1.NodeReport.
func AddToScheme(scheme *runtime.Scheme) error {
	scheme.AddKnownTypeWithName(v1alpha1.GroupVersion.WithKind("NodeReport"), &NodeReport{})
	scheme.AddKnownTypeWithName(v1alpha1.GroupVersion.WithKind("NodeReportList"), &NodeReportList{})
	scheme.AddKnownTypes(v1alpha1.GroupVersion, &v1alpha1.ClusterReport{}, &v1alpha1.ClusterReportList{})
	metav1.AddToGroupVersion(scheme, v1alpha1.GroupVersion)
	return nil
}

// trimReport keeps one copy of what many reports have in common.
func (r *Roster) trimReport(o *NodeReport) *NodeReport {
	if o.Status.verdicts != nil {
		return o
	}
	kept := &NodeReport{
		ObjectMeta: metav1.ObjectMeta{
			Name: o.Name, UID: o.UID, ResourceVersion: o.ResourceVersion, Generation: o.Generation,
			CreationTimestamp: o.CreationTimestamp, OwnerReferences: nodeOwners(o.OwnerReferences, o.Name),
		},
		Spec: r.sameSpec(o.Spec),
		Status: NodeReportStatus{
			ObservedGeneration: o.Status.ObservedGeneration,
			AgentVersion:       r.strings.one(o.Status.AgentVersion), RuleSet: r.strings.one(o.Status.RuleSet),
			verdicts: r.digests.share(o.Status.Results),
		},
	}
	return kept
}

// nodeOwners keeps the reference to the Node alone.
func nodeOwners(owners []metav1.OwnerReference, node string) []metav1.OwnerReference {
	uid := ownerUID(owners, node)
	if uid == "" {
		return nil
	}
	return []metav1.OwnerReference{{APIVersion: "v1", Kind: "Node", Name: node, UID: uid}}
}

func (r *Roster) sameSpec(s *v1alpha1.NodeReportSpec) *v1alpha1.NodeReportSpec {
	if s == nil {
		return nil
	}
	same := &v1alpha1.NodeReportSpec{}
	for _, b := range s.Benchmarks {
		same.Benchmarks = append(same.Benchmarks, r.strings.one(b))
	}
	for _, m := range s.UnnecessaryModules {
		same.UnnecessaryModules = append(same.UnnecessaryModules, r.strings.one(m))
	}
	return same
}

// sameReport is whether the planner would see no difference between two trimmed
// reports on one node.
func sameReport(a, b *NodeReport) bool {
	return a.UID == b.UID && a.Generation == b.Generation && sameWord(a, b) &&
		ownerUID(a.OwnerReferences, a.Name) == ownerUID(b.OwnerReferences, b.Name) && sameOrder(a.Spec, b.Spec)
}

// sameWord is whether the agent says the same in both.
func sameWord(a, b *NodeReport) bool {
	s, t := &a.Status, &b.Status
	return s.ObservedGeneration == t.ObservedGeneration && s.AgentVersion == t.AgentVersion && s.RuleSet == t.RuleSet &&
		(s.verdicts == t.verdicts || maps.Equal(s.verdicts.of, t.verdicts.of))
}

func sameOrder(a, b *v1alpha1.NodeReportSpec) bool {
	if (a == nil) != (b == nil) {
		return false
	}
	return a == nil || slices.Equal(a.Benchmarks, b.Benchmarks) && slices.Equal(a.UnnecessaryModules, b.UnnecessaryModules)
}

// Order is what a NodeReport is to ask of its agent, and does not yet.
type Order struct {
	Node string
	UID  types.UID // of the report
	Spec v1alpha1.NodeReportSpec
}

// reading is what the planner reads of a report, nil where it says nothing yet, and the
// order that is missing in it; nil where it is there.
func (r *NodeReport) reading(benchmarks, modules []string) (*taint.Report, *Order) {
	want := v1alpha1.NodeReportSpec{Benchmarks: benchmarks, UnnecessaryModules: modules}
	read := &taint.Report{
		RuleSet: taint.RuleSetID{AgentVersion: r.Status.AgentVersion, RuleSet: r.Status.RuleSet},
		Results: r.Status.verdicts.of,
	}
	if r.Status.RuleSet == "" {
		read = nil // the agent has made it and has yet to say something
	}
	has := v1alpha1.NodeReportSpec{}
	if r.Spec != nil {
		has = *r.Spec
	}
	if !sameOrder(&want, &has) {
		return read, &Order{Node: r.Name, UID: r.UID, Spec: want}
	}
	if read == nil {
		return nil, nil
	}
	// Where nothing is asked for, an agent that was never asked is right.
	read.Current = r.Status.ObservedGeneration == r.Generation || r.Spec == nil && r.Status.ObservedGeneration == 0
	return read, nil
}
