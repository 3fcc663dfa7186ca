package main

import (
	"strings"

	"github.com/hardgate-dev/hardgate/control"
	"github.com/hardgate-dev/hardgate/nodecheck/check"
	"github.com/hardgate-dev/hardgate/nodecheck/host"
	"github.com/hardgate-dev/hardgate/report"
)

// nodeReport is the report of one node, in the shape of every other report.
func nodeReport(h *host.Host, root string, verdicts []check.Verdict, lang control.Lang) *report.Report {
	object := report.Object{APIVersion: "v1", Kind: "Node", Name: nodeName(h), Source: root}
	results := make([]report.Result, 0, len(verdicts))
	for _, v := range verdicts {
		r := report.Result{
			Object: object, Control: v.Control, Rows: control.Rows(v.Control), Status: v.Status,
			Findings: nodeFindings(v.Findings), Evidence: nodeFindings(v.Evidence),
		}
		if v.Status == control.Fail {
			c, _ := control.Get(v.Control)
			r.Remedy = c.Remedy.In(lang)
		}
		results = append(results, r)
	}
	return report.New(results, report.Summary{Files: len(h.Files()), Objects: 1}, nil)
}

func nodeFindings(found []check.Finding) []report.Finding {
	list := make([]report.Finding, 0, len(found))
	for _, f := range found {
		list = append(list, report.Finding{
			Path: f.Where, Detail: f.Detail, Expected: f.Expected, Actual: f.Actual, State: string(f.State), Drift: string(f.Drift),
		})
	}
	return list
}

// nodeName is what the node calls itself. A copied tree has no kernel to ask.
func nodeName(h *host.Host) string {
	for _, path := range []string{"/proc/sys/kernel/hostname", "/etc/hostname"} {
		if f, err := h.File(path); err == nil {
			if name := strings.TrimSpace(string(f.Data)); name != "" {
				return name
			}
		}
	}
	return "unnamed"
}
