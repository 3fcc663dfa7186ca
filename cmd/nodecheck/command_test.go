//go:build linux

package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/hardgate-dev/hardgate/control"
	"github.com/hardgate-dev/hardgate/nodecheck/check"
)

// What is wrong with the flags is said before anything is begun, and says which flag
// is meant.
func TestErrors(t *testing.T) {
	dir := t.TempDir()
	file := func(name, content string) string {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	token, empty, ca := file("token", "x"), file("empty", "\n"), file("ca.crt", "")
	// {"kubernetes.io":{"node":{"name":"node-1"}}}
	bound := file("bound", "e30.eyJrdWJlcm5ldGVzLmlvIjp7Im5vZGUiOnsibmFtZSI6Im5vZGUtMSJ9fX0.x")
	fifo := filepath.Join(dir, "fifo")
	if err := unix.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	base := []string{"--root", dir, "--node-name", "node-1", "--namespace", "n", "--api-server", "https://127.0.0.1:1", "--token-file", token, "--ca-file", ca}
	for name, c := range map[string]struct {
		args []string
		want string
	}{
		"no such root":          {[]string{"--root", filepath.Join(dir, "nowhere")}, "--root: opening the root of the node: open"},
		"a file as root":        {[]string{"--root", token}, "not a directory"},
		"unknown benchmark":     {[]string{"--benchmark", "aks-hosts"}, `did you mean "aks-host`},
		"too often":             {[]string{"--interval", "1ms"}, "--interval is 1ms, at least 1s is possible"},
		"asked too often":       {[]string{"--spec-interval", "0s"}, "--spec-interval is 0s, at least 1s is possible"},
		"no reason":             {[]string{"--exempt", "perm-crontab"}, "give control=reason"},
		"unknown control":       {[]string{"--exempt", "perm-crontabs=why"}, `no control "perm-crontabs" is judged here`},
		"control of a workload": {[]string{"--exempt", "host-ports=why"}, `no control "host-ports" is judged here`},
		"token in the clear":    {[]string{"--api-server", "http://127.0.0.1:1"}, "https"},
		"a name and password":   {[]string{"--api-server", "https://a:b@127.0.0.1:1"}, "--api-server is"},
		"a query":               {[]string{"--api-server", "https://127.0.0.1:1/?a"}, "--api-server is"},
		"no token":              {[]string{"--token-file", filepath.Join(dir, "nowhere")}, "--token-file: stat"},
		"a FIFO as token":       {[]string{"--token-file", fifo}, "not a regular file"},
		"a directory as token":  {[]string{"--token-file", dir}, "not a regular file"},
		"empty token":           {[]string{"--token-file", empty}, "is empty"},
		"no authorities":        {[]string{"--ca-file", filepath.Join(dir, "nowhere")}, "--ca-file: stat"},
		"another node":          {[]string{"--token-file", bound, "--node-name", "node-2"}, `bound to the node "node-1"`},
		"no node":               {[]string{"--node-name", ""}, "NODE_NAME"},
		"no namespace":          {[]string{"--namespace", ""}, "POD_NAMESPACE"},
		"no port":               {[]string{"--configz-port", "70000"}, "--configz-port"},
		"one port for two":      {[]string{"--metrics-listen", "127.0.0.1:9258"}, "--metrics-listen is 127.0.0.1:9258 and --health-listen is 127.0.0.1:9258: give each a port of its own"},
		"an argument":           {[]string{"now"}, "unknown command"},
		"no pod and no server":  {[]string{"--api-server", ""}, "KUBERNETES_SERVICE_HOST"},
		"a port that is taken":  {[]string{"--health-listen", "256.0.0.1:1", "--metrics-listen", "0"}, "listening for health"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("KUBERNETES_SERVICE_HOST", "")
			cmd := command()
			cmd.SetArgs(append(slices.Clone(base), c.args...))
			err := cmd.ExecuteContext(t.Context())
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want one with %q", err, c.want)
			}
		})
	}
}

func TestRules(t *testing.T) {
	r := rules{benchmarks: []string{"aks-host"}, modules: []string{"floppy"}, exempt: []string{"perm-crontab=the image's own = fine"}}
	checks, set, benchmarks, err := r.read()
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(benchmarks, []string{"aks-host-2019"}) || !slices.Equal(set.Modules, []string{"floppy"}) {
		t.Errorf("benchmarks %q, modules %q", benchmarks, set.Modules)
	}
	if got := set.Exempt["perm-crontab"]; got != "the image's own = fine" {
		t.Errorf("the reason is %q", got)
	}
	if len(checks) == 0 || len(checks) >= len(check.All()) {
		t.Errorf("%d checks of %d", len(checks), len(check.All()))
	}
	if !slices.ContainsFunc(checks, func(c *check.Check) bool { return c.ID == "mod-unnecessary" }) {
		t.Error("the modules of the site are not judged")
	}
	for _, c := range checks {
		if control.Number(c.ID, "aks-host-2019") == "" && c.ID != "mod-unnecessary" {
			t.Errorf("%s is not in the benchmark", c.ID)
		}
	}
}
