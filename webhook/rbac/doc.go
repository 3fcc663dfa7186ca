// Package rbac says what rules grant, as the API server's authorizer reads them, and
// knows the roles and bindings that Kubernetes makes for itself.
//
// It is pure: roles and bindings come in as they are written. No role is looked up: a
// role that grants too much is found at the role, and a binding only where its role is
// one of Kubernetes' own, whose powers are known.
package rbac
