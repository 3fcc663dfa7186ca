package main

import (
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/hardgate-dev/hardgate/api/v1alpha1"
	"github.com/hardgate-dev/hardgate/control"
	"github.com/hardgate-dev/hardgate/rollout"
	"github.com/hardgate-dev/hardgate/webhook/ruling"
)

// rolling is an API server with one policy, two namespaces and their reports.
type rolling struct {
	policy   string
	others   []string // policies
	conflict int      // so many writes come too late
	own      string   // the Namespace of hardgate
	silent   bool     // no webhook was ever heard of
	ahead    time.Duration
	patches  []string
}

func (r *rolling) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	now := time.Now().Add(r.ahead).UTC()
	w.Header().Set("Date", now.Format(http.TimeFormat))
	list := func(kind string, items ...string) {
		fmt.Fprintf(w, `{"kind":"%sList","apiVersion":"v1","metadata":{},"items":[%s]}`, kind, strings.Join(items, ","))
	}
	switch path := req.URL.Path; {
	case path == "/api/v1/namespaces/tidy", path == "/api/v1/namespaces/untidy":
		_, _ = io.WriteString(w, `{"kind":"Namespace","apiVersion":"v1","metadata":{"name":"`+path[len("/api/v1/namespaces/"):]+`"}}`)
	case strings.HasSuffix(path, "/workloadpolicies"):
		list("WorkloadPolicy", append([]string{r.policy}, r.others...)...)
	case strings.HasSuffix(path, "/namespaces"):
		namespaces := []string{`{"metadata":{"name":"tidy"}}`, `{"metadata":{"name":"untidy"}}`}
		if r.own != "" {
			namespaces = append(namespaces, r.own)
		}
		list("Namespace", namespaces...)
	case strings.HasSuffix(path, "/namespacereports"):
		beat := `{"metadata":{"name":"cluster.scoped"},"status":{"heartbeat":{"since":"2026-10-01T00:00:00Z","last":"` + now.Format(time.RFC3339) + `"}}}`
		if r.silent {
			beat = `{"metadata":{"name":"cluster.scoped"}}`
		}
		list("NamespaceReport", beat,
			`{"metadata":{"name":"tidy"},"status":{"hash":"1","controls":[{"id":"privileged","violations":0,"cleanSince":"2026-11-01T00:00:00Z","modes":[{"policy":"p","mode":"Enforce","reached":"Enforce","since":"2026-11-10T00:00:00Z"}]}]}}`,
			`{"metadata":{"name":"untidy"},"status":{"hash":"1","controls":[{"id":"privileged","violations":2,"blockedBy":["Deployment/web","Pod/a"],"modes":[{"policy":"p","mode":"Warn","reached":"Warn","since":"2026-11-10T00:00:00Z"}]}]}}`)
	case strings.HasSuffix(path, "/workloadpolicies/p") && req.Method == http.MethodPatch && r.conflict > 0:
		r.conflict--
		w.WriteHeader(http.StatusConflict)
		_, _ = io.WriteString(w, `{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"Conflict","code":409}`)
	case strings.HasSuffix(path, "/workloadpolicies/p"):
		if req.Method == http.MethodPatch {
			body, _ := io.ReadAll(req.Body)
			dry := map[bool]string{true: " (dry run)"}[req.URL.Query().Get("dryRun") == "All"]
			r.patches = append(r.patches, "by "+req.URL.Query().Get("fieldManager")+" "+string(body)+dry)
		}
		_, _ = io.WriteString(w, r.policy)
	default:
		w.WriteHeader(http.StatusNotFound)
		_, _ = io.WriteString(w, `{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"NotFound","code":404,"message":"not found"}`)
	}
}

// call runs the command line against the server.
func (r *rolling) call(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	t.Setenv("KUBERNETES_SERVICE_HOST", "")
	server := httptest.NewServer(r)
	defer server.Close()
	return call(t, map[string]string{"config": kubeconfig(server.URL)}, "", append(args, "--kubeconfig", "config")...)
}

const ledPolicy = `{"apiVersion":"hardgate.dev/v1alpha1","kind":"WorkloadPolicy","metadata":{"name":"p","resourceVersion":"7"},"spec":{
	"namespaceSelector":{"matchExpressions":[{"key":"no","operator":"DoesNotExist"}]},"controls":[{"id":"privileged","mode":"Audit"}],"rollout":{}}}`

func TestRolloutShows(t *testing.T) {
	server := &rolling{policy: ledPolicy}
	code, got, stderr := server.call(t, "rollout")
	want := `POLICY  NAMESPACE  CONTROL     MODE     VIOLATIONS  CLEAN SINCE           NEXT
p       untidy     privileged  Warn     2           -                     blocked: Deployment/web and 1 more
p       tidy       privileged  Enforce  0           2026-11-01T00:00:00Z  at its target
`
	if diff := cmp.Diff(want, got); diff != "" || code != exitOK || stderr != "" {
		t.Errorf("exit %d, %s(-want +got):\n%s", code, stderr, diff)
	}
	_, got, _ = server.call(t, "rollout", "p", "--blocked", "-o", "json")
	var out struct{ Rollouts []policyCells }
	if err := json.Unmarshal([]byte(got), &out); err != nil || len(out.Rollouts) != 1 || len(out.Rollouts[0].Cells) != 1 || out.Rollouts[0].Target != "Enforce" {
		t.Errorf("%v: %s", err, got)
	}
	if code, _, stderr := server.call(t, "rollout", "q"); code != exitBad || !strings.Contains(stderr, `no WorkloadPolicy "q" has a rollout`) {
		t.Errorf("exit %d: %s", code, stderr)
	}
}

// What is enforced and fails open is said, of the policies that are asked about.
func TestRolloutIsOpen(t *testing.T) {
	condition := func(status string) string {
		return `,"status":{"conditions":[{"type":"FailsClosed","status":"` + status + `","reason":"NoRoom","lastTransitionTime":"2026-11-01T00:00:00Z","message":"nothing is refused in tidy"}]}}`
	}
	for status, want := range map[string]string{"True": "", "Unknown": "", "False": "hardgate: warning: p: nothing is refused in tidy\n"} {
		server := &rolling{policy: strings.TrimSuffix(ledPolicy, "}") + condition(status), others: []string{strings.Replace(ledPolicy, `"p"`, `"q"`, 1)}}
		if code, _, stderr := server.call(t, "rollout"); code != exitOK || stderr != want {
			t.Errorf("%s: exit %d: %q", status, code, stderr)
		}
		if _, _, stderr := server.call(t, "rollout", "q"); stderr != "" {
			t.Errorf("%s, another policy: %q", status, stderr)
		}
		if _, stdout, _ := server.call(t, "rollout", "-o", "json"); strings.Contains(stdout, `"open": "nothing is refused in tidy"`) != (want != "") {
			t.Errorf("%s: %s", status, stdout)
		}
	}
}

// A cell that waits for a webhook to be heard of says so.
func TestRolloutWithoutHeartbeat(t *testing.T) {
	server := &rolling{policy: strings.Replace(ledPolicy, `"Audit"`, `"Audit"},{"id":"host-path","mode":"Audit"`, 1), silent: true}
	if code, stdout, _ := server.call(t, "rollout", "-n", "tidy", "--control", "host-path"); code != exitOK || !strings.Contains(stdout, "no webhook has been heard of yet") {
		t.Errorf("exit %d: %s", code, stdout)
	}
}

// Whether the webhook is heard of is told by the API server's clock: who asks may have another.
func TestRolloutByAnotherClock(t *testing.T) {
	for _, ahead := range []time.Duration{0, time.Hour, -time.Hour} {
		server := &rolling{policy: strings.Replace(ledPolicy, `"Audit"`, `"Audit"},{"id":"host-path","mode":"Audit"`, 1), ahead: ahead}
		if code, stdout, _ := server.call(t, "rollout", "-n", "tidy"); code != exitOK || strings.Contains(stdout, "heard of") {
			t.Errorf("%s ahead: exit %d: %s", ahead, code, stdout)
		}
	}
}

// What keeps all rollouts from going on is said, and of each cell that waits for it.
func TestRolloutIsFrozen(t *testing.T) {
	due := strings.Replace(ledPolicy, `"Audit"`, `"Audit"},{"id":"host-path","mode":"Audit"`, 1)
	status := `,"status":{"rollout":{"cells":[{"namespace":"a","next":"at its target"},{"namespace":"tidy","next":"Warn, once this ends: the API server does not reach the webhook"}]}}}`
	for name, tt := range map[string]struct {
		server rolling
		want   string
	}{
		"paused":      {rolling{policy: due, own: `{"metadata":{"name":"hardgate-system","annotations":{"hardgate.dev/pause":""}}}`}, "the namespace hardgate-system is annotated to pause"},
		"not reached": {rolling{policy: due, others: []string{strings.TrimSuffix(strings.Replace(ledPolicy, `"p"`, `"q"`, 1), "}") + status}}, "the API server does not reach the webhook"},
		"misspelt":    {rolling{policy: due, others: []string{strings.Replace(ledPolicy, `"rollout"`, `"rolout"`, 1)}}, "the WorkloadPolicy p is not understood: "},
		"not frozen":  {rolling{policy: due}, ""},
		"a tenant's":  {rolling{policy: due, own: `{"metadata":{"name":"team","annotations":{"hardgate.dev/pause":""}}}`}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			code, stdout, stderr := tt.server.call(t, "rollout")
			said := strings.HasPrefix(stderr, "hardgate: warning: nothing is promoted: "+tt.want)
			if said != (tt.want != "") || !said && stderr != "" || !strings.Contains(stdout, "untidy") || code != exitOK {
				t.Errorf("exit %d: %s%s", code, stdout, stderr)
			}
		})
	}
}

func TestRolloutSteers(t *testing.T) {
	pins := func(list string) string {
		return `{"metadata":{"resourceVersion":"7"},"spec":{"rollout":{"paused":false,"pins":` + list + `}}}`
	}
	tests := map[string]struct {
		pins  string // of the policy
		args  []string
		code  int
		says  string
		patch string
	}{
		"pause":                       {args: []string{"pause", "p"}, says: "p paused\n", patch: `{"metadata":{"resourceVersion":"7"},"spec":{"rollout":{"paused":true,"pins":null}}}`},
		"resume":                      {args: []string{"resume", "p"}, says: "p is resumed already\n"},
		"demote":                      {args: []string{"demote", "p", "-n", "tidy", "--control", "privileged"}, says: "p: privileged in tidy held at Warn at most\n", patch: pins(`[{"namespaces":["tidy"],"controls":["privileged"],"mode":"Warn","atMost":true}]`)},
		"demote twice":                {args: []string{"demote", "p", "-n", "untidy,tidy,tidy", "--control", "privileged"}, says: "held at Warn at most\n", patch: pins(`[{"namespaces":["tidy","untidy"],"controls":["privileged"],"mode":"Warn","atMost":true}]`)},
		"demote what is pinned above": {pins: `[{"namespaces":["tidy"],"mode":"Enforce"},{"controls":["host-pid"],"mode":"Off"}]`, args: []string{"demote", "p", "-n", "tidy"}, says: "held at Warn at most\n", patch: pins(`[{"namespaces":["tidy"],"mode":"Enforce"},{"controls":["host-pid"],"mode":"Off"},{"namespaces":["tidy"],"mode":"Warn","atMost":true}]`)},
		"demote what is pinned there": {pins: `[{"namespaces":["tidy"],"mode":"Warn"}]`, args: []string{"demote", "p", "-n", "tidy"}, says: "held at Warn already\n"},
		"demote what is pinned below": {pins: `[{"namespaces":["tidy"],"mode":"Audit"},{"controls":["host-pid"],"mode":"Off"}]`, args: []string{"demote", "p", "-n", "tidy"}, says: "held at Warn at most\n", patch: pins(`[{"namespaces":["tidy"],"mode":"Audit"},{"controls":["host-pid"],"mode":"Off"},{"namespaces":["tidy"],"mode":"Warn","atMost":true}]`)},
		"demoted further already":     {pins: `[{"namespaces":["tidy"],"mode":"Audit","atMost":true}]`, args: []string{"demote", "p", "-n", "tidy"}, says: "held at Audit at most already\n"},
		"demoted already":             {pins: `[{"namespaces":["tidy"],"mode":"Warn","atMost":true}]`, args: []string{"demote", "p", "-n", "tidy"}, says: "held at Warn at most already\n"},
		"demote further":              {pins: `[{"namespaces":["tidy"],"mode":"Warn","atMost":true}]`, args: []string{"demote", "p", "-n", "tidy", "--to", "Audit"}, says: "held at Audit at most\n", patch: pins(`[{"namespaces":["tidy"],"mode":"Audit","atMost":true}]`)},
		"pin what was demoted":        {pins: `[{"namespaces":["tidy"],"mode":"Warn","atMost":true}]`, args: []string{"pin", "p", "-n", "tidy", "--mode", "Enforce"}, says: "held at Enforce\n", patch: pins(`[{"namespaces":["tidy"],"mode":"Enforce"}]`)},
		"let go what was demoted":     {pins: `[{"namespaces":["tidy"],"mode":"Warn","atMost":true}]`, args: []string{"unpin", "p", "-n", "tidy"}, says: "let go\n", patch: pins(`[]`)},
		"pin what has no namespace":   {args: []string{"pin", "p", "-n", "cluster.scoped", "--mode", "Warn"}, says: "held at Warn\n", patch: pins(`[{"namespaces":["cluster.scoped"],"mode":"Warn"}]`)},
		"demote up":                   {args: []string{"demote", "p", "-n", "tidy", "--to", "Enforce"}, code: exitBad, says: `--to: "Enforce" is no milder mode`},
		"pin to nonsense":             {args: []string{"pin", "p", "-n", "tidy", "--mode", "Enfroce"}, code: exitBad, says: `did you mean "Enforce"?`},
		"no cells":                    {args: []string{"pin", "p", "--mode", "Warn"}, code: exitBad, says: "name the cells"},
		"no policy":                   {args: []string{"pause"}, code: exitBad, says: "name one WorkloadPolicy"},
		"another policy":              {args: []string{"pause", "q"}, code: exitBad, says: "not found"},
		"no such pin":                 {args: []string{"unpin", "p", "-n", "tidy"}, says: "p has no pin of all controls in tidy"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			server := &rolling{policy: ledPolicy, conflict: 2}
			if tt.pins != "" {
				server.policy = strings.Replace(ledPolicy, `"rollout":{}`, `"rollout":{"pins":`+tt.pins+`}`, 1)
			}
			code, stdout, stderr := server.call(t, append([]string{"rollout"}, tt.args...)...)
			if code != tt.code || !strings.Contains(stdout+stderr, tt.says) {
				t.Errorf("exit %d: %s%s", code, stdout, stderr)
			}
			var want []string
			if tt.patch != "" {
				want = []string{"by hardgate " + tt.patch}
			}
			if diff := cmp.Diff(want, server.patches); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestDemoteLowersAlone: whatever the pins are, a demotion leaves the cells that it names as
// they are or at its mode, and all others as they were.
func TestDemoteLowersAlone(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	namespaces, controls := []string{"tidy", "untidy"}, []string{"privileged", "host-pid"}
	some := func(of []string) []string {
		return slices.DeleteFunc(slices.Clone(of), func(string) bool { return r.IntN(2) == 0 })
	}
	modes := []v1alpha1.Mode{"Off", "Audit", "Warn", "Enforce"}
	for range 20000 {
		f := steerFlags{namespaces: some(namespaces), controls: some(controls), mode: []string{"Audit", "Warn"}[r.IntN(2)]}
		led := &v1alpha1.Rollout{}
		for range r.IntN(5) {
			cells := v1alpha1.RolloutCells{Namespaces: some(namespaces), Controls: some(controls)}
			led.Pins = append(led.Pins, v1alpha1.RolloutPin{RolloutCells: cells, Mode: modes[r.IntN(4)], AtMost: r.IntN(2) == 0})
		}
		before := slices.Clone(led.Pins)
		to, _ := control.ParseMode(f.mode)
		f.change(led, "demote", "p")
		for _, ns := range namespaces {
			for _, id := range controls {
				for free := control.Off; free <= control.Enforce; free++ {
					held := func(pins []v1alpha1.RolloutPin) control.Mode {
						h := ruling.HoldOf(pins, ns, control.ID(id))
						if h.Pinned {
							return h.Mode
						}
						return min(free, h.Mode)
					}
					want := held(before)
					if ruling.Selects(&v1alpha1.RolloutCells{Namespaces: f.namespaces, Controls: f.controls}, ns, control.ID(id)) {
						want = min(want, to)
					}
					if got := held(led.Pins); got != want {
						t.Fatalf("%s in %s, %s without pins: %s, want %s\nbefore %+v\nafter %+v", id, ns, free, got, want, before, led.Pins)
					}
				}
			}
		}
	}
}

func notPolicy(name string) string {
	return fmt.Sprintf("%q is no name of a WorkloadPolicy: see with: kubectl get workloadpolicies", name)
}

// TestRolloutUsage: a flag with nothing in it, as "$NS" is where the variable is not set,
// would mean all namespaces, all controls, or the cluster that happens to be the current one.
func TestRolloutUsage(t *testing.T) {
	see := func(verb string) string { return " (see \"hardgate rollout" + verb + " --help\")\n" }
	tests := map[string]struct {
		args []string
		want string
	}{
		"demote in no namespace": {[]string{"demote", "p", "--control", "privileged", "-n", ""}, "--namespace: no namespace is named" + see(" demote")},
		"unpin no control":       {[]string{"unpin", "p", "-n", "tidy", "--control", ""}, "--control: no control is named" + see(" unpin")},
		"pin no cells":           {[]string{"pin", "p", "--mode", "Warn"}, "name the cells with --namespace, --control, or both; to hold all of them, pause the rollout" + see(" pin")},
		"pin an unknown control": {[]string{"pin", "p", "--control", "privleged", "--mode", "Warn"}, `--control: unknown control "privleged", did you mean "privileged"?` + see(" pin")},
		"pin in a namespace":     {[]string{"pin", "p", "-n", "Tidy", "--mode", "Warn"}, strings.TrimPrefix(notNamespace("Tidy"), "hardgate: ") + see(" pin")},
		"pin without a mode":     {[]string{"pin", "p", "-n", "tidy"}, `--mode: unknown mode "": use one of Off, Audit, Warn, Enforce` + see(" pin")},
		"pause in no context":    {[]string{"pause", "p", "--context", ""}, "--context: no context is named" + see(" pause")},
		"pause no policy":        {[]string{"pause", ""}, notPolicy("") + see(" pause")},
		"pause a subresource":    {[]string{"pause", "p/status"}, notPolicy("p/status") + see(" pause")},
		"pause another kind":     {[]string{"pause", "../nodepolicies/p"}, notPolicy("../nodepolicies/p") + see(" pause")},
		"pause by a question":    {[]string{"pause", "p?"}, notPolicy("p?") + see(" pause")},
		"exclude by no policy":   {[]string{"exclude", "tidy", "--policy", "p/status"}, "--policy: " + notPolicy("p/status") + see(" exclude")},
		"show no namespace":      {[]string{"-n", ""}, "--namespace: no namespace is named" + see("")},
		"show no control":        {[]string{"--control", ""}, "--control: no control is named" + see("")},
		"show an unknown one":    {[]string{"--control", "ssh-x11"}, `--control: no manifest shows control "ssh-x11"` + see("")},
		"show as what":           {[]string{"-o", "jsn"}, `--output: unknown value "jsn", did you mean "json"?` + see("")},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			server := &rolling{policy: ledPolicy}
			code, stdout, stderr := server.call(t, append([]string{"rollout"}, tt.args...)...)
			if want := "hardgate: " + tt.want; code != exitBad || stdout != "" || stderr != want || server.patches != nil {
				t.Errorf("exit %d, output %q, stderr %q, want %q; changed %q", code, stdout, stderr, want, server.patches)
			}
		})
	}
}

// TestRolloutCompletes: what is offered is what is taken.
func TestRolloutCompletes(t *testing.T) {
	for args, want := range map[string]string{
		"pin --mode":         "Off\nAudit\nWarn\nEnforce\n:4\n",
		"demote --to":        "Warn\nAudit\n:4\n",
		"demote --namespace": ":4\n",
		"--namespace":        ":4\n",
	} {
		code, stdout, _ := call(t, nil, "", append(append([]string{"__complete", "rollout"}, strings.Fields(args)...), "")...)
		if code != exitOK || stdout != want {
			t.Errorf("%s: exit %d, %q, want %q", args, code, stdout, want)
		}
	}
	for _, args := range []string{"", "pin", "unpin", "demote", "exclude"} {
		_, stdout, _ := call(t, nil, "", append(append([]string{"__complete", "rollout"}, strings.Fields(args)...), "--control", "")...)
		if !strings.Contains(stdout, "privileged\n") || !strings.HasSuffix(stdout, ":4\n") {
			t.Errorf("%s --control: %q", args, stdout)
		}
	}
}

// TestRolloutPlace: what is printed of the cells without a namespace is what chooses them.
func TestRolloutPlace(t *testing.T) {
	policies := []v1alpha1.WorkloadPolicy{{ObjectMeta: metav1.ObjectMeta{Name: "p"}, Spec: v1alpha1.WorkloadPolicySpec{Rollout: &v1alpha1.Rollout{}}}}
	out := rollout.Out{Cells: map[string][]v1alpha1.RolloutCell{"p": {{Namespace: "", Control: "rbac-wildcards"}, {Namespace: "tidy", Control: "privileged"}}}}
	f := rolloutFlags{namespaces: []string{rollout.Place("")}}
	if all := f.choose(policies, out, nil); len(all) != 1 || len(all[0].Cells) != 1 || all[0].Cells[0].Control != "rbac-wildcards" {
		t.Errorf("%+v", all)
	}
	if code, _, stderr := (&rolling{policy: ledPolicy}).call(t, "rollout", "-n", rollout.Place("")); code != exitOK {
		t.Errorf("exit %d: %s", code, stderr)
	}
}

// TestNotInstalled: a kind that is not there is another thing than a policy that is not.
func TestNotInstalled(t *testing.T) {
	kind := schema.GroupResource{Group: "hardgate.dev", Resource: "workloadpolicies"}
	const hint = "is hardgate installed in this cluster? See with: kubectl get crd workloadpolicies.hardgate.dev"
	if err := wayOut(apierrors.NewGenericServerResponse(http.StatusNotFound, "GET", kind, "", "", 0, true)); !strings.Contains(err.Error(), hint) {
		t.Error(err)
	}
	if err := wayOut(apierrors.NewNotFound(kind, "q")); strings.Contains(err.Error(), "installed") {
		t.Error(err)
	}
}
