package main

import (
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/klog/v2"
)

func TestPreflightUsage(t *testing.T) {
	const see = ` (see "hardgate nodes preflight --help")` + "\n"
	taint := func(text string) string { return "hardgate: --taint: " + text + see }
	tests := map[string]struct {
		args []string
		want string
	}{
		"argument":           {[]string{"logging"}, `hardgate: unexpected argument "logging": name a namespace with -n` + see},
		"output":             {[]string{"-o", "jsn"}, `hardgate: --output: unknown value "jsn", did you mean "json"?` + see},
		"lang":               {[]string{"--lang", "kr"}, `hardgate: --lang: unknown language "kr": use en or ko` + see},
		"flag":               {[]string{"--kubconfig", "x"}, `hardgate: unknown flag: --kubconfig, did you mean "--kubeconfig"?` + see},
		"namespace":          {[]string{"-n", "A/b"}, notNamespace("A/b") + see},
		"namespace empty":    {[]string{"-n", ""}, notNamespace("") + see},
		"kubeconfig empty":   {[]string{"--kubeconfig", ""}, "hardgate: --kubeconfig: no file is named" + see},
		"context empty":      {[]string{"--context", ""}, "hardgate: --context: no context is named" + see},
		"timeout":            {[]string{"--request-timeout", "-1s"}, "hardgate: --request-timeout: -1s is less than nothing" + see},
		"taint, no effect":   {[]string{"--taint", "a.b/c=d"}, taint(`"a.b/c=d" has no effect: use a.b/c=d:NoSchedule or a.b/c=d:NoExecute`)},
		"taint, empty":       {[]string{"--taint", ""}, taint(`"" has no effect: use KEY:NoSchedule or KEY:NoExecute`)},
		"taint, no key":      {[]string{"--taint", "=d:NoSchedule"}, taint(`"" is no key of a taint, such as hardgate.dev/drifted`)},
		"taint, no such key": {[]string{"--taint", "a b:NoSchedule"}, taint(`"a b" is no key of a taint, such as hardgate.dev/drifted`)},
		"taint, value":       {[]string{"--taint", "a=b/c:NoSchedule"}, taint(`"b/c" is no value of a taint: use letters, digits, '-', '_' and '.', 63 at most, with a letter or a digit at either end`)},
		"taint, effect":      {[]string{"--taint", "a:NoExcute"}, taint(`unknown effect "NoExcute", did you mean "NoExecute"?`)},
		"taint, soft":        {[]string{"--taint", "a:PreferNoSchedule"}, taint("PreferNoSchedule keeps no DaemonSet away: use NoSchedule or NoExecute")},
		"taint, twice":       {[]string{"--taint", "a=b:NoSchedule", "--taint", "a:NoSchedule"}, taint("a:NoSchedule is given twice: a node has it once")},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			code, stdout, stderr := call(t, nil, "", append([]string{"nodes", "preflight"}, tt.args...)...)
			if diff := cmp.Diff(tt.want, stderr); code != 2 || stdout != "" || diff != "" {
				t.Errorf("exit %d, output %q, stderr (-want +got):\n%s", code, stdout, diff)
			}
		})
	}
	code, _, stderr := call(t, nil, "", "nodes", "prefligt")
	if want := `hardgate: unknown command "prefligt", did you mean "preflight"? (see "hardgate nodes --help")` + "\n"; code != 2 || stderr != want {
		t.Errorf("exit %d, stderr %q", code, stderr)
	}
}

// What is wrong with the kubeconfig is told with a way out of it.
func TestPreflightKubeconfig(t *testing.T) {
	const see = ` (see "hardgate nodes preflight --help")` + "\n"
	a := newAnswering(t, map[string]http.HandlerFunc{policiesPath: pages("NodePolicy", nodePolicy("all", "{}")), setsPath: pages("DaemonSet")})
	good := kubeconfig("http://127.0.0.1:1", a.url) // c1 is the one that answers
	current := strings.Replace(good, "current-context: c0", "current-context: c1", 1)
	tests := map[string]struct {
		files map[string]string
		env   string // KUBECONFIG
		args  []string
		want  string // on stderr; empty: it works
	}{
		"flag":                   {files: map[string]string{"f": current}, env: "none", args: []string{"--kubeconfig", "f"}},
		"environment":            {files: map[string]string{"f": current}, env: "f"},
		"environment, one is no": {files: map[string]string{"f": current}, env: "none:f"},
		"two files":              {files: map[string]string{"f": "apiVersion: v1\nkind: Config\ncurrent-context: c1\n", "g": good}, env: "f:g"},
		"context":                {files: map[string]string{"f": good}, env: "f", args: []string{"--context", "c1"}},
		"none": {
			env:  "none:other",
			want: "hardgate: no cluster is known: there is no kubeconfig with a context at none or other, and this is no pod: name one with --kubeconfig FILE, or in KUBECONFIG" + see,
		},
		"none of that name": {
			env: "none", args: []string{"--kubeconfig", "x"},
			want: "hardgate: reading the kubeconfig: stat x: no such file or directory\n",
		},
		"empty": {
			files: map[string]string{"f": ""}, env: "none", args: []string{"--kubeconfig", "f"},
			want: "hardgate: --kubeconfig: f names no cluster" + see,
		},
		"no context": {
			files: map[string]string{"f": strings.Replace(good, "current-context: c0\n", "", 1)}, env: "f",
			want: "hardgate: the kubeconfig has no current context, or one that it does not have: name one with --context, of c0, c1" + see,
		},
		"current context unknown": {
			files: map[string]string{"f": strings.Replace(good, "current-context: c0", "current-context: c9", 1)}, env: "f",
			want: "hardgate: the kubeconfig has no current context, or one that it does not have: name one with --context, of c0, c1" + see,
		},
		"unknown context": {
			files: map[string]string{"f": good}, env: "f", args: []string{"--context", "c2"},
			want: `hardgate: --context: the kubeconfig has no context "c2", did you mean "c0"?` + see,
		},
		"context without a kubeconfig": {
			env: "none", args: []string{"--context", "c2"},
			want: "hardgate: no cluster is known: there is no kubeconfig with a context at none, and this is no pod: name one with --kubeconfig FILE, or in KUBECONFIG" + see,
		},
		"broken": {
			files: map[string]string{"f": "{"}, env: "f",
			want: `hardgate: reading the kubeconfig: error loading config file "f": yaml: line 1: did not find expected node content` + "\n",
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Setenv("KUBECONFIG", tt.env)
			t.Setenv("KUBERNETES_SERVICE_HOST", "")
			code, stdout, stderr := call(t, tt.files, "", append([]string{"nodes", "preflight"}, tt.args...)...)
			if tt.want == "" && (code != 0 || stdout == "") || tt.want != "" && (code != 2 || stdout != "") {
				t.Errorf("exit %d, output %q", code, stdout)
			}
			if diff := cmp.Diff(tt.want, stderr); diff != "" {
				t.Errorf("stderr (-want +got):\n%s", diff)
			}
		})
	}
}

func TestPreflightUnreachable(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed := "http://" + l.Addr().String()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	code, stdout, stderr := (&answering{url: closed}).preflight(t)
	if code != 2 || stdout != "" || !strings.HasPrefix(stderr, "hardgate: asking "+closed+" for every NodePolicy: ") ||
		!strings.HasSuffix(stderr, ": connection refused: --context or --kubeconfig name another cluster\n") {
		t.Errorf("exit %d, output %q, stderr %s", code, stdout, stderr)
	}

	silent := func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }
	policies := pages("NodePolicy", nodePolicy("all", "{}"))
	read := capture(t)
	for name, handlers := range map[string]map[string]http.HandlerFunc{
		"NodePolicy": {policiesPath: silent, setsPath: silent},
		"DaemonSet":  {policiesPath: policies, setsPath: silent},
		// Headers are no answer yet.
		"DaemonSet again": {policiesPath: policies, setsPath: func(w http.ResponseWriter, r *http.Request) {
			w.(http.Flusher).Flush()
			silent(w, r)
		}},
		// The API server is busy, and says for how long.
		"DaemonSet then": {policiesPath: policies, setsPath: func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Retry-After", "1")
			refuse(http.StatusTooManyRequests, "TooManyRequests", "busy")(w, r)
		}},
	} {
		begin := time.Now()
		code, stdout, stderr := newAnswering(t, handlers).preflight(t, "--request-timeout", "200ms")
		kind, _, _ := strings.Cut(name, " ")
		if code != 2 || stdout != "" || !strings.Contains(stderr, " for every "+kind+": ") || !strings.HasSuffix(stderr, ": --request-timeout waits longer\n") {
			t.Errorf("%s: exit %d, output %q, stderr %s", name, code, stdout, stderr)
		}
		if took := time.Since(begin); took < 200*time.Millisecond || took > 10*time.Second {
			t.Errorf("%s: it took %s", name, took)
		}
	}
	if logged := read(); logged != "" {
		t.Errorf("client-go logs besides: %s", logged)
	}
}

// capture returns a function that says what was written to the process's stderr since.
func capture(t *testing.T) func() string {
	t.Helper()
	f, err := os.CreateTemp(t.TempDir(), "stderr")
	if err != nil {
		t.Fatal(err)
	}
	before := os.Stderr
	os.Stderr = f
	t.Cleanup(func() {
		os.Stderr = before
		_ = f.Close() // only written to
	})
	return func() string {
		klog.Flush()
		written, err := os.ReadFile(f.Name())
		if err != nil {
			t.Fatal(err)
		}
		return string(written)
	}
}

func TestPreflightCompletion(t *testing.T) {
	t.Setenv("KUBECONFIG", "f")
	files := map[string]string{"f": kubeconfig("http://a", "http://b")}
	tests := map[string]struct {
		args []string
		want string
	}{
		"command":         {[]string{"nodes", ""}, "preflight\tList the DaemonSets that do not tolerate the taints\n:4\n"},
		"argument":        {[]string{"nodes", "preflight", ""}, ":4\n"},
		"output":          {[]string{"nodes", "preflight", "-o", ""}, "table\njson\nyaml\n:4\n"},
		"lang":            {[]string{"nodes", "preflight", "--lang", ""}, "en\nko\n:4\n"},
		"context":         {[]string{"nodes", "preflight", "--context", ""}, "c0\nc1\n:4\n"},
		"namespace":       {[]string{"nodes", "preflight", "-n", ""}, ":4\n"},
		"taint":           {[]string{"nodes", "preflight", "--taint", ""}, "hardgate.dev/drifted:NoSchedule\nhardgate.dev/drifted:NoExecute\nhardgate.dev/unverified:NoSchedule\n:4\n"},
		"request-timeout": {[]string{"nodes", "preflight", "--request-timeout", ""}, ":4\n"},
		"kubeconfig":      {[]string{"nodes", "preflight", "--kubeconfig", ""}, ":0\n"},
		"no kubeconfig":   {[]string{"nodes", "preflight", "--kubeconfig", "none", "--context", ""}, ":4\n"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			code, stdout, _ := call(t, files, "", append([]string{"__complete"}, tt.args...)...)
			if diff := cmp.Diff(tt.want, stdout); code != 0 || diff != "" {
				t.Errorf("exit %d (-want +got):\n%s", code, diff)
			}
		})
	}
}
