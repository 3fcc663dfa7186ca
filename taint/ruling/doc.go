// Package ruling turns NodePolicies and Exemptions into what holds for one node. It
// decides nothing about the node: that is package taint.
package ruling
