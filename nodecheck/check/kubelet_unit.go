package check

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/hardgate-dev/hardgate/nodecheck/host"
	"github.com/hardgate-dev/hardgate/nodecheck/host/kubelet"
	"github.com/hardgate-dev/hardgate/nodecheck/host/process"
	"github.com/hardgate-dev/hardgate/nodecheck/host/systemd"
)

// withUnit runs a check on a node whose kubelet a unit starts.
func withUnit(run func(*host.Host, *systemd.Unit) (Result, error)) func(*host.Host, *Rules) (Result, error) {
	return withKubelet(func(h *host.Host, _ *Rules, k *kubelet.Kubelet) (Result, error) {
		switch {
		case k.UnitErr != nil:
			return Result{}, k.UnitErr
		case k.Unit != nil:
			return run(h, k.Unit)
		case k.Process != nil && (k.Process.Parent <= 1 || k.Process.Unit != ""):
			// It may have left the control group of its unit, as --kubelet-cgroups makes it, or
			// the unit's file is gone, or it is not known who started it.
			return Result{}, &host.Error{Path: k.Process.Where, Err: errNoUnit}
		case k.Process != nil:
			return notApplicable(k.Process.Where, "no unit of systemd starts the kubelet")
		}
		// A kubelet is here, and nothing tells what starts it.
		return Result{}, k.Field(kubelet.AnonymousAuth)[0].Err
	})
}

var errNoUnit = errors.New("no unit is found that started the kubelet")

// kubeletIPAddressDeny: what is allowed counts before what is denied. Some editions'
// tools look for a flag of the kubelet; it is a setting of the unit.
var kubeletIPAddressDeny = Check{
	ID: "kubelet-ip-address-deny", Reads: []string{"kubelet.service and its drop-ins"},
	Run: withUnit(func(_ *host.Host, u *systemd.Unit) (Result, error) {
		var j judge
		denied, where := addresses(u, "IPAddressDeny")
		f := Finding{Where: u.Path, Expected: "IPAddressDeny=any", Actual: "IPAddressDeny=" + strings.Join(denied, " ")}
		if where != "" {
			f.Where = where
		}
		if len(denied) == 0 {
			f.Detail = "not set"
		}
		j.expect(everything(denied), f)
		for _, s := range u.List("Service", "IPAddressAllow") {
			if slices.ContainsFunc(strings.Fields(s.Value), boundless) {
				j.fault(Finding{
					Where: s.Where, Expected: "IPAddressAllow= with the kubelet's peers only", Actual: "IPAddressAllow=" + s.Value,
					Detail: "what is allowed counts before what is denied",
				})
			}
		}
		return j.done()
	}),
}

// addresses are the words of a setting and where the last of them stands.
func addresses(u *systemd.Unit, key string) (words []string, where string) {
	for _, s := range u.List("Service", key) {
		words, where = append(words, strings.Fields(s.Value)...), s.Where
	}
	return words, where
}

// everything is whether prefixes cover every address.
func everything(words []string) bool {
	return slices.Contains(words, "any") || (slices.Contains(words, "0.0.0.0/0") && slices.Contains(words, "::/0"))
}

// boundless is whether a word covers more addresses than any network of a cluster has:
// all, or halves and eighths of all.
func boundless(word string) bool {
	const shortest = 7
	p, err := netip.ParsePrefix(word)
	return word == "any" || err == nil && p.Bits() < shortest
}

// kubeProxyMetrics: a listener on another address is wrong whatever the files say; no
// listener proves nothing.
var kubeProxyMetrics = Check{
	ID: "kube-proxy-metrics", Reads: []string{
		"/proc/<pid>/cmdline", "kube-proxy.service", "kube-proxy's file of --config", "/proc/<pid>/net/tcp", "/proc/<pid>/net/tcp6",
	},
	Run: func(h *host.Host, _ *Rules) (Result, error) {
		p, err := kubelet.ReadProxy(h)
		if err != nil {
			return Result{}, err
		}
		if p.Absent != "" {
			return notApplicable("/proc", p.Absent)
		}
		var j judge
		j.readings(p.Metrics, "metricsBindAddress on loopback", func(v kubelet.Value) (bool, string) {
			if v.Text() == "" {
				return true, "metrics are not served"
			}
			return v.Loopback(), ""
		})
		if p.Process == nil {
			return j.done()
		}
		port := uint16(kubelet.MetricsPort)
		if r := p.Metrics[0]; r.Err == nil && r.Port() != 0 {
			port = r.Port()
		}
		listeners, _ := nodeProcess(h, p).Listening(h)
		for _, l := range listeners {
			if l.Port() == port && !l.Addr().IsLoopback() {
				j.fault(Finding{
					Where: l.Where, State: Running, Actual: l.String(),
					Expected: fmt.Sprintf("port %d listens on loopback only", port),
				})
			}
		}
		return j.done()
	},
}

// nodeProcess is a process in the network namespace of the node: the kubelet, whose
// listeners another check has read already, else kube-proxy.
func nodeProcess(h *host.Host, p *kubelet.Proxy) *process.Process {
	if k, err := kubelet.Read(h); err == nil && k.Process != nil {
		return k.Process
	}
	return p.Process
}
