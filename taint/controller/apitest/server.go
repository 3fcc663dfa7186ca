// Package apitest plays an API server that has Nodes and nothing else, for tests: with
// resourceVersions that are compared as the real one does, and answers that get lost.
package apitest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// Fate is what becomes of a request.
type Fate int

// The fates.
const (
	// Answered requests are served.
	Answered Fate = iota
	// Broken ones are answered with 500, and nothing is done.
	Broken
	// Forbidden ones are answered with 403.
	Forbidden
	// Lost ones are served, and the answer does not arrive.
	Lost
	// Late ones are served after the client has given up.
	Late
)

// Server is one that runs until the test ends. It is safe for concurrent use.
type Server struct {
	t *testing.T
	// Fate decides about each request, before it is served; it may take its time. Nil
	// serves all.
	Fate func(*http.Request) Fate
	// Changed is called with each node that is written, in order; nil for nobody.
	Changed func(*corev1.Node)

	url      string
	mu       sync.Mutex
	nodes    map[string]*corev1.Node
	version  int
	requests []string
	under    sync.WaitGroup
}

// New starts a server.
func New(t *testing.T) *Server {
	t.Helper()
	s := &Server{t: t, nodes: map[string]*corev1.Node{}}
	server := httptest.NewServer(s)
	t.Cleanup(func() {
		server.Close()
		s.under.Wait()
	})
	s.url = server.URL
	return s
}

// Client is a client of the server.
func (s *Server) Client() client.Client {
	s.t.Helper()
	scheme := runtime.NewScheme()
	if err := corev1.AddToScheme(scheme); err != nil {
		s.t.Fatal(err)
	}
	mapper := meta.NewDefaultRESTMapper([]schema.GroupVersion{corev1.SchemeGroupVersion})
	mapper.Add(corev1.SchemeGroupVersion.WithKind("Node"), meta.RESTScopeRoot)
	c, err := client.New(&rest.Config{Host: s.url, QPS: -1}, client.Options{Scheme: scheme, Mapper: mapper})
	if err != nil {
		s.t.Fatal(err)
	}
	return c
}

// Put creates a node or replaces it, as others do, and returns it as it is stored.
func (s *Server) Put(n *corev1.Node) *corev1.Node {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.store(n.DeepCopy())
}

// Edit changes a node as others do who compare resourceVersions.
func (s *Server) Edit(name string, change func(*corev1.Node)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := s.nodes[name].DeepCopy()
	change(n)
	s.store(n)
}

// Delete deletes a node.
func (s *Server) Delete(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.nodes, name)
}

// Node is a node as it is stored; nil if there is none.
func (s *Server) Node(name string) *corev1.Node {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.nodes[name].DeepCopy()
}

// Requests are the methods of those that came and were let through.
func (s *Server) Requests() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.requests)
}

func (s *Server) store(n *corev1.Node) *corev1.Node {
	s.version++
	n.ResourceVersion = strconv.Itoa(s.version)
	if old := s.nodes[n.Name]; n.UID == "" && old != nil {
		n.UID = old.UID
	}
	if n.UID == "" {
		n.UID = types.UID(fmt.Sprintf("uid-%d", s.version))
	}
	s.nodes[n.Name] = n
	if s.Changed != nil {
		s.Changed(n.DeepCopy())
	}
	return n.DeepCopy()
}

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	fate := Answered
	if s.Fate != nil {
		fate = s.Fate(r)
	}
	switch fate {
	case Broken:
		answer(w, http.StatusInternalServerError, status(http.StatusInternalServerError, metav1.StatusReasonInternalError))
		return
	case Forbidden:
		answer(w, http.StatusForbidden, status(http.StatusForbidden, metav1.StatusReasonForbidden))
		return
	case Late:
		s.late(r)
		panic(http.ErrAbortHandler)
	case Answered, Lost:
	}
	code, body := s.serve(r)
	if fate == Lost {
		panic(http.ErrAbortHandler)
	}
	answer(w, code, body)
}

// delay is how late requests are that are late.
const delay = 20 * time.Millisecond

func (s *Server) late(r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		s.t.Error(err)
	}
	again := r.Clone(context.WithoutCancel(r.Context()))
	again.Body = io.NopCloser(bytes.NewReader(body))
	s.under.Go(func() {
		time.Sleep(delay)
		s.serve(again)
	})
}

func (s *Server) serve(r *http.Request) (int, any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests = append(s.requests, r.Method)
	var name, sub string
	if _, err := fmt.Sscanf(r.URL.Path, "/api/v1/nodes/%s", &name); err != nil {
		list := &corev1.NodeList{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "NodeList"}}
		for _, n := range s.nodes {
			list.Items = append(list.Items, *n)
		}
		return http.StatusOK, list
	}
	if n := len(name) - len("/status"); n > 0 && name[n:] == "/status" {
		name, sub = name[:n], "status"
	}
	n := s.nodes[name]
	if n == nil {
		return http.StatusNotFound, status(http.StatusNotFound, metav1.StatusReasonNotFound)
	}
	if r.Method == http.MethodPatch {
		return s.patch(n.DeepCopy(), sub, r)
	}
	return http.StatusOK, typed(n)
}

// patch understands as much of patches as the controller sends.
func (s *Server) patch(n *corev1.Node, sub string, r *http.Request) (int, any) {
	var p struct {
		Metadata struct {
			ResourceVersion string
			UID             types.UID
		}
		Spec   struct{ Taints []corev1.Taint }
		Status struct{ Conditions []corev1.NodeCondition }
	}
	if err := json.NewDecoder(r.Body).Decode(&p); err != nil {
		s.t.Error(err)
	}
	if v := p.Metadata.ResourceVersion; v != "" && v != n.ResourceVersion {
		return http.StatusConflict, status(http.StatusConflict, metav1.StatusReasonConflict)
	}
	if uid := p.Metadata.UID; uid != "" && uid != n.UID {
		wrong := status(http.StatusUnprocessableEntity, metav1.StatusReasonInvalid)
		wrong.Details = &metav1.StatusDetails{Causes: []metav1.StatusCause{{Type: metav1.CauseTypeFieldValueInvalid, Field: "metadata.uid"}}}
		return int(wrong.Code), wrong
	}
	if sub == "" {
		n.Spec.Taints = p.Spec.Taints
	}
	for _, c := range p.Status.Conditions {
		n.Status.Conditions = append(slices.DeleteFunc(n.Status.Conditions, func(h corev1.NodeCondition) bool { return h.Type == c.Type }), c)
	}
	return http.StatusOK, typed(s.store(n))
}

func typed(n *corev1.Node) *corev1.Node {
	n = n.DeepCopy()
	n.TypeMeta = metav1.TypeMeta{APIVersion: "v1", Kind: "Node"}
	return n
}

func status(code int32, reason metav1.StatusReason) *metav1.Status {
	return &metav1.Status{
		TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Status"}, Status: metav1.StatusFailure, Code: code, Reason: reason,
		Message: "as the test wants it: " + string(reason),
	}
}

func answer(w http.ResponseWriter, code int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(body) // who no longer listens need not be told
}
