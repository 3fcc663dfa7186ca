package scorecard_test

import (
	"fmt"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/hardgate-dev/hardgate/api/v1alpha1"
	"github.com/hardgate-dev/hardgate/audit"
	"github.com/hardgate-dev/hardgate/control"
	"github.com/hardgate-dev/hardgate/scorecard"
)

func everywhere(string, control.ID) bool { return true }

// audited is a complete pass over two namespaces in which every control has a tally.
func audited(tally audit.Tally, missed ...string) *audit.Result {
	r := &audit.Result{Started: time.Unix(1, 0), Finished: time.Unix(2, 0), Objects: 7, Namespaces: map[string]*audit.Summary{}}
	for _, ns := range []string{"", "shop", "blog"} {
		s := &audit.Summary{Controls: map[control.ID]*audit.Tally{}}
		for _, c := range control.All() {
			t := audit.Tally{Judged: 3}
			if ns == "shop" {
				t = tally
			}
			if (c.Face == control.Admission && ns != "") || c.Face == control.Cluster {
				s.Controls[c.ID] = &t
			}
		}
		r.Namespaces[ns] = s
	}
	for _, m := range missed {
		r.Missed = append(r.Missed, audit.Miss{Resource: m, Err: fmt.Errorf("reading %s: forbidden", m)})
	}
	return r
}

// report is of a node on which every control has one status.
func report(node string, status control.Status) *v1alpha1.NodeReport {
	r := &v1alpha1.NodeReport{ObjectMeta: metav1.ObjectMeta{Name: node}}
	for _, c := range control.All() {
		if c.Face == control.Node {
			r.Status.Results = append(r.Status.Results, v1alpha1.NodeResult{Control: string(c.ID), Status: string(status)})
		}
	}
	return r
}

// nodes are n0, n1 and so on; an empty status is that of one that has no report.
func nodes(statuses ...control.Status) *scorecard.Nodes {
	n := &scorecard.Nodes{}
	for i := range statuses {
		n.Node(fmt.Sprintf("n%d", i), map[string]string{"kubernetes.azure.com/cluster": "mc"}, "azure:///subscriptions/x")
	}
	for i, s := range statuses {
		if s != "" {
			n.Add(report(fmt.Sprintf("n%d", i), s), true)
		}
	}
	return n
}

// find is the first row of a control.
func find(rows []v1alpha1.BenchmarkRow, id control.ID) *v1alpha1.BenchmarkRow {
	for i := range rows {
		if rows[i].Control == string(id) {
			return &rows[i]
		}
	}
	return nil
}
