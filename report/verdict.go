package report

import (
	"slices"
	"strings"

	"github.com/hardgate-dev/hardgate/control"
	"github.com/hardgate-dev/hardgate/webhook/verdict"
)

// Of is the result of a decision on an object, every finding in it, those that are exempt
// too. The remedy is in lang.
func Of(o Object, d *verdict.Decision, lang control.Lang) Result {
	r := Result{
		Object: o, Control: d.ID, Rows: control.Rows(d.ID), Status: d.Status, Mode: d.Mode.String(),
		Findings: make([]Finding, 0, len(d.Violations)),
	}
	var by []string
	for i := range d.Violations {
		v := &d.Violations[i]
		r.Findings = append(r.Findings, Finding{Path: v.Path, Detail: v.Detail, Exemption: v.Exemption, Repaired: v.Mended && v.Exemption == ""})
		if v.Exemption != "" && !slices.Contains(by, v.Exemption) {
			by = append(by, v.Exemption)
		}
	}
	switch d.Status {
	case control.Exempt:
		slices.Sort(by)
		r.Exemption = strings.Join(by, ",")
	case control.Fail:
		if c, ok := control.Get(d.ID); ok {
			r.Remedy = c.Remedy.In(lang)
		}
	default: // there is nothing to mend
	}
	return r
}
