package scorecard_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hardgate-dev/hardgate/audit"
	"github.com/hardgate-dev/hardgate/control"
	"github.com/hardgate-dev/hardgate/scorecard"
)

// Of nothing that is not known the table says Pass.
func TestNothingIsKnown(t *testing.T) {
	tests := map[string]struct {
		in      scorecard.In
		want    map[string]int32
		summary string
	}{
		"not AKS": {want: map[string]int32{"Unknown": 95, "Manual": 73}, summary: "0/88 (0 attested)"},
		"AKS":     {in: scorecard.In{AKS: true}, want: map[string]int32{"Unknown": 95, "Attested": 73}, summary: "0/69 (35 attested)"},
		"an audit that has seen nothing": {
			in:   scorecard.In{Audit: &audit.Result{Finished: time.Unix(1, 0)}, Nodes: &scorecard.Nodes{}, Judged: everywhere},
			want: map[string]int32{"Unknown": 95, "Manual": 73}, summary: "0/88 (0 attested)",
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			rows, score := scorecard.Rows(test.in)
			if len(rows) != 132+36 || rows[0].ID != "1.1.1" || rows[132].Document != "host" {
				t.Fatalf("%d rows, the first is %+v", len(rows), rows[0])
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

func everywhere(string, control.ID) bool { return true }
