// Package controller carries out what package taint plans: it watches the cluster, plans
// for the whole fleet whenever something has changed, and writes the differences. One
// leads; the others watch, so that the next leader knows the fleet already.
//
// It keeps no state of its own. What was decided is on the Nodes and in the
// ClusterReport, where the next leader finds it.
package controller
