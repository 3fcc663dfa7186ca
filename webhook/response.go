package webhook

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/hardgate-dev/hardgate/control"
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
func respond(uid, kind string, decisions []decision) response {
	r := response{UID: uid, Allowed: true}
	var denials []string
	denied := 0
	for i := range decisions {
		d := &decisions[i]
		if len(d.violations) == 0 {
			continue
		}
		r.AuditAnnotations = append(r.AuditAnnotations, annotation{string(d.id), d.annotation()})
		if w := d.warning(); w != "" {
			r.Warnings = append(r.Warnings, w)
		}
		lines, n := d.denials(maxDenials - len(denials))
		denials = append(denials, lines...)
		denied += n
	}
	r.Warnings = fit(r.Warnings)
	if denied > 0 {
		r.Allowed = false
		r.Status = &status{Code: http.StatusForbidden, Reason: "Forbidden", Message: denialMessage(kind, denials, denied)}
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
func (d *decision) denials(limit int) (lines []string, denied int) {
	for i := range d.violations {
		v := &d.violations[i]
		if v.mode != control.Enforce {
			continue
		}
		if denied++; len(lines) < limit {
			lines = append(lines, join(d.title(), ": ", v.Path, ": ", cut(v.Detail, maxDetail), "; mend: ", d.remedy()))
		}
	}
	return lines, denied
}

// warning is one line for all findings of the control that are warned of.
func (d *decision) warning() string {
	first, n := -1, 0
	for i, v := range d.violations {
		if v.mode == control.Warn {
			if n++; first < 0 {
				first = i
			}
		}
	}
	if n == 0 {
		return ""
	}
	v := d.violations[first]
	more, standing := "", ""
	if n > 1 {
		more = " (and " + strconv.Itoa(n-1) + " more)"
	}
	switch {
	case v.standing && v.refused:
		standing = "; it was there before this change, new pods with it are refused here"
	case v.standing:
		standing = "; it was there before this change"
	}
	return join("hardgate: ", d.title(), ": ", v.Path, ": ", cut(v.Detail, maxDetail), more, standing, "; mend: ", d.remedy())
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
func (d *decision) annotation() string {
	var b strings.Builder
	for i, v := range d.violations {
		if b.Len() > maxAnnotation {
			break // the rest is cut
		}
		if i > 0 {
			b.WriteString("; ")
		}
		for _, part := range [...]string{v.mode.String(), " ", v.Path, ": ", cut(v.Detail, maxDetail)} {
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
