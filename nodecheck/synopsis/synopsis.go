// Package synopsis makes of verdicts what a NodeReport holds: bounded, without time,
// the same bytes for the same verdicts. It is pure.
package synopsis

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"github.com/hardgate-dev/hardgate/api/v1alpha1"
	"github.com/hardgate-dev/hardgate/control"
	"github.com/hardgate-dev/hardgate/nodecheck/check"
)

// What a report may take up.
const (
	maxFindings = 10        // of one control
	maxText     = 256       // bytes of one value
	maxStatus   = 128 << 10 // bytes of the status as JSON
)

// Agent is what a report says of the one who writes it.
type Agent struct {
	Version    string
	RuleSet    string
	Benchmarks []string
	// Generation is that of the report's spec whose rules are in force; 0 if those of
	// the flags are.
	Generation int64
}

// RuleSet names a choice of checks with their rules.
func RuleSet(checks []*check.Check, rules *check.Rules) (string, error) {
	text, err := json.Marshal(rules)
	if err != nil {
		return "", fmt.Errorf("naming the rule set: %w", err)
	}
	h := sha256.New()
	for _, c := range checks {
		h.Write([]byte(c.ID + "\n"))
	}
	h.Write(text)
	return hex.EncodeToString(h.Sum(nil)[:8]), nil
}

// Status makes the status of a report and its JSON. Where it would be too large,
// fewer findings of each control are shown, and how many there are.
func Status(verdicts []check.Verdict, os string, agent Agent) (v1alpha1.NodeReportStatus, []byte, error) {
	s := v1alpha1.NodeReportStatus{
		ObservedGeneration: agent.Generation,
		AgentVersion:       text(agent.Version), RuleSet: agent.RuleSet, Benchmarks: agent.Benchmarks,
		OS: text(os), Summary: summary(verdicts),
	}
	for most := maxFindings; ; most /= 2 {
		s.Results = results(verdicts, most)
		data, err := json.Marshal(s)
		if err != nil {
			return v1alpha1.NodeReportStatus{}, nil, fmt.Errorf("writing the status: %w", err)
		}
		if len(data) <= maxStatus || most == 0 {
			return s, data, nil
		}
	}
}

func summary(verdicts []check.Verdict) (n v1alpha1.NodeSummary) {
	for _, v := range verdicts {
		switch v.Status {
		case control.Pass:
			n.Pass++
		case control.Fail:
			n.Fail++
		case control.NotApplicable:
			n.NotApplicable++
		case control.ByHand:
			n.Manual++
		case control.Exempt:
			n.Exempt++
		default: // nothing that is not known to be fine counts as such
			n.Unknown++
		}
	}
	return n
}

func results(verdicts []check.Verdict, most int) []v1alpha1.NodeResult {
	list := make([]v1alpha1.NodeResult, 0, len(verdicts))
	for _, v := range verdicts {
		list = append(list, v1alpha1.NodeResult{
			Control: string(v.Control), Status: status(v.Status), Findings: findings(v, most),
		})
	}
	return list
}

// status keeps to the values that the API knows.
func status(s control.Status) string {
	switch s {
	case control.Pass, control.Fail, control.NotApplicable, control.ByHand, control.Exempt:
		return string(s)
	default:
		return string(control.Unknown)
	}
}

func findings(v check.Verdict, most int) []v1alpha1.NodeFinding {
	if len(v.Findings) == 0 {
		return nil
	}
	shown := v.Findings
	if len(shown) > most {
		shown = shown[:most]
	}
	list := make([]v1alpha1.NodeFinding, 0, len(shown)+1)
	for _, f := range shown {
		list = append(list, v1alpha1.NodeFinding{
			Path: text(f.Where), Expected: text(f.Expected), Actual: text(f.Actual), Detail: text(f.Detail),
			State: string(f.State), Drift: string(f.Drift),
		})
	}
	if more := len(v.Findings) - len(shown); more > 0 {
		list = append(list, v1alpha1.NodeFinding{Path: string(v.Control), Detail: fmt.Sprintf("and %d more", more)})
	}
	return list
}
