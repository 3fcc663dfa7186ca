package webhook

import (
	"encoding/json"
	"slices"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	admissionv1 "k8s.io/api/admission/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// FuzzResponse holds that the API server reads what is meant.
func FuzzResponse(f *testing.F) {
	f.Add("u", true, 0, "", "", "", "")
	f.Add("u-1", false, 403, "Forbidden", "a \"b\"\n- c\\d\t\x00\x7f é 漢 \u2028 </script>", "privileged", "w")
	f.Add("\xff", false, 400, "\xc3", "\xed\xa0\x80", "\xf0\x9f", "€\xe2\x82")
	f.Fuzz(func(t *testing.T, uid string, allowed bool, code int, reason, message, key, warning string) {
		r := response{UID: uid, Allowed: allowed}
		want := &admissionv1.AdmissionResponse{Allowed: allowed}
		if slices.ContainsFunc([]string{uid, reason, message, key, warning}, func(s string) bool { return !utf8.ValidString(s) }) {
			// encoding/json writes U+FFFD once for each bad byte, and so do we.
			var ours, theirs string
			b, _ := json.Marshal(message)
			if err := json.Unmarshal(b, &theirs); err != nil {
				t.Fatal(err)
			}
			if err := json.Unmarshal(appendString(nil, message), &ours); err != nil || ours != theirs {
				t.Fatalf("%q: %q, want %q (%v)", message, ours, theirs, err)
			}
			return
		}
		want.UID = "" // set below, as its type is another
		if code != 0 {
			r.Status = &status{Code: int(int32(code)), Reason: reason, Message: message}
			want.Result = &metav1.Status{Code: int32(code), Reason: metav1.StatusReason(reason), Message: message}
			r.AuditAnnotations = []annotation{{key, message}, {key + "2", reason}}
			want.AuditAnnotations = map[string]string{key: message, key + "2": reason}
			r.Warnings = []string{warning, message}
			want.Warnings = r.Warnings
			r.Patch = []byte(message)
			want.Patch, want.PatchType = r.Patch, new(admissionv1.PatchTypeJSONPatch)
		}
		var got admissionv1.AdmissionReview
		if err := json.Unmarshal(r.appendTo(nil), &got); err != nil {
			t.Fatalf("%s: %v", r.appendTo(nil), err)
		}
		if string(got.Response.UID) != uid {
			t.Errorf("UID %q, want %q", got.Response.UID, uid)
		}
		got.Response.UID = ""
		if diff := cmp.Diff(want, got.Response); diff != "" || got.Kind != "AdmissionReview" || got.APIVersion != "admission.k8s.io/v1" {
			t.Error(diff)
		}
	})
}
