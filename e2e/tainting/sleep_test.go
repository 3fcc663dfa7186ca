package tainting

import (
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/hardgate-dev/hardgate/taint"
)

// A leader sleeps, as on a machine that is suspended, and another takes its place. What
// it wakes up with is old: it must not act by it.
func TestLeaderSleeps(t *testing.T) {
	g := newGroup(t, 40)
	g.policy(strings.Replace(prompt, "cluster: 100%", "cluster: 10%", 1))
	first := startReplica(t, "controller-1")
	for _, name := range g.nodes {
		g.await(name, "verdict", verdict(taint.Compliant))
	}
	second := startReplica(t, "controller-2")
	most, before := g.most(), writes(t)
	g.must(syscall.Kill(first.Process().PID, syscall.SIGSTOP))
	defer func() { // so that it can be ended, if it has not been yet
		if running, err := first.Process().Running(); err == nil && running {
			g.must(syscall.Kill(first.Process().PID, syscall.SIGCONT))
		}
	}()
	for _, name := range g.nodes[20:24] {
		g.report(name, []string{crontab})
	}
	g.within(time.Minute, "taints by the next leader", func() bool { return g.count() == 4 }, second.Log)
	for _, name := range g.nodes[:10] {
		g.report(name, []string{crontab})
		g.await(name, "verdict", verdict(taint.Drifted))
	}
	g.must(syscall.Kill(first.Process().PID, syscall.SIGCONT))
	g.within(time.Minute, "end of the one that slept", func() bool {
		running, err := first.Process().Running()
		g.must(err)
		return !running
	}, first.Log)
	time.Sleep(time.Second) // for what should not come
	if n := most(); n != 4 {
		t.Errorf("%d were tainted at once, the budget is 4", n)
	}
	g.wroteOnce(before, g.nodes[20:24])
}
