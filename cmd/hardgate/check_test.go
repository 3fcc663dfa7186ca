package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"

	"github.com/hardgate-dev/hardgate/control"
	"github.com/hardgate-dev/hardgate/report"
)

// good fails nothing. Its image is judged by nothing without parameters.
const good = `apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec:
  template:
    spec:
      serviceAccountName: web
      securityContext: {runAsNonRoot: true, seccompProfile: {type: RuntimeDefault}}
      containers:
      - name: web
        image: registry.example.com/web
        securityContext: {allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: web, namespace: shop}
automountServiceAccountToken: false
`

var (
	fails = strings.Replace(good, "allowPrivilegeEscalation: false", "privileged: yes", 1)
	wrong = strings.Replace(good, "allowPrivilegeEscalation: false", `privileged: "true"`, 1)
	twice = strings.Replace(good, "      containers:", "      securityContext: {}\n      containers:", 1)
)

func TestCheck(t *testing.T) {
	const notBool = `Deployment "web": spec.template.spec.containers[0].securityContext.privileged: a string where true or false should be`
	policies := map[string]string{
		"web.yaml":  good,
		"off.yaml":  "apiVersion: hardgate.dev/v1alpha1\nkind: WorkloadPolicy\nmetadata: {name: none}\nspec: {mode: \"Off\"}\n",
		"img.yaml":  "apiVersion: hardgate.dev/v1alpha1\nkind: WorkloadPolicy\nmetadata: {name: img}\nspec: {controls: [{id: image-provenance, mode: Enforce, parameters: {requireDigest: true}}]}\n",
		"bad.yaml":  "apiVersion: hardgate.dev/v1alpha1\nkind: WorkloadPolicy\nmetadata: {name: bad}\nspec: {controls: [{id: privleged, mode: Wran}]}\n",
		"slip.yaml": "apiVersion: hardgate.dev/v1alpha1\nkind: WorkloadPolicy\nmetadata: {name: slip}\nspec: {contrls: []}\n",
		"none.yaml": "# none\n",
	}
	tests := map[string]struct {
		files    map[string]string
		stdin    string
		args     []string
		code     int
		stderr   string
		statuses string // of the summary, without zeros
	}{
		"passes":          {files: map[string]string{"w.yaml": good}, args: []string{"-f", "w.yaml"}, statuses: "Manual 1, NotApplicable 1, Pass 20"},
		"fails":           {files: map[string]string{"w.yaml": fails}, args: []string{"-f", "w.yaml"}, code: 1, statuses: "Fail 4, Manual 1, NotApplicable 1, Pass 16"},
		"standard input":  {stdin: fails, args: []string{"-f", "-"}, code: 1, statuses: "Fail 4, Manual 1, NotApplicable 1, Pass 16"},
		"directory":       {files: map[string]string{"a.yaml": good, "b.yml": fails}, args: []string{"-f", "."}, code: 1, statuses: "Fail 4, Manual 2, NotApplicable 2, Pass 36"},
		"the same twice":  {files: map[string]string{"w.yaml": fails + "---\n" + fails}, args: []string{"-f", "w.yaml"}, code: 1, statuses: "Fail 8, Manual 2, NotApplicable 2, Pass 32"},
		"one control":     {files: map[string]string{"w.yaml": fails}, args: []string{"-f", "w.yaml", "--control", "host-pid,host-ipc"}, statuses: "Pass 2"},
		"empty list":      {stdin: `{"apiVersion":"v1","kind":"List","items":[]}`, args: []string{"-f", "-"}},
		"Unknown is fine": {stdin: "apiVersion: x.dev/v1\nkind: X\nmetadata: {name: x}\n", args: []string{"-f", "-", "-n", "default"}, statuses: "Unknown 1"},
		"wrong type": {
			files: map[string]string{"w.yaml": good + "---\n" + wrong}, args: []string{"-f", "w.yaml"}, code: 2,
			stderr: "hardgate: w.yaml#2: " + notBool + "\n", statuses: "Manual 1, NotApplicable 2, Pass 21",
		},
		"name twice": {
			files: map[string]string{"w.yaml": twice}, args: []string{"-f", "w.yaml"}, code: 2,
			stderr:   "hardgate: w.yaml#0: line 9: the name \"securityContext\" is given twice, first in line 8\n",
			statuses: "NotApplicable 1, Pass 1",
		},
		"everything bad is named, everything good is judged": {
			files: map[string]string{"a.yaml": "a: b: c", "b.yaml": wrong, "c.yaml": fails}, args: []string{"-f", "a.yaml", "-f", "gone", "-f", "b.yaml", "-f", "c.yaml"}, code: 2,
			stderr: "hardgate: a.yaml#0: mapping values are not allowed in this context\nhardgate: gone: no such file or directory\n" +
				"hardgate: b.yaml#0: " + notBool + "\n",
			statuses: "Fail 4, Manual 1, NotApplicable 2, Pass 17",
		},
		"unknown version": {
			stdin: strings.Replace(good, "apps/v1", "apps/v9", 1), args: []string{"-f", "-"}, code: 2,
			stderr: "hardgate: -#0: Deployment: unknown version \"apps/v9\" of Deployment\n", statuses: "NotApplicable 1, Pass 1",
		},
		"empty file":  {files: map[string]string{"w.yaml": ""}, args: []string{"-f", "w.yaml"}, code: 2, stderr: "hardgate: no manifest in the input\n"},
		"empty stdin": {args: []string{"-f", "-"}, code: 2, stderr: "hardgate: no manifest in the input\n"},
		"binary":      {files: map[string]string{"w.yaml": "\x7fELF\xff"}, args: []string{"-f", "w.yaml"}, code: 2, stderr: "hardgate: w.yaml: not a text file in UTF-8\n"},
		"escapes in an error": {
			stdin: "apiVersion: v1\nkind: \"P\\e[31m\"\nitems: []\n", args: []string{"-f", "-"}, code: 2,
			stderr: "hardgate: -#0: the P\\u{1b}[31m has items: kubectl would take it for a list\n",
		},
		"policy":         {files: policies, args: []string{"-f", "web.yaml", "--policy", "img.yaml"}, code: 1, statuses: "Fail 1, NotApplicable 1, Pass 20"},
		"everything off": {files: policies, args: []string{"-f", "web.yaml", "--policy", "off.yaml"}},
		"policies in the input are objects": {
			files: policies, args: []string{"-f", "off.yaml", "-n", "default"}, statuses: "NotApplicable 1",
		},
		"bad policy": {
			files: policies, args: []string{"-f", "web.yaml", "--policy", "bad.yaml", "--policy", "slip.yaml"}, code: 2,
			stderr: "hardgate: bad.yaml#0: spec.controls[0].id: unknown control \"privleged\", did you mean \"privileged\"?\n" +
				"hardgate: bad.yaml#0: spec.controls[0].mode: unknown mode \"Wran\", did you mean \"Warn\"?\n" +
				"hardgate: slip.yaml#0: spec.contrls: unknown field, did you mean \"controls\"?\n",
			statuses: "no output",
		},
		"policy twice": {
			files: policies, args: []string{"-f", "web.yaml", "--policy", "off.yaml", "--policy", "off.yaml"}, code: 2,
			stderr: "hardgate: off.yaml#0: WorkloadPolicy \"none\" is in off.yaml#0 already\n", statuses: "no output",
		},
		"no policy": {
			files: policies, args: []string{"-f", "web.yaml", "--policy", "none.yaml"}, code: 2,
			stderr: "hardgate: --policy: no WorkloadPolicy in the input\n", statuses: "no output",
		},
		"policy of another kind": {
			files: policies, args: []string{"-f", "web.yaml", "--policy", "web.yaml"}, code: 2,
			stderr:   "hardgate: web.yaml#0: a Deployment where a WorkloadPolicy should be\nhardgate: web.yaml#1: a ServiceAccount where a WorkloadPolicy should be\n",
			statuses: "no output",
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			code, stdout, stderr := call(t, tt.files, tt.stdin, append([]string{"check", "-o", "json"}, tt.args...)...)
			if code != tt.code {
				t.Errorf("exit %d, want %d", code, tt.code)
			}
			if diff := cmp.Diff(tt.stderr, stderr); diff != "" {
				t.Errorf("stderr (-want +got):\n%s", diff)
			}
			if got := statuses(t, stdout); got != tt.statuses {
				t.Errorf("summary is %q, want %q", got, tt.statuses)
			}
		})
	}
}

func statuses(t *testing.T, stdout string) string {
	t.Helper()
	if stdout == "" {
		return "no output"
	}
	var r report.Report
	if err := json.Unmarshal([]byte(stdout), &r); err != nil {
		t.Fatalf("the output is no JSON: %v", err)
	}
	var counts []string
	for _, status := range []string{"Exempt", "Fail", "Manual", "NotApplicable", "Pass", "Unknown"} {
		for s, n := range r.Summary.Statuses {
			if string(s) == status && n > 0 {
				counts = append(counts, fmt.Sprintf("%s %d", status, n))
			}
		}
	}
	return strings.Join(counts, ", ")
}

func TestCheckTable(t *testing.T) {
	code, stdout, stderr := call(t, map[string]string{"w.yaml": fails}, "", "check", "-f", "w.yaml", "--control", "privileged,host-pid")
	c, _ := control.Get("privileged")
	want := fmt.Sprintf(`Deployment shop/web  (w.yaml#0)
  Fail  5.2.2  privileged  %s
               spec.template.spec.containers[0].securityContext.privileged: privileged is true
               mend: %s

2 objects in 2 documents of 1 file: 1 Fail, 1 Pass
`, c.Title.EN, c.Remedy.EN)
	if diff := cmp.Diff(want, stdout); diff != "" || code != 1 || stderr != "" {
		t.Errorf("exit %d, stderr %q, output (-want +got):\n%s", code, stderr, diff)
	}
}

func TestCheckTableInKorean(t *testing.T) {
	_, stdout, _ := call(t, map[string]string{"w.yaml": fails}, "", "check", "-f", "w.yaml", "--control", "privileged", "--lang", "ko")
	c, _ := control.Get("privileged")
	want := fmt.Sprintf(`Deployment shop/web  (w.yaml#0)
  Fail  5.2.2  privileged  %s
               spec.template.spec.containers[0].securityContext.privileged: privileged is true
               조치: %s

파일 1개, 문서 2개, 오브젝트 2개: Fail 1, Pass 0
`, c.Title.KO, c.Remedy.KO)
	if diff := cmp.Diff(want, stdout); diff != "" {
		t.Errorf("output (-want +got):\n%s", diff)
	}
}

// TestCheckYAML: the YAML is the JSON in another coat.
func TestCheckYAML(t *testing.T) {
	_, asJSON, _ := call(t, nil, fails, "check", "-f", "-", "-o", "json")
	_, asYAML, _ := call(t, nil, fails, "check", "-f", "-", "-o", "yaml")
	var want, got any
	if err := json.Unmarshal([]byte(asJSON), &want); err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal([]byte(asYAML), &got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-json +yaml):\n%s", diff)
	}
}
