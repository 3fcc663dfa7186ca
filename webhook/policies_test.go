package webhook

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	admissionv1 "k8s.io/api/admission/v1"

	"github.com/hardgate-dev/hardgate/webhook/registration"
)

// judgePolicy posts one of our own kinds; empty old is a creation.
func judgePolicy(t *testing.T, group, kind, object, old string) *admissionv1.AdmissionResponse {
	t.Helper()
	write := func(spec string) string {
		return `{"apiVersion":"hardgate.dev/v1alpha1","kind":"` + kind + `","metadata":{"name":"p","labels":{"a":"` + spec[:1] + `"}},"spec":` + spec + `}`
	}
	operation, oldObject := "CREATE", "null"
	if old != "" {
		operation, oldObject = "UPDATE", strings.Replace(write(old), `"a":`, `"b":`, 1)
	}
	gate, _ := newGate(t)
	w := post(t, gate, registration.PolicyPath, `{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1","request":{"uid":"u-1","kind":{"group":"`+group+
		`","version":"v1alpha1","kind":"`+kind+`"},"operation":"`+operation+`","object":`+write(object)+`,"oldObject":`+oldObject+`}}`)
	var r admissionv1.AdmissionReview
	if err := json.Unmarshal(w.Body.Bytes(), &r); err != nil || w.Code != http.StatusOK {
		t.Fatalf("HTTP %d %s", w.Code, w.Body)
	}
	return r.Response
}

func TestOwnKinds(t *testing.T) {
	const (
		typo     = `{"mod":"Warn","controls":[{"id":"su-restrictd"}]}`
		forever  = `{"controls":["su-restricted"],"nodes":{"names":["n"]},"reason":"r","owner":"o","expires":"2999-01-01T00:00:00Z"}`
		expired  = `{"controls":["su-restricted"],"nodes":{"names":["n"]},"reason":"r","owner":"o","expires":"2020-01-01T00:00:00Z"}`
		nowhere  = `{"controls":["su-restricted"],"reason":"r","owner":"o","expires":"2999-01-01T00:00:00Z"}`
		evicting = `{"mode":"Enforce","effect":"NoExecute"}`
	)
	exempt := strings.Replace(forever, "2999-01-01T00:00:00Z", time.Now().UTC().AddDate(0, 6, 0).Format(time.RFC3339), 1)
	slips := []string{`spec.mod: unknown field, did you mean "mode"?`, `spec.controls[0].id: no control "su-restrictd" is judged on nodes, did you mean "su-restricted"?`}
	tests := map[string]struct {
		kind, object, old string
		refused           string
		warnings          []string
	}{
		"NodePolicy":                      {kind: "NodePolicy", object: `{"mode":"Enforce"}`},
		"NodePolicy that evicts":          {kind: "NodePolicy", object: evicting, warnings: []string{"spec.effect: NoExecute evicts what runs on a node as soon as it is tainted; NoSchedule keeps only new pods away"}},
		"NodePolicy with slips":           {kind: "NodePolicy", object: typo, refused: "hardgate refuses this NodePolicy:\n- " + strings.Join(slips, "\n- ")},
		"NodePolicy with slips, stored":   {kind: "NodePolicy", object: typo, old: typo, warnings: slips},
		"NodePolicy that gets worse":      {kind: "NodePolicy", object: typo, old: `{}`, refused: "hardgate refuses this NodePolicy:\n- " + strings.Join(slips, "\n- ")},
		"NodePolicy that is mended":       {kind: "NodePolicy", object: `{}`, old: typo},
		"Exemption":                       {kind: "Exemption", object: exempt},
		"Exemption for ever":              {kind: "Exemption", object: forever, warnings: []string{"spec.expires: 2999-01-01T00:00:00Z is more than a year away: choose an earlier time, by which somebody looks at it again"}},
		"Exemption of nothing":            {kind: "Exemption", object: nowhere, refused: "hardgate refuses this Exemption:\n- spec.nodes: say which nodes, by names or by selector"},
		"Exemption that has ended":        {kind: "Exemption", object: expired, warnings: []string{"spec.expires: 2020-01-01T00:00:00Z has passed: nothing is exempt"}},
		"Exemption of nothing, stored":    {kind: "Exemption", object: nowhere, old: nowhere, warnings: []string{"spec.nodes: say which nodes, by names or by selector"}},
		"WorkloadPolicy":                  {kind: "WorkloadPolicy", object: `{"mode":"Enforce"}`},
		"WorkloadPolicy of a node":        {kind: "WorkloadPolicy", object: `{"nodeSelector":{}}`, refused: "hardgate refuses this WorkloadPolicy:\n- spec.nodeSelector: unknown field"},
		"NodePolicy of a namespace":       {kind: "NodePolicy", object: `{"namespaceSelector":{}}`, refused: "hardgate refuses this NodePolicy:\n- spec.namespaceSelector: unknown field"},
		"NodePolicy with an odd duration": {kind: "NodePolicy", object: `{"gracePeriod":"soon","effect":"NoScedule"}`, refused: "hardgate refuses this NodePolicy:\n- spec.gracePeriod: \"soon\" is no duration such as 90s, 5m or 1h30m\n- spec.effect: unknown value \"NoScedule\", did you mean \"NoSchedule\"?"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			r := judgePolicy(t, "hardgate.dev", tt.kind, tt.object, tt.old)
			if r.Allowed != (tt.refused == "") {
				t.Fatalf("allowed %t: %+v", r.Allowed, r.Result)
			}
			if !r.Allowed && (r.Result.Code != http.StatusUnprocessableEntity || !strings.HasPrefix(r.Result.Message, tt.refused)) {
				t.Errorf("%d: %s\nwant %s", r.Result.Code, r.Result.Message, tt.refused)
			}
			if diff := cmp.Diff(tt.warnings, r.Warnings); diff != "" {
				t.Errorf("warnings (-want +got):\n%s", diff)
			}
		})
	}
	for _, other := range [][2]string{{"", "NodePolicy"}, {"example.com", "Exemption"}, {"hardgate.dev", "NodeReport"}} {
		if r := judgePolicy(t, other[0], other[1], `{}`, ""); r.Allowed || r.Result.Code != http.StatusBadRequest {
			t.Errorf("%v: %+v", other, r)
		}
	}
}
