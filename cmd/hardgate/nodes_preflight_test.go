package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const everything = "[{operator: Exists}]"

// three are a DaemonSet that tolerates all, one for a time, and one that does not.
func three() http.HandlerFunc {
	return pages(
		"DaemonSet", set("logging", "fluent-bit", 12, "[]"),
		set("kube-system", "cni", 3, everything),
		set("kube-system", "meter", 3, "[{operator: Exists, effect: NoSchedule}, {operator: Exists, effect: NoExecute, tolerationSeconds: 300}]"),
	)
}

func TestPreflight(t *testing.T) {
	const mend = "One that must run on such a node needs this in spec.template.spec.tolerations, before what is there:\n"
	forbidden := refuse(http.StatusForbidden, "Forbidden", `nodepolicies.hardgate.dev is forbidden: User "eve" cannot list`)
	tests := map[string]struct {
		policies http.HandlerFunc // nil: the cluster does not know them
		sets     http.HandlerFunc
		args     []string
		code     int
		stdout   string
		stderr   []string // each is in it; none: it is empty
	}{
		"policies evict, and trust nobody": {
			policies: pages("NodePolicy", nodePolicy("all", "{mode: Audit, effect: NoExecute}"), nodePolicy("new", "{effect: NoExecute, untrustedUntilChecked: true}")),
			sets:     three(),
			code:     1,
			stdout: `NAMESPACE    NAME        PODS  NOT TOLERATED
kube-system  meter       3     hardgate.dev/drifted:NoExecute (evicted after 300s)
logging      fluent-bit  12    hardgate.dev/drifted:NoExecute (evicted), hardgate.dev/unverified:NoSchedule

DaemonSets that do not tolerate hardgate.dev/drifted:NoExecute, hardgate.dev/unverified:NoSchedule: 2 of 3.
` + mend + `- key: hardgate.dev/drifted
  operator: Exists
- key: hardgate.dev/unverified
  operator: Exists
`,
		},
		"in Korean": {
			policies: pages("NodePolicy", nodePolicy("all", "{effect: NoExecute}")),
			sets:     three(),
			args:     []string{"--lang", "ko"},
			code:     1,
			stdout: `NAMESPACE    NAME        PODS  NOT TOLERATED
kube-system  meter       3     hardgate.dev/drifted:NoExecute (300초 뒤 축출됨)
logging      fluent-bit  12    hardgate.dev/drifted:NoExecute (축출됨)

DaemonSet 3개 중 2개가 hardgate.dev/drifted:NoExecute 테인트를 용인하지 않습니다.
이 테인트가 설정된 노드에서도 실행되어야 하는 DaemonSet에는 spec.template.spec.tolerations의 맨 앞에 다음을 추가하십시오.
- key: hardgate.dev/drifted
  operator: Exists
`,
		},
		"no policy": {
			policies: pages("NodePolicy"), sets: three(), code: 1,
			stdout: `NAMESPACE  NAME        PODS  NOT TOLERATED
logging    fluent-bit  12    hardgate.dev/drifted:NoSchedule

DaemonSets that do not tolerate hardgate.dev/drifted:NoSchedule: 1 of 3.
` + mend + "- key: hardgate.dev/drifted\n  operator: Exists\n",
			stderr: []string{"hardgate: note: there is no NodePolicy to go by: a policy sets hardgate.dev/drifted:NoSchedule unless it says otherwise\n"},
		},
		"no kind of that name": {
			sets:   pages("DaemonSet", set("kube-system", "cni", 3, everything)),
			stdout: "Every DaemonSet (1) tolerates hardgate.dev/drifted:NoSchedule: nothing to do.\n",
			stderr: []string{"hardgate: note: the cluster does not know NodePolicies: a policy sets hardgate.dev/drifted:NoSchedule unless it says otherwise\n"},
		},
		"policies are forbidden": {
			policies: forbidden, sets: pages("DaemonSet", set("kube-system", "cni", 3, everything)),
			args:   []string{"--lang", "ko"},
			stdout: "DaemonSet 1개가 모두 hardgate.dev/drifted:NoSchedule, hardgate.dev/unverified:NoSchedule 테인트를 용인합니다. 조치할 것이 없습니다.\n",
			stderr: []string{"hardgate: note: NodePolicies may not be read: hardgate.dev/drifted:NoSchedule, hardgate.dev/unverified:NoSchedule are assumed; ", `User "eve" cannot list`},
		},
		"named taints": {
			policies: forbidden, // they are not asked for
			sets:     pages("DaemonSet", set("a", "equal", 0, "[{key: example.com/hardgate-drifted, value: x}]"), set("a", "other", 1, "[{key: example.com/hardgate-drifted, value: z}]")),
			args:     []string{"--taint", "example.com/hardgate-drifted=x:NoExecute", "--taint", "example.com/hardgate-drifted=x:NoSchedule"},
			code:     1,
			stdout: `NAMESPACE  NAME   PODS  NOT TOLERATED
a          other  1     example.com/hardgate-drifted=x:NoExecute (evicted), example.com/hardgate-drifted=x:NoSchedule

DaemonSets that do not tolerate example.com/hardgate-drifted=x:NoExecute, example.com/hardgate-drifted=x:NoSchedule: 1 of 2.
` + mend + "- key: example.com/hardgate-drifted\n  operator: Equal\n  value: \"x\"\n",
		},
		"no DaemonSet": {
			policies: pages("NodePolicy", nodePolicy("all", "{}")), sets: pages("DaemonSet"),
			stdout: "There are no DaemonSets: nothing to do.\n",
		},
		"a policy is not understood": {
			policies: pages("NodePolicy", nodePolicy("good", "{}"), nodePolicy("bad", "{efect: NoExecute, mode: Enfroce}")), sets: three(), code: 2,
			stdout: `NAMESPACE  NAME        PODS  NOT TOLERATED
logging    fluent-bit  12    hardgate.dev/drifted:NoSchedule

DaemonSets that do not tolerate hardgate.dev/drifted:NoSchedule: 1 of 3.
` + mend + "- key: hardgate.dev/drifted\n  operator: Exists\n",
			stderr: []string{`hardgate: NodePolicy bad is not understood, and the taints it would set are not known: spec.efect: unknown field, did you mean "effect"?; spec.mode: `},
		},
		"policies cannot be had": {
			policies: refuse(http.StatusInternalServerError, "InternalError", "etcdserver: no leader"), sets: three(), code: 2,
			stderr: []string{" for every NodePolicy: etcdserver: no leader\n"},
		},
		"DaemonSets are forbidden": {
			policies: pages("NodePolicy", nodePolicy("all", "{}")), code: 2,
			sets:   refuse(http.StatusForbidden, "Forbidden", `daemonsets.apps is forbidden: User "eve" cannot list resource "daemonsets"`),
			stderr: []string{`User "eve" cannot list`, "the right to list daemonsets is needed; test it with: kubectl auth can-i list daemonsets.apps -A\n"},
		},
		"credentials are refused": {
			policies: refuse(http.StatusUnauthorized, "Unauthorized", "Unauthorized"), code: 2,
			stderr: []string{": Unauthorized: log in anew, or choose other credentials with --context or --kubeconfig\n"},
		},
		"no API server": {
			policies: func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "<html>Sign in</html>") }, code: 2,
			stderr: []string{"reading the answer: invalid character '<'"},
		},
		"something else than a list": {
			policies: pages("NodePolicy", nodePolicy("all", "{}")), sets: pages("Deployment"), code: 2,
			stderr: []string{`reading the answer: a "DeploymentList" where a list of DaemonSets should be`},
		},
		"a DaemonSet of another shape": {
			policies: pages("NodePolicy", nodePolicy("all", "{}")), sets: pages("DaemonSet", "metadata: {namespace: a, name: b}\nspec: {template: {spec: {tolerations: {operator: Exists}}}}"), code: 2,
			stderr: []string{"reading DaemonSet a/b: "},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			handlers := map[string]http.HandlerFunc{}
			for path, h := range map[string]http.HandlerFunc{policiesPath: tt.policies, setsPath: tt.sets} {
				if h != nil {
					handlers[path] = h
				}
			}
			code, stdout, stderr := newAnswering(t, handlers).preflight(t, tt.args...)
			if diff := cmp.Diff(tt.stdout, stdout); code != tt.code || diff != "" {
				t.Errorf("exit %d, want %d, output (-want +got):\n%s", code, tt.code, diff)
			}
			for _, want := range tt.stderr {
				if !strings.Contains(stderr, want) {
					t.Errorf("stderr does not say %q: %s", want, stderr)
				}
			}
			if lines := strings.Count(stderr, "\n"); lines != min(len(tt.stderr), 1) {
				t.Errorf("%d lines on stderr: %s", lines, stderr)
			}
		})
	}
}

// A program finds in JSON and YAML what a person finds in the table.
func TestPreflightJSON(t *testing.T) {
	a := newAnswering(t, map[string]http.HandlerFunc{
		policiesPath: pages("NodePolicy", nodePolicy("all", "{effect: NoExecute}")), setsPath: three(),
	})
	want := `{
  "taints": [
    {
      "key": "hardgate.dev/drifted",
      "effect": "NoExecute"
    }
  ],
  "taintsFrom": "nodePolicies",
  "daemonSets": [
    {
      "namespace": "kube-system",
      "name": "meter",
      "pods": 3,
      "notTolerated": [
        {
          "key": "hardgate.dev/drifted",
          "effect": "NoExecute",
          "evicts": true,
          "afterSeconds": 300
        }
      ]
    },
    {
      "namespace": "logging",
      "name": "fluent-bit",
      "pods": 12,
      "notTolerated": [
        {
          "key": "hardgate.dev/drifted",
          "effect": "NoExecute",
          "evicts": true
        }
      ]
    }
  ],
  "tolerations": [
    {
      "key": "hardgate.dev/drifted",
      "operator": "Exists"
    }
  ],
  "summary": {
    "daemonSets": 3,
    "notTolerating": 2
  }
}
`
	code, stdout, stderr := a.preflight(t, "-o", "json")
	if diff := cmp.Diff(want, stdout); code != 1 || stderr != "" || diff != "" {
		t.Errorf("exit %d, stderr %q, output (-want +got):\n%s", code, stderr, diff)
	}
	code, stdout, _ = a.preflight(t, "-o", "yaml")
	if code != 1 || !strings.Contains(stdout, "  - afterSeconds: 300\n") {
		t.Errorf("exit %d, output %s", code, stdout)
	}
	// Where nothing is found there are empty lists, not null.
	a.handlers[setsPath] = pages("DaemonSet")
	code, stdout, _ = a.preflight(t, "-o", "json")
	var r map[string]json.RawMessage
	if err := json.Unmarshal([]byte(stdout), &r); code != 0 || err != nil || string(r["daemonSets"]) != "[]" || string(r["tolerations"]) != "[]" {
		t.Errorf("exit %d, output %s", code, stdout)
	}
}
