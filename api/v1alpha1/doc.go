// Package v1alpha1 holds hardgate's custom resources. It describes them and
// nothing more: what a policy means is in webhook/ruling and webhook/policy.
//
// +kubebuilder:object:generate=true
// +groupName=hardgate.dev
package v1alpha1
