package controller

import (
	"errors"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/hardgate-dev/hardgate/api/v1alpha1"
)

func addToScheme(scheme *runtime.Scheme) error {
	return errors.Join(corev1.AddToScheme(scheme), coordinationv1.AddToScheme(scheme), admissionregistrationv1.AddToScheme(scheme), v1alpha1.AddToScheme(scheme))
}

// mapper knows the few kinds that are read and written here: to ask the API server for
// all that there are takes longer, and fails where the CRDs come after it.
func mapper() meta.RESTMapper {
	m := meta.NewDefaultRESTMapper([]schema.GroupVersion{
		corev1.SchemeGroupVersion, coordinationv1.SchemeGroupVersion, admissionregistrationv1.SchemeGroupVersion, v1alpha1.GroupVersion,
	})
	for gv, kinds := range map[schema.GroupVersion][]string{
		corev1.SchemeGroupVersion:                  {"Namespace", "Node"},
		admissionregistrationv1.SchemeGroupVersion: {"ValidatingWebhookConfiguration", "MutatingWebhookConfiguration"},
		v1alpha1.GroupVersion:                      {"WorkloadPolicy", "Exemption", "NamespaceReport", "ClusterReport", "NodeReport"},
	} {
		for _, kind := range kinds {
			m.Add(gv.WithKind(kind), meta.RESTScopeRoot)
		}
	}
	m.Add(coordinationv1.SchemeGroupVersion.WithKind("Lease"), meta.RESTScopeNamespace)
	return m
}
