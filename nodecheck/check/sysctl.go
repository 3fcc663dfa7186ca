package check

import (
	"fmt"

	"github.com/hardgate-dev/hardgate/control"
	"github.com/hardgate-dev/hardgate/nodecheck/host"
	"github.com/hardgate-dev/hardgate/nodecheck/host/sysctl"
)

// sysctlChecks: CIS Ubuntu 16.04 3.1.2 to 3.3.1. The rows want a value of conf/all and
// of conf/default; what an interface does follows from its own value too, in a way
// that differs from key to key.
var sysctlChecks = []*Check{
	sysctlCheck("sysctl-send-redirects", sendRedirects, nil),
	sysctlCheck("sysctl-source-route", sourceRoute, &sourceRoute6),
	sysctlCheck("sysctl-icmp-redirects", acceptRedirects, &acceptRedirects6),
	sysctlCheck("sysctl-secure-redirects", secureRedirects, nil),
	sysctlCheck("sysctl-log-martians", logMartians, nil),
	{ID: "sysctl-accept-ra", Reads: append(sysctlReads("ipv6"), "/proc/cmdline", "/run/systemd/netif/links"), Run: runAcceptRA},
}

func sysctlReads(family string) []string {
	return append([]string{"/proc/sys/net/" + family + "/conf", "/etc/sysctl.conf", "/etc/ufw/sysctl.conf", "systemd-sysctl.service"}, sysctl.Dirs...)
}

// sysctlCheck judges a key of IPv4; newer editions add the one of IPv6.
func sysctlCheck(id control.ID, v4 sysctlKey, v6 *sysctlKey) *Check {
	return &Check{ID: id, Reads: sysctlReads("ipv4"), Run: func(h *host.Host, rules *Rules) (Result, error) {
		var j judge
		j.sysctl(h, v4)
		if v6 != nil && rules.IPv6Redirects {
			j.sysctl6(h, *v6)
		}
		return j.done()
	}}
}

// sysctlKey is a key of net.<family>.conf.
type sysctlKey struct {
	family, name string
	want         int
	// ignored says why an interface does as it should in spite of its own value; empty
	// where it does not. See networking/ip-sysctl in the kernel's documentation. Nil:
	// its own value suffices to do wrong.
	ignored func(see sysctlView, iface string, own int) (string, error)
	// alone says in a fault what conf/all has to do with it.
	alone string
	// decided: conf/all alone decides where it is right.
	decided bool
	// sticky keys have a value per interface from the moment that it appears.
	sticky bool
}

// sysctlView is the value of a key for an interface, for all or for default, either
// in force or as the node would boot.
type sysctlView func(family, who, name string) (int, error)

const anySuffices = "one of conf/all and the interface suffices to turn it on"

var (
	sendRedirects = sysctlKey{family: "ipv4", name: "send_redirects", alone: anySuffices}

	sourceRoute = sysctlKey{
		family: "ipv4", name: "accept_source_route", decided: true, alone: "conf/all is on too",
		ignored: func(see sysctlView, _ string, _ int) (string, error) {
			all, err := see("ipv4", "all", "accept_source_route")
			return when(all == 0, "without effect while conf/all is 0"), err
		},
	}

	acceptRedirects = sysctlKey{
		family: "ipv4", name: "accept_redirects", alone: "one of conf/all and the interface suffices unless it forwards",
		ignored: func(see sysctlView, iface string, _ int) (string, error) {
			all, err := see("ipv4", "all", "accept_redirects")
			if err != nil || all != 0 {
				return "", err
			}
			forwarding, err := see("ipv4", iface, "forwarding")
			return when(forwarding != 0, "without effect while the interface forwards and conf/all is 0"), err
		},
	}

	secureRedirects = sysctlKey{
		family: "ipv4", name: "secure_redirects", alone: anySuffices,
		ignored: func(see sysctlView, iface string, _ int) (string, error) {
			accepted, err := acceptsRedirects(see, iface)
			return when(!accepted, "without effect while the interface accepts no redirects"), err
		},
	}

	logMartians = sysctlKey{
		family: "ipv4", name: "log_martians", want: 1, decided: true, alone: "conf/all is off too",
		ignored: func(see sysctlView, _ string, _ int) (string, error) {
			all, err := see("ipv4", "all", "log_martians")
			return when(all != 0, "without effect while conf/all is 1"), err
		},
	}

	sourceRoute6 = sysctlKey{
		family: "ipv6", name: "accept_source_route", decided: true, alone: "conf/all is on too",
		ignored: func(see sysctlView, _ string, own int) (string, error) {
			all, err := see("ipv6", "all", "accept_source_route")
			return when(own < 0 || all <= 0, "without effect: the smaller of it and conf/all counts"), err
		},
	}

	acceptRedirects6 = sysctlKey{
		family: "ipv6", name: "accept_redirects", sticky: true,
		ignored: func(see sysctlView, iface string, _ int) (string, error) { return ignored6(see, iface, false) },
	}

	acceptRA = sysctlKey{
		family: "ipv6", name: "accept_ra", sticky: true,
		ignored: func(see sysctlView, iface string, own int) (string, error) {
			return ignored6(see, iface, own == acceptAlways)
		},
	}
)

// acceptAlways accepts router advertisements on an interface that forwards, too.
const acceptAlways = 2

// notInherited is about sticky keys. In IPv4 an interface follows conf/default until it
// has a value of its own.
const notInherited = "conf/all and conf/default do not change an interface that is there already: it needs a line of its own"

// acceptsRedirects is IN_DEV_RX_REDIRECTS of linux/inetdevice.h.
func acceptsRedirects(see sysctlView, iface string) (bool, error) {
	own, err := see("ipv4", iface, "accept_redirects")
	if err != nil {
		return false, err
	}
	why, err := acceptRedirects.ignored(see, iface, own)
	if err != nil {
		return false, err
	}
	all, err := see("ipv4", "all", "accept_redirects")
	return (own != 0 && why == "") || (own == 0 && all != 0), err
}

// ignored6 is why an interface ignores what routers say in spite of its value.
func ignored6(see sysctlView, iface string, always bool) (string, error) {
	off, err := see("ipv6", iface, "disable_ipv6")
	if err != nil || off != 0 {
		return "without effect while IPv6 is off on the interface", err
	}
	forwarding, err := see("ipv6", iface, "forwarding")
	return when(forwarding != 0 && !always, "without effect while the interface forwards"), err
}

func when(ok bool, words string) string {
	if ok {
		return words
	}
	return ""
}

func (k sysctlKey) path(who string) string {
	return fmt.Sprintf("net/%s/conf/%s/%s", k.family, who, k.name)
}
