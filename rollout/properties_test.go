package rollout

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/hardgate-dev/hardgate/api/v1alpha1"
	"github.com/hardgate-dev/hardgate/control"
)

// TestHistories plays random weeks and holds every step against a memory of its own: when
// something was last wrong, and when a cell last moved.
func TestHistories(t *testing.T) {
	for seed := range uint64(300) {
		r := rand.New(rand.NewPCG(seed, 7))
		in := world()
		in.Reports = map[string]v1alpha1.NamespaceReportStatus{}
		window := time.Duration(1+r.IntN(5)) * day
		in.Policies[0].Spec.Rollout.CleanWindow = &metav1.Duration{Duration: window}
		now := noon
		wrong, moved, mode := now, now, control.Audit
		promoted := 0
		for step := range 60 {
			now = now.Add(time.Duration(1+r.IntN(36)) * time.Hour)
			rollout := in.Policies[0].Spec.Rollout
			rollout.Paused = r.IntN(6) == 0
			rollout.Target = []v1alpha1.Mode{"Enforce", "Enforce", "Enforce", "Warn"}[r.IntN(4)]
			in.Frozen = []string{"", "", "", "frozen"}[r.IntN(4)]
			in.Audit.Started, in.Audit.Finished = now.Add(-time.Duration(r.IntN(90))*time.Minute-time.Minute), now.Add(-time.Minute)
			in.Audit.Complete, in.Audit.Current = r.IntN(8) > 0, true
			in.Heartbeat.Last = metav1.Time{Time: now.Add(-time.Minute)}
			if r.IntN(9) == 0 {
				gap := time.Duration(1+r.IntN(20)) * time.Hour
				in.Heartbeat.Gaps = append(in.Heartbeat.Gaps, v1alpha1.HeartbeatPause{
					From: metav1.Time{Time: now.Add(-gap)}, Until: in.Heartbeat.Last,
				})
			}
			// heard is for how long somebody has counted since a time.
			heard := func(since time.Time) time.Duration {
				minutes := now.Sub(since)
				for _, g := range in.Heartbeat.Gaps {
					for at := g.From.Time; at.Before(g.Until.Time); at = at.Add(time.Minute) {
						if !at.Before(since) {
							minutes -= time.Minute
						}
					}
				}
				return minutes
			}
			in.Confirmed = map[string]bool{here: r.IntN(2) == 0}
			found := 0
			if r.IntN(9) == 0 {
				found, wrong = 1+r.IntN(3), now
			}
			in.Audit.Cells[here] = map[control.ID]Count{id: {Violations: found}}
			if r.IntN(9) == 0 {
				wrong = now.Add(-time.Duration(r.IntN(30)) * time.Minute)
				admit(&in, id, wrong)
			}
			out := Plan(in, now)
			if diff := cmp.Diff(out, Plan(in, now)); diff != "" {
				t.Fatalf("seed %d step %d: two plans of one state:\n%s", seed, step, diff)
			}
			to := control.Off
			for _, c := range out.Controls[here] {
				if c.ID == id {
					to, _ = control.ParseMode(string(c.Modes[0].Mode))
				}
			}
			target, _ := control.ParseMode(string(rollout.Target))
			switch {
			case to > target:
				t.Fatalf("seed %d step %d: %s beyond %s", seed, step, to, target)
			case to > mode && (rollout.Paused || in.Frozen != "" || !in.Confirmed[here] || !in.Audit.Complete || found > 0):
				t.Fatalf("seed %d step %d: promoted to %s although paused %v, frozen %q, confirmed %v, complete %v, %d violations",
					seed, step, to, rollout.Paused, in.Frozen, in.Confirmed, in.Audit.Complete, found)
			case to > mode && (to != mode+1 || heard(wrong) < window-time.Minute || heard(moved) < window-time.Minute):
				t.Fatalf("seed %d step %d: from %s to %s, %s after a violation and %s after the last step, of %s",
					seed, step, mode, to, now.Sub(wrong), now.Sub(moved), window)
			case to < mode && to != target:
				t.Fatalf("seed %d step %d: demoted by itself to %s", seed, step, to)
			}
			if to != mode {
				if to > mode {
					promoted++
				}
				mode, moved = to, now
			}
			status := in.Reports[here]
			status.Controls = out.Controls[here]
			in.Reports[here] = status
		}
		if seed == 0 && promoted == 0 {
			t.Error("nothing was ever promoted")
		}
	}
}
