package webhook

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/hardgate-dev/hardgate/control"
	"github.com/hardgate-dev/hardgate/webhook/verdict"
)

// response is what k8s.io/api/admission/v1 calls AdmissionResponse, without the
// fields that the gate never sets.
type response struct {
	UID              string
	Allowed          bool
	Status           *status
	AuditAnnotations []annotation
	Warnings         []string
	// Patch is a JSON patch (RFC 6902) of the object; nil for none.
	Patch []byte
}

type status struct {
	Code            int
	Reason, Message string
}

// annotation is an entry of auditAnnotations.
type annotation struct{ key, value string }

// refusal answers a request that could not be judged: not allowed, whatever the
// webhook's failurePolicy.
func refusal(uid string, code int, message string) response {
	reason := "BadRequest"
	if code != http.StatusBadRequest {
		reason = http.StatusText(code)
	}
	return response{UID: uid, Status: &status{Code: code, Reason: reason, Message: "hardgate: " + message}}
}

// The API server cuts warnings of over 256 bytes when all together have over 4096,
// and an audit annotation has no limit of its own.
const (
	maxWarning    = 256
	maxWarnings   = 4096
	maxAnnotation = 2048
	maxDenials    = 20
	// maxDetail bounds what is said of one finding. It may quote what a user wrote,
	// and an answer that is too long for the API server would be none.
	maxDetail = 512
)

// respond turns decisions into an answer. kind names the object to the user.
func respond(uid, kind string, decisions []verdict.Decision) response {
	r := response{UID: uid, Allowed: true}
	var refused []string
	denied := 0
	for i := range decisions {
		d := &decisions[i]
		if len(d.Violations) == 0 {
			continue
		}
		r.AuditAnnotations = append(r.AuditAnnotations, annotation{string(d.ID), annotate(d)})
		if w := warning(d); w != "" {
			r.Warnings = append(r.Warnings, w)
		}
		lines, n := denials(d, maxDenials-len(refused))
		refused = append(refused, lines...)
		denied += n
	}
	r.Warnings = fit(r.Warnings)
	if denied > 0 {
		r.Allowed = false
		r.Status = &status{Code: http.StatusForbidden, Reason: "Forbidden", Message: denialMessage(kind, refused, denied)}
	}
	return r
}

func denialMessage(kind string, lines []string, denied int) string {
	var b strings.Builder
	fmt.Fprintf(&b, "hardgate refuses this %s:", kind)
	for _, line := range lines {
		b.WriteString("\n- ")
		b.WriteString(line)
	}
	if more := denied - len(lines); more > 0 {
		fmt.Fprintf(&b, "\n- and %d more", more)
	}
	return b.String()
}

// denials is one line for each of the first findings that are denied, and how many
// there are in all.
func denials(d *verdict.Decision, limit int) (lines []string, denied int) {
	for i := range d.Violations {
		v := &d.Violations[i]
		if v.Mode != control.Enforce {
			continue
		}
		if denied++; len(lines) < limit {
			lines = append(lines, join(title(d.ID), ": ", v.Path, colon(v), cut(v.Detail, maxDetail), "; mend: ", remedy(d.ID)))
		}
	}
	return lines, denied
}

// warning is one line for all findings of the control that are warned of.
func warning(d *verdict.Decision) string {
	first, n := -1, 0
	for i, v := range d.Violations {
		if v.Mode == control.Warn {
			if n++; first < 0 {
				first = i
			}
		}
	}
	if n == 0 {
		return ""
	}
	v := d.Violations[first]
	more, standing := "", ""
	if n > 1 {
		more = " (and " + strconv.Itoa(n-1) + " more)"
	}
	switch {
	case v.Standing && v.Refused:
		standing = "; it was there before this change, new pods with it are refused here"
	case v.Standing:
		standing = "; it was there before this change"
	case v.Mended:
		standing = "; its pods are repaired"
	}
	return join("hardgate: ", title(d.ID), ": ", v.Path, colon(&v), cut(v.Detail, maxDetail), more, standing, "; mend: ", remedy(d.ID))
}

// colon stands between a finding's field and the finding; one about no field of the object
// that is asked about has no path.
func colon(v *verdict.Violation) string {
	if v.Path == "" {
		return ""
	}
	return ": "
}

// join puts strings together in one piece of memory.
func join(parts ...string) string { return strings.Join(parts, "") }

// fit cuts warnings where the API server would, at a place of our choice.
func fit(warnings []string) []string {
	total := 0
	for _, w := range warnings {
		total += len(w)
	}
	if total > maxWarnings {
		for i, w := range warnings {
			warnings[i] = cut(w, maxWarning)
		}
	}
	return warnings
}

// annotation is every finding of the control, for the audit log.
func annotate(d *verdict.Decision) string {
	var b strings.Builder
	for i, v := range d.Violations {
		if b.Len() > maxAnnotation {
			break // the rest is cut
		}
		if i > 0 {
			b.WriteString("; ")
		}
		what := v.Mode.String()
		if v.Exemption != "" {
			what = "Exempt(" + v.Exemption + ")"
		}
		for _, part := range [...]string{what, " ", v.Path, colon(&v), cut(v.Detail, maxDetail)} {
			b.WriteString(part)
		}
	}
	return cut(b.String(), maxAnnotation)
}

// cut shortens s to at most limit bytes at a rune's edge.
func cut(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	const dots = "…"
	end := limit - len(dots)
	for end > 0 && s[end]&0xC0 == 0x80 {
		end--
	}
	return s[:end] + dots
}
