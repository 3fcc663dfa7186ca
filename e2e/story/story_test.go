package story_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/hardgate-dev/hardgate/e2e/lab"
	"github.com/hardgate-dev/hardgate/e2e/node"
	"github.com/hardgate-dev/hardgate/e2e/process"
	"github.com/hardgate-dev/hardgate/e2e/repo"
	"github.com/hardgate-dev/hardgate/e2e/story"
	"github.com/hardgate-dev/hardgate/taint"
	"github.com/hardgate-dev/hardgate/taint/key"
)

// TestStory is `make up` twice and `make down`: with a real kubelet, the agent in its
// DaemonSet, the webhook and the controller.
func TestStory(t *testing.T) {
	if err := node.Possible(); err != nil {
		if os.Getenv("HARDGATE_ORACLES") == "required" {
			t.Fatal(err)
		}
		t.Skipf("no real node: %v", err)
	}
	root, err := repo.Root()
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "lab")
	down := func(ctx context.Context) {
		if err := lab.Down(ctx, dir, false, t.Logf); err != nil {
			t.Error(err)
		}
	}
	t.Cleanup(func() { down(context.WithoutCancel(t.Context())) })
	up := func() *lab.Lab {
		t.Helper()
		l, err := lab.Up(t.Context(), lab.Config{Repo: root, Dir: dir, Log: t.Logf})
		if err != nil {
			t.Fatal(err)
		}
		if l.NoNode != nil {
			t.Fatal(l.NoNode)
		}
		return l
	}
	first := up()
	chapters(t, first.Story, "registered", "verified", "loosened", "new pod waits", "mended", "the pod runs")
	again := up()
	// The node is kept, and new no more.
	chapters(t, again.Story, "loosened", "new pod waits", "mended", "the pod runs")
	if again.Node.PID() != first.Node.PID() {
		t.Error("the node was replaced, though nothing had changed")
	}
	enclosed := again.Node.Dir()
	down(t.Context())
	nothingIsLeft(t, dir, enclosed)
}

// chapters asserts what is told, in every chapter by itself.
func chapters(t *testing.T, told []story.Chapter, want ...string) {
	t.Helper()
	var titles []string
	for _, c := range told {
		titles = append(titles, c.Title)
		t.Logf("%-14s %8s  %s", c.Title, c.Took.Round(time.Millisecond), strings.Join(c.Says, "\n"+strings.Repeat(" ", 26)))
		asserted, ok := assertions[c.Title]
		if !ok {
			t.Errorf("nothing is asserted of %q", c.Title)
			continue
		}
		t.Run(c.Title, func(t *testing.T) { asserted(t, c) })
	}
	if got := strings.Join(titles, ", "); got != strings.Join(want, ", ") {
		t.Errorf("told of: %s", got)
	}
}

var (
	unverified = corev1.Taint{Key: key.Unverified, Effect: corev1.TaintEffectNoSchedule}
	drifted    = corev1.Taint{Key: key.Drifted, Effect: corev1.TaintEffectNoSchedule}
)

var assertions = map[string]func(*testing.T, story.Chapter){
	"registered": func(t *testing.T, c story.Chapter) { t.Helper(); carries(t, c.Node, unverified) },
	"verified": func(t *testing.T, c story.Chapter) {
		t.Helper()
		carries(t, c.Node)
		says(t, c.Node, corev1.ConditionTrue, taint.Compliant, "")
		within(t, c, 2*time.Minute) // the image of the pod is there: what takes time is the kubelet
	},
	"loosened": func(t *testing.T, c story.Chapter) {
		t.Helper()
		carries(t, c.Node, drifted)
		says(t, c.Node, corev1.ConditionFalse, taint.Drifted, story.Control)
		within(t, c, 10*time.Second)
	},
	"new pod waits": func(t *testing.T, c story.Chapter) {
		t.Helper()
		if c.Pod.Status.Phase != corev1.PodPending || c.Pod.Spec.NodeName != "" {
			t.Errorf("the pod is %s on %q", c.Pod.Status.Phase, c.Pod.Spec.NodeName)
		}
		if text := strings.Join(c.Says, "\n"); !strings.Contains(text, "untolerated taint") {
			t.Errorf("the scheduler says %s", text)
		}
		carries(t, c.Node, drifted)
		if len(c.Node.Spec.Taints) != 1 {
			t.Errorf("something else keeps the pod away: %v", c.Node.Spec.Taints)
		}
		// What a person reads who asks why.
		for _, want := range []string{
			drifted.ToString(), string(taint.ConditionCompliant), string(taint.Drifted), story.Control,
		} {
			if !strings.Contains(c.Describe, want) {
				t.Errorf("kubectl describe node does not say %q:\n%s", want, c.Describe)
			}
		}
		_, events, _ := strings.Cut(c.Describe, "\nEvents:")
		if !strings.Contains(events, story.Control) {
			t.Errorf("no Event of the node names the control:%s", events)
		}
	},
	"mended": func(t *testing.T, c story.Chapter) {
		t.Helper()
		carries(t, c.Node)
		says(t, c.Node, corev1.ConditionTrue, taint.Compliant, "")
		within(t, c, 10*time.Second)
	},
	"the pod runs": func(t *testing.T, c story.Chapter) {
		t.Helper()
		if c.Pod.Status.Phase != corev1.PodRunning || c.Pod.Spec.NodeName != node.Name {
			t.Errorf("the pod is %s on %q", c.Pod.Status.Phase, c.Pod.Spec.NodeName)
		}
	},
}

// carries asserts which taints of hardgate's a node has, whatever their values say.
func carries(t *testing.T, n *corev1.Node, want ...corev1.Taint) {
	t.Helper()
	var got []corev1.Taint
	for _, has := range n.Spec.Taints {
		if key.Ours(has.Key) {
			got = append(got, corev1.Taint{Key: has.Key, Effect: has.Effect})
		}
	}
	if len(got) != len(want) || len(got) > 0 && got[0] != want[0] {
		t.Errorf("the node has the taints %v, want of ours %v", n.Spec.Taints, want)
	}
}

// says asserts the node's condition, and that its message names a control.
func says(t *testing.T, n *corev1.Node, status corev1.ConditionStatus, verdict taint.Verdict, names string) {
	t.Helper()
	for _, c := range n.Status.Conditions {
		if c.Type != taint.ConditionCompliant {
			continue
		}
		if c.Status != status || c.Reason != string(verdict) || !strings.Contains(c.Message, names) {
			t.Errorf("%s=%s (%s) %s, want %s (%s) with %q", c.Type, c.Status, c.Reason, c.Message, status, verdict, names)
		}
		return
	}
	t.Errorf("the node has no condition %s", taint.ConditionCompliant)
}

// within asserts that something did not take very long: how long it takes is measured by
// `make bench-taint`, on a machine that does nothing else.
func within(t *testing.T, c story.Chapter, limit time.Duration) {
	t.Helper()
	if c.Took > limit {
		t.Errorf("%s took %s", c.Title, c.Took)
	}
}

// nothingIsLeft asserts that no process, directory, control group or mount of a lab is
// there when it is down.
func nothingIsLeft(t *testing.T, dir, enclosed string) {
	t.Helper()
	for _, path := range []string{dir, enclosed} {
		if _, err := os.Stat(path); !os.IsNotExist(err) {
			t.Errorf("%s is left (%v)", path, err)
		}
	}
	if all, err := process.All(dir); err != nil || len(all) > 0 {
		t.Errorf("processes are left: %v (%v)", all, err)
	}
	groups, err := exec.CommandContext(t.Context(), "find", "/sys/fs/cgroup", "-name", filepath.Base(enclosed)).CombinedOutput()
	if err != nil || len(groups) > 0 {
		t.Errorf("control groups are left: %s (%v)", groups, err)
	}
	mounts, err := os.ReadFile("/proc/self/mounts")
	if err != nil || strings.Contains(string(mounts), enclosed) {
		t.Errorf("mounts are left:\n%s(%v)", mounts, err)
	}
	commands, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range commands {
		if line, err := os.ReadFile(path); err == nil && strings.Contains(string(line), dir) {
			t.Errorf("a process is left: %q", line)
		}
	}
}
