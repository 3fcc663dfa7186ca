package main

import (
	"bytes"
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestPreflightNamespace(t *testing.T) {
	a := newAnswering(t, map[string]http.HandlerFunc{
		policiesPath: pages("NodePolicy", nodePolicy("all", "{}")),
		"/apis/apps/v1/namespaces/shop/daemonsets": pages("DaemonSet", set("shop", "cache", 2, "[]")),
		"/apis/apps/v1/namespaces/none/daemonsets": pages("DaemonSet"),
		"/apis/apps/v1/namespaces/dark/daemonsets": refuse(http.StatusForbidden, "Forbidden", "no"),
	})
	if code, stdout, _ := a.preflight(t, "-n", "shop"); code != 1 || !strings.Contains(stdout, "\nshop       cache  2     ") {
		t.Errorf("exit %d, output %s", code, stdout)
	}
	if code, stdout, _ := a.preflight(t, "-n", "none"); code != 0 || stdout != "There are no DaemonSets in the namespace none, if it exists.\n" {
		t.Errorf("exit %d, output %s", code, stdout)
	}
	code, _, stderr := a.preflight(t, "-n", "dark", "--context", "c0")
	if want := "kubectl auth can-i list daemonsets.apps -n dark --context c0\n"; code != 2 || !strings.HasSuffix(stderr, want) {
		t.Errorf("exit %d, stderr %s", code, stderr)
	}
}

// Nothing is asked but two lists, and nothing is written.
func TestPreflightAsksLittle(t *testing.T) {
	a := newAnswering(t, map[string]http.HandlerFunc{policiesPath: pages("NodePolicy"), setsPath: three()})
	a.preflight(t)
	if diff := cmp.Diff([]string{"GET " + policiesPath, "GET " + setsPath}, a.asked); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestPreflightPages(t *testing.T) {
	var sets []string
	for i := range 1201 {
		sets = append(sets, set("a", fmt.Sprintf("ds-%04d", i), 1, everything))
	}
	sets[0], sets[1200] = set("a", "first", 1, "[]"), set("a", "last", 1, "[]")
	list := pages("DaemonSet", sets...)
	var limits []string
	expired := false
	a := newAnswering(t, map[string]http.HandlerFunc{
		policiesPath: pages("NodePolicy", nodePolicy("all", "{}")),
		setsPath: func(w http.ResponseWriter, r *http.Request) {
			q := r.URL.Query()
			limits = append(limits, q.Get("limit")+" "+q.Get("continue"))
			if expired && q.Get("continue") == "1000" {
				refuse(http.StatusGone, "Expired", "the provided continue parameter is too old")(w, r)
				return
			}
			list(w, r)
		},
	})
	for name, tt := range map[string]struct {
		expired bool
		want    []string
	}{
		"page by page":            {false, []string{"500 ", "500 500", "500 1000"}},
		"pages that grow too old": {true, []string{"500 ", "500 500", "500 1000", " "}},
	} {
		limits, expired = nil, tt.expired
		code, stdout, stderr := a.preflight(t)
		if code != 1 || stderr != "" || !strings.Contains(stdout, "drifted:NoSchedule: 2 of 1201.\n") ||
			strings.Count(stdout, " first ") != 1 || strings.Count(stdout, " last ") != 1 {
			t.Errorf("%s: exit %d, stderr %q, output %s", name, code, stderr, stdout)
		}
		if diff := cmp.Diff(tt.want, limits); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestPreflightBrokenOutput(t *testing.T) {
	a := newAnswering(t, map[string]http.HandlerFunc{policiesPath: pages("NodePolicy", nodePolicy("all", "{}")), setsPath: three()})
	t.Chdir(t.TempDir())
	if err := os.WriteFile("config", []byte(kubeconfig(a.url)), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, output := range checkOutputs {
		var stderr bytes.Buffer
		code := run([]string{"hardgate", "nodes", "preflight", "--kubeconfig", "config", "-o", output}, strings.NewReader(""), broken{}, &stderr)
		if code != 2 || !strings.Contains(stderr.String(), "no space left") {
			t.Errorf("%s: exit %d, stderr %q", output, code, stderr.String())
		}
	}
}

func TestNodes(t *testing.T) {
	for _, args := range [][]string{{}, {"--help"}, {"preflight", "--help"}} {
		code, stdout, stderr := call(t, nil, "", append([]string{"nodes"}, args...)...)
		if code != 0 || !strings.Contains(stdout, "preflight") || stderr != "" {
			t.Errorf("%q: exit %d, output %q, stderr %q", args, code, stdout, stderr)
		}
	}
	var stdout, stderr bytes.Buffer
	code := run([]string{"kubectl-hardgate", "nodes", "preflight", "--help"}, strings.NewReader(""), &stdout, &stderr)
	if want := "\n  kubectl hardgate nodes preflight\n"; code != 0 || strings.Count(stdout.String(), want) != 1 || strings.Contains(stdout.String(), "\n  hardgate") {
		t.Errorf("exit %d, help of the plugin:\n%s", code, stdout.String())
	}
}
