package process_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hardgate-dev/hardgate/nodecheck/host"
	"github.com/hardgate-dev/hardgate/nodecheck/host/hosttest"
	"github.com/hardgate-dev/hardgate/nodecheck/host/process"
)

func table(t *testing.T, archive string) *process.Table {
	t.Helper()
	got, err := process.Read(hosttest.Host(t, archive))
	if err != nil {
		t.Fatal(err)
	}
	return got
}

const first = "-- proc/1/cmdline nul --\n/sbin/init\n"

func TestRead(t *testing.T) {
	tests := map[string]struct {
		archive string
		want    []process.Process
	}{
		"kernel threads and others": {
			archive: first + "-- proc/2/cmdline --\n-- proc/77/cmdline nul --\n/bin/grep\nkubelet\n-- proc/self/cmdline nul --\nkubelet\n",
		},
		"kubelet": {
			archive: first + "-- proc/812/cmdline nul --\n/usr/bin/kubelet\n--config=/a\n\n--v=2\n-- proc/812/status --\nName:\tkubelet\nUid:\t0\t0\t0\t0\nNSpid:\t812\n-- proc/812/cgroup --\n0::/system.slice/kubelet.service\n",
			want:    []process.Process{{PID: 812, Name: process.Kubelet, Path: "/usr/bin/kubelet", Args: []string{"--config=/a", "", "--v=2"}, Where: "/proc/812/cmdline", Root: true, Unit: "kubelet.service"}},
		},
		"kubelet of another user in a container": {
			archive: first + "-- proc/9/cmdline nul --\nkubelet\n-- proc/9/status --\nUid:\t1000\t1000\t0\t0\nNSpid:\t9\t1\n",
			want:    []process.Process{{PID: 9, Name: process.Kubelet, Path: "kubelet", Where: "/proc/9/cmdline", Depth: 1}},
		},
		"kube-proxy in a pod of systemd": {
			archive: first + "-- proc/9/cmdline nul --\n/usr/local/bin/kube-proxy\n-- proc/9/cgroup --\n0::/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod0a1b2c3d_0000_4000_8000_00000000000a.slice/cri-containerd-ffff.scope\n",
			want:    []process.Process{{PID: 9, Name: process.KubeProxy, Path: "/usr/local/bin/kube-proxy", Where: "/proc/9/cmdline", Root: true, Pod: "0a1b2c3d-0000-4000-8000-00000000000a"}},
		},
		"kube-proxy in a pod of cgroupfs": {
			archive: first + "-- proc/9/cmdline nul --\nkube-proxy\n-- proc/9/cgroup --\n0::/kubepods/burstable/pod0a1b2c3d-0000-4000-8000-00000000000a/ffff\n",
			want:    []process.Process{{PID: 9, Name: process.KubeProxy, Path: "kube-proxy", Where: "/proc/9/cmdline", Root: true, Pod: "0a1b2c3d-0000-4000-8000-00000000000a"}},
		},
		"kube-proxy in a static pod": {
			archive: first + "-- proc/9/cmdline nul --\nkube-proxy\n-- proc/9/cgroup --\n0::/kubepods.slice/kubepods-pod0123456789abcdef0123456789abcdef.slice/crio-ffff.scope\n",
			want:    []process.Process{{PID: 9, Name: process.KubeProxy, Path: "kube-proxy", Where: "/proc/9/cmdline", Root: true, Pod: "0123456789abcdef0123456789abcdef"}},
		},
		"in a pod that is not named": {
			archive: first + "-- proc/9/cmdline nul --\nkube-proxy\n-- proc/9/cgroup --\n0::/kubepods.slice/x\n",
			want:    []process.Process{{PID: 9, Name: process.KubeProxy, Path: "kube-proxy", Where: "/proc/9/cmdline", Root: true, Pod: "unknown"}},
		},
		"sshd that waits for connections, and one of a connection": {
			archive: first + "-- proc/8/cmdline nul --\n/usr/sbin/sshd\n-D\n-- proc/9/cmdline nul --\nsshd: /usr/sbin/sshd -D -o MaxAuthTries 3 [listener] 0 of 10-100 startups\n" +
				"-- proc/10/cmdline nul --\nsshd: alice [priv]\n-- proc/11/cmdline nul --\nsshd-session: alice [priv]\n-- proc/12/cmdline nul --\nsshd: x [listener] \n",
			want: []process.Process{
				{PID: 8, Name: process.Sshd, Path: "/usr/sbin/sshd", Args: []string{"-D"}, Where: "/proc/8/cmdline", Root: true},
				{PID: 9, Name: process.Sshd, Path: "/usr/sbin/sshd", Args: []string{"-D", "-o", "MaxAuthTries", "3"}, Where: "/proc/9/cmdline", Root: true},
			},
		},
		"a service in a container in a service": {
			archive: first + "-- proc/9/cmdline nul --\nkubelet\n-- proc/9/cgroup --\n0::/system.slice/containerd.service/x/kubelet.slice/kubelet.service\n",
			want:    []process.Process{{PID: 9, Name: process.Kubelet, Path: "kubelet", Where: "/proc/9/cmdline", Root: true, Unit: "kubelet.service"}},
		},
		"programs that contain a kubelet, and a client": {
			archive: first + "-- proc/7/cmdline nul --\nmicroshift\nversion\n-- proc/8/cmdline nul --\nmicroshift\nrun\n-- proc/9/cmdline nul --\n/usr/local/bin/edgecore\n",
			want: []process.Process{
				{PID: 8, Name: process.MicroShift, Path: "microshift", Args: []string{"run"}, Where: "/proc/8/cmdline", Root: true},
				{PID: 9, Name: process.EdgeCore, Path: "/usr/local/bin/edgecore", Where: "/proc/9/cmdline", Root: true},
			},
		},
		"several versions beside each other": {
			archive: first + "-- proc/9/cmdline nul --\n/opt/bin/kubelet-1.29.2\n-- proc/10/cmdline nul --\n/opt/bin/kubelet-wrapper\n",
			want:    []process.Process{{PID: 9, Name: process.Kubelet, Path: "/opt/bin/kubelet-1.29.2", Where: "/proc/9/cmdline", Root: true}},
		},
		"children that have yet to become other programs": {
			archive: first + "-- proc/7/cmdline nul --\nkubelet\n--v=2\n-- proc/7/status --\nPPid:\t9\n" +
				"-- proc/9/cmdline nul --\nkubelet\n--v=2\n-- proc/9/status --\nPPid:\t1\n" +
				"-- proc/11/cmdline nul --\nkubelet\n--v=2\n-- proc/11/status --\nPPid:\t9\n",
			want: []process.Process{{PID: 9, Name: process.Kubelet, Path: "kubelet", Args: []string{"--v=2"}, Where: "/proc/9/cmdline", Parent: 1, Root: true}},
		},
		"children with other flags, or of another user": {
			archive: first + "-- proc/7/cmdline nul --\nkubelet\n-- proc/7/status --\nPPid:\t1\nUid:\t1\t1\t1\t1\n" +
				"-- proc/8/cmdline nul --\nkubelet\n-- proc/8/status --\nPPid:\t7\nUid:\t0\t0\t0\t0\n" +
				"-- proc/9/cmdline nul --\nkubelet\n--v=2\n-- proc/9/status --\nPPid:\t8\n",
			want: []process.Process{
				{PID: 7, Name: process.Kubelet, Path: "kubelet", Where: "/proc/7/cmdline", Parent: 1},
				{PID: 8, Name: process.Kubelet, Path: "kubelet", Where: "/proc/8/cmdline", Parent: 7, Root: true},
				{PID: 9, Name: process.Kubelet, Path: "kubelet", Args: []string{"--v=2"}, Where: "/proc/9/cmdline", Parent: 8, Root: true},
			},
		},
		"parts of other programs": {
			archive: first +
				"-- proc/3/cmdline nul --\n/hyperkube\nkubelet\n--v=2\n" +
				"-- proc/4/cmdline nul --\n/hyperkube\nkube-apiserver\n" +
				"-- proc/5/cmdline nul --\n/usr/local/bin/k3s server\n" +
				"-- proc/6/cmdline nul --\n/usr/local/bin/k3s\nkubectl\nget\n" +
				"-- proc/7/cmdline nul --\n/usr/local/bin/k3s\nagent\n" +
				"-- proc/8/cmdline nul --\n/snap/microk8s/1/kubelite\n--kubelet-args-file=/x\n" +
				"-- proc/9/cmdline nul --\n/hyperkube\n",
			want: []process.Process{
				{PID: 3, Name: process.Kubelet, Path: "/hyperkube", Args: []string{"--v=2"}, Where: "/proc/3/cmdline", Root: true},
				{PID: 5, Name: process.K3s, Path: "/usr/local/bin/k3s server", Where: "/proc/5/cmdline", Root: true},
				{PID: 7, Name: process.K3s, Path: "/usr/local/bin/k3s", Args: []string{"agent"}, Where: "/proc/7/cmdline", Root: true},
				{PID: 8, Name: process.Kubelite, Path: "/snap/microk8s/1/kubelite", Args: []string{"--kubelet-args-file=/x"}, Where: "/proc/8/cmdline", Root: true},
			},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got := table(t, test.archive)
			if got.Err != nil || got.None {
				t.Errorf("Err is %v, None is %v", got.Err, got.None)
			}
			if diff := cmp.Diff(test.want, got.Found); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func TestReadIncomplete(t *testing.T) {
	tests := map[string]struct {
		archive, err string
		none         bool
	}{
		"no proc":           {archive: "-- etc/passwd --\n", none: true},
		"proc of a copy":    {archive: "-- proc/ --\n-- proc/net/tcp --\n", none: true},
		"hidden processes":  {archive: "-- proc/44/cmdline nul --\nbash\n", err: "/proc: processes of other users are hidden"},
		"hidden proc":       {archive: "-- proc/ unreadable --\n", err: "/proc: permission denied"},
		"unreadable":        {archive: first + "-- proc/44/cmdline unreadable --\n", err: "/proc/44/cmdline: permission denied"},
		"unreadable status": {archive: first + "-- proc/44/cmdline nul --\nkubelet\n-- proc/44/status unreadable --\n", err: "/proc/44/status: permission denied"},
		"unreadable cgroup": {archive: first + "-- proc/44/cmdline nul --\nkubelet\n-- proc/44/cgroup unreadable --\n", err: "/proc/44/cgroup: permission denied"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got := table(t, test.archive)
			err := ""
			if got.Err != nil {
				err = got.Err.Error()
			}
			if err != test.err || got.None != test.none {
				t.Errorf("Err is %q, None is %v, want %q, %v", err, got.None, test.err, test.none)
			}
		})
	}
}

// counter counts how often each file is read.
type counter struct {
	host.FS
	reads map[string]int
}

func (c counter) ReadFile(path string, limit int64) ([]byte, host.Info, error) {
	c.reads[path]++
	return c.FS.ReadFile(path, limit)
}

// TestNext: a scan reads the command lines of new processes, and of those it looks
// for. A process that was seen as another program three times stays that.
func TestNext(t *testing.T) {
	tree, err := hosttest.Text(first + "-- proc/7/cmdline nul --\n/bin/sh\n/run.sh\n-- proc/8/cmdline nul --\nkubelet\n")
	if err != nil {
		t.Fatal(err)
	}
	files := counter{tree, map[string]int{}}
	var known process.Known
	scan := func() *process.Table {
		h := host.New(files)
		host.Provide(h, known)
		got, err := process.Read(h)
		if err != nil {
			t.Fatal(err)
		}
		known = got.Next()
		return got
	}
	for range 6 {
		scan()
	}
	want := map[string]int{"/proc/1/cmdline": 3, "/proc/7/cmdline": 3, "/proc/8/cmdline": 6, "/proc/8/status": 6, "/proc/8/cgroup": 6}
	if diff := cmp.Diff(want, files.reads); diff != "" {
		t.Errorf("reads (-want +got):\n%s", diff)
	}
	// A shell that becomes a kubelet keeps its number.
	tree.Write("proc/9/cmdline", "sh\x00")
	scan()
	tree.Write("proc/9/cmdline", "kubelet\x00")
	if n := len(scan().Named(process.Kubelet)); n != 2 {
		t.Errorf("%d kubelets, want 2", n)
	}
	// A number that is free may be another's soon.
	tree.Remove("proc/7")
	scan()
	tree.Write("proc/7/cmdline", "kubelet\x00")
	if n := len(scan().Named(process.Kubelet)); n != 3 {
		t.Errorf("%d kubelets, want 3", n)
	}
	// A script that waits long enough is no longer looked at, unless the kubelet is
	// looked for.
	tree.Remove("proc/7")
	tree.Remove("proc/8")
	tree.Remove("proc/9")
	tree.Write("proc/10/cmdline", "sh\x00wait-and-exec\x00")
	tree.Write("proc/11/cmdline", "/usr/sbin/sshd\x00-D\x00")
	for range 6 {
		scan()
	}
	tree.Write("proc/10/cmdline", "kubelet\x00")
	if n := len(scan().Named(process.Kubelet)); n != 1 {
		t.Errorf("%d kubelets, want 1", n)
	}
}

func FuzzRead(f *testing.F) {
	f.Add("/usr/bin/kubelet\x00--v=2\x00", "Uid:\t0\t0\nNSpid:\t1\t2\n", "0::/kubepods/pod1\n")
	f.Add("/hyperkube\x00kubelet\x00", "Uid:\n", "0::/kubepods-pods-pod\n")
	f.Add("k3s\x00", "", "")
	f.Fuzz(func(t *testing.T, cmdline, status, cgroup string) {
		tree, err := hosttest.Text(first)
		if err != nil {
			t.Fatal(err)
		}
		tree.Write("proc/5/cmdline", cmdline)
		tree.Write("proc/5/status", status)
		tree.Write("proc/5/cgroup", cgroup)
		got, err := process.Read(host.New(tree))
		if err != nil || got.Err != nil {
			t.Fatal(err, got.Err)
		}
	})
}
