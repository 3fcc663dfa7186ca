package rollout

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/hardgate-dev/hardgate/api/v1alpha1"
	"github.com/hardgate-dev/hardgate/control"
	"github.com/hardgate-dev/hardgate/webhook/ruling"
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

// TestPlanIsWhatHolds: whatever a policy starts from, pins, excludes and has reached, the mode
// that a plan tells of a cell is the one that the webhook goes by once the plan is written
// down, and none is stricter than before but by a promotion, or by who changed the policy.
func TestPlanIsWhatHolds(t *testing.T) {
	modes := []v1alpha1.Mode{"Off", "Audit", "Warn", "Enforce"}
	holds := func(in *In, controls []v1alpha1.NamespaceControl) control.Mode {
		book, errs := ruling.Compile(in.Policies)
		if len(errs) > 0 {
			t.Fatal(errs)
		}
		reached := ruling.Reached{}
		reached.Note(&v1alpha1.NamespaceReport{ObjectMeta: metav1.ObjectMeta{Name: here}, Status: v1alpha1.NamespaceReportStatus{Controls: controls}})
		for _, j := range book.At(reached).For(here, nil) {
			if j.Policy.ID == id {
				return j.Rulings[0].Mode
			}
		}
		return control.Off
	}
	promoted, held := 0, 0
	for seed := range uint64(400) {
		r := rand.New(rand.NewPCG(seed, 11))
		in := world()
		in.Policies[0].UID = "1"
		in.Reports = map[string]v1alpha1.NamespaceReportStatus{}
		now := noon
		for step := range 40 {
			now = now.Add(time.Duration(1+r.IntN(200)) * time.Hour)
			rollout, some := in.Policies[0].Spec.Rollout, v1alpha1.RolloutCells{Namespaces: []string{here}}
			changed := r.IntN(4) == 0
			if changed {
				in.Policies[0].Spec.Controls[0].Mode = modes[r.IntN(4)]
				rollout.Target = modes[2+r.IntN(2)]
				rollout.Pins, rollout.Exclude = nil, nil
				for range r.IntN(3) {
					rollout.Pins = append(rollout.Pins, v1alpha1.RolloutPin{RolloutCells: some, Mode: modes[r.IntN(4)], AtMost: r.IntN(2) == 0})
				}
				if r.IntN(4) == 0 {
					rollout.Exclude = []v1alpha1.RolloutCells{some}
				}
			}
			in.Audit.Started, in.Audit.Finished = now.Add(-2*time.Minute), now.Add(-time.Minute)
			in.Audit.Cells[here] = map[control.ID]Count{id: {Violations: r.IntN(8) / 7}}
			in.Heartbeat.Last = metav1.Time{Time: now}
			before := holds(&in, in.Reports[here].Controls)
			out := Plan(in, now)
			mode, reported := control.Off, false
			for _, c := range out.Controls[here] {
				if c.ID == id && len(c.Modes) > 0 {
					mode, _ = control.ParseMode(string(c.Modes[0].Mode))
					reported = true
					if c.Modes[0].Held {
						held++
					}
				}
			}
			status := in.Reports[here]
			status.Controls = out.Controls[here]
			in.Reports[here] = status
			if got := holds(&in, status.Controls); reported && got != mode {
				t.Fatalf("seed %d step %d: the plan says %s, and %s holds: %+v", seed, step, mode, got, in.Policies[0].Spec)
			} else if len(out.Promoted) > 0 {
				promoted++
			} else if got > before {
				t.Fatalf("seed %d step %d: from %s to %s without a promotion: %+v", seed, step, before, got, in.Policies[0].Spec)
			}
		}
	}
	if promoted == 0 || held == 0 {
		t.Errorf("%d promoted, %d held", promoted, held)
	}
}
