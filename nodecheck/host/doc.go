// Package host reads the files of one node and nothing else; it is the only
// package that opens them. A node is a directory: "/" on the machine itself,
// "/host" in the agent's pod, or a tree that was copied from a machine.
//
// Every path is resolved inside that directory: an absolute symbolic link starts
// there, ".." does not lead out, and a link that is changed meanwhile cannot
// change that. Reading is bounded in size, opens regular files only, and never
// writes, executes or follows the links of /proc/<pid>.
//
// What the files mean is the work of the packages below this one, a package for
// each format. They take a *Host, so that a file is read once in a scan however
// many controls look at it.
package host
