package kubelet_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hardgate-dev/hardgate/nodecheck/host"
	"github.com/hardgate-dev/hardgate/nodecheck/host/hosttest"
	"github.com/hardgate-dev/hardgate/nodecheck/host/kubelet"
)

const (
	uid       = "0a1b2c3d-0000-4000-8000-00000000000a"
	proxyHead = "apiVersion: kubeproxy.config.k8s.io/v1alpha1\nkind: KubeProxyConfiguration\n"
	inPod     = "-- proc/44/status --\nNSpid:\t44\t1\n-- proc/44/cgroup --\n0::/kubepods/besteffort/pod" + uid + "/f\n"
	volume    = "-- var/lib/kubelet/pods/" + uid + "/volumes/kubernetes.io~configmap/kube-proxy/config.conf --\n"
	fileOf    = "/var/lib/kubelet/pods/" + uid + "/volumes/kubernetes.io~configmap/kube-proxy/config.conf"
)

func proxy(args string) string {
	return "-- proc/44/cmdline nul --\n/usr/local/bin/kube-proxy\n" + args + "\n"
}

func TestReadProxy(t *testing.T) {
	const unit = "-- etc/systemd/system/kube-proxy.service --\n[Service]\nExecStart=/usr/bin/kube-proxy --config=/p\n"
	tests := map[string]struct {
		archive, absent, err string
		metrics, kubeconfig  []string
	}{
		"none":   {absent: "no kube-proxy runs here and no unit starts one"},
		"hidden": {archive: "-- proc/5/cmdline unreadable --\n", err: "/proc/5/cmdline: permission denied"},
		"k3s":    {archive: "-- proc/5/cmdline nul --\nk3s agent\n", err: "/proc/5/cmdline: kube-proxy is part of it and shows no flags"},
		"a unit that starts another program": {
			archive:    "-- etc/systemd/system/kube-proxy.service --\n[Service]\nExecStart=/opt/start-proxy --config=/p\n",
			metrics:    []string{"error: /etc/systemd/system/kube-proxy.service:2: the unit starts another program, which may start kube-proxy"},
			kubeconfig: []string{"error: /etc/systemd/system/kube-proxy.service:2: the unit starts another program, which may start kube-proxy"},
		},
		"a unit that starts another program, and the process": {
			archive:    "-- etc/systemd/system/kube-proxy.service --\n[Service]\nExecStart=/bin/sh /opt/start-proxy\n" + proxy("--metrics-bind-address=0.0.0.0"),
			metrics:    []string{"0.0.0.0:10249 <- --metrics-bind-address=0.0.0.0 at /proc/44/cmdline"},
			kubeconfig: []string{"<-  at /proc/44/cmdline; not set"},
		},
		"two volumes with such a file": {
			archive:    proxy("--config=/etc/p/config.conf") + inPod + volume + proxyHead + strings.Replace(volume, "/kube-proxy/", "/other/", 1) + proxyHead,
			metrics:    []string{"error: /var/lib/kubelet/pods/" + uid + "/volumes/kubernetes.io~configmap: more than one volume has a file of the name of kube-proxy's configuration"},
			kubeconfig: []string{"error: /var/lib/kubelet/pods/" + uid + "/volumes/kubernetes.io~configmap: more than one volume has a file of the name of kube-proxy's configuration"},
		},
		"flags": {
			archive:    proxy("--kubeconfig=/k\n--metrics-bind-address=0.0.0.0"),
			metrics:    []string{"0.0.0.0:10249 <- --metrics-bind-address=0.0.0.0 at /proc/44/cmdline"},
			kubeconfig: []string{"/k <- --kubeconfig=/k at /proc/44/cmdline"},
		},
		"no flags": {
			archive:    proxy("--v=2"),
			metrics:    []string{"127.0.0.1:10249 <- metricsBindAddress: 127.0.0.1:10249 at /proc/44/cmdline; not set, this is the default"},
			kubeconfig: []string{"<-  at /proc/44/cmdline; not set"},
		},
		"IPv6": {
			archive:    proxy("--bind-address=::"),
			metrics:    []string{"[::1]:10249 <- metricsBindAddress: [::1]:10249 at /proc/44/cmdline; not set, this is the default"},
			kubeconfig: []string{"<-  at /proc/44/cmdline; not set"},
		},
		"a port of its own": {
			archive:    proxy("--metrics-bind-address=::\n--metrics-port=9"),
			metrics:    []string{"[::]:9 <- --metrics-bind-address=:: at /proc/44/cmdline"},
			kubeconfig: []string{"<-  at /proc/44/cmdline; not set"},
		},
		"no port": {
			archive:    proxy("--metrics-port=0"),
			metrics:    []string{"<- --metrics-port=0 at /proc/44/cmdline"},
			kubeconfig: []string{"<-  at /proc/44/cmdline; not set"},
		},
		"a name for an address": {
			archive:    proxy("--metrics-bind-address=localhost:10249"),
			metrics:    []string{"error: /proc/44/cmdline: malformed: --metrics-bind-address=localhost:10249: no IP address with a port"},
			kubeconfig: []string{"<-  at /proc/44/cmdline; not set"},
		},
		"under a file flags do not count": {
			archive:    proxy("--config=/p\n--metrics-bind-address=127.0.0.1\n--kubeconfig=/k") + "-- p --\n" + proxyHead + "metricsBindAddress: 0.0.0.0:10249\nclientConnection: {kubeconfig: /l}\n",
			metrics:    []string{"0.0.0.0:10249 <- metricsBindAddress: 0.0.0.0:10249 at /p:3"},
			kubeconfig: []string{"/l <- clientConnection.kubeconfig: /l at /p:4"},
		},
		"in a pod": {
			archive:    proxy("--config=/var/lib/kube-proxy/config.conf") + inPod + volume + proxyHead + "bindAddress: \"::\"\nmetricsBindAddress: \"\"\n",
			metrics:    []string{"[::1]:10249 <- metricsBindAddress: [::1]:10249 at " + fileOf + "; not set, this is the default"},
			kubeconfig: []string{"<-  at " + fileOf + "; not set"},
		},
		"in a pod without its volume": {
			archive:    proxy("--config=/var/lib/kube-proxy/config.conf") + inPod,
			metrics:    []string{"error: /var/lib/kubelet/pods/" + uid + "/volumes/kubernetes.io~configmap: file does not exist"},
			kubeconfig: []string{"error: /var/lib/kubelet/pods/" + uid + "/volumes/kubernetes.io~configmap: file does not exist"},
		},
		"of another kind": {
			archive:    proxy("--config=/p") + "-- p --\n" + head,
			metrics:    []string{"error: /p:1: malformed: it is no KubeProxyConfiguration of kubeproxy.config.k8s.io/v1alpha1"},
			kubeconfig: []string{"error: /p:1: malformed: it is no KubeProxyConfiguration of kubeproxy.config.k8s.io/v1alpha1"},
		},
		"another unit by now": {
			archive:    proxy("--v=2") + unit + "-- p --\n" + proxyHead + "metricsBindAddress: 10.0.0.1\n",
			metrics:    []string{"running 127.0.0.1:10249 <- metricsBindAddress: 127.0.0.1:10249 at /proc/44/cmdline; not set, this is the default", "persisted 10.0.0.1:10249 <- metricsBindAddress: 10.0.0.1 at /p:3"},
			kubeconfig: []string{"<-  at /proc/44/cmdline; not set"},
		},
		"the unit alone": {
			archive:    unit + "-- p --\n" + proxyHead,
			metrics:    []string{"127.0.0.1:10249 <- metricsBindAddress: 127.0.0.1:10249 at /p; not set, this is the default"},
			kubeconfig: []string{"<-  at /p; not set"},
		},
		"one of a node in a container": {
			archive: proxy("--v=2") + "-- proc/44/status --\nNSpid:\t44\t9\t1\n", absent: "no kube-proxy runs here and no unit starts one",
		},
		"two": {archive: proxy("--v=2") + "-- proc/45/cmdline nul --\nkube-proxy\n", err: "/proc/45/cmdline: more than one kube-proxy runs"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			tree, err := hosttest.Text("-- proc/1/cmdline nul --\ninit\n" + test.archive)
			if err != nil {
				t.Fatal(err)
			}
			got, err := kubelet.ReadProxy(host.New(tree))
			if err != nil || test.err != "" {
				if err == nil || err.Error() != test.err {
					t.Errorf("error is %v, want %s", err, test.err)
				}
				return
			}
			if got.Absent != test.absent {
				t.Errorf("Absent is %q", got.Absent)
			}
			if diff := cmp.Diff(test.metrics, texts(got.Metrics)); diff != "" {
				t.Errorf("metrics: -want +got:\n%s", diff)
			}
			if diff := cmp.Diff(test.kubeconfig, texts(got.Kubeconfig)); diff != "" {
				t.Errorf("kubeconfig: -want +got:\n%s", diff)
			}
		})
	}
}

func texts(readings []kubelet.Reading) (list []string) {
	for _, r := range readings {
		list = append(list, line(r))
	}
	return list
}

func FuzzReadProxy(f *testing.F) {
	f.Add("--config=/p", "metricsBindAddress: 0.0.0.0:10249\n")
	f.Add("--metrics-bind-address=[::]\x00--metrics-port=9", "")
	f.Add("--config=/p\x00--bind-address=::", "clientConnection: {kubeconfig: /k}\nbindAddress: '::1'\n")
	f.Fuzz(func(t *testing.T, args, config string) {
		tree, err := hosttest.Text("-- proc/1/cmdline nul --\ninit\n")
		if err != nil {
			t.Fatal(err)
		}
		tree.Write("proc/44/cmdline", "kube-proxy\x00"+args+"\x00")
		tree.Write("p", proxyHead+config)
		p, err := kubelet.ReadProxy(host.New(tree))
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range p.Metrics {
			if r.Err == nil && r.Text() != "" && r.Port() == 0 {
				t.Errorf("an address without a port: %+v", r)
			}
		}
	})
}
