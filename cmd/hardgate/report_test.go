package main

import (
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hardgate-dev/hardgate/api/v1alpha1"
	"github.com/hardgate-dev/hardgate/audit"
	"github.com/hardgate-dev/hardgate/control"
	"github.com/hardgate-dev/hardgate/scorecard"
)

const reportPath = "/apis/hardgate.dev/v1alpha1/clusterreports/cluster"

// someCluster is a ClusterReport with rows of every status.
func someCluster(finished time.Time) *v1alpha1.ClusterReport {
	a := &audit.Result{
		Started: finished.Add(-time.Minute), Finished: finished, Objects: 1234,
		Namespaces: map[string]*audit.Summary{"": {}, "shop": {Controls: map[control.ID]*audit.Tally{}}},
		Missed:     []audit.Miss{{Resource: "ciliumnetworkpolicies.cilium.io", Err: errors.New("forbidden\x1b[31m")}},
		Clusterwide: []audit.Clusterwide{
			{Control: "namespace-boundaries", Status: control.ByHand, Evidence: []string{"1 namespace | 1 team"}},
		},
	}
	a.Namespaces["shop"].Controls["privileged"] = &audit.Tally{Judged: 2, Objects: 1}
	nodes := &scorecard.Nodes{Exempt: func(id control.ID, _ string) bool { return id == "mod-cramfs" }}
	for _, name := range []string{"a", "b"} {
		nodes.Node(name, map[string]string{"kubernetes.azure.com/cluster": "mc"}, "azure:///x")
		r := &v1alpha1.NodeReport{}
		r.Name = name
		for _, c := range control.All() {
			if c.Face != control.Node {
				continue
			}
			status := control.Pass
			switch {
			case c.ID == "perm-crontab" && name == "b", c.ID == "mod-cramfs":
				status = control.Fail
			case c.ID == "kube-proxy-kubeconfig-mode":
				status = control.NotApplicable
			}
			r.Status.Results = append(r.Status.Results, v1alpha1.NodeResult{Control: string(c.ID), Status: string(status)})
		}
		nodes.Add(r, true)
	}
	rows, score := scorecard.Rows(scorecard.In{
		Audit: a, Nodes: nodes, AKS: nodes.AKS(), Judged: func(string, control.ID) bool { return true },
	})
	r := &v1alpha1.ClusterReport{Status: v1alpha1.ClusterReportStatus{Rows: rows, Score: &score, Audit: scorecard.AuditStatus(a)}}
	r.APIVersion, r.Kind, r.Name = v1alpha1.GroupVersion.String(), "ClusterReport", v1alpha1.ClusterReportName
	return r
}

// told calls the command about a cluster that answers with a value.
func told(t *testing.T, value any, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	return toldBy(t, func(w http.ResponseWriter, _ *http.Request) { answer(w, http.StatusOK, value) }, args...)
}

func toldBy(t *testing.T, h http.HandlerFunc, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	t.Setenv("KUBERNETES_SERVICE_HOST", "")
	a := newAnswering(t, map[string]http.HandlerFunc{reportPath: h})
	code, stdout, stderr = call(t, map[string]string{"config": kubeconfig(a.url)}, "", append([]string{"report", "--kubeconfig", "config"}, args...)...)
	return code, stdout, strings.ReplaceAll(stderr, a.url, "SERVER")
}

func TestReport(t *testing.T) {
	folder, err := filepath.Abs("testdata/report")
	if err != nil {
		t.Fatal(err)
	}
	finished := time.Date(2199, 1, 2, 3, 4, 5, 0, time.UTC) // it must not be stale
	tests := map[string]struct {
		args []string
		code int
	}{
		"table.txt":      {},
		"table.ko.txt":   {args: []string{"--lang", "ko"}},
		"wide.txt":       {args: []string{"-o", "wide", "--status", "Fail,Manual", "--fail-on", "Exempt"}, code: 1},
		"host.md":        {args: []string{"-o", "markdown", "--document", "host", "--fail-on", "Unknown,Attested"}},
		"kubernetes.csv": {args: []string{"-o", "csv", "--document", "kubernetes", "--status", "Attested"}},
		"fail.json":      {args: []string{"-o", "json", "--status", "Fail"}},
		"exempt.ko.yaml": {args: []string{"-o", "yaml", "--status", "Exempt", "--lang", "ko", "--fail-on", "NotApplicable"}, code: 1},
		"nothing.txt":    {args: []string{"--document", "kubernetes", "--status", "Exempt"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			code, got, stderr := told(t, someCluster(finished), test.args...)
			if code != test.code || stderr != "" {
				t.Errorf("exit %d, want %d: %s", code, test.code, stderr)
			}
			golden := filepath.Join(folder, name)
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", name, diff)
			}
		})
	}
}

// No row is lost on the way, in any form, and every section has a title.
func TestReportIsWhole(t *testing.T) {
	r := someCluster(time.Now())
	for _, output := range []string{"table", "wide", "markdown"} {
		_, out, _ := told(t, r, "-o", output, "--lang", "ko")
		for i := range r.Status.Rows {
			row := &r.Status.Rows[i]
			c, _ := control.Get(control.ID(row.Control))
			title := c.Title.KO
			if output == "markdown" {
				title = escape(title)
			}
			if !strings.Contains(out, title) {
				t.Errorf("%s lacks %s %s", output, row.ID, title)
			}
			if strings.Count(out, row.ID+" ") < 1 {
				t.Errorf("%s lacks %s", output, row.ID)
			}
			for _, number := range headings("", row.ID) {
				if title := sections[row.Document][number]; title.EN == "" || title.KO == "" {
					t.Errorf("section %s of %s has no title", number, row.Document)
				}
			}
		}
	}
	_, out, _ := told(t, r, "-o", "csv")
	if lines, err := csv.NewReader(strings.NewReader(out)).ReadAll(); err != nil || len(lines) != 1+168 {
		t.Errorf("%d lines: %v", len(lines), err)
	}
	_, out, _ = told(t, r, "-o", "json")
	var c card
	if err := json.Unmarshal([]byte(out), &c); err != nil || len(c.Rows) != 168 || c.Score == nil || c.Audit == nil {
		t.Errorf("%d rows: %v", len(c.Rows), err)
	}
}

func TestReportOfNothing(t *testing.T) {
	empty := &v1alpha1.ClusterReport{}
	empty.Kind = "ClusterReport"
	unaudited := someCluster(time.Now())
	unaudited.Status.Audit = nil
	serve := func(v any) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { answer(w, http.StatusOK, v) }
	}
	const logs = "kubectl -n hardgate-system logs deploy/hardgate-controller\n"
	tests := map[string]struct {
		handler http.HandlerFunc
		args    []string
		code    int
		stderr  string
	}{
		"absent": {
			handler: refuse(http.StatusNotFound, "NotFound", `clusterreports "cluster" not found`), code: 2,
			stderr: "hardgate: SERVER has no ClusterReport \"cluster\": is hardgate's controller installed, and does it run? See with: kubectl get crd clusterreports.hardgate.dev; kubectl -n hardgate-system get pods\n",
		},
		"forbidden": {
			handler: refuse(http.StatusForbidden, "Forbidden", "eve may not"), code: 2,
			stderr: "hardgate: asking SERVER for the ClusterReport \"cluster\": eve may not: test the right with: kubectl auth can-i get clusterreports.hardgate.dev\n",
		},
		"who are you": {
			handler: refuse(http.StatusUnauthorized, "Unauthorized", "Unauthorized"), code: 2,
			stderr: "hardgate: asking SERVER for the ClusterReport \"cluster\": Unauthorized: log in anew, or choose other credentials with --context or --kubeconfig\n",
		},
		"empty": {
			handler: serve(empty), code: 2,
			stderr: `hardgate: the ClusterReport "cluster" of SERVER has no rows yet: the controller writes them after its first audit. Its log says how far it is: ` + logs,
		},
		"something else": {
			handler: serve(map[string]string{"kind": "Pod"}), code: 2,
			stderr: "hardgate: reading the ClusterReport \"cluster\": SERVER answers with a \"Pod\"\n",
		},
		"not audited": {
			handler: serve(unaudited),
			stderr:  "hardgate: warning: the cluster has not been audited yet: look again in some minutes\n",
		},
		"unknown status": {
			args: []string{"--status", "Failed"}, code: 2,
			stderr: "hardgate: --status: unknown status \"Failed\", did you mean \"Fail\"? (see \"hardgate report --help\")\n",
		},
		"a status to fail on": {
			args: []string{"--fail-on", "fail"}, code: 2,
			stderr: "hardgate: --fail-on: unknown status \"fail\", did you mean \"Fail\"? (see \"hardgate report --help\")\n",
		},
		"no status": {
			args: []string{"--status", ""}, code: 2,
			stderr: "hardgate: --status: no status is named (see \"hardgate report --help\")\n",
		},
		"unknown document": {
			args: []string{"--document", "cis"}, code: 2,
			stderr: "hardgate: --document: unknown document \"cis\": use one of kubernetes, host (see \"hardgate report --help\")\n",
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			h := test.handler
			if h == nil {
				h = func(http.ResponseWriter, *http.Request) { t.Error("the cluster was asked") }
			}
			code, stdout, stderr := toldBy(t, h, test.args...)
			if code != test.code || (code == 0) != (stdout != "") {
				t.Errorf("exit %d, want %d, %d bytes", code, test.code, len(stdout))
			}
			if diff := cmp.Diff(test.stderr, stderr); diff != "" {
				t.Errorf("stderr (-want +got):\n%s", diff)
			}
		})
	}
}

func TestStaleness(t *testing.T) {
	now := time.Date(2026, 1, 10, 0, 0, 0, 0, time.UTC)
	const mend = ". Does the controller run? kubectl -n hardgate-system get pods]"
	tests := map[time.Duration]string{
		23 * time.Hour:     "[]",
		25 * time.Hour:     "[the report is old: the last audit ended 25 hours ago, at 2026-01-08T23:00:00Z" + mend,
		5 * 24 * time.Hour: "[the report is old: the last audit ended 5 days ago, at 2026-01-05T00:00:00Z" + mend,
	}
	for age, want := range tests {
		if got := fmt.Sprint(staleness(someCluster(now.Add(-age)), now)); got != want {
			t.Errorf("%s: %s", age, got)
		}
	}
}
