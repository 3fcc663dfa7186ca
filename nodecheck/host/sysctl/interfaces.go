package sysctl

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hardgate-dev/hardgate/nodecheck/host"
)

// MaxInterfaces bounds how many interfaces of a node are judged one by one.
const MaxInterfaces = 64

type interfaces []string

// Interfaces returns the names of the interfaces that connect a node to others, in
// order: the physical ones, the bonds, VLANs and bridges on top of them, and whatever
// the default route leads through, but not the parts of a bond or bridge, which have no traffic of their own, and none of
// the many that lead to containers.
func Interfaces(h *host.Host) ([]string, error) { return host.Memo(h, readInterfaces) }

func readInterfaces(h *host.Host) (interfaces, error) {
	if _, err := host.Memo(h, network); err != nil {
		return nil, err
	}
	entries, err := h.Dir(procSys + "net/ipv4/conf")
	if err != nil {
		return nil, err
	}
	var names []string
	for _, e := range entries {
		if e.Name != "all" && e.Name != "default" && e.Name != "lo" {
			names = append(names, e.Name)
		}
	}
	chosen, err := connecting(h, names)
	if missing(err) { // no /sys
		chosen, err = slices.DeleteFunc(names, container), nil
	}
	if err != nil {
		return nil, err
	}
	if len(chosen) > MaxInterfaces {
		return nil, &host.Error{Path: procSys + "net/ipv4/conf", Err: fmt.Errorf("%w: more than %d interfaces", host.ErrTooLarge, MaxInterfaces)}
	}
	return chosen, nil
}

const sysNet = "/sys/class/net/"

// connecting chooses among interfaces by /sys: it begins with those that have hardware
// or the default route, and goes up to what stands on them.
func connecting(h *host.Host, names []string) (chosen []string, err error) {
	entries, err := h.Dir("/sys/devices/virtual/net")
	if missing(err) {
		_, err = h.Dir(sysNet)
	}
	if err != nil {
		return nil, err
	}
	virtual := map[string]bool{}
	for _, e := range entries {
		virtual[e.Name] = true
	}
	routed, err := defaultRoutes(h)
	if err != nil {
		return nil, err
	}
	var queue []string
	seen := map[string]bool{} // false: known, and not looked at yet
	for _, name := range names {
		seen[name] = false
		if !virtual[name] || routed[name] {
			queue = append(queue, name)
		}
	}
	for first := len(queue); len(queue) > 0; first-- {
		name := queue[0]
		queue = queue[1:]
		if done, known := seen[name]; done || !known {
			continue
		}
		l, err := look(h, name)
		if err != nil {
			return nil, err
		}
		if first > 0 && !l.device && !routed[name] {
			continue
		}
		seen[name] = true
		part := l.part
		for _, above := range l.above {
			// Two interfaces of hardware, one above the other, are the two ways of a
			// cloud's accelerated network: the upper one has the traffic.
			_, known := seen[above]
			part = part || (l.master && known && !virtual[above])
			if !container(above) {
				queue = append(queue, above)
			}
		}
		if !part {
			chosen = append(chosen, name)
		}
	}
	slices.Sort(chosen)
	return chosen, nil
}

// defaultRoutes are the interfaces of the default routes of IPv4. One that cannot be
// read is an error; where there is no table, there are none.
func defaultRoutes(h *host.Host) (map[string]bool, error) {
	const most = 8 << 20 // a node may have a route for each pod of a cluster
	routed := map[string]bool{}
	f, err := h.Large("/proc/net/route", most)
	if missing(err) {
		return routed, nil
	}
	if err != nil {
		return nil, err
	}
	for line := range f.Lines() {
		const name, destination, mask = 0, 1, 7
		fields := strings.Fields(line.Text)
		if len(fields) > mask && strings.Trim(fields[destination]+fields[mask], "0") == "" {
			routed[fields[name]] = true
		}
	}
	return routed, nil
}

// link is what /sys says of an interface.
type link struct {
	device bool     // there is hardware behind it
	part   bool     // of a bond or a bridge
	master bool     // another takes its packets
	above  []string // the interfaces that stand on it
}

func look(h *host.Host, name string) (l link, err error) {
	entries, err := h.Dir(sysNet + name)
	if missing(err) {
		return l, nil // gone meanwhile
	}
	for _, e := range entries {
		switch e.Name {
		case "device":
			l.device = true
		case "brport", "bonding_slave":
			l.part = true
		case "master":
			l.master = true
		}
		if above, ok := strings.CutPrefix(e.Name, "upper_"); ok {
			l.above = append(l.above, above)
		}
	}
	return l, err
}

// containerPrefixes begin the names that container networks give to interfaces.
var containerPrefixes = []string{
	"antrea", "azv", "cali", "cbr", "cilium", "cni", "docker", "dummy", "eni", "flannel", "geneve", "genev_", "gke", "ifb",
	"kube-", "lxc", "nodelocaldns", "podman", "tap", "tunl", "veth", "virbr", "vxlan", "weave", "wireguard.cali",
}

func container(name string) bool {
	return slices.ContainsFunc(containerPrefixes, func(p string) bool { return strings.HasPrefix(name, p) })
}
