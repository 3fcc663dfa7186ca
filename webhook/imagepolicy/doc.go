// Package imagepolicy reads ImageReviews, imagepolicy.k8s.io/v1alpha1, by which the API
// server's plugin ImagePolicyWebhook asks about the images of a pod, and writes their answers.
//
// A review says which images a pod in a namespace would run, and nothing else that the gate
// goes by: not the pod's name, not its account, not who asks, and not in which list a
// container stands. Its annotations are the pod's, which a tenant writes: they are not read.
package imagepolicy
