package main

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hardgate-dev/hardgate/control"
	"github.com/hardgate-dev/hardgate/report"
)

// exemptionOf writes an Exemption of what spec says, which ends after that time.
func exemptionOf(name, spec string, after time.Duration) string {
	return "apiVersion: hardgate.dev/v1alpha1\nkind: Exemption\nmetadata: {name: " + name + "}\nspec: {" + spec +
		", reason: on purpose, owner: team, expires: \"" + time.Now().Add(after).UTC().Format(time.RFC3339) + "\"}\n"
}

const month = 30 * 24 * time.Hour

// failing fails privileged in two containers.
const failing = `apiVersion: v1
kind: Pod
metadata: {name: web-1, namespace: shop}
spec:
  containers:
  - {name: a, image: registry.example.com/a, securityContext: {privileged: true}}
  - {name: b, image: registry.example.com/b, securityContext: {privileged: true}}
`

func TestCheckExemption(t *testing.T) {
	const shop = "controls: [privileged], objects: {namespaces: [shop], names: ['web-*']"
	both := exemptionOf("both", shop+"}", month)
	node := exemptionOf("node", "controls: [ssh-x11], nodes: {names: [n1]}", month)
	tests := map[string]struct {
		files  map[string]string
		args   []string
		stdin  string
		code   int
		status string // of the one result
		stderr string // a part
	}{
		"exempt":              {files: map[string]string{"e.yaml": both}, args: []string{"--exemption", "e.yaml"}, status: "Exempt by both"},
		"a directory":         {files: map[string]string{"e.yaml": both + "---\n" + node}, args: []string{"--exemption", "."}, code: 2, stderr: "hardgate: p.yaml#0: a Pod where an Exemption should be\n"},
		"standard input":      {stdin: both + "---\n" + node, args: []string{"--exemption", "-"}, status: "Exempt by both"},
		"of two":              {files: map[string]string{"e.yaml": node, "f.yaml": both}, args: []string{"--exemption", "e.yaml", "--exemption", "f.yaml"}, status: "Exempt by both"},
		"of nodes alone":      {files: map[string]string{"e.yaml": node}, args: []string{"--exemption", "e.yaml"}, code: 1, status: "Fail"},
		"a part of it":        {files: map[string]string{"e.yaml": exemptionOf("a", shop+", images: [registry.example.com/a]}", month)}, args: []string{"--exemption", "e.yaml"}, code: 1, status: "Fail a:0"},
		"ended":               {files: map[string]string{"e.yaml": exemptionOf("old", shop+"}", -time.Second)}, args: []string{"--exemption", "e.yaml"}, code: 1, status: "Fail", stderr: "hardgate: warning: e.yaml#0: Exemption old: spec.expires: "},
		"ends within a week":  {files: map[string]string{"e.yaml": exemptionOf("soon", shop+"}", 6*24*time.Hour)}, args: []string{"--exemption", "e.yaml"}, status: "Exempt by soon", stderr: " is within a week\n"},
		"among the manifests": {files: map[string]string{"e.yaml": both}, args: []string{"-f", "e.yaml"}, code: 1, status: "Fail"},
		"misspelt":            {files: map[string]string{"e.yaml": strings.Replace(both, "privileged", "privleged", 1)}, args: []string{"--exemption", "e.yaml"}, code: 2, stderr: "hardgate: e.yaml#0: spec.controls[0]: no control \"privleged\" is judged on nodes or objects, did you mean \"privileged\"?\n"},
		"unknown field":       {files: map[string]string{"e.yaml": strings.Replace(both, "names:", "nmaes:", 1)}, args: []string{"--exemption", "e.yaml"}, code: 2, stderr: "hardgate: e.yaml#0: spec.objects.nmaes: unknown field"},
		"no reason":           {files: map[string]string{"e.yaml": both + "---\n" + strings.Replace(both, "on purpose", "''", 1)}, args: []string{"--exemption", "e.yaml"}, code: 2, stderr: "hardgate: e.yaml#1: spec.reason: say why\n"},
		"among policies":      {files: map[string]string{"e.yaml": both}, args: []string{"--policy", "e.yaml"}, code: 2, stderr: "hardgate: e.yaml#0: an Exemption where a WorkloadPolicy should be\n"},
		"no name":             {files: map[string]string{"e.yaml": strings.Replace(both, "name: both", "labels: {}", 1)}, args: []string{"--exemption", "e.yaml"}, code: 2, stderr: "hardgate: e.yaml#0: metadata.name: say how it is called\n"},
		"twice":               {files: map[string]string{"e.yaml": both + "---\n" + both}, args: []string{"--exemption", "e.yaml"}, code: 2, stderr: "hardgate: e.yaml#1: Exemption \"both\" is in e.yaml#0 already\n"},
		"none":                {files: map[string]string{"e.yaml": "# none\n"}, args: []string{"--exemption", "e.yaml"}, code: 2, stderr: "hardgate: --exemption: no Exemption in the input\n"},
		"no such file":        {args: []string{"--exemption", "gone.yaml"}, code: 2, stderr: "hardgate: gone.yaml: no such file or directory\n"},
		"a bad policy as well": {
			files: map[string]string{"e.yaml": "kind: Exemption\n", "q.yaml": "apiVersion: hardgate.dev/v1alpha1\nkind: WorkloadPolicy\nmetadata: {name: q}\nspec: {mode: Wran}\n"},
			args:  []string{"--exemption", "e.yaml", "--policy", "q.yaml"}, code: 2, stderr: "hardgate: q.yaml#0: spec.mode: unknown mode \"Wran\", did you mean \"Warn\"?\nhardgate: e.yaml#0: ",
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if tt.files == nil {
				tt.files = map[string]string{}
			}
			tt.files["p.yaml"] = failing
			code, stdout, stderr := call(t, tt.files, tt.stdin, append([]string{"check", "-f", "p.yaml", "--control", "privileged", "-o", "json"}, tt.args...)...)
			if code != tt.code || !strings.Contains(stderr, tt.stderr) || tt.stderr == "" && stderr != "" {
				t.Errorf("exit %d, want %d; stderr %q, want %q", code, tt.code, stderr, tt.stderr)
			}
			if got := exempted(t, stdout); got != tt.status {
				t.Errorf("the result is %q, want %q", got, tt.status)
			}
		})
	}
}

// exempted says of the first result what status it has, by which Exemption, and which of
// its findings are exempt.
func exempted(t *testing.T, stdout string) string {
	t.Helper()
	if stdout == "" {
		return ""
	}
	var r report.Report
	if err := json.Unmarshal([]byte(stdout), &r); err != nil || len(r.Results) == 0 {
		t.Fatalf("%v in %s", err, stdout)
	}
	first := r.Results[0]
	said := string(first.Status)
	if first.Exemption != "" {
		return said + " by " + first.Exemption
	}
	for i, f := range first.Findings {
		if f.Exemption != "" {
			said += " " + f.Exemption + ":" + string(rune('0'+i))
		}
	}
	return said
}

func TestCheckExemptionTable(t *testing.T) {
	e := exemptionOf("team-a", "controls: [privileged], objects: {namespaces: [shop]}", month)
	code, stdout, stderr := call(t, map[string]string{"e.yaml": e, "p.yaml": failing}, "", "check", "-f", "p.yaml", "--control", "privileged", "--exemption", "e.yaml")
	c, _ := control.Get("privileged")
	want := "Pod shop/web-1  (p.yaml#0)\n  Exempt  5.2.2  privileged  " + c.Title.EN + `
                 spec.containers[0].securityContext.privileged: privileged is true; exempt by team-a
                 spec.containers[1].securityContext.privileged: privileged is true; exempt by team-a

1 object in 1 document of 1 file: 0 Fail, 0 Pass, 1 Exempt
`
	if diff := cmp.Diff(want, stdout); diff != "" || code != 0 || stderr != "" {
		t.Errorf("exit %d, stderr %q, output (-want +got):\n%s", code, stderr, diff)
	}
}

func TestNodeExemption(t *testing.T) {
	const byLabels = "controls: [perm-crontab], nodes: {selector: {matchLabels: {pool: old}}}"
	tests := map[string]struct {
		exemption string
		args      []string
		code      int
		said      string // of the first finding
		by        string
		stderr    string // a part
	}{
		"by the host's name": {exemption: exemptionOf("e", "controls: [perm-crontab], nodes: {names: [web-1]}", month), said: "exempt: on purpose (Exemption e)", by: "e"},
		"of another node":    {exemption: exemptionOf("e", "controls: [perm-crontab], nodes: {names: [web-11]}", month), code: 1},
		"named":              {exemption: exemptionOf("e", "controls: [perm-crontab], nodes: {names: [ip-10.example.com]}", month), args: []string{"--node-name", "ip-10.example.com"}, said: "exempt: on purpose (Exemption e)", by: "e"},
		"named otherwise":    {exemption: exemptionOf("e", "controls: [perm-crontab], nodes: {names: [web-1]}", month), args: []string{"--node-name", "web-2"}, code: 1},
		"another control":    {exemption: exemptionOf("e", "controls: [ssh-x11], nodes: {names: [web-1]}", month), code: 1},
		"every node":         {exemption: exemptionOf("e", "controls: [perm-crontab], nodes: {selector: {}}", month), said: "exempt: on purpose (Exemption e)", by: "e"},
		"of objects":         {exemption: exemptionOf("e", "controls: [privileged], objects: {namespaces: [shop]}", month), code: 1},
		"ended":              {exemption: exemptionOf("e", "controls: [perm-crontab], nodes: {names: [web-1]}", -time.Second), code: 1, stderr: "has passed: nothing is exempt\n"},
		"soon":               {exemption: exemptionOf("e", "controls: [perm-crontab], nodes: {names: [web-1]}", time.Hour), said: "exempt: on purpose (Exemption e)", by: "e", stderr: "is within a week\n"},
		"labels unknown":     {exemption: exemptionOf("e", byLabels, month), code: 1, stderr: "hardgate: note: Exemption e selects nodes by labels, which no file of a node says: give them with --node-label"},
		// Without labels this would match, and exempt what it does not in the cluster.
		"labels unknown, one must not be there": {exemption: exemptionOf("e", "controls: [perm-crontab], nodes: {selector: {matchExpressions: [{key: pool, operator: DoesNotExist}]}}", month), code: 1, stderr: "give them with --node-label"},
		"labels":                                {exemption: exemptionOf("e", byLabels, month), args: []string{"--node-label", "zone=a,pool=old"}, said: "exempt: on purpose (Exemption e)", by: "e"},
		"other labels":                          {exemption: exemptionOf("e", byLabels, month), args: []string{"--node-label", "pool=new"}, code: 1},
		"labels, and named":                     {exemption: exemptionOf("e", "controls: [perm-crontab], nodes: {names: [web-1], selector: {matchLabels: {pool: old}}}", month), said: "exempt: on purpose (Exemption e)", by: "e"},
		"said here":                             {exemption: exemptionOf("e", "controls: [perm-crontab], nodes: {names: [web-1]}", month), args: []string{"--exempt", "perm-crontab=here"}, said: "exempt: here"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			root := tree(t, map[string]string{"etc/crontab": "", "etc/hostname": "web-1\n"})
			args := append([]string{"node", "--root", root, "--control", "perm-crontab", "-o", "json", "--exemption", "e.yaml"}, tt.args...)
			code, stdout, stderr := call(t, map[string]string{"e.yaml": tt.exemption}, "", args...)
			if code != tt.code || !strings.Contains(stderr, tt.stderr) || tt.stderr == "" && stderr != "" {
				t.Errorf("exit %d, want %d; stderr %q, want %q", code, tt.code, stderr, tt.stderr)
			}
			var r report.Report
			if err := json.Unmarshal([]byte(stdout), &r); err != nil || len(r.Results) != 1 {
				t.Fatalf("%v in %q", err, stdout)
			}
			got := r.Results[0]
			if exempt := got.Status == control.Exempt; exempt != (tt.code == 0) || got.Exemption != tt.by || exempt && got.Findings[0].Detail != tt.said {
				t.Errorf("%s by %q: %+v", got.Status, got.Exemption, got.Findings)
			}
		})
	}
}

func TestNodeExemptionUsage(t *testing.T) {
	const see = " (see \"hardgate node --help\")\n"
	tests := map[string]struct {
		args []string
		want string
	}{
		"name alone":  {[]string{"--node-name", "n"}, "hardgate: --node-name and --node-label are for --exemption: name a file with it" + see},
		"label alone": {[]string{"--node-label", "a=b"}, "hardgate: --node-name and --node-label are for --exemption: name a file with it" + see},
		"no label":    {[]string{"--exemption", "e.yaml", "--node-label", "pool"}, "hardgate: --node-label: \"pool\" is no label: use KEY=VALUE" + see},
		"no node":     {[]string{"--exemption", "e.yaml", "--node-name", ""}, "hardgate: --node-name: no node is named" + see},
		"empty label": {[]string{"--exemption", "e.yaml", "--node-label", ""}, "hardgate: --node-label: no label is named" + see},
		"label twice": {[]string{"--exemption", "e.yaml", "--node-label", "pool=a,pool=b"}, "hardgate: --node-label: pool is given twice" + see},
		"no file":     {[]string{"--exemption", "e.yaml"}, "hardgate: e.yaml: no such file or directory\n"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			code, stdout, stderr := call(t, nil, "", append([]string{"node", "--root", "."}, tt.args...)...)
			if code != 2 || stdout != "" || stderr != tt.want {
				t.Errorf("exit %d, output %q, stderr %q", code, stdout, stderr)
			}
		})
	}
}
