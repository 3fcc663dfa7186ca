package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// GroupVersion is hardgate.dev/v1alpha1.
var GroupVersion = schema.GroupVersion{Group: "hardgate.dev", Version: "v1alpha1"}

// AddToScheme makes the kinds of this package known to a scheme.
func AddToScheme(scheme *runtime.Scheme) error {
	scheme.AddKnownTypes(GroupVersion,
		&WorkloadPolicy{}, &WorkloadPolicyList{}, &NodePolicy{}, &NodePolicyList{}, &Exemption{}, &ExemptionList{},
		&NodeReport{}, &NodeReportList{}, &ClusterReport{}, &ClusterReportList{},
		&NamespaceReport{}, &NamespaceReportList{})
	metav1.AddToGroupVersion(scheme, GroupVersion)
	return nil
}
