package check

import (
	"errors"
	"fmt"
	"io/fs"
	"runtime/debug"

	"github.com/hardgate-dev/hardgate/control"
	"github.com/hardgate-dev/hardgate/nodecheck/host"
)

// Verdict is the result of one control.
type Verdict struct {
	Control control.ID
	Result
}

// Run judges a node by checks, in their order. It always gives a verdict for each:
// a check that could not tell is Unknown and says why, and the others go on.
func Run(h *host.Host, checks []*Check, rules *Rules) []Verdict {
	verdicts := make([]Verdict, 0, len(checks))
	for _, c := range checks {
		verdicts = append(verdicts, Verdict{Control: c.ID, Result: one(h, c, rules)})
	}
	return verdicts
}

func one(h *host.Host, c *Check, rules *Rules) (r Result) {
	defer func() {
		if p := recover(); p != nil {
			// A mistake of ours in one check must not silence the others. Where it is
			// belongs into the report, what was being read does not: it may be a secret.
			r = Result{Status: control.Unknown, Findings: []Finding{{
				Where: string(c.ID), Detail: fmt.Sprintf("the check panicked, please report this: %T at %s", p, panicked(debug.Stack())),
			}}}
		}
	}()
	r, err := c.Run(h, rules)
	if r.Status == control.NotApplicable && isNode(h) != nil {
		r, err = Result{}, isNode(h)
	}
	if err == nil && r.Status == "" {
		err = errNothing
	}
	for _, e := range flatten(err) {
		r.Findings = append(r.Findings, reason(c, e))
	}
	if err != nil && r.Status != control.Fail {
		r.Status = control.Unknown
	}
	if why, ok := rules.Exempt[c.ID]; ok && r.Status == control.Fail {
		r.Status = control.Exempt
		r.Findings = append([]Finding{{Where: string(c.ID), Detail: "exempt: " + why}}, r.Findings...)
	}
	return r
}

// isNode is an error where the tree is none of a node, or not all of it: that
// something does not exist says nothing then.
func isNode(h *host.Host) error {
	_, err := h.Stat("/etc")
	return err
}

// reason puts an error in the form of a finding.
func reason(c *Check, err error) Finding {
	f := Finding{Where: string(c.ID), Detail: "could not tell: " + err.Error()}
	if at, ok := errors.AsType[*host.Error](err); ok {
		f.Where = at.Path
		f.Detail = "could not tell: " + words(at.Err)
	}
	return f
}

func words(err error) string {
	switch {
	case errors.Is(err, fs.ErrPermission):
		return "permission denied"
	case errors.Is(err, fs.ErrNotExist):
		return "it does not exist"
	}
	return err.Error()
}

// flatten takes joined errors apart, however deep.
func flatten(err error) (list []error) {
	if err == nil {
		return nil
	}
	if joined, ok := err.(interface{ Unwrap() []error }); ok { // errors.Join only
		for _, e := range joined.Unwrap() {
			list = append(list, flatten(e)...)
		}
		return list
	}
	return []error{err}
}
