package check

import "slices"

// Directories returns the directories of a node that all checks look at where nothing on
// the node says otherwise, as a path of another place in its files does. Every Linux node
// has them: the pod of the agent could not start where one is missing, and making it there
// would be to change the node. The chart mounts these.
func Directories() []string { return slices.Clone(directories) }

var directories = []string{
	"/bin", "/boot", "/etc", "/lib", "/opt", "/proc", "/run", "/sbin", "/sys", "/usr", "/var",
}
