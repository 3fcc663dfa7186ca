package controller

import (
	"testing"

	corev1 "k8s.io/api/core/v1"

	"github.com/hardgate-dev/hardgate/control"
	"github.com/hardgate-dev/hardgate/taint"
)

func TestBecause(t *testing.T) {
	unknown := []corev1.NodeCondition{{Type: taint.ConditionCompliant, Message: "Could not be told: mod-unnecessary."}}
	tests := map[string]struct {
		decision taint.Decision
		want     string
	}{
		"drifted": {taint.Decision{Verdict: taint.Drifted, Controls: []control.ID{"a", "b"}}, "it fails a, b."},
		"warned":  {taint.Decision{Verdict: taint.Warned, Controls: []control.ID{"a"}}, "it fails a, which is warned of."},
		// A node that was checked, and of which something cannot be told now.
		"unknown":          {taint.Decision{Verdict: taint.Unverified, Conditions: unknown}, "Could not be told: mod-unnecessary."},
		"nothing is known": {taint.Decision{Verdict: taint.Unverified}, "it has not been checked."},
		"mended":           {taint.Decision{Verdict: taint.Compliant}, "nothing fails that is enforced or warned of."},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if got := because(&tt.decision); got != tt.want {
				t.Errorf("%q, want %q", got, tt.want)
			}
		})
	}
}
