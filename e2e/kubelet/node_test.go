package kubelet

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/hardgate-dev/hardgate/control"
	"github.com/hardgate-dev/hardgate/e2e/enclosure"
	"github.com/hardgate-dev/hardgate/e2e/gate"
	"github.com/hardgate-dev/hardgate/e2e/node"
	"github.com/hardgate-dev/hardgate/e2e/process"
)

const (
	program   = "/usr/bin/kubelet"
	unitFile  = "/etc/systemd/system/kubelet.service"
	unitFlags = "/etc/systemd/system/kubelet.service.d/10-flags.conf"
	extraArgs = "/etc/default/kubelet"
)

// units start the kubelet as packages and kubeadm have it: the flags come from
// variables, some of them from a file.
func units(service, extra string) map[string]string {
	return map[string]string{
		program:  "-> " + lab.kubelet(),
		unitFile: "[Unit]\nDescription=kubelet\n\n[Service]\nExecStart=" + program + "\n" + service,
		unitFlags: "[Service]\nEnvironment=\"ACCESS=--kubeconfig=" + kubeconfigFile + "\"\n" +
			"Environment='MACHINE=" + strings.Join(needed()[1:], " ") + "'\n" +
			"EnvironmentFile=-/etc/nowhere\nEnvironmentFile=-" + extraArgs + "\n" +
			"ExecStart=\nExecStart=" + program + " $ACCESS $MACHINE $EXTRA\n",
		extraArgs: "# flags of this machine\nEXTRA=\"" + extra + "\"\n",
	}
}

const hardened = node.Hardened + "rotateCertificates: true\nserverTLSBootstrap: true\n"

// passes are the verdicts on a node where all is well. kube-proxy is none of it, and
// the timeout has no effect in this version.
func passes(others map[control.ID]control.Status) map[control.ID]control.Status {
	want := map[control.ID]control.Status{
		"kube-proxy-kubeconfig-mode":  control.NotApplicable,
		"kube-proxy-kubeconfig-owner": control.NotApplicable,
		"kube-proxy-metrics":          control.NotApplicable,
		"kubelet-streaming-idle":      control.NotApplicable,
	}
	for _, id := range []control.ID{
		"kubelet-service-mode", "kubelet-service-owner", "kubelet-kubeconfig-mode", "kubelet-kubeconfig-owner",
		"kubelet-client-ca-mode", "kubelet-client-ca-owner", "kubelet-config-mode", "kubelet-config-owner",
		"kubelet-anonymous-auth", "kubelet-authorization-mode", "kubelet-client-ca", "kubelet-read-only-port",
		"kubelet-protect-kernel-defaults", "kubelet-iptables-util-chains", "kubelet-hostname-override",
		"kubelet-event-qps", "kubelet-tls-cert", "kubelet-rotate-certificates", "kubelet-rotate-server-cert",
		"kubelet-tls-ciphers", "kubelet-pod-pids-limit", "kubelet-seccomp-default", "kubelet-ip-address-deny",
	} {
		want[id] = control.Pass
	}
	maps.Copy(want, others)
	return want
}

// machines are nodes, and what hardgate node is to say of them. The verdicts were
// read off the files by hand.
var machines = map[string]struct {
	service string // added to the unit
	extra   string // flags
	config  string
	// later is what somebody does while the kubelet runs.
	later func(*testing.T)
	port  int // on which the kubelet listens when it has come up
	want  map[control.ID]control.Status
	// finding is one that must be there, written as path, drift, actual and detail.
	findings map[control.ID]string
}{
	"hardened": {
		service: "IPAddressDeny=any\nIPAddressAllow=localhost\n",
		extra:   "--config=" + configFile,
		config:  hardened,
		want:    passes(nil),
	},
	"careless": {
		extra: "--hostname-override=" + enclosure.Host,
		later: func(t *testing.T) {
			t.Helper()
			for _, name := range []string{unitFile, kubeconfigFile} {
				chmod(t, name, 0o644)
			}
		},
		port: 10255,
		want: passes(map[control.ID]control.Status{
			"kubelet-service-mode": control.Fail, "kubelet-kubeconfig-mode": control.Fail,
			"kubelet-client-ca-mode": control.NotApplicable, "kubelet-client-ca-owner": control.NotApplicable,
			"kubelet-config-mode": control.NotApplicable, "kubelet-config-owner": control.NotApplicable,
			"kubelet-anonymous-auth": control.Fail, "kubelet-authorization-mode": control.Fail, "kubelet-client-ca": control.Fail,
			"kubelet-read-only-port": control.Fail, "kubelet-protect-kernel-defaults": control.Fail,
			"kubelet-hostname-override": control.Fail, "kubelet-tls-cert": control.Fail,
			"kubelet-rotate-certificates": control.Fail, "kubelet-rotate-server-cert": control.Fail,
			"kubelet-tls-ciphers": control.Fail, "kubelet-pod-pids-limit": control.Fail,
			"kubelet-seccomp-default": control.Fail, "kubelet-ip-address-deny": control.Fail,
		}),
		findings: map[control.ID]string{
			"kubelet-hostname-override": "/proc/",
			"kubelet-kubeconfig-mode":   kubeconfigFile + "  mode 0644",
		},
	},
	"flags will be others": {
		service: "IPAddressDeny=any\n",
		extra:   "--config=" + configFile,
		config:  hardened,
		later: func(t *testing.T) {
			t.Helper()
			write(t, units("IPAddressDeny=any\n", "--config="+configFile+" --read-only-port=10255 --anonymous-auth"))
		},
		want: passes(map[control.ID]control.Status{"kubelet-read-only-port": control.Fail, "kubelet-anonymous-auth": control.Fail}),
		findings: map[control.ID]string{
			"kubelet-read-only-port": unitFlags + " at-reboot --read-only-port=10255",
			"kubelet-anonymous-auth": unitFlags + " at-reboot --anonymous-auth=true",
		},
	},
	"mended on disk alone": {
		service: "IPAddressDeny=any\n",
		extra:   "--config=" + configFile,
		config:  strings.Replace(hardened, "readOnlyPort: 0", "readOnlyPort: 10255", 1),
		later:   func(t *testing.T) { t.Helper(); write(t, config(hardened)) },
		port:    10255,
		want:    passes(map[control.ID]control.Status{"kubelet-read-only-port": control.Fail}),
		findings: map[control.ID]string{
			"kubelet-read-only-port": "/proc/",
		},
	},
}

// TestHardgateNode runs the command on the machine that the kubelet runs on.
func TestHardgateNode(t *testing.T) {
	needLab(t)
	command := filepath.Join(enclosure.Dir(), "hardgate")
	if err := gate.Build(t.Context(), lab.repo, "./cmd/hardgate", command); err != nil {
		t.Fatal(err)
	}
	for name, m := range machines {
		t.Run(name, func(t *testing.T) {
			write(t, units(m.service, m.extra))
			if m.config != "" {
				write(t, config(m.config))
			}
			args := needed()
			if m.extra != "" {
				args = append(args, strings.Fields(m.extra)...)
			}
			k := run(t, process.Program{Name: "kubelet", Path: program, Args: args})
			awaitPort(t, k, max(m.port, kubeletPort))
			if m.later != nil {
				m.later(t)
			}
			got := judgeNode(t, command)
			for id, want := range m.want {
				if id == "kubelet-streaming-idle" && minor(t) < ignoresIdle {
					want = control.Pass
				}
				if got[id].Status != want {
					t.Errorf("%s is %s, want %s: %v", id, got[id].Status, want, got[id].Findings)
				}
			}
			for id := range got {
				if _, ok := m.want[id]; !ok && strings.HasPrefix(string(id), "kube") {
					t.Errorf("%s is %s, and nobody has read it by hand", id, got[id].Status)
				}
			}
			for id, want := range m.findings {
				if !slices.ContainsFunc(got[id].Findings, func(f finding) bool { return strings.HasPrefix(f.String(), want) }) {
					t.Errorf("%s has the findings %v, want one like %q", id, got[id].Findings, want)
				}
			}
		})
	}
}

// result is the part of hardgate's JSON that is looked at.
type result struct {
	Control  control.ID
	Status   control.Status
	Findings []finding
}

type finding struct{ Path, Drift, Actual, Detail string }

func (f finding) String() string {
	return fmt.Sprintf("%s %s %s %s", strings.TrimRight(strings.SplitN(f.Path, ":", 2)[0], ":"), f.Drift, f.Actual, f.Detail)
}

// judgeNode runs hardgate node.
func judgeNode(t *testing.T, command string) map[control.ID]result {
	t.Helper()
	var stderr bytes.Buffer
	cmd := exec.CommandContext(t.Context(), command, "node", "--root", "/", "-o", "json")
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	// 1 is for what fails and 2 for what cannot be told: this machine has some of both.
	if exit := (*exec.ExitError)(nil); err != nil && (!errors.As(err, &exit) || exit.ExitCode() > 2) {
		t.Fatalf("hardgate node: %v\n%s", err, &stderr)
	}
	var report struct{ Results []result }
	if err := json.Unmarshal(out, &report); err != nil {
		t.Fatalf("hardgate node: %v\n%s%s", err, out, &stderr)
	}
	got := map[control.ID]result{}
	for _, r := range report.Results {
		got[r.Control] = r
	}
	return got
}

// awaitPort returns when a program listens.
func awaitPort(t *testing.T, r *process.Running, port int) {
	t.Helper()
	if err := node.AwaitPort(t.Context(), r, port); err != nil {
		t.Fatal(err)
	}
}

// chmod changes a mode until the test ends.
func chmod(t *testing.T, name string, mode os.FileMode) {
	t.Helper()
	info, err := os.Stat(name)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(name, mode); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.Chmod(name, info.Mode()); err != nil && !errors.Is(err, os.ErrNotExist) {
			t.Error(err)
		}
	})
}
