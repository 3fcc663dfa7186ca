package scorecard_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/hardgate-dev/hardgate/api/v1alpha1"
	"github.com/hardgate-dev/hardgate/audit"
	"github.com/hardgate-dev/hardgate/control"
	"github.com/hardgate-dev/hardgate/scorecard"
)

// All rows together, in states that a cluster can be in. 36 rows are the audit's, 59 the
// nodes' and 73 the control plane's.
func TestStatuses(t *testing.T) {
	passing := audit.Tally{Judged: 3}
	tests := map[string]struct {
		in      scorecard.In
		want    map[string]int32
		summary string
	}{
		"nothing is known":        {want: map[string]int32{"Unknown": 95, "Manual": 73}, summary: "0/88 (0 attested)"},
		"nothing is known of AKS": {in: scorecard.In{AKS: true}, want: map[string]int32{"Unknown": 95, "Attested": 73}, summary: "0/69 (35 attested)"},
		"an audit that has seen nothing": {
			in:   scorecard.In{Audit: &audit.Result{Finished: time.Unix(1, 0)}, Nodes: &scorecard.Nodes{}, Judged: everywhere},
			want: map[string]int32{"Unknown": 95, "Manual": 73}, summary: "0/88 (0 attested)",
		},
		"all passes": {
			in:   scorecard.In{Audit: audited(passing), Judged: everywhere, Nodes: nodes(control.Pass, control.Pass), AKS: true},
			want: map[string]int32{"Pass": 91, "Manual": 4, "Attested": 73}, summary: "27/69 (35 attested)",
		},
		"not told where controls are off": {
			in:   scorecard.In{Audit: audited(passing), Nodes: nodes(control.Pass), AKS: true},
			want: map[string]int32{"Pass": 59, "Unknown": 36, "Attested": 73}, summary: "20/69 (35 attested)",
		},
		"one node fails": {
			in:   scorecard.In{Audit: audited(passing), Judged: everywhere, Nodes: nodes(control.Pass, control.Fail), AKS: true},
			want: map[string]int32{"Pass": 32, "Fail": 59, "Manual": 4, "Attested": 73}, summary: "7/69 (35 attested)",
		},
		"pods were missed": {
			in:   scorecard.In{Audit: audited(passing, "pods"), Judged: everywhere, Nodes: nodes(control.Pass), AKS: true},
			want: map[string]int32{"Pass": 59, "Unknown": 36, "Attested": 73}, summary: "20/69 (35 attested)",
		},
		"what was missed does not hide a failure": {
			in:   scorecard.In{Audit: audited(audit.Tally{Judged: 3, Objects: 1}, "pods"), Judged: everywhere, Nodes: nodes(control.Pass), AKS: true},
			want: map[string]int32{"Pass": 59, "Fail": 36, "Attested": 73}, summary: "20/69 (35 attested)",
		},
		"all that fails is exempt": {
			in:   scorecard.In{Audit: audited(audit.Tally{Judged: 3, Exempt: 2}), Judged: everywhere, Nodes: nodes(control.Exempt, control.Pass), AKS: true},
			want: map[string]int32{"Exempt": 95, "Attested": 73}, summary: "0/69 (35 attested)",
		},
		"some that fails is exempt": {
			in:   scorecard.In{Audit: audited(audit.Tally{Judged: 3, Exempt: 2, Failing: 1, Objects: 1}), Judged: everywhere, Nodes: nodes(control.Exempt, control.Fail), AKS: true},
			want: map[string]int32{"Fail": 95, "Attested": 73}, summary: "0/69 (35 attested)",
		},
		"a node says nothing": {
			in:   scorecard.In{Audit: audited(audit.Tally{Judged: 3, Manual: 1}), Judged: everywhere, Nodes: nodes(control.Pass, "")},
			want: map[string]int32{"Unknown": 59, "Manual": 109}, summary: "0/88 (0 attested)",
		},
		"nothing applies": {
			in:   scorecard.In{Audit: audited(passing), Judged: everywhere, Nodes: nodes(control.NotApplicable), AKS: true},
			want: map[string]int32{"Pass": 32, "Manual": 4, "NotApplicable": 59, "Attested": 73}, summary: "7/49 (35 attested)",
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			rows, score := scorecard.Rows(test.in)
			if len(rows) != 132+36 || rows[0].ID != "1.1.1" || rows[131].ID != "5.7.4" || rows[132].ID != "1.1.1.1" {
				t.Fatalf("%d rows, from %s", len(rows), rows[0].ID)
			}
			if diff := cmp.Diff(test.want, score.Statuses); diff != "" {
				t.Errorf("statuses (-want +got):\n%s", diff)
			}
			if score.Summary != test.summary {
				t.Errorf("the score is %s, want %s", score.Summary, test.summary)
			}
		})
	}
}

func TestRow(t *testing.T) {
	failing := audited(audit.Tally{Judged: 3, Objects: 4, Failing: 1, Exempt: 1})
	whole := func(s control.Status, evidence ...string) *audit.Result {
		r := audited(audit.Tally{Judged: 3})
		r.Clusterwide = []audit.Clusterwide{{Control: "namespace-network-policy", Status: s, Evidence: evidence}}
		return r
	}
	signed := func(tally audit.Tally) *audit.Result {
		r := audited(tally)
		r.Clusterwide = []audit.Clusterwide{{Control: "system-masters", Status: control.ByHand, Evidence: []string{"look at what was signed"}}}
		return r
	}
	none := func(string, control.ID) bool { return false }
	off := func(ns string, id control.ID) bool { return ns != "shop" || id != "privileged" }
	workloads := func(ns string, _ control.ID) bool { return ns != "" }
	unseen := &audit.Result{Finished: time.Unix(2, 0), Namespaces: map[string]*audit.Summary{"": {}, "shop": {}}}
	stale := nodes("", control.Pass, control.Pass)
	stale.Add(report("n0", control.Fail), false)
	old := nodes("", control.Pass)
	old.Add(report("n0", control.Pass), false)
	gone := nodes(control.Pass)
	gone.Add(report("gone", control.Fail), true)
	exempt := &scorecard.Nodes{Exempt: func(id control.ID, node string) bool { return node == "n0" && id == "perm-crontab" }}
	exempt.Node("n0", nil, "")
	exempt.Add(report("n0", control.Fail), true)
	tests := map[string]struct {
		in      scorecard.In
		control control.ID
		want    string // status, statement, source, nodes, detail
	}{
		"the provider's failure":     {scorecard.In{AKS: true}, "apiserver-kubelet-ca", "Attested fail AKS document (cis-kubernetes-1.8.0-aks) - the provider states: fail"},
		"the provider's control":     {scorecard.In{}, "apiserver-kubelet-ca", "Manual   - not an AKS cluster: nobody attests the control plane here"},
		"ours wins":                  {scorecard.In{AKS: true, Nodes: nodes(control.Fail)}, "kubelet-anonymous-auth", "Fail  nodes 0/1 0 of 1 nodes pass; fail: n0"},
		"a word that says nothing":   {scorecard.In{AKS: true}, "cluster-admin-bindings", "Unknown  audit - no audit yet"},
		"the provider's word":        {scorecard.In{AKS: true, Nodes: nodes("")}, "kubelet-anonymous-auth", "Unknown pass nodes 0/1 0 of 1 nodes pass; 1 without a fresh report of it; the provider states: pass"},
		"fails in one namespace":     {scorecard.In{Audit: failing, Judged: everywhere}, "privileged", "Fail  audit - 4 objects fail in 1 namespace: shop"},
		"off in one namespace":       {scorecard.In{Audit: audited(audit.Tally{}), Judged: off}, "privileged", "Unknown  audit - not judged in 1 namespace: shop"},
		"fails though off":           {scorecard.In{Audit: failing, Judged: off}, "privileged", "Fail  audit - 4 objects fail in 1 namespace: shop"},
		"workloads have a place":     {scorecard.In{Audit: audited(audit.Tally{Judged: 2}), Judged: workloads}, "privileged", "Pass  audit - 5 objects"},
		"rights may have none":       {scorecard.In{Audit: audited(audit.Tally{Judged: 2}), Judged: workloads}, "secret-access", "Unknown  audit - not judged in 1 namespace: (no namespace)"},
		"clusterwide":                {scorecard.In{Audit: whole(control.Pass, "all have one")}, "namespace-network-policy", "Pass  audit - all have one"},
		"clusterwide by hand":        {scorecard.In{Audit: whole(control.ByHand, "a", "b")}, "namespace-network-policy", "Manual  audit - a; b"},
		"clusterwide nonsense":       {scorecard.In{Audit: whole("Fine")}, "namespace-network-policy", "Unknown  audit - "},
		"a certificate is no object": {scorecard.In{Audit: audited(audit.Tally{Judged: 3}), Judged: everywhere}, "system-masters", "Manual  audit - nothing was found; a person must decide"},
		"a certificate, by hand":     {scorecard.In{Audit: signed(audit.Tally{Judged: 3}), Judged: everywhere}, "system-masters", "Manual  audit - look at what was signed"},
		"a binding, whatever signed": {scorecard.In{Audit: signed(audit.Tally{Judged: 3, Objects: 1}), Judged: everywhere}, "system-masters", "Fail  audit - 1 object fails in 1 namespace: shop"},
		"bindings not judged":        {scorecard.In{Audit: signed(audit.Tally{}), Judged: none}, "system-masters", "Unknown  audit - it is judged nowhere"},
		"no object of the kind":      {scorecard.In{Audit: unseen, Judged: everywhere}, "windows-host-process", "NotApplicable  audit - nothing that it is about"},
		"nobody judges it":           {scorecard.In{Audit: unseen, Judged: everywhere}, "node-proxy", "Unknown  audit - the audit does not judge it"},
		"a certificate, and nobody":  {scorecard.In{Audit: unseen, Judged: everywhere}, "system-masters", "Unknown  audit - the audit does not judge it"},
		"exempt by name": {
			scorecard.In{Audit: audited(audit.Tally{Judged: 3, Exempt: 2}), Judged: everywhere, Exemptions: map[control.ID][]string{"privileged": {"cni", "agents"}}},
			"privileged", "Exempt  audit - all that fails is exempt by agents, cni: 2 owners",
		},
		"a stale failure is one":       {scorecard.In{Nodes: stale}, "perm-crontab", "Fail  nodes 2/3 2 of 3 nodes pass; fail: n0"},
		"a stale pass is none":         {scorecard.In{Nodes: old}, "perm-crontab", "Unknown  nodes 1/2 1 of 2 nodes pass; 1 without a fresh report of it"},
		"a node that has gone":         {scorecard.In{Nodes: gone}, "perm-crontab", "Pass  nodes 1/1 1 of 1 nodes pass"},
		"an exempt node":               {scorecard.In{Nodes: exempt}, "perm-crontab", "Exempt  nodes 0/1 0 of 1 nodes pass; 1 exempt"},
		"exempt of one control":        {scorecard.In{Nodes: exempt}, "perm-issue", "Fail  nodes 0/1 0 of 1 nodes pass; fail: n0"},
		"a node could not tell":        {scorecard.In{Nodes: nodes(control.Pass, control.Unknown, "what")}, "perm-issue", "Unknown  nodes 1/3 1 of 3 nodes pass; 2 could not tell"},
		"one without the thing passes": {scorecard.In{Nodes: nodes(control.Pass, control.NotApplicable)}, "perm-issue", "Pass  nodes 1/2 1 of 2 nodes pass; 1 not applicable"},
		"many nodes": {
			scorecard.In{Nodes: nodes(control.Fail, control.Fail, control.Fail, control.Fail, control.Fail)},
			"perm-issue", "Fail  nodes 0/5 0 of 5 nodes pass; fail: n0, n1, n2 and 2 more",
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			rows, _ := scorecard.Rows(test.in)
			r := find(rows, test.control)
			counts := "-"
			if r.Nodes != nil {
				counts = fmt.Sprintf("%d/%d", *r.NodesPassing, *r.Nodes)
			}
			if got := strings.Join([]string{r.Status, r.Statement, r.Source, counts, r.Detail}, " "); got != test.want {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
		})
	}
}

// One node cannot claim that the cluster is the provider's.
func TestAKS(t *testing.T) {
	label := map[string]string{"kubernetes.azure.com/cluster": "mc"}
	mixed := &scorecard.Nodes{}
	for _, name := range []string{"a", "a", "a", "b"} { // a node counts once
		mixed.Node(name, map[string]string{"a": "b"}, "azure:///x")
	}
	mixed.Node("c", label, "azure:///x")
	var none *scorecard.Nodes
	tests := map[string]struct{ got, want bool }{
		"AKS":                {scorecard.AKS(label, "azure:///x"), true},
		"a machine on Azure": {scorecard.AKS(nil, "azure:///x"), false},
		"a label":            {scorecard.AKS(label, "kind://x"), false},
		"all nodes":          {nodes("", "").AKS(), true},
		"one of three":       {mixed.AKS(), false},
		"no nodes":           {(&scorecard.Nodes{}).AKS(), false},
		"nothing read":       {none.AKS(), false},
	}
	for name, test := range tests {
		if test.got != test.want {
			t.Errorf("%s: %t", name, test.got)
		}
	}
}

// The status fits into an object, whatever is found.
func TestBounds(t *testing.T) {
	long := strings.Repeat("줄\n<", 500)
	in := scorecard.In{Audit: audited(audit.Tally{Judged: 3, Objects: 1}), Judged: everywhere, AKS: true, Nodes: &scorecard.Nodes{}, Exemptions: map[control.ID][]string{}}
	for _, c := range control.All() {
		in.Audit.Clusterwide = append(in.Audit.Clusterwide, audit.Clusterwide{Control: c.ID, Status: control.Fail, Evidence: []string{long, long}})
	}
	for i := range 5000 {
		name := fmt.Sprintf("%s%d", strings.Repeat("n", 248), i)
		in.Nodes.Node(name, nil, "")
		in.Nodes.Add(report(name, control.Fail), true)
		in.Audit.Missed = append(in.Audit.Missed, audit.Miss{Resource: name, Err: errors.New(long)})
	}
	rows, score := scorecard.Rows(in)
	status := v1alpha1.ClusterReportStatus{Rows: rows, Score: &score, Audit: scorecard.AuditStatus(in.Audit)}
	for i := range rows {
		if d := rows[i].Detail; len(d) > 200 || !utf8.ValidString(d) || strings.Contains(d, "\n") {
			t.Errorf("%s: a detail of %d bytes: %q", rows[i].ID, len(d), d)
		}
	}
	data, err := json.Marshal(status)
	if err != nil || len(data) >= 100_000 {
		t.Errorf("the status has %d bytes: %v", len(data), err)
	}
	if n := len(status.Audit.Missed); n != 32 || status.Audit.Missed[31] != "and 4969 more" {
		t.Errorf("%d are missed, the last %q", n, status.Audit.Missed[n-1])
	}
}

func TestAuditStatus(t *testing.T) {
	if s := scorecard.AuditStatus(nil); s != nil {
		t.Errorf("no audit is %+v", s)
	}
	s := scorecard.AuditStatus(audited(audit.Tally{}, "pods"))
	if s.Objects != 7 || s.Started.Unix() != 1 || s.Finished.Unix() != 2 || len(s.Missed) != 1 || s.Missed[0] != "pods: reading pods: forbidden" {
		t.Errorf("the status is %+v", s)
	}
}
