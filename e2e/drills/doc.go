// Package drills takes away what hardgate stands on, one thing at a time, and holds what
// then happens against the promises of docs/reliability.md: replicas of the webhook, the
// API server, etcd, the leader, policies, CRDs.
package drills
