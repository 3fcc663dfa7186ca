package policy_test

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"

	"github.com/hardgate-dev/hardgate/control"
	"github.com/hardgate-dev/hardgate/webhook/policy"
)

// pods calls test for every fixture with a pod: with its tree, the pod's spec in
// it and where that stands.
func pods(t *testing.T, test func(t *testing.T, f *fixture, tree, spec map[string]any, at string)) {
	t.Helper()
	count := 0
	for _, f := range fixtures(t) {
		kind, _ := unmarshal(t, f.json)["kind"].(string)
		where, ok := wrap[kind]
		if !ok {
			continue
		}
		count++
		t.Run(f.file, func(t *testing.T) {
			tree := unmarshal(t, f.json)
			spec, ok := down(tree, strings.Split(where.at, ".")...).(map[string]any)
			if !ok {
				t.Fatalf("no %s", where.at)
			}
			test(t, &f, tree, spec, where.at)
		})
	}
	if count < 300 {
		t.Errorf("%d fixtures have a pod", count)
	}
}

// A fault is the same in whatever list its container stands.
func TestSortsOfContainers(t *testing.T) {
	for _, from := range sorts {
		for _, to := range sorts {
			if from != to {
				t.Run(from+" to "+to, func(t *testing.T) { testMove(t, from, to) })
			}
		}
	}
}

func testMove(t *testing.T, from, to string) {
	t.Helper()
	moved := 0
	pods(t, func(t *testing.T, f *fixture, tree, spec map[string]any, at string) {
		t.Helper()
		before, _ := f.judgeTree(t, tree)
		source, _ := spec[from].([]any)
		target, _ := spec[to].([]any)
		if len(source) == 0 {
			return
		}
		want := lines(before.Findings)
		for i := range want {
			for index := range source {
				// No fixture has a number of containers that needs two digits.
				old := fmt.Sprintf("%s.%s[%d]", at, from, index)
				if rest, found := strings.CutPrefix(want[i], old); found {
					want[i] = fmt.Sprintf("%s.%s[%d]", at, to, len(target)+index) + rest
					moved++
					break
				}
			}
		}
		delete(spec, from)
		spec[to] = slices.Concat(target, source)
		after, _ := f.judgeTree(t, tree)
		got := lines(after.Findings)
		slices.Sort(want)
		slices.Sort(got)
		if after.Status != before.Status {
			t.Errorf("status is %s, was %s", after.Status, before.Status)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("findings (-want +got):\n%s", diff)
		}
	})
	if moved < 10 {
		t.Errorf("only %d findings were about a container that moved", moved)
	}
}

// unlike are the fixtures for which a pod and a template have different verdicts,
// by kind of the fixture: the API server has injected the token of an admitted
// pod and the scheduler has chosen its node, and nobody touches a template.
var unlike = map[string]string{
	"service-account-token/pass-admitted-nothing-injected.yaml":       "a pod shows that nothing was injected, a template does not",
	"service-account-token/fail-template-admitted.yaml":               "the same, seen from the template",
	"service-account-token/fail-template-account-true.yaml":           "the same, with an account that says true: nothing is injected into this pod",
	"service-account-token/fail-admitted-injected.yaml":               "in a template, a volume of that name is the user's own",
	"service-account-token/fail-admitted-injected-pod-true.yaml":      "in a template, a volume of that name is the user's own",
	"service-account-token/fail-admitted-injected-account-false.yaml": "in a template, a volume of that name is the user's own",
	"service-account-token/fail-exported-injected.yaml":               "in a template, a volume of that name is the user's own",
	"service-account-token/fail-injected-name-in-template.yaml":       "in a pod, a volume of that name is taken for the injected one",
	"service-account-token/fail-injected-name-other-path.yaml":        "a pod shows that nothing was injected, a template does not",
	"tainted-node-toleration/pass-node-stored.yaml":                   "the node of a pod that is there is the scheduler's choice, a template's is not",
	"tainted-node-toleration/fail-stored.yaml":                        "the same, with a toleration that is judged in both",
	"tainted-node-toleration/fail-node-template-stored.yaml":          "the same, seen from the template",
}

// byMetadata are the fixtures that pass for where they stand and what they are; the
// same pod in another object fails.
var byMetadata = map[string]bool{
	"tainted-node-toleration/pass-system-daemon-set.yaml":                     true,
	"tainted-node-toleration/pass-system-daemon-set-of-the-node-network.yaml": true,
	"tainted-node-toleration/pass-system-daemon-set-named.yaml":               true,
	"tainted-node-toleration/pass-system-daemon-pod.yaml":                     true,
}

func TestKinds(t *testing.T) {
	differs := map[string]bool{}
	pods(t, func(t *testing.T, f *fixture, tree, spec map[string]any, at string) {
		t.Helper()
		if f.policy.ID == "default-namespace" {
			return // not about the pod
		}
		here, _ := f.judgeTree(t, tree)
		if byMetadata[f.file] {
			if there, _ := f.judgeTree(t, wrap[tree["kind"].(string)].make(spec)); there.Status != control.Fail {
				t.Errorf("without its metadata it is %s", there.Status)
			}
			return
		}
		for kind, to := range wrap {
			there, s := f.judgeTree(t, to.make(spec))
			want := lines(here.Findings)
			for i := range want {
				rest, found := strings.CutPrefix(want[i], at)
				if !found {
					t.Errorf("%s is not below %s", want[i], at)
				}
				want[i] = to.at + rest
			}
			if s.Pod.Template != (kind != "Pod") {
				t.Errorf("%s: Template is %v", kind, s.Pod.Template)
			}
			if diff := cmp.Diff(want, lines(there.Findings)); diff == "" && here.Status == there.Status {
				continue
			} else if unlike[f.file] == "" {
				t.Errorf("%s is %s, a %s %s; findings (-want +got):\n%s", tree["kind"], here.Status, kind, there.Status, diff)
			}
			if unlike[f.file] != "" && (kind == "Pod") == (tree["kind"] == "Pod") {
				t.Errorf("differs in %s too, which is excused for %s only", kind, unlike[f.file])
			}
			differs[f.file] = true
		}
	})
	for file := range unlike {
		if !differs[file] {
			t.Errorf("%s is excused and has the same findings in every kind", file)
		}
	}
}

func TestFix(t *testing.T) {
	for _, f := range fixtures(t) {
		if f.policy.Fix == nil || f.status != control.Fail {
			continue
		}
		t.Run(f.file, func(t *testing.T) {
			before, s := f.judge(t, f.json)
			tree := unmarshal(t, f.json)
			if err := apply(tree, f.policy.Fix(s)); err != nil {
				t.Fatal(err)
			}
			after, s := f.judgeTree(t, tree)
			if got := outcome(before, after); got != f.fixed {
				t.Errorf("fixed: %s, want %s; findings left: %q", got, f.fixed, lines(after.Findings))
			}
			if more := f.policy.Fix(s); len(more) > 0 {
				t.Errorf("a second Fix returns %v", more)
			}
			if err := keeps("", unmarshal(t, f.json), tree); err != nil {
				t.Error(err)
			}
			if had := sames(before.Findings); !contains(had, sames(after.Findings)) {
				t.Errorf("Fix brings a new fault: %q, had %q", sames(after.Findings), had)
			}
		})
	}
}

func outcome(before, after policy.Verdict) string {
	switch {
	case after.Status == control.Pass:
		return "yes"
	case len(after.Findings) < len(before.Findings):
		return "partly"
	case cmp.Equal(before, after):
		return "no"
	}
	return "otherwise"
}

// A fix has nothing to do where nothing is wrong.
func TestFixOfWhatPasses(t *testing.T) {
	for _, f := range fixtures(t) {
		if f.policy.Fix == nil || f.status != control.Pass {
			continue
		}
		if _, s := f.judge(t, f.json); len(f.policy.Fix(s)) > 0 {
			t.Errorf("%s passes and is fixed: %v", f.file, f.policy.Fix(s))
		}
	}
}

func contains(all, some []string) bool {
	return !slices.ContainsFunc(some, func(s string) bool { return !slices.Contains(all, s) })
}

// What identifies a finding between versions of an object does not depend on the
// order of lists.
func TestSameInAnyOrder(t *testing.T) {
	pods(t, func(t *testing.T, f *fixture, tree, spec map[string]any, _ string) {
		t.Helper()
		before, _ := f.judgeTree(t, tree)
		for _, list := range append([]string{"volumes", "tolerations"}, sorts...) {
			elements, _ := spec[list].([]any)
			slices.Reverse(elements)
			for _, c := range elements {
				for _, inner := range []string{"ports", "env", "envFrom", "volumeMounts"} {
					more, _ := step(c, inner).([]any)
					slices.Reverse(more)
				}
				for _, inner := range []string{"add", "drop"} {
					more, _ := down(c, "securityContext", "capabilities", inner).([]any)
					slices.Reverse(more)
				}
			}
		}
		after, _ := f.judgeTree(t, tree)
		if diff := cmp.Diff(sames(before.Findings), sames(after.Findings)); diff != "" {
			t.Errorf("in reverse (-before +after):\n%s", diff)
		}
	})
}

// A second container with the faults of the first is a new fault; taking a
// container away is none.
func TestSameWithMoreAndFewerContainers(t *testing.T) {
	multiplied := 0
	pods(t, func(t *testing.T, f *fixture, tree, spec map[string]any, at string) {
		t.Helper()
		before, _ := f.judgeTree(t, tree)
		had := sames(before.Findings)
		for _, list := range sorts {
			containers, _ := spec[list].([]any)
			for i, c := range containers {
				own := map[string]bool{}
				for _, finding := range before.Findings {
					if strings.HasPrefix(finding.Path, at+"."+list+"["+strconv.Itoa(i)+"]") {
						own[finding.Same] = true
					}
				}
				twin := maps.Clone(c.(map[string]any))
				twin["name"] = "twin"
				spec[list] = slices.Concat(containers, []any{twin})
				after, _ := f.judgeTree(t, tree)
				now := sames(after.Findings)
				if !contains(now, had) || len(now) < len(had)+len(own) {
					t.Errorf("with a twin of %s[%d]: %q, before %q", list, i, now, had)
				}
				multiplied += len(own)

				spec[list] = slices.Concat(containers[:i:i], containers[i+1:])
				after, _ = f.judgeTree(t, tree)
				if now := sames(after.Findings); !contains(had, now) {
					t.Errorf("without %s[%d] there are new faults: %q, before %q", list, i, now, had)
				}
				spec[list] = containers
			}
		}
	})
	if multiplied < 100 {
		t.Errorf("only %d findings were about one container", multiplied)
	}
}

// An update that makes an object better brings no fault that the old object has
// not: it would be denied for it.
func TestImprovementsBringNoFault(t *testing.T) {
	tests := map[string]struct {
		id       control.ID
		old, new string
	}{
		"no more privileged, still nothing dropped": {
			"net-raw", `{"containers":[{"name":"a","securityContext":{"privileged":true}}]}`, `{"containers":[{"name":"a"}]}`,
		},
		"no more privileged, still some capabilities": {
			"assigned-capabilities", `{"containers":[{"name":"a","securityContext":{"privileged":true}}]}`, `{"containers":[{"name":"a"}]}`,
		},
		"no more user 0, still any user": {
			"run-as-root", `{"containers":[{"name":"a","securityContext":{"runAsUser":0}}]}`, `{"containers":[{"name":"a"}]}`,
		},
		"no more user 0, still not runAsNonRoot": {
			"run-as-root", `{"securityContext":{"runAsUser":0,"runAsNonRoot":false},"containers":[{"name":"a"}]}`, `{"securityContext":{"runAsNonRoot":false},"containers":[{"name":"a"}]}`,
		},
		"no more runAsNonRoot false, still unset": {
			"run-as-root", `{"securityContext":{"runAsNonRoot":false},"containers":[{"name":"a"}]}`, `{"containers":[{"name":"a"}]}`,
		},
		"no more Unconfined, still unset": {
			"seccomp", `{"securityContext":{"seccompProfile":{"type":"Unconfined"}},"containers":[{"name":"a"}]}`, `{"containers":[{"name":"a"}]}`,
		},
		"the last container overrides the pod": {
			"seccomp", `{"securityContext":{"seccompProfile":{"type":"Unconfined"}},"containers":[{"name":"a"}]}`,
			`{"securityContext":{"seccompProfile":{"type":"Unconfined"}},"containers":[{"name":"a","securityContext":{"seccompProfile":{"type":"RuntimeDefault"}}}]}`,
		},
		"a container of a bad pod gets better": {
			"seccomp", `{"securityContext":{"seccompProfile":{"type":"Unconfined"}},"containers":[{"name":"a","securityContext":{"seccompProfile":{"type":"Unconfined"}}}]}`,
			`{"securityContext":{"seccompProfile":{"type":"Unconfined"}},"containers":[{"name":"a","securityContext":{"seccompProfile":{"type":"RuntimeDefault"}}}]}`,
		},
		"a host port less":        {"host-ports", `{"containers":[{"name":"a","ports":[{"hostPort":1},{"hostPort":2}]}]}`, `{"containers":[{"name":"a","ports":[{"hostPort":2}]}]}`},
		"a capability less":       {"added-capabilities", `{"containers":[{"name":"a","securityContext":{"capabilities":{"add":["A","B"]}}}]}`, `{"containers":[{"name":"a","securityContext":{"capabilities":{"add":["b"]}}}]}`},
		"a volume less":           {"host-path", `{"volumes":[{"name":"a","hostPath":{"path":"/a"}},{"name":"b","hostPath":{"path":"/b"}}]}`, `{"volumes":[{"name":"b","hostPath":{"path":"/b"}}]}`},
		"a variable less":         {"secrets-as-env", `{"containers":[{"name":"a","env":[{"name":"x","valueFrom":{"secretKeyRef":{}}},{"name":"y","valueFrom":{"secretKeyRef":{}}}]}]}`, `{"containers":[{"name":"a","env":[{"name":"y","valueFrom":{"secretKeyRef":{}}}]}]}`},
		"false instead of unset":  {"privilege-escalation", `{"containers":[{"name":"a"},{"name":"b"}]}`, `{"containers":[{"name":"a","securityContext":{"allowPrivilegeEscalation":false}},{"name":"b"}]}`},
		"labels, nothing else":    {"security-context", `{"containers":[{"name":"a"}]}`, `{"containers":[{"name":"a"}]}`},
		"off the hosts namespace": {"host-pid", `{"hostPID":true}`, `{}`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			p, ok := policy.Get(tt.id)
			if !ok {
				t.Fatalf("no policy %s", tt.id)
			}
			f := fixture{policy: p}
			before, _ := f.judge(t, []byte(`{"apiVersion":"v1","kind":"Pod","spec":`+tt.old+`}`))
			after, _ := f.judge(t, []byte(`{"apiVersion":"v1","kind":"Pod","spec":`+tt.new+`}`))
			if len(before.Findings) == 0 {
				t.Error("the old object has no fault")
			}
			if had, now := sames(before.Findings), sames(after.Findings); !contains(had, now) {
				t.Errorf("new faults: %q, before %q", now, had)
			}
		})
	}
}

// An update that makes an object worse brings a fault that the old object has not,
// even where it failed before: an old fault is no cover.
func TestNoCover(t *testing.T) {
	tests := map[string]struct {
		id       control.ID
		old, new string
	}{
		"privileged on top of a default set": {"assigned-capabilities", `{"containers":[{"name":"a"}]}`, `{"containers":[{"name":"a","securityContext":{"privileged":true}}]}`},
		"user 0 on top of any user":          {"run-as-root", `{"containers":[{"name":"a"}]}`, `{"containers":[{"name":"a","securityContext":{"runAsUser":0}}]}`},
		"a container that inherits":          {"seccomp", `{"securityContext":{"seccompProfile":{"type":"Unconfined"}},"containers":[{"name":"a"}]}`, `{"securityContext":{"seccompProfile":{"type":"Unconfined"}},"containers":[{"name":"a"},{"name":"b"}]}`},
		"an ephemeral container":             {"privileged", `{"containers":[{"name":"a","securityContext":{"privileged":true}}]}`, `{"containers":[{"name":"a","securityContext":{"privileged":true}}],"ephemeralContainers":[{"name":"b","securityContext":{"privileged":true}}]}`},
		"another host port":                  {"host-ports", `{"containers":[{"name":"a","ports":[{"hostPort":1}]}]}`, `{"containers":[{"name":"a","ports":[{"hostPort":2}]}]}`},
		"another path":                       {"host-path", `{"volumes":[{"name":"a","hostPath":{"path":"/a"}}]}`, `{"volumes":[{"name":"a","hostPath":{"path":"/"}}]}`},
		"another capability":                 {"added-capabilities", `{"containers":[{"name":"a","securityContext":{"capabilities":{"add":["CHOWN"]}}}]}`, `{"containers":[{"name":"a","securityContext":{"capabilities":{"add":["SYS_ADMIN"]}}}]}`},
		"another secret":                     {"secrets-as-env", `{"containers":[{"name":"a","envFrom":[{"secretRef":{"name":"a"}}]}]}`, `{"containers":[{"name":"a","envFrom":[{"secretRef":{"name":"b"}}]}]}`},
		"NET_RAW added on top":               {"net-raw", `{"containers":[{"name":"a"}]}`, `{"containers":[{"name":"a","securityContext":{"capabilities":{"add":["net_raw"]}}}]}`},
		"another token":                      {"service-account-token", `{"automountServiceAccountToken":true}`, `{"automountServiceAccountToken":true,"volumes":[{"name":"t","projected":{"sources":[{"serviceAccountToken":{"path":"t"}}]}}]}`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			p, ok := policy.Get(tt.id)
			if !ok {
				t.Fatalf("no policy %s", tt.id)
			}
			f := fixture{policy: p}
			before, _ := f.judge(t, []byte(`{"apiVersion":"v1","kind":"Pod","spec":`+tt.old+`}`))
			after, _ := f.judge(t, []byte(`{"apiVersion":"v1","kind":"Pod","spec":`+tt.new+`}`))
			if had, now := sames(before.Findings), sames(after.Findings); len(had) == 0 || contains(had, now) {
				t.Errorf("no new fault: %q, before %q", now, had)
			}
		})
	}
}

// typesOf are the API's own types, to which a finding's path must belong.
var typesOf = map[string]reflect.Type{
	"Pod": reflect.TypeFor[corev1.Pod](), "ServiceAccount": reflect.TypeFor[corev1.ServiceAccount](),
	"Deployment": reflect.TypeFor[appsv1.Deployment](), "CronJob": reflect.TypeFor[batchv1.CronJob](),
}

// Every finding says where and what, its path is a field of the API, and the list
// elements on the way are in the object.
func TestFindingsAreComplete(t *testing.T) {
	for _, f := range fixtures(t) {
		t.Run(f.file, func(t *testing.T) {
			verdict, _ := f.judge(t, f.json)
			tree := unmarshal(t, f.json)
			for _, finding := range verdict.Findings {
				if finding.Path == "" || finding.Detail == "" || finding.Same == "" || strings.Contains(finding.Detail, "%!") {
					t.Errorf("incomplete: %+v", finding)
				}
				kind, _ := tree["kind"].(string)
				typ, known := typesOf[kind]
				var node any = tree
				for _, name := range pointer(finding.Path) {
					node = step(node, name)
					if _, err := strconv.Atoi(name); err == nil && node == nil {
						t.Errorf("%s: element %s is not in the object", finding.Path, name)
					}
					if known {
						if typ = field(typ, name); typ == nil {
							t.Errorf("%s: %s is no field of %s", finding.Path, name, kind)
							break
						}
					}
				}
			}
		})
	}
}

// field is the type of a field or of a list's elements; nil where it has none.
func field(t reflect.Type, name string) reflect.Type {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t.Kind() == reflect.Slice {
		return t.Elem()
	}
	if t.Kind() != reflect.Struct {
		return nil
	}
	for f := range t.Fields() {
		tag, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if tag == name {
			return f.Type
		}
		if f.Anonymous && tag == "" {
			if inner := field(f.Type, name); inner != nil {
				return inner
			}
		}
	}
	return nil
}
