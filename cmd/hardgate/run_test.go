package main

import (
	"bytes"
	"errors"
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
	code = run(args, strings.NewReader(stdin), &out, &errs)
	return code, out.String(), errs.String()
}

func TestUsage(t *testing.T) {
	const see = ` (see "hardgate check --help")` + "\n"
	tests := map[string]struct {
		args []string
		want string
	}{
		"unknown command":  {[]string{"chek"}, `hardgate: unknown command "chek", did you mean "check"? (see "hardgate --help")` + "\n"},
		"no file":          {[]string{"check"}, "hardgate: no manifest is named: use -f FILE, -f DIR or -f -" + see},
		"argument":         {[]string{"check", "web.yaml"}, `hardgate: unexpected argument "web.yaml": name files with -f` + see},
		"unknown flag":     {[]string{"check", "--polcy", "x"}, `hardgate: unknown flag: --polcy, did you mean "--policy"?` + see},
		"unknown letter":   {[]string{"check", "-x"}, "hardgate: unknown shorthand flag: 'x' in -x" + see},
		"flag needs value": {[]string{"check", "-f"}, "hardgate: flag needs an argument: 'f' in -f" + see},
		"output":           {[]string{"check", "-f", "-", "-o", "jsn"}, `hardgate: --output: unknown value "jsn", did you mean "json"?` + see},
		"lang":             {[]string{"check", "-f", "-", "--lang", "fr"}, `hardgate: --lang: unknown language "fr": use en or ko` + see},
		"control":          {[]string{"check", "-f", "-", "--control", "privleged"}, `hardgate: --control: unknown control "privleged", did you mean "privileged"?` + see},
		"control of nodes": {[]string{"check", "-f", "-", "--control", "ssh-x11"}, `hardgate: --control: no manifest shows control "ssh-x11"` + see},
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

func TestHelp(t *testing.T) {
	for _, args := range [][]string{{}, {"--help"}, {"check", "--help"}, {"controls", "--help"}, {"version"}, {"completion", "bash"}} {
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
		"privileged\n":            {"check", "--control", "privileged"},
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
		if code := run(args, strings.NewReader(good), broken{}, &stderr); code != 2 || !strings.Contains(stderr.String(), "no space left") {
			t.Errorf("%q: exit %d, stderr %q", args, code, stderr.String())
		}
	}
}
