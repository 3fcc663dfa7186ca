package rollout

import (
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/hardgate-dev/hardgate/api/v1alpha1"
	"github.com/hardgate-dev/hardgate/control"
)

const (
	day  = 24 * time.Hour
	here = "shop"
	id   = "privileged"
)

var noon = time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)

func ago(d time.Duration) *metav1.Time { return &metav1.Time{Time: noon.Add(-d)} }

// world is a namespace with one control that one policy leads on: in Warn for eight days
// and clean for as long, audited a minute ago. Everything is ready for its promotion.
func world() In {
	p := v1alpha1.WorkloadPolicy{Spec: v1alpha1.WorkloadPolicySpec{
		Controls: []v1alpha1.ControlSetting{{ID: id, Mode: "Audit"}}, Rollout: &v1alpha1.Rollout{},
	}}
	p.Name = "p"
	return In{
		Policies:   []v1alpha1.WorkloadPolicy{p},
		Namespaces: map[string]Namespace{here: {Created: noon.Add(-90 * day)}},
		Reports: map[string]v1alpha1.NamespaceReportStatus{here: {Controls: []v1alpha1.NamespaceControl{{
			ID: id, CleanSince: ago(8 * day), Modes: []v1alpha1.RolloutMode{{Policy: "p", Mode: "Warn", Reached: "Warn", Since: *ago(8 * day)}},
		}}}},
		Audit: Audit{
			Started: noon.Add(-2 * time.Minute), Finished: noon.Add(-time.Minute), Complete: true, Current: true, Fresh: time.Hour,
			Cells: map[string]map[control.ID]Count{here: {}, "": {}},
		},
		Confirmed: map[string]bool{here: true},
		Heartbeat: &v1alpha1.Heartbeat{Since: *ago(90 * day), Last: *ago(time.Minute)},
	}
}

func gap(from, until time.Duration) v1alpha1.HeartbeatPause {
	return v1alpha1.HeartbeatPause{From: *ago(from), Until: *ago(until)}
}

func TestPlan(t *testing.T) {
	stored := func(in *In) *v1alpha1.NamespaceControl { return &in.Reports[here].Controls[0] }
	come := func(in *In, mode, reached v1alpha1.Mode) {
		stored(in).Modes[0].Mode, stored(in).Modes[0].Reached = mode, reached
	}
	rollout := func(in *In) *v1alpha1.Rollout { return in.Policies[0].Spec.Rollout }
	cells := func(names ...string) v1alpha1.RolloutCells { return v1alpha1.RolloutCells{Namespaces: names} }
	tests := map[string]struct {
		change func(*In)
		mode   string
		next   string
	}{
		"ready":                 {func(*In) {}, "Enforce", "at its target"},
		"not confirmed":         {func(in *In) { in.Confirmed = nil }, "Warn", "Enforce now"},
		"clean for too short":   {func(in *In) { stored(in).CleanSince = ago(6 * day) }, "Warn", "Enforce at 2026-11-26T12:00:00Z"},
		"in Warn for too short": {func(in *In) { stored(in).Modes[0].Since = *ago(6 * day) }, "Warn", "Enforce at 2026-11-26T12:00:00Z"},
		"one step at a time":    {func(in *In) { come(in, "Audit", "") }, "Warn", "Enforce at 2026-12-02T12:00:00Z"},
		"a window of its own":   {func(in *In) { rollout(in).CleanWindow = &metav1.Duration{Duration: 9 * day} }, "Warn", "Enforce at 2026-11-26T12:00:00Z"},
		"a shorter window": {func(in *In) {
			stored(in).CleanSince = ago(2 * day)
			rollout(in).CleanWindow = &metav1.Duration{Duration: day}
		}, "Enforce", "at its target"},
		"to Warn alone":  {func(in *In) { rollout(in).Target = "Warn" }, "Warn", "at its target"},
		"target lowered": {func(in *In) { come(in, "Enforce", "Enforce"); rollout(in).Target = "Warn" }, "Warn", "at its target"},
		"paused":         {func(in *In) { rollout(in).Paused = true }, "Warn", "paused"},
		"frozen":         {func(in *In) { in.Frozen = "the webhook does not answer" }, "Warn", "the webhook does not answer"},
		"violated": {func(in *In) {
			in.Audit.Cells[here] = map[control.ID]Count{id: {Violations: 3, Owners: []string{"Deployment/web"}}}
		}, "Warn", "blocked: Deployment/web and 2 more"},
		"violated once enforced": {func(in *In) {
			come(in, "Enforce", "Enforce")
			in.Audit.Cells[here] = map[control.ID]Count{id: {Violations: 1}}
		}, "Enforce", "is refused when it starts again"},
		"only others are violated":  {func(in *In) { in.Audit.Cells[here] = map[control.ID]Count{"host-path": {Violations: 1}} }, "Enforce", "at its target"},
		"exempt is no violation":    {func(in *In) { in.Audit.Cells[here] = map[control.ID]Count{id: {Exempt: 1}} }, "Enforce", "at its target"},
		"refused at admission":      {func(in *In) { admit(in, id, noon.Add(-day)) }, "Warn", "Enforce at 2026-12-01T12:00:00Z"},
		"refused long ago":          {func(in *In) { admit(in, id, noon.Add(-20*day)) }, "Enforce", "at its target"},
		"another control refused":   {func(in *In) { admit(in, "host-path", noon.Add(-day)) }, "Enforce", "at its target"},
		"refused by a clock ahead":  {func(in *In) { admit(in, id, noon.Add(day)) }, "Warn", "Enforce at 2026-12-02T12:00:00Z"},
		"clean since tomorrow":      {func(in *In) { stored(in).CleanSince = ago(-day) }, "Warn", "Enforce at 2026-12-02T12:00:00Z"},
		"in Warn since tomorrow":    {func(in *In) { stored(in).Modes[0].Since = *ago(-day) }, "Warn", "Enforce at 2026-12-02T12:00:00Z"},
		"no webhook":                {func(in *In) { in.Heartbeat = nil }, "Warn", "Enforce, once this ends: no webhook has been heard of yet: nobody counts what is admitted; if this stays so, upgrade the CRDs, then the webhook"},
		"no webhook, too early":     {func(in *In) { in.Heartbeat = nil; stored(in).CleanSince = ago(day) }, "Warn", "Enforce, once this ends: no webhook has been heard of yet"},
		"the webhook went away":     {func(in *In) { in.Heartbeat.Last = *ago(time.Hour) }, "Warn", "Enforce, once this ends: the webhook has not been heard of since 2026-11-25T11:00:00Z"},
		"it is away for a bit":      {func(in *In) { in.Heartbeat.Last = *ago(10 * time.Minute) }, "Enforce", "at its target"},
		"heard of by a clock ahead": {func(in *In) { in.Heartbeat.Last = *ago(-day) }, "Warn", "the webhook was heard of by a clock that is ahead, at 2026-11-26T12:00:00Z"},
		"first heard of late":       {func(in *In) { in.Heartbeat.Since = *ago(6 * day) }, "Warn", "Enforce at 2026-11-26T12:00:00Z"},
		"away for a day":            {func(in *In) { in.Heartbeat.Gaps = []v1alpha1.HeartbeatPause{gap(5*day, 4*day)} }, "Enforce", "at its target"}, // 8 days less one
		"away for two days in all": {func(in *In) {
			in.Heartbeat.Gaps = []v1alpha1.HeartbeatPause{gap(5*day, 4*day), gap(3*day, 2*day)}
		}, "Warn", "Enforce at 2026-11-26T12:00:00Z, 48h0m0s later for the time in which the webhook was not heard of"},
		"away before it was clean":  {func(in *In) { in.Heartbeat.Gaps = []v1alpha1.HeartbeatPause{gap(20*day, 9*day)} }, "Enforce", "at its target"},
		"away when it became clean": {func(in *In) { in.Heartbeat.Gaps = []v1alpha1.HeartbeatPause{gap(20*day, 6*day)} }, "Warn", "Enforce at 2026-11-26T12:00:00Z, 48h0m0s later"},
		"away the whole window":     {func(in *In) { in.Heartbeat.Gaps = []v1alpha1.HeartbeatPause{gap(20*day, time.Hour)} }, "Warn", "Enforce at 2026-12-02T11:00:00Z, 191h0m0s later"},
		"at its target, no webhook": {func(in *In) { come(in, "Enforce", "Enforce"); in.Heartbeat = nil }, "Enforce", "at its target"},
		"blocked, no webhook": {func(in *In) {
			in.Heartbeat, in.Audit.Cells[here] = nil, map[control.ID]Count{id: {Violations: 1, Owners: []string{"Pod/a"}}}
		}, "Warn", "blocked: Pod/a"},
		"never audited":        {func(in *In) { in.Audit = Audit{} }, "Warn", "not audited yet"},
		"not this one":         {func(in *In) { delete(in.Audit.Cells, here) }, "Warn", "not audited yet"},
		"something was missed": {func(in *In) { in.Audit.Complete = false }, "Warn", "once an audit is complete"},
		"by other policies":    {func(in *In) { in.Audit.Current = false }, "Warn", "once an audit is complete"},
		"audited too long ago": {func(in *In) { in.Audit.Started, in.Audit.Finished = noon.Add(-3*time.Hour), noon.Add(-2*time.Hour) }, "Warn", "after the next audit"},
		"audited before": {func(in *In) {
			stored(in).Modes[0].Since = *ago(time.Minute)
			rollout(in).CleanWindow = &metav1.Duration{}
		}, "Warn", "after the next audit"},
		"dirty, and clean just now":     {func(in *In) { stored(in).CleanSince = nil }, "Warn", "Enforce at 2026-12-02T11:59:00Z"},
		"missed, so not clean":          {func(in *In) { stored(in).CleanSince = nil; in.Audit.Complete = false }, "Warn", "not audited yet"},
		"unknown mode":                  {func(in *In) { stored(in).Modes[0].Mode = "Enfroce" }, "Audit", "Warn at 2026-12-02T12:00:00Z"},
		"of another policy":             {func(in *In) { stored(in).Modes[0].Policy = "q" }, "Audit", "Warn at 2026-12-02T12:00:00Z"},
		"of this very policy":           {func(in *In) { in.Policies[0].UID, stored(in).Modes[0].UID = "1", "1" }, "Enforce", "at its target"},
		"of one of the same name":       {func(in *In) { in.Policies[0].UID, stored(in).Modes[0].UID = "1", "0" }, "Audit", "Warn at 2026-12-02T12:00:00Z"},
		"a new namespace, same name":    {func(in *In) { in.Namespaces[here] = Namespace{Created: noon.Add(-day)} }, "Audit", "Warn at 2026-12-02T12:00:00Z"},
		"first seen":                    {func(in *In) { in.Reports = nil }, "Audit", "Warn at 2026-12-02T12:00:00Z"},
		"lowered again, never promoted": {func(in *In) { come(in, "Enforce", "") }, "Audit", "Warn at 2026-12-02T12:00:00Z"},
		"lowered again, once promoted":  {func(in *In) { come(in, "Enforce", "Warn") }, "Warn", "Enforce at 2026-12-02T12:00:00Z"},
		"raised above what it reached":  {func(in *In) { come(in, "Audit", ""); in.Policies[0].Spec.Controls[0].Mode = "Warn" }, "Warn", "Enforce at 2026-12-02T12:00:00Z"},
		"reached nonsense":              {func(in *In) { come(in, "Warn", "Enfroce") }, "Audit", "Warn at 2026-12-02T12:00:00Z"},
		"raised by hand":                {func(in *In) { in.Policies[0].Spec.Controls[0].Mode = "Enforce" }, "Enforce", "at its target"},
		"lowered by hand":               {func(in *In) { in.Policies[0].Spec.Controls[0].Mode = "Audit"; rollout(in).Paused = true }, "Warn", "paused"},
		"pinned below":                  {func(in *In) { rollout(in).Pins = []v1alpha1.RolloutPin{{RolloutCells: cells(here), Mode: "Audit"}} }, "Audit", "pinned"},
		"pinned above":                  {func(in *In) { rollout(in).Pins = []v1alpha1.RolloutPin{{RolloutCells: cells(), Mode: "Enforce"}} }, "Enforce", "pinned"},
		"pinned elsewhere":              {func(in *In) { rollout(in).Pins = []v1alpha1.RolloutPin{{RolloutCells: cells("other"), Mode: "Audit"}} }, "Enforce", "at its target"},
		"pinned though it is Off": {func(in *In) {
			in.Policies[0].Spec.Controls[0].Mode = "Off"
			rollout(in).Pins = []v1alpha1.RolloutPin{{RolloutCells: cells(here), Mode: "Enforce"}}
		}, "Enforce", "pinned"},
		"at most Warn, in Warn": {func(in *In) { rollout(in).Pins = atMost("Warn", here) }, "Warn", "held at Warn at most"},
		"at most Warn, in Audit": {func(in *In) {
			come(in, "Audit", "")
			rollout(in).Pins = atMost("Warn", here)
		}, "Warn", "held at Warn at most"}, // promoted: it is no pin
		"at most Warn, in Audit, dirty": {func(in *In) {
			come(in, "Audit", "")
			in.Audit.Cells[here] = map[control.ID]Count{id: {Violations: 1, Owners: []string{"Pod/a"}}}
			rollout(in).Pins = atMost("Warn", here)
		}, "Audit", "blocked: Pod/a"},
		"at most Warn, in Enforce": {func(in *In) {
			come(in, "Enforce", "Enforce")
			rollout(in).Pins = atMost("Warn", here)
		}, "Warn", "held at Warn at most"},
		"at most Warn, begun at Enforce": {func(in *In) {
			in.Policies[0].Spec.Controls[0].Mode = "Enforce"
			rollout(in).Pins = atMost("Warn", here)
		}, "Warn", "held at Warn at most"},
		"at most Enforce": {func(in *In) { rollout(in).Pins = atMost("Enforce", here) }, "Enforce", "at its target"},
		"at most Warn, pinned before": {func(in *In) {
			rollout(in).Pins = append([]v1alpha1.RolloutPin{{RolloutCells: cells(), Mode: "Enforce"}}, atMost("Warn", here)...)
		}, "Warn", "pinned"},
		"at most Warn, excluded": {func(in *In) {
			in.Policies[0].Spec.Controls[0].Mode = "Enforce"
			rollout(in).Exclude = []v1alpha1.RolloutCells{cells(here)}
			rollout(in).Pins = atMost("Warn", here)
		}, "Warn", "excluded"},
		"excluded": {func(in *In) { rollout(in).Exclude = []v1alpha1.RolloutCells{cells(here)} }, "Audit", "excluded"},
		"stricter parameters, violated": {func(in *In) {
			come(in, "Enforce", "Enforce")
			in.Policies[0].Spec.Controls[0].Parameters = &v1alpha1.Parameters{AllowedRegistries: []string{"registry.example.com"}}
			in.Audit.Cells[here] = map[control.ID]Count{id: {Violations: 1, Owners: []string{"Pod/a"}}}
		}, "Audit", "blocked: Pod/a"},
		"other parameters, clean": {func(in *In) {
			come(in, "Enforce", "Enforce")
			in.Policies[0].Spec.Controls[0].Parameters = &v1alpha1.Parameters{AllowedRegistries: []string{"registry.example.com"}}
		}, "Enforce", "at its target"},
		"other parameters, clean for no time by them": {func(in *In) {
			in.Policies[0].Spec.Controls[0].Parameters = &v1alpha1.Parameters{AllowedRegistries: []string{"registry.example.com"}}
		}, "Warn", "Enforce at 2026-12-02T12:00:00Z"},
		"other parameters, not looked at yet": {func(in *In) {
			come(in, "Enforce", "Enforce")
			in.Policies[0].Spec.Controls[0].Parameters = &v1alpha1.Parameters{AllowedRegistries: []string{"registry.example.com"}}
			in.Audit.Cells[here] = map[control.ID]Count{id: {Violations: 1}}
			in.Audit.Current = false
		}, "Enforce", "at its target"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			in := world()
			tt.change(&in)
			out := Plan(in, noon)
			var mode *v1alpha1.RolloutMode
			for _, c := range out.Controls[here] {
				for i := range c.Modes {
					if c.ID == id && c.Modes[i].Policy == "p" {
						mode = &c.Modes[i]
					}
				}
			}
			if mode == nil || string(mode.Mode) != tt.mode {
				t.Fatalf("the cell is %+v, want %s", mode, tt.mode)
			}
			var cell *v1alpha1.RolloutCell
			for i, c := range out.Policies["p"].Rollout.Cells {
				if c.Namespace == here && c.Control == id {
					cell = &out.Policies["p"].Rollout.Cells[i]
				}
			}
			if cell == nil || !strings.Contains(cell.Next, tt.next) {
				t.Errorf("what is next: %+v, want %q", cell, tt.next)
			}
			if len(out.Promoted) > 0 && len(out.Proposals) > 0 && out.Proposals[0].Namespace == here {
				t.Errorf("proposed and promoted: %+v", out)
			}
		})
	}
}

func atMost(mode v1alpha1.Mode, namespaces ...string) []v1alpha1.RolloutPin {
	return []v1alpha1.RolloutPin{{RolloutCells: v1alpha1.RolloutCells{Namespaces: namespaces}, Mode: mode, AtMost: true}}
}

func admit(in *In, control string, last time.Time) {
	r := in.Reports[here]
	r.Admission = []v1alpha1.AdmissionTally{{Control: control, Count: 1, Last: metav1.Time{Time: last}, Object: "Pod/x"}}
	in.Reports[here] = r
}

// A tally from a clock that is ahead is of the time at which it is seen, and written down so:
// else its cell would wait for as long as that clock was ahead, or for ever.
func TestTallyFromAClockAhead(t *testing.T) {
	in := world()
	admit(&in, id, noon.Add(4000*day))
	in.Reports["desk"] = v1alpha1.NamespaceReportStatus{Admission: []v1alpha1.AdmissionTally{{Control: id, Last: *ago(-time.Minute)}}}
	in.Namespaces["desk"] = Namespace{}
	out := Plan(in, noon)
	ahead := out.Ahead[here]
	if len(out.Ahead) != 1 || len(ahead) != 1 || !ahead[0].Last.Time.Equal(noon) || ahead[0].Count != 1 || ahead[0].Object != "Pod/x" {
		t.Fatalf("%+v", out.Ahead)
	}
	if got := in.Reports[here].Admission[0].Last.Time; !got.Equal(noon.Add(4000 * day)) {
		t.Errorf("what it was given is changed: %s", got)
	}
	in.Reports[here] = v1alpha1.NamespaceReportStatus{Controls: out.Controls[here], Admission: ahead}
	later := Plan(in, noon.Add(time.Hour))
	if got := later.Controls[here][0].CleanSince; !got.Time.Equal(noon) || len(later.Ahead) > 0 {
		t.Errorf("clean since %s, ahead %+v", got, later.Ahead)
	}
}

// A policy that leads nothing has no cells, what fails is counted all the same, and what a
// policy had that has gone is gone.
func TestWithoutRollout(t *testing.T) {
	in := world()
	in.Policies[0].Spec.Rollout = nil
	in.Audit.Cells[here] = map[control.ID]Count{"host-path": {Violations: 2, Owners: []string{"Pod/a", "Pod/b"}}}
	out := Plan(in, noon)
	if got := out.Controls[here]; len(got) != 1 || got[0].ID != "host-path" || got[0].Violations != 2 || got[0].Modes != nil {
		t.Errorf("controls %+v", got)
	}
	if out.Policies["p"].Rollout != nil {
		t.Errorf("status %+v", out.Policies["p"])
	}
}

// Objects without a namespace are led on by policies that select all.
func TestNoNamespace(t *testing.T) {
	in := world()
	if got := Plan(in, noon).Controls[""]; len(got) != 0 {
		t.Errorf("controls %+v that are about no object without a namespace", got)
	}
	in.Policies[0].Spec.Controls[0].ID = "node-proxy"
	if got := Plan(in, noon).Controls[here]; len(got) != 0 {
		t.Errorf("controls %+v that are about no object in a namespace", got)
	}
	if got := Plan(in, noon).Controls[""]; len(got) != 1 || len(got[0].Modes) != 1 {
		t.Errorf("controls %+v", got)
	}
	in.Policies[0].Spec.NamespaceSelector = &metav1.LabelSelector{MatchExpressions: []metav1.LabelSelectorRequirement{
		{Key: "kubernetes.io/metadata.name", Operator: metav1.LabelSelectorOpNotIn, Values: []string{"kube-system"}},
	}}
	if got := Plan(in, noon).Controls[""]; len(got) != 0 {
		t.Errorf("controls %+v of a policy that selects", got)
	}
}

// What is excluded has reached nothing: taken in again, it begins anew.
func TestTakenInAgain(t *testing.T) {
	in := world()
	in.Policies[0].Spec.Rollout.Exclude = []v1alpha1.RolloutCells{{Namespaces: []string{here}}}
	out := Plan(in, noon)
	if got := out.Controls[here][0].Modes[0]; got.Reached != "" {
		t.Errorf("excluded: %+v", got)
	}
	in.Reports[here] = v1alpha1.NamespaceReportStatus{Controls: out.Controls[here]}
	in.Policies[0].Spec.Rollout.Exclude = nil
	if got := Plan(in, noon.Add(time.Hour)).Controls[here][0].Modes[0]; got.Mode != "Audit" || !got.Since.Time.Equal(noon.Add(time.Hour)) {
		t.Errorf("taken in again: %+v", got)
	}
}

// Of several pins of a cell the last holds, as at admission.
func TestLastPinHolds(t *testing.T) {
	in := world()
	in.Policies[0].Spec.Rollout.Pins = []v1alpha1.RolloutPin{
		{RolloutCells: v1alpha1.RolloutCells{Namespaces: []string{here}}, Mode: "Enforce"},
		{RolloutCells: v1alpha1.RolloutCells{Controls: []string{id}}, Mode: "Audit"},
	}
	if got := Plan(in, noon).Controls[here][0].Modes[0]; got.Mode != "Audit" {
		t.Errorf("%+v", got)
	}
}

// What is Off stays Off below a ceiling: it has no cell.
func TestCeilingOfWhatIsOff(t *testing.T) {
	in := world()
	in.Policies[0].Spec.Controls[0].Mode = "Off"
	in.Policies[0].Spec.Rollout.Pins = atMost("Warn", here)
	if got := Plan(in, noon).Controls[here]; len(got) != 0 {
		t.Errorf("%+v", got)
	}
}

// What a ceiling took away is not there when it goes: the cell goes on from where it was
// held, with a new window.
func TestCeilingLetGo(t *testing.T) {
	in := world()
	in.Reports[here].Controls[0].Modes[0].Mode, in.Reports[here].Controls[0].Modes[0].Reached = "Enforce", "Enforce"
	in.Policies[0].Spec.Rollout.Pins = atMost("Warn", here)
	held := Plan(in, noon)
	if s := held.Policies["p"].Rollout; s.Held != 1 || s.Warn != 1 {
		t.Errorf("status %+v", s)
	}
	in.Reports[here] = v1alpha1.NamespaceReportStatus{Controls: held.Controls[here]}
	in.Policies[0].Spec.Rollout.Pins = nil
	if got := Plan(in, noon.Add(time.Hour)).Controls[here][0].Modes[0]; got.Mode != "Warn" || got.Reached != "Warn" || !got.Since.Time.Equal(noon.Add(time.Hour)) {
		t.Errorf("it goes on from %+v", got)
	}
}

// However long a cell was held, by whatever: let go, it is clean for a whole window more
// before it takes a step. Somebody has held it for a reason.
func TestLetGoAfterLong(t *testing.T) {
	cells := v1alpha1.RolloutCells{Namespaces: []string{here}}
	for name, r := range map[string]*v1alpha1.Rollout{
		"pinned":   {Pins: []v1alpha1.RolloutPin{{RolloutCells: cells, Mode: "Warn"}}},
		"ceiling":  {Pins: atMost("Warn", here)},
		"excluded": {Exclude: []v1alpha1.RolloutCells{cells}},
	} {
		t.Run(name, func(t *testing.T) {
			in := world()
			now := noon
			plan := func(r *v1alpha1.Rollout) v1alpha1.RolloutMode {
				in.Policies[0].Spec.Rollout = r
				in.Audit.Started, in.Audit.Finished = now.Add(-2*time.Minute), now.Add(-time.Minute)
				in.Heartbeat.Last = metav1.Time{Time: now}
				out := Plan(in, now)
				in.Reports[here] = v1alpha1.NamespaceReportStatus{Controls: out.Controls[here]}
				return out.Controls[here][0].Modes[0]
			}
			held := plan(r)
			now = now.Add(30 * day)
			if got := plan(r); got.Mode != held.Mode || !got.Since.Equal(&held.Since) {
				t.Errorf("held: %+v", got)
			}
			now = now.Add(time.Hour)
			let := now
			if got := plan(&v1alpha1.Rollout{}); got.Mode != held.Mode || !got.Since.Time.Equal(let) {
				t.Errorf("let go: %+v", got)
			}
			now = let.Add(7*day - time.Hour)
			if got := plan(&v1alpha1.Rollout{}); got.Mode != held.Mode || !got.Since.Time.Equal(let) {
				t.Errorf("before the window is over: %+v", got)
			}
			now = let.Add(7*day + time.Hour)
			if got := plan(&v1alpha1.Rollout{}); got.Mode == held.Mode {
				t.Errorf("after the window: %+v", got)
			}
		})
	}
}

// Cells of objects without a namespace are pinned and excluded by the name of their report.
func TestNoNamespaceByName(t *testing.T) {
	cells := v1alpha1.RolloutCells{Namespaces: []string{v1alpha1.ClusterScopedReportName}}
	for want, r := range map[string]*v1alpha1.Rollout{
		"pinned":   {Pins: []v1alpha1.RolloutPin{{RolloutCells: cells, Mode: "Warn"}}},
		"excluded": {Exclude: []v1alpha1.RolloutCells{cells}},
	} {
		in := world()
		in.Policies[0].Spec.Controls[0].ID, in.Policies[0].Spec.Rollout = "node-proxy", r
		if got := Plan(in, noon).Cells["p"]; len(got) != 1 || got[0].Next != want {
			t.Errorf("%s: %+v", want, got)
		}
	}
}

// The status adds up all cells; what is at its target is in nobody's way.
func TestStatus(t *testing.T) {
	in := world()
	for name, mode := range map[string]v1alpha1.Mode{"cart": "Warn", "desk": "Audit", "till": "Enforce"} {
		in.Namespaces[name] = Namespace{}
		in.Audit.Cells[name] = map[control.ID]Count{id: {Violations: 2, Owners: []string{"Pod/" + name}}}
		in.Reports[name] = v1alpha1.NamespaceReportStatus{Controls: []v1alpha1.NamespaceControl{{
			ID: id, Modes: []v1alpha1.RolloutMode{{Policy: "p", Mode: mode, Reached: mode, Since: *ago(day)}},
		}}}
	}
	got := Plan(in, noon).Policies["p"].Rollout
	if got.Violations != 6 || got.Audit != 1 || got.Warn != 1 || got.Enforce != 2 || got.CleanSince != nil || got.BlockedBy != "cart/privileged: Pod/cart, and 1 more cells" {
		t.Errorf("%+v", got)
	}
}

// A cell that is let go goes on from where it was held.
func TestLetGo(t *testing.T) {
	in := world()
	in.Reports[here].Controls[0].Modes[0].Mode, in.Reports[here].Controls[0].Modes[0].Reached = "Enforce", "Enforce"
	in.Policies[0].Spec.Rollout.Pins = []v1alpha1.RolloutPin{{RolloutCells: v1alpha1.RolloutCells{Namespaces: []string{here}}, Mode: "Warn"}}
	held := Plan(in, noon)
	in.Reports[here] = v1alpha1.NamespaceReportStatus{Controls: held.Controls[here]}
	in.Policies[0].Spec.Rollout.Pins = nil
	if got := Plan(in, noon.Add(time.Hour)).Controls[here][0].Modes[0]; got.Mode != "Warn" || !got.Since.Time.Equal(noon.Add(time.Hour)) {
		t.Errorf("it goes on from %+v", got)
	}
}

// What it would refuse by other parameters is not known by half an audit: the cell goes
// back when a whole one has seen it.
func TestOtherParametersHalfAudited(t *testing.T) {
	in := world()
	in.Reports[here].Controls[0].Modes[0].Mode, in.Reports[here].Controls[0].Modes[0].Reached = "Enforce", "Enforce"
	in.Policies[0].Spec.Controls[0].Parameters = &v1alpha1.Parameters{AllowedRegistries: []string{"registry.example.com"}}
	in.Audit.Complete = false
	half := Plan(in, noon)
	in.Reports[here] = v1alpha1.NamespaceReportStatus{Controls: half.Controls[here]}
	in.Audit.Complete, in.Audit.Cells[here] = true, map[control.ID]Count{id: {Violations: 1}}
	if got := Plan(in, noon.Add(time.Hour)).Controls[here][0].Modes[0]; got.Mode != "Audit" {
		t.Errorf("what runs would be refused: %+v", got)
	}
}

// What was stored before there were UIDs is the policy's of that name, which is noted.
func TestUIDIsNoted(t *testing.T) {
	in := world()
	in.Policies[0].UID = "1"
	if got := Plan(in, noon).Controls[here][0].Modes[0]; got.UID != "1" || got.Mode != "Enforce" {
		t.Errorf("%+v", got)
	}
}

// What a policy that is not understood has come to stays: with it, nothing is lost.
func TestUnreadKeeps(t *testing.T) {
	in := world()
	in.Policies, in.Unread = nil, []string{"p"}
	if got := Plan(in, noon).Controls[here]; len(got) != 1 || got[0].Modes[0] != in.Reports[here].Controls[0].Modes[0] {
		t.Errorf("controls %+v", got)
	}
}

// Where nobody asks, nothing is promised; what fails is counted all the same.
func TestUnasked(t *testing.T) {
	in := world()
	in.Unasked = []string{here}
	in.Audit.Cells[here] = map[control.ID]Count{id: {Violations: 1}}
	out := Plan(in, noon)
	if got := out.Controls[here]; len(got) != 1 || got[0].Modes != nil || got[0].Violations != 1 {
		t.Errorf("controls %+v", got)
	}
}
