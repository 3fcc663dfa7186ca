package kubelet

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hardgate-dev/hardgate/nodecheck/host"
)

// command is one way in which the kubelet is started.
type command struct {
	flags []flag
	where string // the file that says so
	path  string // argv[0]
	dir   string // the working directory; empty where it is not known
	err   error  // the kubelet does not start like this
}

// flag is one flag as it is given.
type flag struct {
	name  string // with "-" for "_", as the kubelet compares names
	value string
}

// last returns the value of a flag that is given once or more: the last one counts.
func (c *command) last(name string) (string, bool) {
	for _, f := range slices.Backward(c.flags) {
		if f.name == name {
			return f.value, true
		}
	}
	return "", false
}

// every returns all values of a flag.
func (c *command) every(name string) (values []string) {
	for _, f := range c.flags {
		if f.name == name {
			values = append(values, f.value)
		}
	}
	return values
}

// newCommand takes arguments apart as package pflag does for a kubelet: a flag takes
// its value after "=" or from the next argument, whatever that looks like; a boolean
// one stands for true alone. A kubelet takes flags only, and so does kube-proxy.
func newCommand(path string, args []string, where string) *command {
	c := &command{where: where, path: path}
	all := len(args)
	fail := func(what string) *command {
		c.err = &host.Error{Path: where, Err: fmt.Errorf("%w: %s, and nothing starts with it", host.ErrMalformed, what)}
		return c
	}
	// What is no flag may come from a variable that is none of ours to show.
	noFlag := func() *command { return fail(fmt.Sprintf("argument %d is no flag", all-len(args))) }
	for len(args) > 0 {
		arg := args[0]
		args = args[1:]
		switch {
		case arg == "--":
			if len(args) > 0 {
				args = args[1:]
				return noFlag()
			}
			continue
		case len(arg) < 2 || arg[0] != '-':
			return noFlag()
		case arg[1] != '-':
			// Of the flags with one letter, -v alone does not print something and exit.
			if arg[1] != 'v' {
				return noFlag()
			}
			if arg == "-v" && len(args) > 0 {
				args = args[1:]
			}
			continue
		}
		name, value, ok := strings.Cut(arg[2:], "=")
		if name == "" || name[0] == '-' {
			return noFlag()
		}
		name = strings.ReplaceAll(name, "_", "-")
		if !ok {
			switch {
			case booleans[name]:
				value = "true"
			case len(args) == 0:
				if _, known := fieldOfFlag[name]; known {
					return fail(fmt.Sprintf("%q is a flag without its value", clip(arg)))
				}
				value = "true"
			case strings.HasPrefix(args[0], "-") && !valued[name]:
				// A flag that is not known here: it is a boolean one, or its value is odd.
				value = "true"
			default:
				value, args = args[0], args[1:]
			}
		}
		c.flags = append(c.flags, flag{name, value})
	}
	return c
}

// clip shortens what somebody wrote.
func clip(s string) string {
	const longest = 60
	if len(s) > longest {
		return s[:longest] + "…"
	}
	return s
}

// booleans are the flags that stand for true alone, of every version since 1.10, and
// those of kube-proxy.
var booleans = set(`
	allow-privileged alsologtostderr anonymous-auth authentication-token-webhook
	cgroups-per-qos containerized contention-profiling cpu-cfs-quota docker-only docker-tls
	enable-cadvisor-json-endpoints enable-controller-attach-detach enable-debugging-handlers enable-load-reader
	enable-server exit-on-lock-contention experimental-allocatable-ignore-eviction
	experimental-check-node-capabilities-before-mount experimental-fail-swap-on
	experimental-kernel-memcg-notification fail-cgroupv1 fail-swap-on help kernel-memcg-notification
	keep-terminated-pod-volumes local-storage-capacity-isolation log-cadvisor-usage log-json-split-stream
	log-text-split-stream logtostderr make-iptables-util-chains one-output
	protect-kernel-defaults really-crash-for-testing redirect-container-streaming register-node
	register-schedulable require-kubeconfig rotate-certificates rotate-server-certificates runonce
	seccomp-default serialize-image-pulls skip-headers skip-log-headers storage-driver-secure version

	bind-address-hard-fail cleanup cleanup-ipvs conntrack-tcp-be-liberal init-only ipvs-strict-arp
	iptables-localhost-nodeports masquerade-all profiling
`)

// valued are flags whose value is taken from the next argument even if it looks like
// a flag: those that are judged, and those that come before them by habit.
var valued = set(`
	address authentication-token-webhook-cache-ttl authorization-mode bootstrap-kubeconfig cert-dir cgroup-driver
	cgroup-root client-ca-file cloud-config cloud-provider cluster-dns cluster-domain config config-dir
	container-runtime container-runtime-endpoint event-burst event-qps eviction-hard eviction-soft feature-gates
	hostname-override image-gc-high-threshold image-gc-low-threshold kube-reserved kubeconfig kubelet-cgroups
	max-pods network-plugin node-ip node-labels pod-cidr pod-infra-container-image pod-manifest-path pod-max-pids
	port provider-id read-only-port register-with-taints resolv-conf root-dir runtime-cgroups
	streaming-connection-idle-timeout system-cgroups system-reserved tls-cert-file tls-cipher-suites
	tls-min-version tls-private-key-file v vmodule volume-plugin-dir

	bind-address healthz-bind-address metrics-bind-address metrics-port proxy-mode cluster-cidr
`)

func set(words string) map[string]bool {
	m := map[string]bool{}
	for word := range strings.FieldsSeq(words) {
		m[word] = true
	}
	return m
}
