package monitoring_test

import (
	"bytes"
	"log/slog"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/prometheus/prometheus/promql/parser"
	"go.yaml.in/yaml/v3"
)

const (
	alertsFile = "../hardgate/files/alerts.yaml"
	runbook    = "../../docs/runbook.md"
)

// rules are the alerts of the chart, by name.
func rules(t *testing.T) map[string]*rulefmt.Rule {
	t.Helper()
	data, err := os.ReadFile(alertsFile)
	if err != nil {
		t.Fatal(err)
	}
	groups, errs := rulefmt.Parse(data, false, model.UTF8Validation, parser.NewParser(parser.Options{}), slog.Default())
	for _, err := range errs {
		t.Fatal(err)
	}
	all := map[string]*rulefmt.Rule{}
	for _, g := range groups.Groups {
		for i := range g.Rules {
			r := &g.Rules[i]
			if r.Alert == "" || all[r.Alert] != nil {
				t.Fatalf("%q is no alert, or is there twice", r.Alert)
			}
			all[r.Alert] = r
		}
	}
	if len(all) < 10 {
		t.Fatalf("only %d alerts", len(all))
	}
	return all
}

type alertCase struct {
	Alert, Name string
	Series      map[string]string
	At          model.Duration
	Fires       []string
}

// Every alert fires where something is wrong, and does not where nothing is.
func TestAlerts(t *testing.T) {
	data, err := os.ReadFile("testdata/alerts.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var cases []alertCase
	d := yaml.NewDecoder(bytes.NewReader(data))
	d.KnownFields(true)
	if err := d.Decode(&cases); err != nil {
		t.Fatal(err)
	}
	all, r := rules(t), newReplay(t)
	known := metricNames()
	bad, good := map[string]bool{}, map[string]bool{}
	for _, c := range cases {
		t.Run(c.Alert+"/"+c.Name, func(t *testing.T) {
			rule := all[c.Alert]
			if rule == nil {
				t.Fatal("there is no such alert")
			}
			for name := range c.Series {
				if name, _, _ = strings.Cut(name, "{"); !known[name] {
					t.Errorf("there is no metric %s", name)
				}
			}
			series, err := r.load(c.Series)
			if err != nil {
				t.Fatal(err)
			}
			got, err := r.fires(t.Context(), rule, series, minutes(c.At))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.Fires, got); diff != "" {
				t.Error(diff)
			}
			bad[c.Alert] = bad[c.Alert] || len(c.Fires) > 0
			good[c.Alert] = good[c.Alert] || len(c.Fires) == 0
		})
	}
	for name := range all {
		if !bad[name] || !good[name] {
			t.Errorf("%s: there is no case in which it fires, or none in which it does not", name)
		}
	}
}

// What people see of an alert, and where they read on.
func TestAlertsAreDescribed(t *testing.T) {
	data, err := os.ReadFile(runbook)
	if err != nil {
		t.Fatal(err)
	}
	sections := map[string]string{}
	for _, s := range regexp.MustCompile(`(?m)^## `).Split(string(data), -1)[1:] {
		title, text, _ := strings.Cut(s, "\n")
		sections[title] = text
	}
	all := rules(t)
	for name, rule := range all {
		if !slices.Contains([]string{"critical", "warning", "info"}, rule.Labels["severity"]) {
			t.Errorf("%s: the severity is %q", name, rule.Labels["severity"])
		}
		if rule.Annotations["summary"] == "" || rule.Annotations["description"] == "" {
			t.Errorf("%s: summary or description is missing", name)
		}
		if url := rule.Annotations["runbook_url"]; !strings.HasSuffix(url, "/docs/runbook.md#"+strings.ToLower(name)) {
			t.Errorf("%s: the runbook is at %q", name, url)
		}
		text, ok := sections[name]
		if !ok {
			t.Errorf("%s: not in %s", name, runbook)
			continue
		}
		for _, part := range []string{"**Means.**", "**Look.**", "**Mend.**"} {
			if !strings.Contains(text, part) {
				t.Errorf("%s: the runbook does not say %s", name, part)
			}
		}
		delete(sections, name)
	}
	for title := range sections {
		if strings.HasPrefix(title, "Hardgate") {
			t.Errorf("%s: in the runbook, and no alert", title)
		}
	}
}

// An alert on a metric that nobody has never fires.
func TestAlertsAskForWhatExists(t *testing.T) {
	known := metricNames()
	for name, rule := range rules(t) {
		for _, m := range asked(t, rule.Expr) {
			if !known[m] {
				t.Errorf("%s: there is no metric %s", name, m)
			}
		}
	}
}
