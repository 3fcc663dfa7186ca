package scorecard

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/hardgate-dev/hardgate/api/v1alpha1"
	"github.com/hardgate-dev/hardgate/audit"
	"github.com/hardgate-dev/hardgate/control"
)

// The sources of verdicts.
const (
	// SourceAudit is the audit of what stands in the cluster.
	SourceAudit = "audit"
	// SourceNodes are the reports of the agents.
	SourceNodes = "nodes"
	// SourceProvider is the document in which the provider of a managed cluster answers
	// for its control plane.
	SourceProvider = "AKS document (cis-kubernetes-1.8.0-aks)"
)

// maxDetail bounds a detail, in bytes.
const maxDetail = 200

// In is what is known of a cluster. Of the zero value nothing is.
type In struct {
	// Audit is the last pass; nil where there was none.
	Audit *audit.Result
	// Judged is whether policies have a control judged in a namespace, "" for objects
	// without one. What is Off somewhere does not pass. Nil means that it is not known.
	Judged func(namespace string, id control.ID) bool
	// Nodes are what the agents report; nil where that has not been read.
	Nodes *Nodes
	// AKS is whether the provider's document is about this cluster: see Nodes.AKS.
	AKS bool
	// Exemptions are the names of those in force, by control.
	Exemptions map[control.ID][]string
}

// Rows are all rows of the two source documents in their order, the 132 of the
// Kubernetes benchmark first and then the 36 of the host's, and what they score.
func Rows(in In) ([]v1alpha1.BenchmarkRow, v1alpha1.Score) {
	source := control.SourceRows()
	slices.SortStableFunc(source, func(a, b control.SourceRow) int { return -strings.Compare(a.Document, b.Document) })
	rows := make([]v1alpha1.BenchmarkRow, 0, len(source))
	for i := range source {
		rows = append(rows, in.row(&source[i]))
	}
	return rows, score(rows)
}

// verdict is what is known of one control.
type verdict struct {
	status control.Status
	detail string
}

func (in *In) row(s *control.SourceRow) v1alpha1.BenchmarkRow {
	c, _ := control.Get(s.Control) // the catalogue has every control of its tables
	r := v1alpha1.BenchmarkRow{
		Document: s.Document, ID: s.ID, Control: string(s.Control), Title: c.Title.EN, Level: s.Level.String(),
	}
	if s.Scoring != "" {
		scored := s.Scoring == "scored"
		r.Scored = &scored
	}
	var v verdict
	switch c.Face {
	case control.ControlPlane:
		v, r.Source, r.Statement = in.attested(s)
	case control.Node:
		v, r.Source = in.Nodes.verdict(s.Control, in.Exemptions[s.Control]), SourceNodes
		passing, all := in.Nodes.counts(s.Control)
		r.NodesPassing, r.Nodes = &passing, &all
	case control.Admission, control.Cluster:
		v, r.Source = in.audited(&c), SourceAudit
	}
	if c.Face != control.ControlPlane && in.AKS && (v.status == control.Unknown || v.status == control.ByHand) && says(s.AKSStatus) {
		r.Statement = s.AKSStatus
		v.detail = bounded(v.detail, maxDetail-60) + "; the provider states: " + s.AKSStatus
	}
	r.Status, r.Detail = string(v.status), bounded(v.detail, maxDetail)
	return r
}

// attested is about the control plane, which is the provider's: hardgate does not see it.
func (in *In) attested(s *control.SourceRow) (v verdict, source, statement string) {
	switch {
	case !in.AKS:
		return verdict{control.ByHand, "not an AKS cluster: nobody attests the control plane here"}, "", ""
	case s.AKSStatus == "":
		return verdict{control.ByHand, "the provider's document does not say"}, "", ""
	}
	return verdict{control.AttestedBy, "the provider states: " + s.AKSStatus}, SourceProvider, s.AKSStatus
}

// says is whether the provider's word says something of this cluster.
func says(word string) bool { return word != "" && word != dependsOnEnvironment }

// bounded is one line of at most so many bytes that can be shown.
func bounded(s string, limit int) string {
	s = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) || r == utf8.RuneError {
			return ' '
		}
		return r
	}, s)
	if len(s) <= limit {
		return s
	}
	end := limit - len("…")
	for end > 0 && !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end] + "…"
}
