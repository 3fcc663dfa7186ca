// Package issuer brings cert-manager's own controllers to a lab's cluster, as the module
// e2e/certmanager puts them together, and asks them for renewals.
package issuer
