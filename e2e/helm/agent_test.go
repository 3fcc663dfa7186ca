package helm

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hardgate-dev/hardgate/api/v1alpha1"
	"github.com/hardgate-dev/hardgate/nodecheck/check"
	"github.com/hardgate-dev/hardgate/nodecheck/host"
)

// holdLittle looks from the node at what the kernel lets the agent's process do: not at
// what its pod asks for.
func holdLittle(t *testing.T) {
	t.Helper()
	dir := agentProcess(t)
	status, err := os.ReadFile(filepath.Join(dir, "status"))
	if err != nil {
		t.Fatal(err)
	}
	fields := map[string]string{}
	for line := range strings.Lines(string(status)) {
		key, value, _ := strings.Cut(line, ":")
		fields[key] = strings.Join(strings.Fields(value), " ")
	}
	const dacReadSearch = 1 << 2 // linux/capability.h
	none, one := fmt.Sprintf("%016x", 0), fmt.Sprintf("%016x", dacReadSearch)
	for key, want := range map[string]string{
		"Uid": "0 0 0 0", "Gid": "0 0 0 0", "Groups": "0",
		"CapInh": none, "CapPrm": one, "CapEff": one, "CapBnd": one, "CapAmb": none,
		"NoNewPrivs": "1", "Seccomp": "2",
	} {
		if fields[key] != want {
			t.Errorf("%s is %q, want %q", key, fields[key], want)
		}
	}
	for space, want := range map[string]bool{"net": true, "uts": true, "pid": false, "ipc": false, "mnt": false, "cgroup": true} {
		node, err := os.Readlink("/proc/1/ns/" + space)
		if err != nil {
			t.Fatal(err)
		}
		has, err := os.Readlink(filepath.Join(dir, "ns", space))
		if err != nil {
			t.Fatal(err)
		}
		if space != "cgroup" && (has == node) != want { // where there is version 1, it is shared
			t.Errorf("the node's namespace %s is the agent's: %t, want %t", space, has == node, want)
		}
	}
	sees(t, dir)
	confined(t)
	awaitReport(t)
	misses(t)
}

// agentProcess is the directory in /proc of the one agent that there is.
func agentProcess(t *testing.T) string {
	t.Helper()
	commands, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, name := range commands {
		if line, err := os.ReadFile(name); err == nil && strings.HasPrefix(string(line), "/nodecheck\x00") {
			found = append(found, filepath.Dir(name))
		}
	}
	if len(found) != 1 {
		t.Fatalf("processes of the agent: %q, want one", found)
	}
	return found[0]
}

// mount is one of a process, as in proc_pid_mountinfo(5).
type mount struct {
	id, parent, at string
	readOnly       bool
}

func mounts(t *testing.T, dir string) (list []mount) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, "mountinfo"))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		f := strings.Fields(line)
		list = append(list, mount{f[0], f[1], f[4], slices.Contains(strings.Split(f[5], ","), "ro")})
	}
	return list
}

// sees asserts that the agent sees those directories of the node that its controls look at,
// read-only, and none besides: its own root is read-only too. That holds for these alone:
// what is mounted below them has the flags that it has on the node.
func sees(t *testing.T, dir string) {
	t.Helper()
	all := mounts(t, dir)
	i := slices.IndexFunc(all, func(m mount) bool { return m.at == "/" })
	if i < 0 || !all[i].readOnly {
		t.Fatalf("the agent's own root can be written: %+v", all)
	}
	own := all[i].id
	var dirs, writable []string
	for _, m := range all {
		if part, ok := strings.CutPrefix(m.at, "/host"); ok && m.parent == own {
			dirs = append(dirs, part)
			if !m.readOnly {
				t.Errorf("%s is mounted so that it can be written", m.at)
			}
		}
		if !m.readOnly {
			writable = append(writable, m.at)
		}
	}
	slices.Sort(dirs)
	if want := check.Directories(); !slices.Equal(dirs, want) {
		t.Errorf("the agent sees %q of the node, want %q", dirs, want)
	}
	t.Logf("mounted writable: %s", strings.Join(writable, " "))
}

// confined asserts that the agent has given up the right to write, where the kernel lets it.
func confined(t *testing.T) {
	t.Helper()
	logs, err := filepath.Glob("/var/log/pods/" + system + "_hardgate-nodecheck-*/nodecheck/0.log")
	if err != nil || len(logs) != 1 {
		t.Fatal(logs, err)
	}
	text, err := os.ReadFile(logs[0])
	if err != nil {
		t.Fatal(err)
	}
	const confined, cannot = "this process can write and execute no file", "confining this process: function not implemented"
	t.Logf("confined: %t", strings.Contains(string(text), confined))
	if !strings.Contains(string(text), confined) && !strings.Contains(string(text), cannot) {
		t.Errorf("the agent has not given up the right to write:\n%s", text)
	}
}

// misses asserts that no verdict of a usual node wants more of it to be mounted. What is
// not usual about this one is that its kubelet is a link to where it was downloaded to: its
// version, which is in that path, is not known then.
func misses(t *testing.T) {
	t.Helper()
	program, err := filepath.EvalSymlinks("/usr/bin/kubelet")
	if err != nil {
		t.Fatal(err)
	}
	var want, got []string
	if !slices.ContainsFunc(check.Directories(), func(dir string) bool { return strings.HasPrefix(program, dir+"/") }) {
		want = []string{"kubelet-streaming-idle"}
	}
	report, err := nodeReport(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range report.Status.Results {
		if slices.ContainsFunc(r.Findings, func(f v1alpha1.NodeFinding) bool {
			return strings.Contains(f.Detail, host.ErrNotMounted.Error())
		}) {
			got = append(got, r.Control)
			t.Logf("%s is %s: %+v", r.Control, r.Status, r.Findings)
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("verdicts that want more of the node: %q, want %q", got, want)
	}
}

// awaitReport waits until the agent's pod has reported of the node.
func awaitReport(t *testing.T) {
	t.Helper()
	await(t, time.Minute, "the agent has reported", func(ctx context.Context) error {
		_, err := nodeReport(ctx)
		return err
	})
	events, err := lab.cluster.AuditEvents()
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range events {
		if e.ObjectRef.Resource == "nodereports" && e.ObjectRef.Subresource == "status" && e.ResponseStatus.Code < 300 {
			pod := strings.Join(e.User.Extra["authentication.kubernetes.io/pod-name"], "")
			if !strings.HasPrefix(pod, "hardgate-nodecheck-") {
				t.Errorf("%s wrote the report, from the pod %q", e.User.Username, pod)
			}
			return
		}
	}
	t.Error("nobody wrote the report")
}
