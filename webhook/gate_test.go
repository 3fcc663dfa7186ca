package webhook

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/prometheus/client_golang/prometheus"
	admissionv1 "k8s.io/api/admission/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/hardgate-dev/hardgate/api/v1alpha1"
	"github.com/hardgate-dev/hardgate/webhook/registration"
	"github.com/hardgate-dev/hardgate/webhook/ruling"
	"github.com/hardgate-dev/hardgate/webhook/workload"
)

// fakeCluster holds the namespaces and accounts of a test. A namespace that is not
// there is an error, as for the real one.
type fakeCluster struct {
	namespaces map[string]labels.Set
	accounts   map[string]bool // "namespace/account" -> automount
}

func (c fakeCluster) Labels(_ context.Context, namespace string) (labels.Set, error) {
	set, ok := c.namespaces[namespace]
	if !ok {
		return nil, errors.New("the API server is away")
	}
	return set, nil
}

func (c fakeCluster) Automount(_ context.Context, namespace, account string) (workload.Optional[bool], error) {
	value, ok := c.accounts[namespace+"/"+account]
	return workload.Optional[bool]{Value: value, Set: ok}, nil
}

// newGate makes a gate whose namespace "shop" enforces the controls.
func newGate(tb testing.TB, controls ...string) (*Gate, *prometheus.Registry) {
	tb.Helper()
	resource := v1alpha1.WorkloadPolicy{
		ObjectMeta: metav1.ObjectMeta{Name: "shop"},
		Spec:       v1alpha1.WorkloadPolicySpec{Mode: "Off"},
	}
	for _, id := range controls {
		resource.Spec.Controls = append(resource.Spec.Controls, v1alpha1.ControlSetting{ID: id, Mode: "Enforce"})
	}
	book, errs := ruling.Compile([]v1alpha1.WorkloadPolicy{resource})
	if len(errs) > 0 {
		tb.Fatal(errors.Join(errs...))
	}
	registry := prometheus.NewRegistry()
	gate := NewGate(fakeCluster{
		namespaces: map[string]labels.Set{"shop": {}, "default": {}},
		accounts:   map[string]bool{"shop/quiet": false, "shop/loud": true},
	}, NewMetrics(registry))
	gate.SetBook(book)
	return gate, registry
}

// podReview writes a review about a Pod; empty old is a creation.
func podReview(object, old, extra string) string {
	operation, oldField := "CREATE", "null"
	if old != "" {
		operation, oldField = "UPDATE", old
	}
	return fmt.Sprintf(`{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1","request":{"uid":"u-1",
		"kind":{"group":"","version":"v1","kind":"Pod"},"resource":{"group":"","version":"v1","resource":"pods"},
		"namespace":"shop","operation":%q,"userInfo":{"username":"ann","groups":["devs"]}%s,"object":%s,"oldObject":%s,"dryRun":false}}`,
		operation, extra, object, oldField)
}

func pod(containers string) string {
	return `{"apiVersion":"v1","kind":"Pod","metadata":{"name":"p","namespace":"shop"},"spec":{"containers":[` + containers + `]}}`
}

const (
	plain = `{"name":"a","image":"i"}`
	priv  = `{"name":"a","image":"i","securityContext":{"privileged":true}}`
	privB = `{"name":"b","image":"i","securityContext":{"privileged":true}}`
)

func post(t *testing.T, gate *Gate, path, body string) *httptest.ResponseRecorder {
	t.Helper()
	req := httptest.NewRequestWithContext(t.Context(), http.MethodPost, path, strings.NewReader(body))
	req.Header.Set("Content-Type", "application/json; charset=utf-8")
	w := httptest.NewRecorder()
	gate.Handler().ServeHTTP(w, req)
	return w
}

// ask posts to the workload path and returns the response as the API server
// reads it.
func ask(t *testing.T, gate *Gate, body string) *admissionv1.AdmissionResponse {
	t.Helper()
	w := post(t, gate, registration.WorkloadPath, body)
	if w.Code != http.StatusOK {
		t.Fatalf("HTTP %d: %s", w.Code, w.Body)
	}
	var r admissionv1.AdmissionReview
	if err := json.Unmarshal(w.Body.Bytes(), &r); err != nil {
		t.Fatal(err)
	}
	if r.APIVersion != "admission.k8s.io/v1" || r.Kind != "AdmissionReview" || r.Response == nil {
		t.Fatalf("not a review: %s", w.Body)
	}
	return r.Response
}

func TestEnforceDeniesWithPathAndMend(t *testing.T) {
	gate, _ := newGate(t, "privileged")
	r := ask(t, gate, podReview(pod(priv), "", ""))
	if r.Allowed || r.Result.Code != http.StatusForbidden || r.UID != "u-1" {
		t.Fatalf("got %+v", r)
	}
	for _, want := range []string{"Pod shop/p", "privileged (CIS 5.2.2)", "spec.containers[0].securityContext.privileged", "privileged is true", "mend: "} {
		if !strings.Contains(r.Result.Message, want) {
			t.Errorf("the message lacks %q: %s", want, r.Result.Message)
		}
	}
	if r.AuditAnnotations["privileged"] == "" {
		t.Error("no audit annotation for a denial")
	}
}

func TestModes(t *testing.T) {
	tests := map[string]struct {
		mode              v1alpha1.Mode
		allowed           bool
		warned, annotated bool
	}{
		"off":     {mode: "Off", allowed: true},
		"audit":   {mode: "Audit", allowed: true, annotated: true},
		"warn":    {mode: "Warn", allowed: true, warned: true, annotated: true},
		"enforce": {mode: "Enforce", annotated: true},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			gate, _ := newGate(t)
			book, _ := ruling.Compile([]v1alpha1.WorkloadPolicy{{Spec: v1alpha1.WorkloadPolicySpec{
				Mode: "Off", Controls: []v1alpha1.ControlSetting{{ID: "privileged", Mode: tt.mode}},
			}}})
			gate.SetBook(book)
			r := ask(t, gate, podReview(pod(priv), "", ""))
			if r.Allowed != tt.allowed || (len(r.Warnings) > 0) != tt.warned || (len(r.AuditAnnotations) > 0) != tt.annotated {
				t.Errorf("got %+v", r)
			}
		})
	}
}

func TestWithoutPolicyEverythingIsWarned(t *testing.T) {
	gate, _ := newGate(t)
	gate.SetBook(&ruling.Book{})
	r := ask(t, gate, podReview(pod(priv), "", ""))
	if !r.Allowed || len(r.Warnings) < 5 {
		t.Errorf("got %+v", r)
	}
	if n := len(strings.Join(r.Warnings, "")); n > maxWarnings {
		t.Errorf("%d bytes of warnings, which the API server may cut", n)
	}
}

func TestUpdateDeniesOnlyWhatItAdds(t *testing.T) {
	relabelled := strings.Replace(pod(priv), `"name":"p"`, `"name":"p","labels":{"a":"b"}`, 1)
	deleting := strings.Replace(pod(priv), `"name":"p"`, `"name":"p","deletionTimestamp":"2026-01-01T00:00:00Z"`, 1)
	tests := map[string]struct {
		object, old string
		allowed     bool
		warned      string
	}{
		"label of an old violator":            {relabelled, pod(priv), true, "it was there before this change"},
		"same container in another place":     {pod(plain + "," + privB), pod(privB + "," + plain), true, "spec.containers[1]"},
		"second privileged container":         {pod(priv + "," + privB), pod(priv), false, ""},
		"the violation moves to another name": {pod(privB), pod(priv), false, ""},
		"mended":                              {pod(plain), pod(priv), true, ""},
		"made worse while it is deleted":      {strings.Replace(deleting, priv, priv+","+privB, 1), deleting, false, ""},
		"an init container of the same name":  {strings.Replace(pod(plain), `"containers"`, `"initContainers":[`+priv+`],"containers"`, 1), pod(priv), false, ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			gate, _ := newGate(t, "privileged")
			r := ask(t, gate, podReview(tt.object, tt.old, ""))
			if r.Allowed != tt.allowed {
				t.Fatalf("got %+v", r)
			}
			if got := strings.Join(r.Warnings, "\n"); !strings.Contains(got, tt.warned) || tt.warned == "" && tt.allowed && got != "" {
				t.Errorf("warned %q, want %q in it", got, tt.warned)
			}
		})
	}
}

func TestEphemeralContainer(t *testing.T) {
	gate, _ := newGate(t, "privileged")
	debugged := strings.Replace(pod(plain), `"containers"`, `"ephemeralContainers":[`+privB+`],"containers"`, 1)
	r := ask(t, gate, podReview(debugged, pod(plain), `,"subResource":"ephemeralcontainers"`))
	if r.Allowed || !strings.Contains(r.Result.Message, "spec.ephemeralContainers[0].securityContext.privileged") {
		t.Fatalf("got %+v", r)
	}
}

func TestMirrorPodIsSparedOnlyItsOwnNode(t *testing.T) {
	mirror := strings.Replace(pod(priv), `"name":"p"`, `"name":"p","annotations":{"kubernetes.io/config.mirror":"x"}`, 1)
	mirror = strings.Replace(mirror, `"containers"`, `"nodeName":"n1","containers"`, 1)
	tests := map[string]struct {
		user    string
		allowed bool
	}{
		"the node itself":        {`{"username":"system:node:n1","groups":["system:nodes"]}`, true},
		"another node":           {`{"username":"system:node:n2","groups":["system:nodes"]}`, false},
		"a user":                 {`{"username":"ann","groups":["devs"]}`, false},
		"a user called a node":   {`{"username":"system:node:n1","groups":["devs"]}`, false},
		"a user among the nodes": {`{"username":"n1","groups":["system:nodes"]}`, false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			gate, _ := newGate(t, "privileged")
			body := strings.Replace(podReview(mirror, "", ""), `{"username":"ann","groups":["devs"]}`, tt.user, 1)
			if r := ask(t, gate, body); r.Allowed != tt.allowed {
				t.Errorf("got %+v", r)
			}
		})
	}
}

// Whoever makes a pod and names its node passes the scheduler by. Later, the node is
// the scheduler's own work; a template's is not, whenever it comes.
func TestNodeNameIsTheSchedulersOnce(t *testing.T) {
	node := func(object, name string) string {
		return strings.Replace(object, `"containers"`, `"nodeName":"`+name+`","containers"`, 1)
	}
	bound := node(pod(plain), "n1")
	spec := node(`{"containers":[`+plain+`]}`, "n1")
	blanket := strings.Replace(bound, `"containers"`, `"tolerations":[{"operator":"Exists"}],"containers"`, 1)
	tests := map[string]struct {
		body    string
		allowed bool
	}{
		"made with it":                               {podReview(bound, "", ""), false},
		"labelled when it has one":                   {podReview(strings.Replace(bound, `"name":"p"`, `"name":"p","labels":{"a":"b"}`, 1), bound, ""), true},
		"given one":                                  {podReview(bound, pod(plain), ""), true}, // no user can
		"debugged when it has one":                   {podReview(strings.Replace(bound, `"containers"`, `"ephemeralContainers":[`+plain+`],"containers"`, 1), bound, `,"subResource":"ephemeralcontainers"`), true},
		"resized when it has one":                    {podReview(bound, bound, `,"subResource":"resize"`), true},
		"tolerates more than it did when it has one": {podReview(blanket, bound, ""), false},
		"a template is given one":                    {deploymentReview(spec, `{"containers":[`+plain+`]}`), false},
		"a template is given another":                {deploymentReview(strings.Replace(spec, `"n1"`, `"n2"`, 1), spec), false},
		"a template has one":                         {deploymentReview(spec, spec), true},
		"a template has one no more":                 {deploymentReview(`{"containers":[`+plain+`]}`, spec), true},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			gate, _ := newGate(t, "tainted-node-toleration")
			r := ask(t, gate, tt.body)
			if r.Allowed != tt.allowed {
				t.Errorf("got %+v", r)
			}
			if strings.Contains(tt.body, `"kind":"Pod"}`) && strings.Contains(strings.Join(r.Warnings, ""), "nodeName") {
				t.Errorf("warned of the scheduler's work: %q", r.Warnings)
			}
		})
	}
}

// A kubelet's mirrors name their node, and tolerate whatever its static pods do.
func TestMirrorPodsMayNameTheirNode(t *testing.T) {
	mirror := strings.Replace(pod(plain), `"name":"p"`, `"name":"p","annotations":{"kubernetes.io/config.mirror":"x"}`, 1)
	mirror = strings.Replace(mirror, `"containers"`, `"nodeName":"n1","tolerations":[{"operator":"Exists","effect":"NoExecute"}],"containers"`, 1)
	gate, _ := newGate(t, "tainted-node-toleration")
	body := podReview(mirror, "", "")
	if r := ask(t, gate, body); r.Allowed {
		t.Errorf("a user's mirror: %+v", r)
	}
	body = strings.Replace(body, `{"username":"ann","groups":["devs"]}`, `{"username":"system:node:n1","groups":["system:nodes"]}`, 1)
	if r := ask(t, gate, body); !r.Allowed || len(r.Warnings) != 1 || !strings.Contains(r.Warnings[0], "tainted-node-toleration: spec.nodeName") {
		t.Errorf("the kubelet's: %+v", r)
	}
}

func accountReview(user string) string {
	return fmt.Sprintf(`{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1","request":{"uid":"u-1",
		"kind":{"group":"","version":"v1","kind":"ServiceAccount"},"namespace":"shop","operation":"CREATE","userInfo":{"username":%q},
		"object":{"apiVersion":"v1","kind":"ServiceAccount","metadata":{"name":"default"}},"oldObject":null}}`, user)
}

func TestDefaultAccountOfANewNamespaceIsNotRefused(t *testing.T) {
	gate, _ := newGate(t, "default-service-account")
	if r := ask(t, gate, accountReview("system:serviceaccount:kube-system:service-account-controller")); !r.Allowed || len(r.Warnings) != 1 {
		t.Errorf("the controller manager: %+v", r)
	}
	if r := ask(t, gate, accountReview("ann")); r.Allowed {
		t.Errorf("a user: %+v", r)
	}
}

func TestTemplatesLookAtTheAccount(t *testing.T) {
	deployment := func(account string) string {
		return strings.Replace(podReview(
			`{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"d"},"spec":{"template":{"spec":{"serviceAccountName":"`+account+`","containers":[`+plain+`]}}}}`, "", ""),
			`"group":"","version":"v1","kind":"Pod"`, `"group":"apps","version":"v1","kind":"Deployment"`, 1)
	}
	gate, _ := newGate(t, "service-account-token")
	for account, allowed := range map[string]bool{"quiet": true, "loud": false, "missing": false} {
		if r := ask(t, gate, deployment(account)); r.Allowed != allowed {
			t.Errorf("%s: %+v", account, r)
		}
	}
}

// The API server cuts long warnings in the middle when there is much to say.
func TestManyWarningsAreCutByOurselves(t *testing.T) {
	long := make([]string, 30)
	for i := range long {
		long[i] = strings.Repeat("é", 200)
	}
	short := []string{strings.Repeat("x", 1000)}
	if got := fit(short); len(got[0]) != 1000 {
		t.Errorf("one warning is cut to %d bytes", len(got[0]))
	}
	for _, w := range fit(long) {
		if len(w) > maxWarning || !utf8.ValidString(w) || !strings.HasSuffix(w, "…") {
			t.Errorf("%d bytes: %q", len(w), w)
		}
	}
}
