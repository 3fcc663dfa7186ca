// Package modprobe reads what a node's kernel modules may do: the configuration
// that modprobe goes by (modprobe.d(5)), the kernel command line, the modules that
// the kernel has on disk or in itself, and those that are loaded.
//
// It tells what modprobe would do with a module as libkmod decides it; the tests
// compare it with the real program. It runs nothing, and takes a command of an
// install line for harmless only if it is one of a few that are known to be.
package modprobe
