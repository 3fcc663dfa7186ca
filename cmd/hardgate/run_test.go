package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// call runs the command line in a directory with files.
func call(t *testing.T, files map[string]string, stdin string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	t.Chdir(t.TempDir())
	for name, content := range files {
		if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var out, errs bytes.Buffer
	code = run(append([]string{"hardgate"}, args...), strings.NewReader(stdin), &out, &errs)
	return code, out.String(), errs.String()
}

func TestUsage(t *testing.T) {
	const see = ` (see "hardgate check --help")` + "\n"
	tests := map[string]struct {
		args []string
		want string
	}{
		"unknown command":  {[]string{"chek"}, `hardgate: unknown command "chek", did you mean "check"? (see "hardgate --help")` + "\n"},
		"stdin twice":      {[]string{"check", "-f", "-", "--exemption", "-"}, "hardgate: standard input can be read once only: give - to one of --filename, --policy and --exemption" + see},
		"no file":          {[]string{"check"}, "hardgate: no manifest is named: use -f FILE, -f DIR or -f -" + see},
		"argument":         {[]string{"check", "web.yaml"}, `hardgate: unexpected argument "web.yaml": name files with -f` + see},
		"unknown flag":     {[]string{"check", "--polcy", "x"}, `hardgate: unknown flag: --polcy, did you mean "--policy"?` + see},
		"unknown letter":   {[]string{"check", "-x"}, "hardgate: unknown shorthand flag: 'x' in -x" + see},
		"flag needs value": {[]string{"check", "-f"}, "hardgate: flag needs an argument: 'f' in -f" + see},
		"output":           {[]string{"check", "-f", "-", "-o", "jsn"}, `hardgate: --output: unknown value "jsn", did you mean "json"?` + see},
		"lang":             {[]string{"check", "-f", "-", "--lang", "fr"}, `hardgate: --lang: unknown language "fr": use en or ko` + see},
		"control":          {[]string{"check", "-f", "-", "--control", "privleged"}, `hardgate: --control: unknown control "privleged", did you mean "privileged"?` + see},
		"control of nodes": {[]string{"check", "-f", "-", "--control", "ssh-x11"}, `hardgate: --control: no manifest shows control "ssh-x11"` + see},
		"control empty":    {[]string{"check", "-f", "-", "--control", ""}, "hardgate: --control: no control is named" + see},
		"namespace":        {[]string{"check", "-f", "-", "--namespace", "BAD NS"}, notNamespace("BAD NS") + see},
		"namespace case":   {[]string{"check", "-f", "-", "-n", "Default"}, notNamespace("Default") + see},
		"namespace empty":  {[]string{"check", "-f", "-", "-n", ""}, notNamespace("") + see},
		"namespace long":   {[]string{"check", "-f", "-", "-n", strings.Repeat("a", 64)}, notNamespace(strings.Repeat("a", 64)) + see},
		"help":             {[]string{"help", "chek"}, `hardgate: unknown command "chek", did you mean "check"? (see "hardgate --help")` + "\n"},
		"help of a shell":  {[]string{"help", "completion", "bsh"}, `hardgate: unknown command "bsh", did you mean "bash"? (see "hardgate completion --help")` + "\n"},
		"help of no part":  {[]string{"help", "check", "x"}, `hardgate: unexpected argument "x"` + see},
		"completion":       {[]string{"completion", "nosuch"}, `hardgate: unknown command "nosuch", did you mean "bash"? (see "hardgate completion --help")` + "\n"},
		"completion, near": {[]string{"completion", "bsh"}, `hardgate: unknown command "bsh", did you mean "bash"? (see "hardgate completion --help")` + "\n"},
		"benchmark": {
			[]string{"controls", "--benchmark", "cis-kubernetes-1.8"},
			`hardgate: --benchmark: unknown benchmark "cis-kubernetes-1.8", did you mean "cis-kubernetes-1.8.0"? (see "hardgate controls --help")` + "\n",
		},
		"csv without rows":  {[]string{"controls", "-o", "csv"}, `hardgate: --output: csv is for --rows (see "hardgate controls --help")` + "\n"},
		"markdown and rows": {[]string{"controls", "--rows", "-o", "markdown"}, `hardgate: --output: unknown value "markdown": use one of table, json, csv (see "hardgate controls --help")` + "\n"},
		"benchmark and rows": {
			[]string{"controls", "--rows", "--benchmark", "1.8"},
			`hardgate: --benchmark does not go with --rows: the rows have their documents' own numbers (see "hardgate controls --help")` + "\n",
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			code, stdout, stderr := call(t, nil, "", tt.args...)
			if code != 2 || stdout != "" {
				t.Errorf("exit %d and output %q, want 2 and none", code, stdout)
			}
			if diff := cmp.Diff(tt.want, stderr); diff != "" {
				t.Errorf("stderr (-want +got):\n%s", diff)
			}
		})
	}
}

func notNamespace(name string) string {
	return fmt.Sprintf("hardgate: --namespace: %q is no name of a namespace: use a-z, 0-9 and '-', 63 at most, with no '-' at either end", name)
}

// TestPlugin: kubectl runs a program named kubectl-hardgate for "kubectl hardgate".
func TestPlugin(t *testing.T) {
	for program, want := range map[string]string{
		"/usr/bin/hardgate": "hardgate", "hardgate-linux": "hardgate",
		"/usr/bin/kubectl-hardgate": "kubectl hardgate", "kubectl-hardgate.exe": "kubectl hardgate",
	} {
		var stdout, stderr bytes.Buffer
		code := run([]string{program, "check", "--help"}, strings.NewReader(""), &stdout, &stderr)
		for _, line := range []string{"\n  " + want + " check -f FILE", "\n  " + want + " check -f deploy/", "| " + want + " check -f -"} {
			if code != 0 || !strings.Contains(stdout.String(), line) {
				t.Errorf("%s: exit %d, no %q in the help:\n%s", program, code, line, stdout.String())
			}
		}
		stdout.Reset()
		code = run([]string{program, "chek"}, strings.NewReader(""), &stdout, &stderr)
		if see := `(see "` + want + ` --help")`; code != 2 || !strings.Contains(stderr.String(), see) {
			t.Errorf("%s: exit %d, no %s in %q", program, code, see, stderr.String())
		}
	}
}

func TestHelp(t *testing.T) {
	for _, args := range [][]string{{}, {"--help"}, {"check", "--help"}, {"audit", "--help"}, {"rollout", "exclude", "--help"}, {"rollout", "include", "--help"}, {"controls", "--help"}, {"version"}, {"completion", "bash"}, {"completion"}, {"help"}, {"help", "check"}, {"help", "completion", "bash"}, {"help", "help"}} {
		code, stdout, stderr := call(t, nil, "", args...)
		if code != 0 || stdout == "" || stderr != "" {
			t.Errorf("%q: exit %d, %d bytes of output, stderr %q", args, code, len(stdout), stderr)
		}
	}
}

func TestCompletion(t *testing.T) {
	tests := map[string][]string{
		"table\njson\nyaml\n":     {"check", "-o", ""},
		"en\nko\n":                {"check", "--lang", ""},
		"table\njson\ncsv\n":      {"controls", "--rows", "-o", ""},
		"cis-kubernetes-1.12.0\n": {"controls", "--benchmark", "cis-kubernetes-1.12"},
		"check\t":                 {"help", "c"},
		"privileged\n":            {"check", "--control", "privileged"},
		"yaml\njsonl\n":           {"audit", "-o", ""},
		"cni-network-policy\n":    {"audit", "--control", "cni"},
		"host-path\n":             {"rollout", "exclude", "--control", "host-p"},
		"include\t":               {"rollout", "inc"},
	}
	for want, args := range tests {
		code, stdout, _ := call(t, nil, "", append([]string{"__complete"}, args...)...)
		if code != 0 || !strings.Contains(stdout, want) {
			t.Errorf("%q: exit %d, completions %q, want %q among them", args, code, stdout, want)
		}
	}
}

type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, errors.New("no space left") }

func TestBrokenOutput(t *testing.T) {
	for _, args := range [][]string{
		{"check", "-f", "-"},
		{"check", "-f", "-", "-o", "json"},
		{"check", "-f", "-", "-o", "yaml"},
		{"controls"},
		{"controls", "-o", "json"},
		{"controls", "-o", "markdown"},
		{"controls", "--rows", "-o", "csv"},
		{"controls", "--rows"},
		{"version"},
	} {
		var stderr bytes.Buffer
		if code := run(append([]string{"hardgate"}, args...), strings.NewReader(good), broken{}, &stderr); code != 2 || !strings.Contains(stderr.String(), "no space left") {
			t.Errorf("%q: exit %d, stderr %q", args, code, stderr.String())
		}
	}
}
