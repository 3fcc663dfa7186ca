package monitoring_test

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"github.com/hardgate-dev/hardgate/charts/monitoring/dashboard"
	"github.com/hardgate-dev/hardgate/telemetry"
)

// queries are those of the dashboard, by panel.
func queries(t *testing.T) map[string][]string {
	t.Helper()
	all := map[string][]string{}
	for _, p := range dashboard.New().Panels {
		for _, q := range p.Targets {
			// Grafana puts the interval in.
			all[p.Title] = append(all[p.Title], strings.ReplaceAll(q.Expr, "$__rate_interval", "5m"))
		}
	}
	return all
}

// A query for a metric that nobody has shows nothing, for ever.
func TestDashboardAsksForWhatExists(t *testing.T) {
	known := metricNames()
	all := queries(t)
	if len(all) < 20 {
		t.Fatalf("only %d panels", len(all))
	}
	for panel, list := range all {
		for _, q := range list {
			for _, name := range asked(t, q) {
				if !known[name] {
					t.Errorf("%s: there is no metric %s", panel, name)
				}
			}
		}
	}
}

// What the leader alone sets is 0 at the others: the sum of it is right, a mean or a
// minimum is not, and neither is a series for each replica.
func TestDashboardAsksTheLeader(t *testing.T) {
	for panel, list := range queries(t) {
		for _, q := range list {
			for _, m := range telemetry.Of(telemetry.Controller) {
				if m.Leader && m.Kind == telemetry.Gauge && strings.Contains(q, m.Name) && !strings.Contains(q, "max") && !strings.Contains(m.Name, "certificate_expiration") {
					t.Errorf("%s: %s is to be asked for as max: %s", panel, m.Name, q)
				}
			}
		}
	}
}

// What is measured is looked at by somebody.
func TestEveryMetricIsLookedAt(t *testing.T) {
	seen := map[string]bool{}
	for _, list := range queries(t) {
		for _, q := range list {
			for _, name := range asked(t, q) {
				seen[name] = true
			}
		}
	}
	for _, r := range rules(t) {
		for _, name := range asked(t, r.Expr) {
			seen[name] = true
		}
	}
	for _, m := range telemetry.All() {
		looked := false
		for _, s := range m.Series() {
			looked = looked || seen[s]
		}
		if !looked {
			t.Errorf("%s is on no panel and in no alert", m.Name)
		}
	}
}

// Panels do not lie on each other, and the file is what is made.
func TestDashboardIsLaidOut(t *testing.T) {
	d := dashboard.New()
	taken, ids := map[[2]int]string{}, map[int]bool{}
	for _, p := range d.Panels {
		if ids[p.ID] {
			t.Errorf("%s: the id %d is taken", p.Title, p.ID)
		}
		ids[p.ID] = true
		for x := p.Position.X; x < p.Position.X+p.Position.Width; x++ {
			for y := p.Position.Y; y < p.Position.Y+p.Position.Height; y++ {
				if other, ok := taken[[2]int{x, y}]; ok || x >= 24 {
					t.Fatalf("%s is at %d, %d, where %q is", p.Title, x, y, other)
				}
				taken[[2]int{x, y}] = p.Title
			}
		}
	}
	want, err := d.JSON()
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile("../hardgate/files/dashboard.json")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Error("dashboard.json is not what is made: run make generate")
	}
}
