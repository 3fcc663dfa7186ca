package main

import (
	"bufio"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	corev1 "k8s.io/api/core/v1"

	"github.com/hardgate-dev/hardgate/control"
	"github.com/hardgate-dev/hardgate/report"
	"github.com/hardgate-dev/hardgate/taint/preflight"
)

// preflightReport is the answer of hardgate nodes preflight.
type preflightReport struct {
	// Taints are those that were looked for; one at least.
	Taints     []corev1.Taint `json:"taints"`
	TaintsFrom taintsFrom     `json:"taintsFrom"`
	// DaemonSets are those that do not tolerate all of the taints. Never nil.
	DaemonSets []preflight.Finding `json:"daemonSets"`
	// Tolerations are what they need, before those that they have. Never nil.
	Tolerations []corev1.Toleration `json:"tolerations"`
	Summary     struct {
		DaemonSets    int `json:"daemonSets"`
		NotTolerating int `json:"notTolerating"`
	} `json:"summary"`

	namespace string // empty for all
}

func newPreflightReport(sets []preflight.DaemonSet, e expectation, namespace string) *preflightReport {
	found := preflight.Judge(sets, e.taints)
	r := &preflightReport{
		Taints: e.taints, TaintsFrom: e.from, namespace: namespace,
		DaemonSets:  append([]preflight.Finding{}, found...),
		Tolerations: append([]corev1.Toleration{}, preflight.Needed(found)...),
	}
	r.Summary.DaemonSets, r.Summary.NotTolerating = len(sets), len(found)
	return r
}

var (
	wordEvicted   = control.Text{EN: " (evicted)", KO: " (축출됨)"}
	formatEvicted = control.Text{EN: " (evicted after %ds)", KO: " (%d초 뒤 축출됨)"}
	formatSome    = control.Text{
		EN: "DaemonSets that do not tolerate %[3]s: %[1]d of %[2]d.\nOne that must run on such a node needs this in spec.template.spec.tolerations, before what is there:",
		KO: "DaemonSet %[2]d개 중 %[1]d개가 %[3]s 테인트를 용인하지 않습니다.\n이 테인트가 설정된 노드에서도 실행되어야 하는 DaemonSet에는 spec.template.spec.tolerations의 맨 앞에 다음을 추가하십시오.",
	}
	formatAll = control.Text{
		EN: "Every DaemonSet (%d) tolerates %s: nothing to do.",
		KO: "DaemonSet %d개가 모두 %s 테인트를 용인합니다. 조치할 것이 없습니다.",
	}
	wordNone = control.Text{
		EN: "There are no DaemonSets: nothing to do.",
		KO: "DaemonSet이 없습니다. 조치할 것이 없습니다.",
	}
	formatNoneIn = control.Text{
		EN: "There are no DaemonSets in the namespace %s, if it exists.",
		KO: "네임스페이스 %s에 DaemonSet이 없거나, 그런 네임스페이스가 없습니다.",
	}
)

// table writes one line for each DaemonSet, and at the end what to do. What is of no
// known width where characters are wide is last.
func (r *preflightReport) table(w io.Writer, lang control.Lang) error {
	out := bufio.NewWriter(w)
	if len(r.DaemonSets) > 0 {
		columns := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
		fmt.Fprintln(columns, "NAMESPACE\tNAME\tPODS\tNOT TOLERATED")
		for _, d := range r.DaemonSets {
			line := fmt.Sprintf("%s\t%s\t%d\t", report.Printable(d.Namespace), report.Printable(d.Name), d.Pods)
			fmt.Fprintln(columns, line+untoleratedText(d.NotTolerated, lang))
		}
		if err := columns.Flush(); err != nil {
			return fmt.Errorf("writing the table: %w", err)
		}
		fmt.Fprintln(out)
	}
	fmt.Fprintln(out, r.line(lang))
	for _, t := range r.Tolerations {
		fmt.Fprintf(out, "- key: %s\n  operator: %s\n", t.Key, t.Operator)
		if t.Value != "" {
			fmt.Fprintf(out, "  value: %q\n", t.Value)
		}
	}
	if err := out.Flush(); err != nil {
		return fmt.Errorf("writing the table: %w", err)
	}
	return nil
}

func untoleratedText(list []preflight.Untolerated, lang control.Lang) string {
	texts := make([]string, 0, len(list))
	for i := range list {
		u := &list[i]
		text := u.ToString()
		switch {
		case u.AfterSeconds != nil:
			text += fmt.Sprintf(formatEvicted.In(lang), *u.AfterSeconds)
		case u.Evicts:
			text += wordEvicted.In(lang)
		}
		texts = append(texts, text)
	}
	return strings.Join(texts, ", ")
}

func (r *preflightReport) line(lang control.Lang) string {
	taints := joinTaints(r.Taints)
	switch s := &r.Summary; {
	case s.NotTolerating > 0:
		return fmt.Sprintf(formatSome.In(lang), s.NotTolerating, s.DaemonSets, taints)
	case s.DaemonSets > 0:
		return fmt.Sprintf(formatAll.In(lang), s.DaemonSets, taints)
	case r.namespace != "":
		return fmt.Sprintf(formatNoneIn.In(lang), r.namespace)
	}
	return wordNone.In(lang)
}
