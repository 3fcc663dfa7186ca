// Package systemd reads units as the system manager would load them: the file of
// the first directory that has one, links between names, drop-ins, and the command
// line with its environment. It does not evaluate conditions, and knows nothing of
// what a running manager was told since it loaded its units.
package systemd
