// Package rollout tests the way from Audit to Enforce on a real API server: the webhook,
// the controller that audits and promotes, and what the API server does by them.
package rollout
