// Package controller brings the real controller to a lab's cluster, with the rights and
// the admission policies of manifests/controller.
package controller
