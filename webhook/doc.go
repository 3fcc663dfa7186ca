// Package webhook is the gate at the API server's door: it reads an
// AdmissionReview, judges the object in it and answers.
//
// What is wrong with a workload is decided in webhook/policy, what follows from
// it in webhook/ruling; this package brings the two together, asks the cluster for
// the facts they need and speaks HTTP. It never turns "could not tell" into
// "allowed".
package webhook
