package webhook

import (
	"encoding/base64"
	"strconv"
	"unicode/utf8"

	"github.com/hardgate-dev/hardgate/webhook/review"
)

// appendTo appends the AdmissionReview that carries the response, as JSON. Every
// request ends here, and the reflection of encoding/json was an eighth of what it
// allocated.
func (r *response) appendTo(b []byte) []byte {
	b = append(b, `{"kind":"`+review.Kind+`","apiVersion":"`+review.APIVersion+`","response":{"uid":`...)
	b = appendString(b, r.UID)
	b = append(b, `,"allowed":`...)
	b = strconv.AppendBool(b, r.Allowed)
	if s := r.Status; s != nil {
		b = append(b, `,"status":{"code":`...)
		b = strconv.AppendInt(b, int64(s.Code), 10)
		b = append(b, `,"reason":`...)
		b = appendString(b, s.Reason)
		b = append(b, `,"message":`...)
		b = append(appendString(b, s.Message), '}')
	}
	for i, a := range r.AuditAnnotations {
		b = append(b, open(i, `,"auditAnnotations":{`)...)
		b = append(appendString(b, a.key), ':')
		b = appendString(b, a.value)
	}
	if len(r.AuditAnnotations) > 0 {
		b = append(b, '}')
	}
	for i, w := range r.Warnings {
		b = append(b, open(i, `,"warnings":[`)...)
		b = appendString(b, w)
	}
	if len(r.Warnings) > 0 {
		b = append(b, ']')
	}
	if r.Patch != nil {
		b = append(b, `,"patchType":"JSONPatch","patch":"`...)
		b = append(base64.StdEncoding.AppendEncode(b, r.Patch), '"')
	}
	return append(b, `}}`...)
}

// open is what stands before element i.
func open(i int, first string) string {
	if i == 0 {
		return first
	}
	return ","
}

// appendString appends s as a JSON string; what is not UTF-8 becomes U+FFFD.
func appendString(b []byte, s string) []byte {
	const hex = "0123456789abcdef"
	b = append(b, '"')
	from := 0 // of what is not yet appended
	for i := 0; i < len(s); {
		c := s[i]
		if c >= utf8.RuneSelf {
			r, size := utf8.DecodeRuneInString(s[i:])
			if r == utf8.RuneError && size == 1 {
				b = append(append(b, s[from:i]...), "\uFFFD"...)
				from = i + 1
			}
			i += size
			continue
		}
		if c < ' ' || c == '"' || c == '\\' {
			b = append(b, s[from:i]...)
			switch c {
			case '"', '\\':
				b = append(b, '\\', c)
			case '\n':
				b = append(b, '\\', 'n')
			default:
				b = append(b, '\\', 'u', '0', '0', hex[c>>4], hex[c&0xF])
			}
			from = i + 1
		}
		i++
	}
	return append(append(b, s[from:]...), '"')
}
