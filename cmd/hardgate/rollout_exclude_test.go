package main

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// excluding is a policy that leaves out what is given, as JSON.
func excluding(exclude string) string {
	return strings.Replace(ledPolicy, `"rollout":{}`, `"rollout":{"exclude":`+exclude+`}`, 1)
}

func TestRolloutExclusion(t *testing.T) {
	const (
		others = " left as it was: not excluded by name\n"
		edit   = ": change it with kubectl edit workloadpolicy\n"
	)
	tests := map[string]struct {
		exclude string // of the policy
		args    string
		code    int
		says    string // all of stdout
		warns   string // all of stderr
		patch   string // of spec.rollout
	}{
		"exclude":                 {exclude: "null", args: "exclude untidy tidy", says: "p: all controls in tidy, untidy excluded\n", patch: `{"exclude":[{"namespaces":["tidy","untidy"]}]}`},
		"to others":               {exclude: `[{"controls":["privileged"]},{"namespaces":["a"]}]`, args: "exclude tidy", says: "p: all controls in tidy excluded\n", patch: `{"exclude":[{"controls":["privileged"]},{"namespaces":["a","tidy"]}]}`},
		"already":                 {exclude: `[{"namespaces":["a","tidy"]}]`, args: "exclude tidy tidy", says: "p: all controls in tidy excluded already\n"},
		"one of them already":     {exclude: `[{"namespaces":["tidy"]}]`, args: "exclude tidy untidy", says: "p: all controls in untidy excluded\np: all controls in tidy excluded already\n", patch: `{"exclude":[{"namespaces":["tidy","untidy"]}]}`},
		"some controls of it":     {exclude: `[{"namespaces":["tidy"],"controls":["privileged"]}]`, args: "exclude tidy", says: "p: all controls in tidy excluded\n", patch: `{"exclude":[{"namespaces":["tidy"],"controls":["privileged"]},{"namespaces":["tidy"]}]}`},
		"controls":                {exclude: "null", args: "exclude tidy --control privileged,host-pid", says: "p: privileged, host-pid in tidy excluded\n", patch: `{"exclude":[{"namespaces":["tidy"],"controls":["privileged","host-pid"]}]}`},
		"controls already":        {exclude: `[{"controls":["host-pid"]},{"namespaces":["tidy"],"controls":["privileged"]}]`, args: "exclude tidy --control privileged,host-pid", says: "p: privileged, host-pid in tidy excluded already\n"},
		"controls, all already":   {exclude: `[{"namespaces":["tidy"]}]`, args: "exclude tidy --control privileged", says: "p: privileged in tidy excluded already\n"},
		"a namespace to come":     {exclude: "null", args: "exclude tomorrow", says: "p: all controls in tomorrow excluded\n", warns: "hardgate: warning: there is no namespace \"tomorrow\": it is excluded when it is made\n", patch: `{"exclude":[{"namespaces":["tomorrow"]}]}`},
		"try":                     {exclude: "null", args: "exclude tidy --dry-run", says: "p: all controls in tidy excluded (dry run)\n", patch: `{"exclude":[{"namespaces":["tidy"]}]} (dry run)`},
		"include":                 {exclude: `[{"namespaces":["a","tidy"]}]`, args: "include tidy", says: "p: all controls in tidy included\n", patch: `{"exclude":[{"namespaces":["a"]}]}`},
		"the last":                {exclude: `[{"namespaces":["tidy"]}]`, args: "include tidy", says: "p: all controls in tidy included\n", patch: `{"exclude":null}`},
		"the last of one":         {exclude: `[{"namespaces":["tidy"]},{"controls":["host-pid"],"namespaces":["a"]}]`, args: "include tidy", says: "p: all controls in tidy included\n", patch: `{"exclude":[{"namespaces":["a"],"controls":["host-pid"]}]}`},
		"of all that name it":     {exclude: `[{"namespaces":["tidy"]},{"controls":["host-pid"],"namespaces":["a","tidy"]}]`, args: "include tidy", says: "p: all controls in tidy included\n", patch: `{"exclude":[{"namespaces":["a"],"controls":["host-pid"]}]}`},
		"one control of two":      {exclude: `[{"controls":["host-pid","privileged"],"namespaces":["a","tidy"]}]`, args: "include tidy --control privileged", says: "p: privileged in tidy included\n", patch: `{"exclude":[{"namespaces":["a"],"controls":["host-pid","privileged"]},{"namespaces":["tidy"],"controls":["host-pid"]}]}`},
		"not excluded":            {exclude: `[{"namespaces":["a"]}]`, args: "include tidy", says: "p: all controls in tidy" + others},
		"one control of all":      {exclude: `[{"namespaces":["tidy"]}]`, args: "include tidy --control privileged", says: "p: privileged in tidy" + others + "p: tidy is still excluded by spec.rollout.exclude[0], which names no control and means all" + edit},
		"all namespaces":          {exclude: `[{"namespaces":["tidy"]},{"controls":["privileged"]}]`, args: "include tidy", says: "p: all controls in tidy included\np: tidy is still excluded by spec.rollout.exclude[0], which names no namespace and means all" + edit, patch: `{"exclude":[{"controls":["privileged"]}]}`},
		"pinned":                  {exclude: `null,"pins":[{"namespaces":["a"],"mode":"Warn"},{"namespaces":["tidy"],"controls":["privileged"],"mode":"Enforce"}]`, args: "exclude tidy", says: "p: all controls in tidy excluded\np: tidy is still held at Enforce by spec.rollout.pins[1]: let it go with hardgate rollout unpin\n", patch: `{"exclude":[{"namespaces":["tidy"]}]}`},
		"pinned for another":      {exclude: `null,"pins":[{"namespaces":["tidy"],"controls":["privileged"],"mode":"Enforce"}]`, args: "exclude tidy --control host-pid", says: "p: host-pid in tidy excluded\n", patch: `{"exclude":[{"namespaces":["tidy"],"controls":["host-pid"]}]}`},
		"held at most":            {exclude: `null,"pins":[{"namespaces":["tidy"],"mode":"Warn","atMost":true}]`, args: "exclude tidy", says: "p: all controls in tidy excluded\np: tidy is still held at Warn at most by spec.rollout.pins[0]: let it go with hardgate rollout unpin\n", patch: `{"exclude":[{"namespaces":["tidy"]}]}`},
		"what has no namespace":   {exclude: "null", args: "exclude cluster.scoped", says: "p: all controls in cluster.scoped excluded\n", patch: `{"exclude":[{"namespaces":["cluster.scoped"]}]}`},
		"no namespace":            {exclude: "null", args: "exclude", code: exitBad, warns: "hardgate: name the namespaces (see \"hardgate rollout exclude --help\")\n"},
		"no name":                 {exclude: "null", args: "exclude tidy UNTIDY", code: exitBad, warns: "hardgate: \"UNTIDY\" is no name of a namespace: use a-z, 0-9 and '-', 63 at most, with no '-' at either end (see \"hardgate rollout exclude --help\")\n"},
		"unknown control":         {exclude: "null", args: "exclude tidy --control privleged", code: exitBad, warns: "hardgate: --control: unknown control \"privleged\", did you mean \"privileged\"? (see \"hardgate rollout exclude --help\")\n"},
		"another policy":          {exclude: "null", args: "include tidy --policy q", code: exitBad, warns: "hardgate: include q: not found\n"},
		"a policy without":        {exclude: "-", args: "exclude tidy --policy p", code: exitBad, warns: "hardgate: exclude p: the policy has no rollout: give it spec.rollout\n"},
		"no policy has one":       {exclude: "-", args: "exclude tidy", code: exitBad, warns: "hardgate: no WorkloadPolicy has a rollout: give one spec.rollout\n"},
		"several policies do":     {exclude: "2", args: "include tidy", code: exitBad, warns: "hardgate: several WorkloadPolicies have a rollout: name one with --policy, of p, r\n"},
		"several, one is named":   {exclude: "2", args: "include tidy --policy p", says: "p: all controls in tidy" + others},
		"an empty name of policy": {exclude: "null", args: "include tidy --policy=", code: exitBad, warns: "hardgate: --policy: no policy is named (see \"hardgate rollout include --help\")\n"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			server := &rolling{policy: excluding(tt.exclude), conflict: 2}
			switch tt.exclude {
			case "-":
				server.policy = strings.Replace(ledPolicy, `,"rollout":{}`, "", 1)
			case "2":
				server.policy, server.others = ledPolicy, []string{strings.Replace(ledPolicy, `"name":"p"`, `"name":"r"`, 1)}
			}
			code, stdout, stderr := server.call(t, append([]string{"rollout"}, strings.Fields(tt.args)...)...)
			if code != tt.code || stdout != tt.says || stderr != tt.warns {
				t.Errorf("exit %d, stdout %q, stderr %q", code, stdout, stderr)
			}
			var want []string
			if patch, dry := strings.CutSuffix(tt.patch, " (dry run)"); patch != "" {
				want = []string{"by hardgate " + `{"metadata":{"resourceVersion":"7"},"spec":{"rollout":` + patch + "}}" + map[bool]string{true: " (dry run)"}[dry]}
			}
			if diff := cmp.Diff(want, server.patches); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestRolloutConflicts: after many writes of others it gives up, and stores nothing.
func TestRolloutConflicts(t *testing.T) {
	server := &rolling{policy: ledPolicy, conflict: 5}
	if code, stdout, stderr := server.call(t, "rollout", "exclude", "tidy"); code != exitBad || stdout != "" || !strings.HasPrefix(stderr, "hardgate: exclude p: ") || server.patches != nil {
		t.Errorf("exit %d, stdout %q, stderr %q, patches %q", code, stdout, stderr, server.patches)
	}
}
