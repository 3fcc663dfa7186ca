package chart_test

import (
	"strings"
	"testing"

	"github.com/hardgate-dev/hardgate/charts/chart"
)

// A Prometheus that is kept out by the chart's own NetworkPolicy alerts of an outage that
// there is none of: who installs it so is told.
func TestNotesTellOfMetricsThatNobodyReads(t *testing.T) {
	const word = "networkPolicies.metricsFrom"
	for text, want := range map[string]bool{
		"{}":                          false,
		"monitoring: {enabled: true}": true,
		"{monitoring: {enabled: true}, networkPolicies: {enabled: false}}":                   false,
		"{monitoring: {enabled: true}, networkPolicies: {metricsFrom: [{podSelector: {}}]}}": false,
	} {
		notes := render(t, chart.Options{Values: values(t, text)})["NOTES.txt"]
		if got := strings.Contains(notes, word); got != want || notes == "" {
			t.Errorf("%s: the notes tell of it: %v, want %v\n%s", text, got, want, notes)
		}
	}
}
