// Package syslog tells which messages of a node are kept: what the rules of rsyslog
// write where, in their old form and in RainerScript, and where journald stores its
// journal. Conditions are not evaluated: what depends on one is told apart.
package syslog
