package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hardgate-dev/hardgate/control"
	"github.com/hardgate-dev/hardgate/nodecheck/check"
	"github.com/hardgate-dev/hardgate/report"
)

// tree makes a file tree and returns its root.
func tree(t *testing.T, files map[string]string) string {
	t.Helper()
	root := t.TempDir()
	for name, content := range files {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

func TestNodeUsage(t *testing.T) {
	const see = ` (see "hardgate node --help")` + "\n"
	tests := map[string]struct {
		args []string
		want string
	}{
		"argument":           {[]string{"/host"}, `hardgate: unexpected argument "/host": name a directory with --root` + see},
		"output":             {[]string{"-o", "tabel"}, `hardgate: --output: unknown value "tabel", did you mean "table"?` + see},
		"lang":               {[]string{"--lang", "kr"}, `hardgate: --lang: unknown language "kr": use en or ko` + see},
		"benchmark":          {[]string{"--benchmark", "cis-ubuntu-22.04"}, `hardgate: --benchmark: unknown benchmark "cis-ubuntu-22.04", did you mean "cis-ubuntu-22.04-3.0.0"?` + see},
		"control":            {[]string{"--control", "perm-crontb"}, `hardgate: --control: unknown control "perm-crontb", did you mean "perm-crontab"?` + see},
		"control of objects": {[]string{"--control", "privileged"}, `hardgate: --control: no node shows control "privileged"` + see},
		"control empty":      {[]string{"--control", ""}, "hardgate: --control: no control is named" + see},
		"explain":            {[]string{"--explain", "perm-crontb"}, `hardgate: --explain: unknown control "perm-crontb", did you mean "perm-crontab"?` + see},
		"explain and others": {[]string{"--explain", "perm-crontab", "--control", "perm-crontab"}, "hardgate: --control does not go with --explain, which is about one control" + see},
		"exempt, no reason":  {[]string{"--exempt", "perm-crontab="}, "hardgate: --exempt: perm-crontab has no reason: use perm-crontab=REASON" + see},
		"exempt, id only":    {[]string{"--exempt", "perm-crontab"}, "hardgate: --exempt: perm-crontab has no reason: use perm-crontab=REASON" + see},
		"exempt, unknown":    {[]string{"--exempt", "perm-crontb=x"}, `hardgate: --exempt: unknown control "perm-crontb", did you mean "perm-crontab"?` + see},
		"module":             {[]string{"--module", "../x"}, `hardgate: --module: "../x" is no name of a kernel module: use letters, digits, '_' and '-'` + see},
		"module not judged":  {[]string{"--module", "floppy", "--control", "ssh-x11"}, "hardgate: --module: mod-unnecessary, which it is for, is not among the controls that are judged" + see},
		"no root":            {[]string{"--root", "no/such"}, "hardgate: opening the root of the node: open no/such: no such file or directory\n"},
		"root empty":         {[]string{"--root", ""}, "hardgate: --root: no directory is named" + see},
		"root is a file":     {[]string{"--root", "/etc/passwd"}, "hardgate: opening the root of the node: open /etc/passwd: not a directory\n"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			code, stdout, stderr := call(t, nil, "", append([]string{"node"}, tt.args...)...)
			if code != 2 || stdout != "" {
				t.Errorf("exit %d and output %q, want 2 and none", code, stdout)
			}
			if diff := cmp.Diff(tt.want, stderr); diff != "" {
				t.Errorf("stderr (-want +got):\n%s", diff)
			}
		})
	}
}

// TestNodeCompletion: nothing is completed with files but --root, with directories.
func TestNodeCompletion(t *testing.T) {
	tests := map[string]struct {
		args      []string
		value     string // one of those offered
		directive string
	}{
		"argument":  {[]string{""}, "", ":4"},
		"root":      {[]string{"--root", ""}, "", ":16"},
		"benchmark": {[]string{"--benchmark", ""}, "aks-host-2019", ":4"},
		"control":   {[]string{"--control", ""}, "ssh-x11", ":4"},
		"explain":   {[]string{"--explain", ""}, "reboot-required", ":4"},
		"exempt":    {[]string{"--exempt", ""}, "ssh-x11=", ":6"},
		"module":    {[]string{"--module", ""}, "", ":4"},
		"output":    {[]string{"-o", ""}, "yaml", ":4"},
		"lang":      {[]string{"--lang", ""}, "ko", ":4"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			_, stdout, _ := call(t, nil, "", append([]string{"__complete", "node"}, tt.args...)...)
			lines := strings.Split(strings.TrimSpace(stdout), "\n")
			if last := lines[len(lines)-1]; last != tt.directive {
				t.Errorf("directive %s, want %s", last, tt.directive)
			}
			if tt.value != "" && !slices.Contains(lines, tt.value) {
				t.Errorf("no %q in %q", tt.value, lines)
			}
			if tt.value == "" && len(lines) > 1 {
				t.Errorf("offered %q, want nothing", lines)
			}
		})
	}
}

// TestNodeHelp: a flag says once what its value is.
func TestNodeHelp(t *testing.T) {
	_, stdout, _ := call(t, nil, "", "node", "--help")
	if want := "--exempt ID=REASON "; strings.Count(stdout, want) != 1 || strings.Contains(stdout, "ID=REASON:") || strings.Contains(stdout, "[]") {
		t.Errorf("want %q and no default in\n%s", want, stdout)
	}
}

// TestNodeExit: 1 where something fails, 2 where something could not be told, 0
// where all is well or does not apply.
func TestNodeExit(t *testing.T) {
	root := tree(t, map[string]string{"etc/crontab": "", "etc/hostname": "web-1\n"})
	crontab := filepath.Join(root, "etc", "crontab")
	judge := func(args ...string) (int, *report.Report) {
		t.Helper()
		code, stdout, _ := call(t, nil, "", append([]string{"node", "--root", root, "--control", "perm-crontab", "-o", "json"}, args...)...)
		var r report.Report
		if err := json.Unmarshal([]byte(stdout), &r); err != nil {
			t.Fatalf("%v in %q", err, stdout)
		}
		if len(r.Results) != 1 {
			t.Fatalf("%d results", len(r.Results))
		}
		return code, &r
	}
	code, r := judge()
	want := report.Result{
		Object:  report.Object{APIVersion: "v1", Kind: "Node", Name: "web-1", Source: root},
		Control: "perm-crontab", Rows: control.Rows("perm-crontab"), Status: control.Fail,
	}
	got := r.Results[0]
	if got.Remedy == "" || len(got.Findings) == 0 || got.Findings[0].Path != "/etc/crontab" || got.Findings[0].Actual != "mode 0644" || got.Findings[0].Expected == "" {
		t.Errorf("the failure is %+v", got)
	}
	got.Remedy, got.Findings, got.Evidence = "", nil, nil
	if diff := cmp.Diff(want, got); diff != "" || code != 1 {
		t.Errorf("exit %d, result (-want +got):\n%s", code, diff)
	}
	if code, r := judge("--exempt", "perm-crontab=read by all, on purpose: see a=b, c"); code != 0 || r.Results[0].Status != control.Exempt ||
		r.Results[0].Findings[0].Detail != "exempt: read by all, on purpose: see a=b, c" {
		t.Errorf("exempt: exit %d, %+v", code, r.Results[0])
	}
	if err := os.Remove(crontab); err != nil {
		t.Fatal(err)
	}
	if code, r := judge(); code != 0 || r.Results[0].Status != control.NotApplicable {
		t.Errorf("absent: exit %d, %+v", code, r.Results[0])
	}
	if err := os.Symlink("crontab", crontab); err != nil {
		t.Fatal(err)
	}
	if code, r := judge(); code != 2 || r.Results[0].Status != control.Unknown {
		t.Errorf("a link to itself: exit %d, %+v", code, r.Results[0])
	}
	_, stdout, stderr := call(t, nil, "", "node", "--root", root, "--control", "perm-crontab")
	if !strings.Contains(stdout, "Unknown  5.1.2  perm-crontab") || !strings.Contains(stdout, "too many links") ||
		stderr != "hardgate: some controls could not be judged: see those that are Unknown\n" {
		t.Errorf("stdout %q, stderr %q", stdout, stderr)
	}
}

// TestNodeTable: the numbers are those of the benchmark that was asked for.
func TestNodeTable(t *testing.T) {
	root := tree(t, map[string]string{"etc/crontab": "", "etc/hostname": "web-1\n"})
	code, stdout, stderr := call(t, nil, "", "node", "--root", root, "--control", "perm-crontab", "--benchmark", "ubuntu", "--all")
	if code != 1 || stderr != "" {
		t.Errorf("exit %d, stderr %q", code, stderr)
	}
	for _, line := range []string{
		"Node web-1  (" + root + ")\n",
		"  Fail  2.4.1.2  perm-crontab  /etc/crontab belongs to root and has mode 600 or stricter\n",
		"/etc/crontab: mode 0644, want mode 0600 or stricter\n",
		"1 node, 1 file read: 1 Fail, 0 Pass\n",
	} {
		if !strings.Contains(stdout, line) {
			t.Errorf("no %q in\n%s", line, stdout)
		}
	}
}

// TestExplain: every control is explained in both languages.
func TestExplain(t *testing.T) {
	root := tree(t, map[string]string{"etc/hostname": "web-1\n"})
	for _, c := range check.All() {
		known, _ := control.Get(c.ID)
		for lang, l := range map[string]control.Lang{"en": control.English, "ko": control.Korean} {
			code, stdout, _ := call(t, nil, "", "node", "--root", root, "--explain", string(c.ID), "--lang", lang)
			for _, part := range append([]string{known.Title.In(l), known.Why.In(l), known.Remedy.In(l)}, c.Reads...) {
				if !strings.Contains(stdout, part) {
					t.Errorf("%s in %s: exit %d, no %q in\n%s", c.ID, lang, code, part, stdout)
				}
			}
		}
	}
}
