package check

import (
	"fmt"
	"slices"

	"github.com/hardgate-dev/hardgate/control"
	"github.com/hardgate-dev/hardgate/nodecheck/host"
	"github.com/hardgate-dev/hardgate/nodecheck/host/kubelet"
)

// kubeletChecks are the controls of sections 4.2 and 4.3.
var kubeletChecks = []*Check{
	kubeletSetting("kubelet-anonymous-auth", kubelet.AnonymousAuth, "false", isOff),
	kubeletSetting("kubelet-authorization-mode", kubelet.AuthorizationMode, "Webhook",
		func(v kubelet.Value) (bool, string) { return v.Text() == "Webhook", "" }),
	&kubeletClientCA,
	&kubeletReadOnlyPort,
	&kubeletStreamingIdle,
	kubeletSetting("kubelet-protect-kernel-defaults", kubelet.ProtectKernel, "true", isOn),
	kubeletSetting("kubelet-iptables-util-chains", kubelet.IPTablesChains, "true", isOn),
	&kubeletHostnameOverride,
	kubeletSetting("kubelet-event-qps", kubelet.EventQPS, "0 or more", eventRate),
	&kubeletTLSCert,
	kubeletSetting("kubelet-rotate-certificates", kubelet.RotateCerts, "true", isOn),
	&kubeletRotateServerCert,
	&kubeletTLSCiphers,
	kubeletSetting("kubelet-pod-pids-limit", kubelet.PodPidsLimit, "above 0", func(v kubelet.Value) (bool, string) {
		if v.Int() > 0 {
			return true, ""
		}
		return false, "this is no limit for a pod"
	}),
	kubeletSetting("kubelet-seccomp-default", kubelet.SeccompDefault, "true", isOn),
	&kubeletIPAddressDeny,
	&kubeProxyMetrics,
}

// kubeletReads are what every setting of the kubelet is read from.
var kubeletReads = []string{
	"/proc/<pid>/cmdline", "kubelet.service and its drop-ins", "the files of --config and --config-dir", "/configz",
}

// accepts judges one value, and may say why.
type accepts func(kubelet.Value) (ok bool, detail string)

func isOn(v kubelet.Value) (bool, string)  { return v.Bool(), "" }
func isOff(v kubelet.Value) (bool, string) { return !v.Bool(), "" }

// eventRate: the benchmarks leave the rate to the cluster. 0 is no limit: no event
// is lost, so it is not wrong, and the value is shown.
func eventRate(v kubelet.Value) (bool, string) {
	if v.Int() == 0 {
		return true, "0 is no limit"
	}
	return v.Int() > 0, ""
}

// kubeletSetting makes the check of one field.
func kubeletSetting(id control.ID, f *kubelet.Field, want string, ok accepts) *Check {
	return &Check{ID: id, Reads: kubeletReads, Run: withKubelet(func(_ *host.Host, _ *Rules, k *kubelet.Kubelet) (Result, error) {
		var j judge
		j.readings(k.Field(f), f.Path+": "+want, ok)
		return j.done()
	})}
}

// withKubelet runs a check on a node that has a kubelet.
func withKubelet(run func(*host.Host, *Rules, *kubelet.Kubelet) (Result, error)) func(*host.Host, *Rules) (Result, error) {
	return func(h *host.Host, rules *Rules) (Result, error) {
		k, err := kubelet.Read(h)
		if err != nil {
			return Result{}, err
		}
		if k.Absent != "" {
			return notApplicable("/proc", k.Absent)
		}
		return run(h, rules, k)
	}
}

// readings judges what is in force and what is on disk.
func (j *judge) readings(list []kubelet.Reading, want string, ok accepts) {
	for _, r := range list {
		if !j.told(r) {
			continue
		}
		good, detail := ok(r.Value)
		j.expect(good, setting(r, list, want, detail))
	}
}

// setting is the finding about one reading. What is on disk and not in force is
// worth telling even where both are right.
func setting(r kubelet.Reading, list []kubelet.Reading, want, detail string) Finding {
	f := Finding{Where: r.Where, Expected: want, Actual: r.Given, State: State(r.State), Detail: join(detail, r.Note)}
	if r.State != kubelet.Persisted {
		return f
	}
	for _, other := range list {
		if other.State == kubelet.Running && other.Err == nil && !other.Same(r.Value) {
			f.Detail = join("on disk, not in force", f.Detail)
		}
	}
	return f
}

// views puts readings side by side that are judged together: one row for each state
// that any of them has.
func views(lists ...[]kubelet.Reading) (rows [][]kubelet.Reading) {
	states := []kubelet.State{""}
	for _, list := range lists {
		if len(list) > 1 {
			states = []kubelet.State{kubelet.Running, kubelet.Persisted}
		}
	}
	for _, state := range states {
		row := make([]kubelet.Reading, 0, len(lists))
		for _, list := range lists {
			r := list[0]
			if len(list) > 1 && state == kubelet.Persisted {
				r = list[1]
			}
			r.State = state
			row = append(row, r)
		}
		rows = append(rows, row)
	}
	return rows
}

// told is whether a reading is known. Where it is not, j says so, once for each
// reason: settings that are judged together are often unknown together.
func (j *judge) told(r kubelet.Reading) bool {
	if r.Err == nil {
		return true
	}
	if !slices.ContainsFunc(j.unsure, func(e error) bool { return e.Error() == r.Err.Error() }) {
		j.unknown(r.Err)
	}
	return false
}

// known is whether all readings of a row are told.
func (j *judge) known(row []kubelet.Reading) bool {
	all := true
	for _, r := range row {
		all = j.told(r) && all
	}
	return all
}

// readOnlyPort is the port of the kubelet that asks nobody who they are.
const readOnlyPort = 10255

// kubeletReadOnlyPort: what listens counts too, where it can be seen. It is never a
// reason to pass: the port may be closed for a moment.
var kubeletReadOnlyPort = Check{
	ID: "kubelet-read-only-port", Reads: append([]string{"/proc/<pid>/net/tcp", "/proc/<pid>/net/tcp6"}, kubeletReads...),
	Run: withKubelet(func(h *host.Host, _ *Rules, k *kubelet.Kubelet) (Result, error) {
		var j judge
		j.readings(k.Field(kubelet.ReadOnlyPort), kubelet.ReadOnlyPort.Path+": 0",
			func(v kubelet.Value) (bool, string) { return v.Int() == 0, "" })
		if k.Process == nil {
			return j.done()
		}
		listeners, _ := k.Process.Listening(h)
		for _, l := range listeners {
			if l.Port() == readOnlyPort {
				j.fault(Finding{
					Where: l.Where, State: Running, Actual: l.String(),
					Expected: fmt.Sprintf("nothing listens on port %d", readOnlyPort),
				})
			}
		}
		return j.done()
	}),
}

var kubeletStreamingIdle = Check{
	ID: "kubelet-streaming-idle", Reads: kubeletReads,
	Run: withKubelet(func(_ *host.Host, _ *Rules, k *kubelet.Kubelet) (Result, error) {
		if k.Version.AtLeast(1, 34) {
			return notApplicable(k.Version.Where, "the kubelet has version "+k.Version.String()+", and from 1.34 on it ignores the setting")
		}
		if k.Version.Where == "" && k.VersionErr != nil {
			return Result{}, k.VersionErr
		}
		var j judge
		j.readings(k.Field(kubelet.StreamingIdle), kubelet.StreamingIdle.Path+": above 0", func(v kubelet.Value) (bool, string) {
			switch {
			case v.Duration() > 0:
				return true, ""
			case k.Version.Where == "":
				return false, "the version of the kubelet is not known; from 1.34 on it ignores the setting"
			}
			return false, ""
		})
		return j.done()
	}),
}

// kubeletHostnameOverride: whether a cloud needs the flag is not to be seen on the
// node. Where it does, the control is to be exempt.
var kubeletHostnameOverride = Check{
	ID: "kubelet-hostname-override", Reads: kubeletReads[:2],
	Run: withKubelet(func(_ *host.Host, _ *Rules, k *kubelet.Kubelet) (Result, error) {
		var j judge
		j.readings(k.Flag(kubelet.FlagHostnameOverride, false), "no --"+kubelet.FlagHostnameOverride, func(v kubelet.Value) (bool, string) {
			if v.Text() == "" {
				return true, ""
			}
			return false, "if the cloud provider needs it, exempt the node from this control"
		})
		return j.done()
	}),
}
