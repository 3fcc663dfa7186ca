package scorecard

import (
	"fmt"
	"slices"

	"github.com/hardgate-dev/hardgate/audit"
	"github.com/hardgate-dev/hardgate/control"
)

// systemMasters leaves no object where a certificate carries the group: what the audit
// finds is wrong, and what it does not find a person must still look for.
const systemMasters control.ID = "system-masters"

// found is what an audit has found of one control in all namespaces.
type found struct {
	judged, failing, exempt, manual int

	namespaces int      // in which it could be judged
	where      []string // namespaces that fail it
	off        []string // namespaces in which it is not judged
}

// audited is the verdict of the audit on a control.
func (in *In) audited(c *control.Control) verdict {
	switch {
	case in.Audit == nil, in.Audit.Finished.IsZero():
		return verdict{control.Unknown, "no audit yet"}
	case len(in.Audit.Namespaces) == 0:
		return verdict{control.Unknown, "the audit has seen no namespace"}
	}
	f := in.found(c)
	v, whole := in.clusterwide(c.ID)
	objects := f.verdict(in.Exemptions[c.ID])
	if !whole || c.Face == control.Admission { // policies judge it, if they are not Off
		if objects = f.unlessOff(objects, in); (c.Face == control.Cluster || c.Scope != control.InNamespaces) && objects.status == control.NotApplicable {
			// Every cluster has roles and namespaces.
			objects = verdict{control.Unknown, "the audit does not judge it"}
		}
	}
	if !whole || severity(objects.status) > severity(v.status) {
		v = objects
	}
	if severity(v.status) >= severity(control.Unknown) {
		return v
	}
	if missed := in.Audit.Missed; len(missed) > 0 {
		return verdict{control.Unknown, "not all was read: " + missing(missed)}
	}
	if (c.ID == systemMasters || c.Kind == control.Manual) && (v.status == control.Pass || v.status == control.NotApplicable) {
		return verdict{control.ByHand, "nothing was found; a person must decide"}
	}
	return v
}

// unlessOff is a verdict, or that it is not known where the control is not judged
// everywhere.
func (f *found) unlessOff(v verdict, in *In) verdict {
	switch {
	case severity(v.status) >= severity(control.Unknown):
		return v
	case in.Judged == nil:
		return verdict{control.Unknown, "it is not known where it is judged"}
	case len(f.off) == f.namespaces:
		return verdict{control.Unknown, "it is judged nowhere"}
	case len(f.off) > 0:
		return verdict{control.Unknown, fmt.Sprintf("not judged in %s: %s", plural(len(f.off), "namespace"), some(f.off))}
	}
	return v
}

// clusterwide is the most severe of the verdicts on the cluster as a whole, if there are any.
func (in *In) clusterwide(id control.ID) (v verdict, any bool) {
	for i := range in.Audit.Clusterwide {
		w := &in.Audit.Clusterwide[i]
		if w.Control != id {
			continue
		}
		if one := whole(w); !any || severity(one.status) > severity(v.status) {
			v, any = one, true
		}
	}
	return v, any
}

// found adds up what is known of all namespaces.
func (in *In) found(c *control.Control) found {
	var f found
	for name, s := range in.Audit.Namespaces {
		if c.Face == control.Cluster || c.Scope.Reaches(name) {
			f.namespaces++
			if s == nil || in.Judged != nil && !in.Judged(name, c.ID) {
				f.off = append(f.off, place(name))
			}
		}
		if s == nil || s.Controls[c.ID] == nil {
			continue
		}
		t := s.Controls[c.ID]
		f.judged += t.Judged
		f.exempt += t.Exempt
		f.manual += t.Manual
		if n := max(t.Objects, t.Failing); n > 0 {
			f.failing += n
			f.where = append(f.where, place(name))
		}
	}
	return f
}

func (f *found) verdict(exemptions []string) verdict {
	switch {
	case f.failing > 0:
		return verdict{control.Fail, fmt.Sprintf("%s fail%s in %s: %s", plural(f.failing, "object"), third(f.failing),
			plural(len(f.where), "namespace"), some(f.where))}
	case f.manual > 0:
		return verdict{control.ByHand, fmt.Sprintf("%s for a person to decide", plural(f.manual, "object"))}
	case f.exempt > 0:
		return verdict{control.Exempt, fmt.Sprintf("all that fails is exempt%s: %s", by(exemptions), plural(f.exempt, "owner"))}
	case f.judged > 0:
		return verdict{control.Pass, plural(f.judged, "object")}
	}
	return verdict{control.NotApplicable, "nothing that it is about"}
}

func whole(w *audit.Clusterwide) verdict {
	v := verdict{status: w.Status}
	if severity(v.status) == 0 { // what no judge may say
		v.status = control.Unknown
	}
	for i, line := range w.Evidence {
		if i > 0 {
			v.detail += "; "
		}
		if v.detail += line; len(v.detail) > maxDetail {
			break
		}
	}
	return v
}

// severity orders verdicts; the more severe is that of the whole.
func severity(s control.Status) int {
	return 1 + slices.Index([]control.Status{
		control.NotApplicable, control.Pass, control.Exempt, control.ByHand, control.Unknown, control.Fail,
	}, s)
}

func missing(missed []audit.Miss) string {
	names := make([]string, 0, len(missed))
	for _, m := range missed {
		names = append(names, m.Resource)
	}
	return some(names)
}

func place(namespace string) string {
	if namespace == "" {
		return "(no namespace)"
	}
	return namespace
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

func third(n int) string {
	if n == 1 {
		return "s"
	}
	return ""
}
