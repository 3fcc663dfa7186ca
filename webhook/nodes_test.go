package webhook

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/prometheus/client_golang/prometheus/testutil"
	admissionv1 "k8s.io/api/admission/v1"
	"sigs.k8s.io/yaml"

	"github.com/hardgate-dev/hardgate/api/v1alpha1"
	"github.com/hardgate-dev/hardgate/taint/key"
	noderuling "github.com/hardgate-dev/hardgate/taint/ruling"
	"github.com/hardgate-dev/hardgate/webhook/registration"
)

// newRegistrarGate makes a gate with NodePolicies of these specs, in YAML; those that
// begin with "paused " are.
func newRegistrarGate(t *testing.T, specs ...string) *Gate {
	t.Helper()
	gate, _ := newGate(t)
	rules := &nodeRules{}
	var policies []v1alpha1.NodePolicy
	for i, spec := range specs {
		spec, paused := strings.CutPrefix(spec, "paused ")
		text, err := yaml.YAMLToJSON(fmt.Appendf(nil, "{apiVersion: hardgate.dev/v1alpha1, kind: NodePolicy, metadata: {name: p%d}, spec: %s}", i, spec))
		if err != nil {
			t.Fatal(err)
		}
		p, err := noderuling.ReadPolicy(text)
		if err != nil {
			t.Fatal(err)
		}
		if paused {
			p.Annotations = map[string]string{v1alpha1.PauseAnnotation: "why"}
		}
		policies = append(policies, *p)
	}
	var errs []error
	if rules.book, errs = noderuling.Compile(policies); len(errs) > 0 {
		t.Fatal(errs)
	}
	gate.nodes.rules.Store(rules)
	return gate
}

func nodeReview(metadata, spec string) string {
	return `{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1","request":{"uid":"u-1","kind":{"group":"","version":"v1","kind":"Node"},
		"resource":{"group":"","version":"v1","resource":"nodes"},"name":"n","operation":"CREATE","userInfo":{"username":"system:node:n","groups":["system:nodes"]},
		"object":{"apiVersion":"v1","kind":"Node","metadata":` + metadata + `,"spec":` + spec + `,"status":{"new":[{}]}},"oldObject":null,"dryRun":false}}`
}

// register posts the registration of a node and returns the answer as the API server
// reads it.
func register(t *testing.T, gate *Gate, body string) *admissionv1.AdmissionResponse {
	t.Helper()
	w := post(t, gate, registration.NodePath, body)
	var r admissionv1.AdmissionReview
	if err := json.Unmarshal(w.Body.Bytes(), &r); w.Code != http.StatusOK || err != nil {
		t.Fatalf("HTTP %d %s", w.Code, w.Body)
	}
	if !r.Response.Allowed || r.Response.UID != "u-1" || (r.Response.PatchType != nil) != (r.Response.Patch != nil) {
		t.Fatalf("got %+v", r.Response)
	}
	if r.Response.Patch != nil && *r.Response.PatchType != admissionv1.PatchTypeJSONPatch {
		t.Errorf("a patch of type %s", *r.Response.PatchType)
	}
	return r.Response
}

func TestRegistration(t *testing.T) {
	const (
		untrusted  = `{untrustedUntilChecked: true}`
		pool       = `{untrustedUntilChecked: true, nodeSelector: {matchLabels: {pool: x}}}`
		onPlane    = `{untrustedUntilChecked: true, controlPlane: true}`
		first      = `[{"op":"add","path":"/spec/taints","value":[{"key":"hardgate.dev/unverified","effect":"NoSchedule"}]}]`
		further    = `[{"op":"add","path":"/spec/taints/-","value":{"key":"hardgate.dev/unverified","effect":"NoSchedule"}}]`
		planeLabel = `{"labels":{"node-role.kubernetes.io/control-plane":""}}`
		planeTaint = `{"taints":[{"key":"node-role.kubernetes.io/control-plane","effect":"NoSchedule"}]}`
	)
	tests := map[string]struct {
		policies       []string
		metadata, spec string
		want           string
	}{
		"no policy":               {nil, `{}`, `{}`, ""},
		"one that does not ask":   {[]string{`{mode: Enforce}`}, `{}`, `{}`, ""},
		"one that asks":           {[]string{untrusted}, `{}`, `{}`, first},
		"one of two asks":         {[]string{`{mode: Audit}`, untrusted}, `{}`, `{}`, first},
		"selected":                {[]string{pool}, `{"labels":{"pool":"x"}}`, `{}`, first},
		"not selected":            {[]string{pool}, `{"labels":{"pool":"y"}}`, `{}`, ""},
		"others' taints":          {[]string{untrusted}, `{}`, `{"taints":[{"key":"a","effect":"NoExecute"}]}`, further},
		"tainted already":         {[]string{untrusted}, `{}`, `{"taints":[{"key":"a","effect":"NoExecute"},{"key":"hardgate.dev/unverified","effect":"NoSchedule"}]}`, ""},
		"tainted by another key":  {[]string{untrusted}, `{}`, `{"taints":[{"key":"example.com/hardgate-unverified","effect":"NoSchedule"}]}`, ""},
		"tainted, and pods come":  {[]string{untrusted}, `{}`, `{"taints":[{"key":"hardgate.dev/unverified","effect":"PreferNoSchedule"}]}`, further},
		"a paused node":           {[]string{untrusted}, `{"annotations":{"hardgate.dev/pause":"x"}}`, `{}`, ""},
		"a paused policy":         {[]string{"paused " + untrusted}, `{}`, `{}`, ""},
		"another policy paused":   {[]string{untrusted, `paused {mode: Audit}`}, `{}`, `{}`, ""},
		"a paused one elsewhere":  {[]string{untrusted, "paused " + pool}, `{}`, `{}`, first},
		"control plane":           {[]string{untrusted}, planeLabel, `{}`, ""},
		"control plane, by taint": {[]string{untrusted}, `{}`, planeTaint, ""},
		"control plane, asked":    {[]string{untrusted, onPlane}, planeLabel, `{}`, first},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			gate := newRegistrarGate(t, tt.policies...)
			r := register(t, gate, nodeReview(tt.metadata, tt.spec))
			if string(r.Patch) != tt.want {
				t.Errorf("patch %s\nwant %s", r.Patch, tt.want)
			}
			if r.Result != nil || len(r.Warnings) > 0 || len(r.AuditAnnotations) > 0 {
				t.Errorf("got %+v", r)
			}
			want := 0.0
			if tt.want != "" {
				want = 1
			}
			if got := testutil.ToFloat64(gate.metrics.tainted); got != want {
				t.Errorf("%v nodes are counted, want %v", got, want)
			}
		})
	}
}

// What the gate cannot tell is never a refusal: the failurePolicy lets the node register.
func TestRegistrationThatCannotBeTold(t *testing.T) {
	asking := func(t *testing.T) *Gate { t.Helper(); return newRegistrarGate(t, `{untrustedUntilChecked: true}`) }
	unread := func(t *testing.T) *Gate { t.Helper(); gate, _ := newGate(t); return gate }
	misunderstood := func(t *testing.T) *Gate {
		t.Helper()
		gate := asking(t)
		rules := *gate.nodes.rules.Load()
		rules.misunderstood = errors.New("NodePolicy p: spec.mod: unknown field")
		gate.nodes.rules.Store(&rules)
		return gate
	}
	good := nodeReview(`{}`, `{}`)
	head, _, _ := strings.Cut(good, `"object":`)
	tests := map[string]struct {
		gate func(*testing.T) *Gate
		body string
		want string
	}{
		"not read yet":     {unread, good, "have not been read yet"},
		"not understood":   {misunderstood, good, "spec.mod: unknown field"},
		"a broken node":    {asking, nodeReview(`{"labels":[]}`, `{}`), "reading the node: metadata: labels"},
		"an update":        {asking, strings.Replace(good, "CREATE", "UPDATE", 1), "UPDATE of"},
		"of a subresource": {asking, strings.Replace(good, `"name":"n"`, `"name":"n","subResource":"status"`, 1), `"status" is not answered`},
		"no node":          {asking, strings.ReplaceAll(good, `"kind":"Node"`, `"kind":"Pod"`), "Pod"},
		"no object":        {asking, head + `"object":null}}`, "not answered here"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if w := post(t, tt.gate(t), registration.NodePath, tt.body); w.Code != http.StatusInternalServerError || !strings.Contains(w.Body.String(), tt.want) {
				t.Errorf("HTTP %d %s, want 500 and %q", w.Code, w.Body, tt.want)
			}
		})
	}
	// Nothing has to be told of a node that is to be left alone.
	for name, gate := range map[string]*Gate{"not read yet": unread(t), "not understood": misunderstood(t)} {
		if r := register(t, gate, nodeReview(`{"annotations":{"hardgate.dev/pause":""}}`, `{}`)); r.Patch != nil {
			t.Errorf("%s: a paused node is patched: %s", name, r.Patch)
		}
	}
}

func TestRegistrationWhileEverythingIsPaused(t *testing.T) {
	gate := newRegistrarGate(t, `{untrustedUntilChecked: true}`)
	rules := *gate.nodes.rules.Load()
	rules.paused, rules.misunderstood = true, errors.New("whatever")
	gate.nodes.rules.Store(&rules)
	if r := register(t, gate, nodeReview(`{}`, `{}`)); r.Patch != nil {
		t.Errorf("it is patched: %s", r.Patch)
	}
}

func TestTaintNodes(t *testing.T) {
	gate := newRegistrarGate(t, `{untrustedUntilChecked: true}`)
	const startup = "startup-taint.cluster-autoscaler.kubernetes.io/hardgate-unverified"
	if err := gate.TaintNodes(startup, "elsewhere"); err != nil {
		t.Fatal(err)
	}
	if r := register(t, gate, nodeReview(`{}`, `{}`)); !strings.Contains(string(r.Patch), `"key":"`+startup+`"`) {
		t.Errorf("patch %s", r.Patch)
	}
	for _, bad := range []string{key.Drifted, "example.com/unverified", "", "A b/hardgate-unverified"} {
		if err := gate.TaintNodes(bad, "elsewhere"); err == nil {
			t.Errorf("the key %q is taken", bad)
		}
	}
}

// Many nodes register at once, also while the policies change.
func TestRegistrationsAtOnce(t *testing.T) {
	gate := newRegistrarGate(t, `{untrustedUntilChecked: true, nodeSelector: {matchLabels: {pool: x}}}`)
	other := newRegistrarGate(t, `{untrustedUntilChecked: true}`).nodes.rules.Load()
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for j := range 50 {
				if i == 0 {
					gate.nodes.rules.Store(other)
				}
				pool := []string{"x", "y", "z"}[j%3]
				r := register(t, gate, nodeReview(fmt.Sprintf(`{"labels":{"pool":%q,"n%d":""}}`, pool, i), `{}`))
				if pool == "x" && r.Patch == nil {
					t.Error("a node is not tainted")
				}
			}
		})
	}
	wg.Wait()
}
