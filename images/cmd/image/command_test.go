package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func execute(t *testing.T, args ...string) (string, error) {
	t.Helper()
	cmd := command("7")
	var out bytes.Buffer
	cmd.SetOut(&out)
	cmd.SetErr(&out)
	cmd.SetArgs(args)
	err := cmd.ExecuteContext(t.Context())
	return out.String(), err
}

func TestHelp(t *testing.T) {
	out, err := execute(t, "--help")
	for _, want := range []string{"--platform", "--out", "--version", "SOURCE_DATE_EPOCH", "linux/arm64"} {
		if err != nil || !strings.Contains(out, want) {
			t.Errorf("the help does not tell of %s: %v\n%s", want, err, out)
		}
	}
}

func TestRefused(t *testing.T) {
	for name, c := range map[string]struct {
		args []string
		want string
	}{
		"no chart":              {[]string{"--repo=" + t.TempDir()}, "give --version"},
		"an argument":           {[]string{"webhook"}, "unknown command"},
		"an unknown component":  {[]string{"--component=proxy"}, "no such component"},
		"half a platform":       {[]string{"--platform=linux"}, "linux/amd64"},
		"a tag with a slash":    {[]string{"--repo=../../..", "--version=v1/2"}, "--version=v1/2"},
		"a tag with a blank":    {[]string{"--repo=../../..", "--version=1.0 "}, "--version"},
		"a registry's scheme":   {[]string{"--repo=../../..", "--registry=https://registry.example"}, "--registry=https://registry.example"},
		"a slash at the end":    {[]string{"--repo=../../..", "--registry=registry.example/"}, "--registry"},
		"a path in capitals":    {[]string{"--repo=../../..", "--registry=registry.example/Team"}, "--registry"},
		"a platform of no kind": {[]string{"--platform=a/b/c/d"}, "linux/amd64"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := execute(t, c.args...); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want an error that says %q", err, c.want)
			}
		})
	}
}

func TestAppVersion(t *testing.T) {
	for name, c := range map[string]struct{ text, want, err string }{
		"a version":    {"version: 0.1.0\nappVersion: 1.2.3\n", "1.2.3", ""},
		"no version":   {"version: 0.1.0\n", "", "give --version"},
		"not a chart":  {"- a\n", "", chart},
		"no YAML":      {"{", "", chart},
		"like a float": {"appVersion: \"1.20\"\n", "1.20", ""},
	} {
		t.Run(name, func(t *testing.T) {
			repo := t.TempDir()
			file := filepath.Join(repo, chart)
			if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(file, []byte(c.text), 0o644); err != nil {
				t.Fatal(err)
			}
			got, err := appVersion(repo)
			if got != c.want || (err == nil) != (c.err == "") || err != nil && !strings.Contains(err.Error(), c.err) {
				t.Errorf("got %q, %v; want %q, %q", got, err, c.want, c.err)
			}
		})
	}
}
