package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"

	"sigs.k8s.io/yaml"
)

// The paths that preflight may ask for.
const (
	setsPath     = "/apis/apps/v1/daemonsets"
	policiesPath = "/apis/hardgate.dev/v1alpha1/nodepolicies"
)

// answering is an API server that answers as its handlers do, and keeps what it was
// asked.
type answering struct {
	handlers map[string]http.HandlerFunc
	// otherwise answers what no handler does; nil is that there is no such thing.
	otherwise http.HandlerFunc
	url       string

	mu    sync.Mutex
	asked []string
}

func newAnswering(t *testing.T, handlers map[string]http.HandlerFunc) *answering {
	t.Helper()
	a := &answering{handlers: handlers}
	server := httptest.NewServer(a)
	t.Cleanup(server.Close)
	a.url = server.URL
	return a
}

func (a *answering) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	a.asked = append(a.asked, r.Method+" "+r.URL.Path)
	a.mu.Unlock()
	if h, ok := a.handlers[r.URL.Path]; ok {
		h(w, r)
		return
	}
	if a.otherwise != nil {
		a.otherwise(w, r)
		return
	}
	refuse(http.StatusNotFound, "NotFound", "the server could not find the requested resource")(w, r)
}

// preflight calls the command with a kubeconfig for the server.
func (a *answering) preflight(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	t.Setenv("KUBERNETES_SERVICE_HOST", "") // where the tests run in a pod
	files := map[string]string{"config": kubeconfig(a.url)}
	return call(t, files, "", append([]string{"nodes", "preflight", "--kubeconfig", "config"}, args...)...)
}

// kubeconfig has a context for each server, named c0, c1 and so on, the first of them
// the current one.
func kubeconfig(servers ...string) string {
	var clusters, contexts []string
	for i, server := range servers {
		clusters = append(clusters, fmt.Sprintf("{name: k%d, cluster: {server: %q}}", i, server))
		contexts = append(contexts, fmt.Sprintf("{name: c%d, context: {cluster: k%d, user: u}}", i, i))
	}
	return fmt.Sprintf("apiVersion: v1\nkind: Config\ncurrent-context: c0\nusers: [{name: u, user: {token: t}}]\nclusters: [%s]\ncontexts: [%s]\n",
		strings.Join(clusters, ", "), strings.Join(contexts, ", "))
}

// pages answers with a list of objects, given as YAML, in pages of the size that is
// asked for.
func pages(kind string, objects ...string) http.HandlerFunc {
	items := make([]json.RawMessage, 0, len(objects))
	for _, o := range objects {
		item, err := yaml.YAMLToJSON([]byte(o))
		if err != nil {
			panic(err)
		}
		items = append(items, item)
	}
	return func(w http.ResponseWriter, r *http.Request) {
		from, _ := strconv.Atoi(r.URL.Query().Get("continue"))
		to, meta := len(items), map[string]string{"resourceVersion": "7"}
		if limit, _ := strconv.Atoi(r.URL.Query().Get("limit")); limit > 0 && from+limit < to {
			to = from + limit
			meta["continue"] = strconv.Itoa(to)
		}
		answer(w, http.StatusOK, map[string]any{"kind": kind + "List", "apiVersion": "v1", "metadata": meta, "items": items[from:to]})
	}
}

func refuse(code int, reason, message string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		answer(w, code, map[string]any{"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code, "reason": reason, "message": message})
	}
}

func answer(w http.ResponseWriter, code int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(body) // a client that has gone
}

// set is a DaemonSet as the API server lists it: without apiVersion and kind.
func set(namespace, name string, pods int, tolerations string) string {
	return fmt.Sprintf(`metadata: {namespace: %s, name: %s, labels: {a: b}, managedFields: [{manager: m}]}
spec: {selector: {matchLabels: {a: b}}, template: {metadata: {labels: {a: b}}, spec: {tolerations: %s, containers: [{name: c, image: i}]}}}
status: {desiredNumberScheduled: %d, currentNumberScheduled: 99, numberMisscheduled: 99, numberReady: 99}`, namespace, name, tolerations, pods)
}

func nodePolicy(name, spec string) string {
	return fmt.Sprintf("apiVersion: hardgate.dev/v1alpha1\nkind: NodePolicy\nmetadata: {name: %s, resourceVersion: '1', managedFields: [{manager: m}]}\nspec: %s", name, spec)
}
