package webhook

import (
	"fmt"
	"strings"
	"testing"

	"github.com/hardgate-dev/hardgate/api/v1alpha1"
	"github.com/hardgate-dev/hardgate/control"
	"github.com/hardgate-dev/hardgate/webhook/policy"
	"github.com/hardgate-dev/hardgate/webhook/registration"
	"github.com/hardgate-dev/hardgate/webhook/ruling"
	"github.com/hardgate-dev/hardgate/webhook/verdict"
	"github.com/hardgate-dev/hardgate/webhook/workload"
)

// deploymentReview writes an update of a Deployment's pod spec.
func deploymentReview(spec, old string) string {
	deployment := func(spec string) string {
		return `{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"d"},"spec":{"template":{"spec":` + spec + `}}}`
	}
	return strings.Replace(podReview(deployment(spec), deployment(old), ""),
		`"group":"","version":"v1","kind":"Pod"`, `"group":"apps","version":"v1","kind":"Deployment"`, 1)
}

// An old fault is no cover for a worse one, and a milder one is no new fault.
func TestWorseIsNewAndMilderIsNot(t *testing.T) {
	account := func(name string) string {
		return `{"serviceAccountName":"` + name + `","containers":[` + plain + `]}`
	}
	port := func(fields string) string {
		return `{"containers":[{"name":"a","image":"i","ports":[{"containerPort":53,"hostPort":53` + fields + `}]}]}`
	}
	mounted := func(containers string) string {
		return `{"volumes":[{"name":"v","hostPath":{"path":"/etc"}}],"containers":[` + containers + `]}`
	}
	mounting := func(name, readOnly string) string {
		return `{"name":"` + name + `","image":"i","volumeMounts":[{"name":"v","mountPath":"/v","readOnly":` + readOnly + `}]}`
	}
	hostProcess := func(containers string) string {
		return `{"securityContext":{"windowsOptions":{"hostProcess":true}},"containers":[` + containers + `]}`
	}
	const ours, elsewhere = `"key":"hardgate.dev/drifted"`, `"key":"example.com/hardgate-drifted"`
	tolerating := func(fields string) string {
		return `{"tolerations":[{` + fields + `}],"containers":[` + plain + `]}`
	}
	tests := map[string]struct {
		control     string
		better, bad string
	}{
		"the token of another account":    {"service-account-token", account("weak"), account("strong")},
		"a port off the loopback":         {"host-ports", port(`,"hostIP":"127.0.0.1"`), port(`,"hostIP":"0.0.0.0"`)},
		"a port on all addresses":         {"host-ports", port(`,"hostIP":"::1"`), port("")},
		"a mount that becomes writable":   {"host-path", mounted(mounting("a", "true")), mounted(mounting("a", "false"))},
		"a volume that becomes mounted":   {"host-path", mounted(plain), mounted(mounting("a", "true"))},
		"a volume in one more container":  {"host-path", mounted(mounting("a", "false")), mounted(mounting("a", "false") + "," + mounting("b", "true"))},
		"a taint and then every taint":    {"tainted-node-toleration", tolerating(elsewhere + `,"operator":"Equal","value":"x","effect":"NoExecute"`), tolerating(`"operator":"Exists"`)},
		"every taint of another effect":   {"tainted-node-toleration", tolerating(`"operator":"Exists","effect":"NoExecute"`), tolerating(`"operator":"Exists"`)},
		"a taint whatever its effect":     {"tainted-node-toleration", tolerating(ours + `,"operator":"Exists","effect":"NoSchedule"`), tolerating(ours + `,"operator":"Exists"`)},
		"a taint whatever its value":      {"tainted-node-toleration", tolerating(ours + `,"value":"x","effect":"NoSchedule"`), tolerating(ours + `,"operator":"Exists","effect":"NoSchedule"`)},
		"a taint, not only its wish":      {"tainted-node-toleration", tolerating(ours + `,"operator":"Exists","effect":"PreferNoSchedule"`), tolerating(ours + `,"operator":"Exists"`)},
		"a container that inherits a lot": {"windows-host-process", hostProcess(plain), hostProcess(plain + `,{"name":"b","image":"i"}`)},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			gate, _ := newGate(t, tt.control)
			if r := ask(t, gate, deploymentReview(tt.bad, tt.better)); r.Allowed {
				t.Error("it is let through")
			}
			if tt.control == "service-account-token" {
				return // which account is the milder is not known
			}
			if r := ask(t, gate, deploymentReview(tt.better, tt.bad)); !r.Allowed {
				t.Errorf("the way back is denied: %s", r.Result.Message)
			}
		})
	}
	gate, _ := newGate(t, "host-ports")
	if r := ask(t, gate, deploymentReview(port(`,"protocol":"UDP"`), port(""))); r.Allowed {
		t.Error("UDP is let through for TCP")
	}
	gate, _ = newGate(t, "tainted-node-toleration")
	for _, other := range []string{elsewhere + `,"operator":"Exists"`, `"key":"hardgate.dev/unverified","operator":"Exists"`, ours + `,"value":"x"`, ours + `,"operator":"Gt","value":"1"`} {
		for _, spec := range [][2]string{{ours + `,"value":"y"`, other}, {other, ours + `,"value":"y"`}} {
			if r := ask(t, gate, deploymentReview(tolerating(spec[1]), tolerating(spec[0]))); r.Allowed {
				t.Errorf("%s is let through for %s", spec[1], spec[0])
			}
		}
	}
}

// A large object must neither slip through a timeout nor fill the answer.
func TestManyFindings(t *testing.T) {
	const n = 100_000
	object := pod(`{"name":"a","image":"i","securityContext":{"capabilities":{"add":["A"` + strings.Repeat(`,"A"`, n-1) + `]}}}`)
	gate, _ := newGate(t, "added-capabilities")
	r := ask(t, gate, podReview(object, "", ""))
	if r.Allowed || !strings.HasSuffix(r.Result.Message, fmt.Sprintf("\n- and %d more", n-maxDenials)) {
		t.Errorf("allowed %t, %.100s", r.Allowed, r.Result.Message)
	}
	if len(r.Result.Message) > 10_000 || len(r.AuditAnnotations["added-capabilities"]) > maxAnnotation {
		t.Errorf("the message has %d bytes, the annotation %d", len(r.Result.Message), len(r.AuditAnnotations["added-capabilities"]))
	}
	if r := ask(t, gate, podReview(object, object, "")); !r.Allowed {
		t.Error("an update without a change is denied")
	}
}

// What a user wrote is quoted in part: an answer that is too long would be none.
func TestLongValuesAreQuotedInPart(t *testing.T) {
	long := strings.Repeat("x", 1<<20)
	for _, mode := range []v1alpha1.Mode{"Enforce", "Warn"} {
		gate, _ := newGate(t)
		book, errs := ruling.Compile([]v1alpha1.WorkloadPolicy{{Spec: v1alpha1.WorkloadPolicySpec{Mode: "Off", Controls: []v1alpha1.ControlSetting{
			{ID: "added-capabilities", Mode: mode}, {ID: "host-path", Mode: mode},
		}}}})
		if len(errs) > 0 {
			t.Fatal(errs)
		}
		gate.SetBook(book)
		object := `{"apiVersion":"v1","kind":"Pod","spec":{"volumes":[{"name":"v","hostPath":{"path":"/` + long + `"}}],
			"containers":[{"name":"a","image":"i","securityContext":{"capabilities":{"add":["` + long + `"]}}}]}}`
		w := post(t, gate, registration.WorkloadPath, podReview(object, "", ""))
		if w.Code != 200 || w.Body.Len() > 10_000 || !strings.Contains(w.Body.String(), "xxx…") {
			t.Errorf("%s: HTTP %d with %d bytes", mode, w.Code, w.Body.Len())
		}
	}
}

// A finding under several rulings counts once, with the strictest.
func TestFindingsOfSeveralRulings(t *testing.T) {
	p, _ := policy.Get("added-capabilities")
	o, err := workload.Decode([]byte(pod(`{"name":"a","image":"i","securityContext":{"capabilities":{"add":["A","B"]}}}`)))
	if err != nil {
		t.Fatal(err)
	}
	loose := ruling.Ruling{Mode: 3}
	loose.Parameters.AllowedCapabilities = []string{"A"}
	judged := []ruling.Judged{{Policy: p, Rulings: []ruling.Ruling{loose, {Mode: 2}}}}
	decisions, err := verdict.Judge(t.Context(), judged, &policy.Subject{Object: &o}, nil, verdict.Options{Ceiling: control.Enforce})
	if err != nil || len(decisions) != 1 || len(decisions[0].Violations) != 2 {
		t.Fatalf("%+v, %v", decisions, err)
	}
	for i, want := range []struct{ mode, detail string }{{"Enforce", `adds "B"`}, {"Warn", `adds "A"`}} {
		if v := decisions[0].Violations[i]; v.Mode.String() != want.mode || v.Detail != want.detail {
			t.Errorf("violation %d: %s %s, want %v", i, v.Mode, v.Detail, want)
		}
	}
}
