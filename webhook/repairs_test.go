package webhook

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus/testutil"
	admissionv1 "k8s.io/api/admission/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/hardgate-dev/hardgate/api/v1alpha1"
	"github.com/hardgate-dev/hardgate/webhook/registration"
	"github.com/hardgate-dev/hardgate/webhook/ruling"
)

// newRepairGate makes a gate that repairs in the namespace "shop", by these controls in a
// mode each: "net-raw=Audit".
func newRepairGate(t *testing.T, controls ...string) *Gate {
	t.Helper()
	resource := v1alpha1.WorkloadPolicy{
		ObjectMeta: metav1.ObjectMeta{Name: "shop"},
		Spec:       v1alpha1.WorkloadPolicySpec{Mode: "Off", NamespaceSelector: &metav1.LabelSelector{MatchLabels: map[string]string{"team": "a"}}},
	}
	for _, c := range controls {
		id, mode, _ := strings.Cut(c, "=")
		resource.Spec.Controls = append(resource.Spec.Controls, v1alpha1.ControlSetting{ID: id, Mode: v1alpha1.Mode(mode), Repair: true})
	}
	book, errs := ruling.Compile([]v1alpha1.WorkloadPolicy{resource})
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	gate, _ := newGate(t)
	gate.cluster = fakeCluster{namespaces: map[string]labels.Set{"shop": {"team": "a"}, "default": {}}}
	gate.SetBook(book)
	return gate
}

func newAccountReview(name string) string {
	return fmt.Sprintf(`{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1","request":{"uid":"u-1",
		"kind":{"group":"","version":"v1","kind":"ServiceAccount"},"namespace":"shop","name":%[1]q,"operation":"CREATE",
		"userInfo":{"username":"system:serviceaccount:kube-system:service-account-controller"},
		"object":{"apiVersion":"v1","kind":"ServiceAccount","metadata":{"name":%[1]q}},"oldObject":null}}`, name)
}

// askRepair posts to the path of repairs: nothing is ever refused there.
func askRepair(t *testing.T, gate *Gate, body string) *admissionv1.AdmissionResponse {
	t.Helper()
	w := post(t, gate, registration.RepairPath, body)
	var r admissionv1.AdmissionReview
	if err := json.Unmarshal(w.Body.Bytes(), &r); w.Code != http.StatusOK || err != nil {
		t.Fatalf("HTTP %d %s", w.Code, w.Body)
	}
	if !r.Response.Allowed || r.Response.UID != "u-1" || r.Response.Result != nil || (r.Response.PatchType != nil) != (r.Response.Patch != nil) {
		t.Fatalf("got %+v", r.Response)
	}
	return r.Response
}

func TestRepairs(t *testing.T) {
	const (
		netRaw    = `{"op":"add","path":"/spec/containers/0/securityContext","value":{"capabilities":{"drop":["NET_RAW"]}}}`
		noted     = `{"op":"add","path":"/metadata/annotations","value":{"hardgate.dev/repaired":"%s"}}`
		elsewhere = `"namespace":"default","operation"`
	)
	tests := map[string]struct {
		controls []string
		body     string
		patch    string
		warnings []string
		counted  string
	}{
		"a pod": {
			controls: []string{"net-raw=Enforce"}, body: podReview(pod(plain), "", ""),
			patch:    "[" + netRaw + "," + fmt.Sprintf(noted, "net-raw") + "]",
			warnings: []string{`hardgate: net-raw (CIS 5.2.8): repaired: NET_RAW added to securityContext.capabilities.drop in the container "a"`},
			counted:  "net-raw",
		},
		"in mode Audit": {
			controls: []string{"net-raw=Audit"}, body: podReview(pod(plain), "", ""),
			patch:    "[" + netRaw + "," + fmt.Sprintf(noted, "net-raw") + "]",
			warnings: []string{`hardgate: net-raw (CIS 5.2.8): repaired: NET_RAW added to securityContext.capabilities.drop in the container "a"`},
			counted:  "net-raw",
		},
		"Off":               {controls: []string{"net-raw=Off"}, body: podReview(pod(plain), "", "")},
		"nothing to repair": {controls: []string{"seccomp=Warn"}, body: podReview(pod(`{"name":"a","securityContext":{"seccompProfile":{"type":"Unconfined"}}}`), "", "")},
		"another namespace": {controls: []string{"net-raw=Warn"}, body: strings.Replace(podReview(pod(plain), "", ""), `"namespace":"shop","operation"`, elsewhere, 1)},
		"the account default": {
			controls: []string{"default-service-account=Warn"}, body: newAccountReview("default"),
			patch:    `[{"op":"add","path":"/automountServiceAccountToken","value":false},` + fmt.Sprintf(noted, "default-service-account") + "]",
			warnings: []string{`hardgate: default-service-account (CIS 5.1.5): repaired: automountServiceAccountToken set to false`},
			counted:  "default-service-account",
		},
		"another account": {controls: []string{"default-service-account=Warn"}, body: newAccountReview("web")},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			gate := newRepairGate(t, tt.controls...)
			r := askRepair(t, gate, tt.body)
			if diff := cmp.Diff(tt.patch, string(r.Patch)); diff != "" {
				t.Errorf("patch (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tt.warnings, r.Warnings); diff != "" {
				t.Errorf("warnings (-want +got):\n%s", diff)
			}
			if len(r.AuditAnnotations) != len(tt.warnings) {
				t.Errorf("audit annotations %q", r.AuditAnnotations)
			}
			for _, id := range []string{"net-raw", "seccomp", "default-service-account"} {
				want := 0.0
				if id == tt.counted {
					want = 1
				}
				if got := testutil.ToFloat64(gate.metrics.repaired.WithLabelValues(id)); got != want {
					t.Errorf("%v repairs for %s are counted, want %v", got, id, want)
				}
			}
		})
	}
}

// What cannot be told is an HTTP error and never a refusal: the failurePolicy lets it through.
func TestRepairThatCannotBeTold(t *testing.T) {
	good := podReview(pod(plain), "", "")
	tests := map[string]struct {
		body string
		code int
		want string
	}{
		"an update":              {podReview(pod(plain), pod(plain), ""), 500, "UPDATE of v1 Pod"},
		"a subresource":          {podReview(pod(plain), "", `,"subResource":"binding"`), 500, `"binding" is not repaired`},
		"another kind":           {strings.ReplaceAll(good, `"kind":"Pod"`, `"kind":"Node"`), 500, "Node"},
		"another version":        {strings.Replace(good, `"version":"v1","kind":"Pod"`, `"version":"v2","kind":"Pod"`, 1), 500, "v2 Pod"},
		"no object":              {podReview("null", "", ""), 500, "not repaired here"},
		"no namespace":           {strings.Replace(good, `"namespace":"shop","operation"`, `"operation"`, 1), 500, "not repaired here"},
		"an unknown namespace":   {strings.Replace(good, `"namespace":"shop","operation"`, `"namespace":"gone","operation"`, 1), 500, "reading namespace gone"},
		"a broken pod":           {podReview(`{"apiVersion":"v1","kind":"Pod","spec":{"containers":{}}}`, "", ""), 500, "reading the object: spec.containers"},
		"a null container":       {podReview(`{"apiVersion":"v1","kind":"Pod","spec":{"containers":[null]}}`, "", ""), 500, "repairing the object"},
		"a name that is twice":   {podReview(`{"apiVersion":"v1","kind":"Pod","spec":{},"spec":{}}`, "", ""), 400, "AdmissionReview"},
		"what is no review":      {`{}`, 400, "AdmissionReview"},
		"what is too large":      {strings.Replace(good, `"name":"a"`, `"name":"`+strings.Repeat("a", maxBody)+`"`, 1), 413, "larger than"},
		"a review without a uid": {strings.Replace(good, `"uid":"u-1"`, `"uid":""`, 1), 400, "no uid"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			w := post(t, newRepairGate(t, "net-raw=Enforce"), registration.RepairPath, tt.body)
			if w.Code != tt.code || !strings.Contains(w.Body.String(), tt.want) || strings.Contains(w.Body.String(), `"allowed"`) {
				t.Errorf("HTTP %d %.200s, want %d and %q", w.Code, w.Body, tt.code, tt.want)
			}
		})
	}
}

// A pod with very many containers is answered in words that the API server takes.
func TestRepairOfMany(t *testing.T) {
	var containers []string
	for i := range 500 {
		containers = append(containers, fmt.Sprintf(`{"name":%q}`, strings.Repeat("é", 300)+fmt.Sprint(i)))
	}
	gate := newRepairGate(t, "net-raw=Warn", "privilege-escalation=Warn", "seccomp=Warn")
	r := askRepair(t, gate, podReview(pod(strings.Join(containers, ",")), "", ""))
	if len(r.Warnings) != 3 || len(r.Patch) == 0 {
		t.Fatalf("%d warnings, %d bytes of patch", len(r.Warnings), len(r.Patch))
	}
	for _, w := range r.Warnings {
		if len(w) > maxDetail+100 {
			t.Errorf("a warning of %d bytes", len(w))
		}
	}
	for id, a := range r.AuditAnnotations {
		if len(a) > maxAnnotation {
			t.Errorf("%s: an annotation of %d bytes", id, len(a))
		}
	}
}

// A workload whose pods are repaired is not refused for what they are repaired for; a pod
// that comes unrepaired is.
func TestWorkloadWhosePodsAreRepaired(t *testing.T) {
	deployment := func(container string) string {
		return strings.ReplaceAll(strings.Replace(podReview(`{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"d"},"spec":{"template":{"spec":{"containers":[`+container+`]}}}}`, "", ""),
			`"group":"","version":"v1","kind":"Pod"`, `"group":"apps","version":"v1","kind":"Deployment"`, 1), `"pods"`, `"deployments"`)
	}
	gate := newRepairGate(t, "net-raw=Enforce", "privilege-escalation=Enforce")
	r := ask(t, gate, deployment(plain))
	if !r.Allowed || len(r.Warnings) != 2 || !strings.Contains(r.Warnings[1], "NET_RAW stays from the runtime's default set; its pods are repaired; mend:") {
		t.Errorf("got %+v", r)
	}
	r = ask(t, gate, deployment(`{"name":"a","securityContext":{"allowPrivilegeEscalation":true}}`))
	if r.Allowed || strings.Contains(r.Result.Message, "net-raw") || len(r.Warnings) != 1 {
		t.Errorf("got %+v", r)
	}
	r = ask(t, gate, podReview(pod(plain), "", ""))
	if r.Allowed || !strings.Contains(r.Result.Message, "net-raw") {
		t.Errorf("a pod that was not repaired gives %+v", r)
	}
}
