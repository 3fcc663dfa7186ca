// Package controller is what the leader does besides tainting: it audits what stands in
// the cluster, leads rollouts on, keeps the webhook's registration in step with what is
// enforced, and writes the reports. What it decides is decided in the packages audit,
// rollout and scorecard; this one reads and writes.
package controller
