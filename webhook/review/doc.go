// Package review reads and writes AdmissionReviews, admission.k8s.io/v1.
//
// A request that cannot be read is an error that carries the request's UID where
// it was found, so that it can be answered; it is never an empty request.
package review
