// Package enclosure gives programs that run a node, tests among them, a machine of their
// own: the program runs itself once more in namespaces of its own, with private copies
// of /etc, /run, /usr and /var over the machine's. What a container runtime and a kubelet
// do there to processes, mounts, network, firewall, files and kernel settings ends
// with the enclosure, however that ends; the machine itself is only read.
//
// Control groups are the one thing that is shared: what runs inside keeps below
// CgroupRoot, which Run removes. Where they are of version 2, the controllers that
// Run hands on to the groups at the top stay handed on.
package enclosure
