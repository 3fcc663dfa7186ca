package check

import (
	"slices"
	"strconv"

	"github.com/hardgate-dev/hardgate/control"
	"github.com/hardgate-dev/hardgate/nodecheck/host"
	"github.com/hardgate-dev/hardgate/nodecheck/host/networkd"
	"github.com/hardgate-dev/hardgate/nodecheck/host/sysctl"
)

// runAcceptRA: CIS Ubuntu 16.04 3.3.1. A node whose IPv6 is off now and not at boot is
// judged by its files.
func runAcceptRA(h *host.Host, _ *Rules) (Result, error) {
	none, err := noIPv6(h)
	if err != nil {
		return Result{}, err
	}
	now, boot := ipv6Off(h)
	if none == nil && now != nil && boot != nil {
		none = slices.Concat(now, boot)
	}
	if none != nil {
		return Result{Status: control.NotApplicable, Findings: none}, nil
	}
	var j judge
	j.sysctl6(h, acceptRA)
	if now == nil {
		j.networkd(h)
	}
	return j.done()
}

// networkd judges the router advertisements that systemd-networkd takes in place of the
// kernel, whose value it sets to 0 itself. Where nothing is said it takes them on an
// interface that does not forward: the row is about the kernel's values, so that this
// is told and no fault. It is of both states: the file that is in force.
func (j *judge) networkd(h *host.Host) {
	interfaces, err := sysctl.Interfaces(h)
	if err != nil {
		return // sysctlRunning has said it
	}
	for _, iface := range interfaces {
		link, managed, err := networkd.Read(h, iface)
		if err != nil {
			j.sysctlUnknown(err)
			continue
		}
		if off, _, err := sysctl.Running(h, disableIPv6.path(iface)); !managed || (err == nil && off != 0) || missing(err) {
			continue
		}
		f := Finding{Where: link.AcceptRA.Where, Expected: "IPv6AcceptRA=no", Actual: link.AcceptRA.Text}
		switch {
		case !link.AcceptRA.Set:
			j.hold(Finding{Where: link.File, Detail: "systemd-networkd manages " + iface +
				" and takes router advertisements itself unless it forwards; IPv6AcceptRA=no ends that"})
		case link.AcceptRA.On:
			f.Detail = "systemd-networkd takes router advertisements on " + iface + " itself, whatever the kernel's value"
			j.fault(f)
		default:
			j.hold(f)
		}
	}
}

// sysctl6 judges a key of IPv6 in the states in which the node has IPv6.
func (j *judge) sysctl6(h *host.Host, k sysctlKey) {
	none, err := noIPv6(h)
	if err != nil {
		j.sysctlUnknown(err)
		return
	}
	if none != nil {
		j.held = append(j.held, none...)
		return
	}
	now, boot := ipv6Off(h)
	j.held = append(j.held, now...)
	j.held = append(j.held, boot...)
	var stuck []string
	if now == nil {
		stuck = j.sysctlRunning(h, k)
	}
	if boot == nil {
		j.sysctlPersisted(h, k, stuck)
	}
}

// noIPv6 says why the kernel has no IPv6 at all; nil where it has, or where no kernel
// runs. Its own directory counts more than its command line.
func noIPv6(h *host.Host) ([]Finding, error) {
	if _, err := h.File("/proc/sys/net/ipv6/conf/all/disable_ipv6"); err == nil {
		return nil, nil
	}
	if there, err := h.Exists("/proc/sys/net/ipv6/conf"); there || err != nil {
		return nil, err
	}
	disabled, err := sysctl.BootParameter(h, "ipv6.disable")
	if err != nil {
		return nil, err
	}
	if n, ok := sysctl.Int(disabled); ok && n != 0 {
		return []Finding{{Where: "/proc/cmdline", Actual: "ipv6.disable=" + disabled, Detail: "the kernel has no IPv6"}}, nil
	}
	kernel, err := h.Exists("/proc/sys/net/ipv4/conf")
	if err != nil || !kernel {
		return nil, err
	}
	return []Finding{{Where: "/proc/sys/net/ipv6/conf", Detail: "it does not exist: the kernel has no IPv6"}}, nil
}

// ipv6Off shows that IPv6 is off on every interface: now, and after boot. Where it is
// on, or where it cannot be told, there is nothing to show.
func ipv6Off(h *host.Host) (now, boot []Finding) { return ipv6OffNow(h), ipv6OffAtBoot(h) }

var disableIPv6 = sysctlKey{family: "ipv6", name: "disable_ipv6", want: 1}

func ipv6OffNow(h *host.Host) (off []Finding) {
	interfaces, err := sysctl.Interfaces(h)
	if err != nil {
		return nil
	}
	for _, who := range slices.Concat([]string{"all", "default"}, interfaces) {
		value, where, err := sysctl.Running(h, disableIPv6.path(who))
		if missing(err) && who != "all" && who != "default" {
			continue // an interface without IPv6
		}
		if err != nil || value == 0 {
			return nil
		}
		off = append(off, Finding{Where: where, Actual: strconv.Itoa(value), Detail: "IPv6 is off", State: Running})
	}
	return off
}

// ipv6OffAtBoot: a write to conf/all reaches conf/default and every interface.
func ipv6OffAtBoot(h *host.Host) (off []Finding) {
	config, err := sysctl.Read(h)
	if err != nil {
		return nil
	}
	b := bootState{config}
	for _, who := range slices.Concat([]string{"all", "default"}, b.interfaces(h, disableIPv6)) {
		s, err := config.Lookup(disableIPv6.path(who))
		if err != nil {
			return nil
		}
		if s.Assignment == nil && who != "all" {
			continue
		}
		value, f, err := b.value(disableIPv6, who)
		if err != nil || value == 0 {
			return nil
		}
		f.Expected, f.Detail = "", "IPv6 is off"
		off = append(off, f)
	}
	return off
}
