package drills

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"io"
	"net/http"
	"syscall"
	"testing"
	"time"

	"github.com/hardgate-dev/hardgate/e2e/assets"
	"github.com/hardgate-dev/hardgate/e2e/gate"
	"github.com/hardgate-dev/hardgate/e2e/process"
	"github.com/hardgate-dev/hardgate/taint"
)

// judgesWithin is within what time of the API server's return the webhook judges by what is
// stored: it asks every second or two, so that a few suffice on a machine at rest.
const judgesWithin = 20 * time.Second

// backWithin is within what time a controller has noticed: client-go asks less and less
// often, at last once in 30 to 60 s.
const backWithin = 90 * time.Second

// Promise: while the API server is away the webhook goes on judging by what it knew. Within seconds
// of its return no verdict goes by older rules than those that are stored, a controller
// leads, and nothing has been done twice.
func TestAPIServerIsRestarted(t *testing.T) {
	replicas := both(t)
	f := newFleet(t, 6)
	controllers := leadBoth(t)
	f.awaitVerdict(soon, taint.Compliant, f.nodes)
	before := written(t)
	ns, later := shut(t, "restarted"), namespace(t, "later")
	for _, name := range f.nodes[:2] {
		f.report(name, true)
	}
	f.awaitVerdict(soon, taint.Drifted, f.nodes[:2])

	// Longer than a leader may go on without having renewed its Lease.
	const away = leadsAlone + 4*time.Second
	dir := lab.cluster.Config().Dir
	server, found, err := process.Find(dir, string(assets.APIServer))
	if err != nil || !found {
		t.Fatalf("%v; the API server is found: %t", err, found)
	}
	if err := syscall.Kill(server.PID, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	gone := time.Now()
	back := func(ctx context.Context) error { return startCluster(ctx, dir) }
	t.Cleanup(func() {
		if err := back(context.WithoutCancel(t.Context())); err != nil {
			t.Fatal(err)
		}
	})
	for time.Since(gone) < away {
		for name := range replicas {
			if !denies(t, name, ns) {
				t.Errorf("%s judges by something else without the API server", name)
			}
		}
		time.Sleep(time.Second)
	}
	if err := back(t.Context()); err != nil {
		t.Fatal(err)
	}
	returned := time.Now()
	t.Logf("the API server was away for %s, and %d of 2 controllers had ended", round(returned.Sub(gone)), revive(t, controllers))

	// What is changed at once is known to everybody before long.
	for name, r := range replicas {
		if !r.runs(t) {
			t.Errorf("%s has ended", name)
		}
	}
	await(t, backWithin, "policies can be changed", func() bool {
		return put(t.Context(), "workloadpolicies", "WorkloadPolicy", ns, enforcing(later)) == nil
	})
	changed := time.Now()
	for name := range replicas {
		await(t, judgesWithin, name+" judges by what is stored", func() bool { return denies(t, name, later) && !denies(t, name, ns) })
		t.Logf("%s judged by what is stored %s after the return, %s after it was stored", name, round(time.Since(returned)), round(time.Since(changed)))
	}
	for _, name := range f.nodes[2:4] {
		f.report(name, true)
	}
	f.awaitVerdict(backWithin, taint.Drifted, f.nodes[:4])
	t.Logf("a controller led %s after the return", round(time.Since(returned)))
	await(t, backWithin, "the registration follows", func() bool { return closed(t, later) && !closed(t, ns) })
	await(t, soon, "a pod is denied by the API server", func() bool { return gate.Denied(create(t.Context(), pod(later, true))) })
	time.Sleep(time.Second) // for what should not come
	// A taint that goes and comes back is three writes.
	f.writtenAtMostOnce(before)
}

// denies asks a replica itself, past the API server, about a privileged pod.
func denies(t *testing.T, name, ns string) bool {
	t.Helper()
	p := pod(ns, true)
	p.Name, p.GenerateName = "a", ""
	p.APIVersion, p.Kind = "v1", "Pod"
	body, err := json.Marshal(map[string]any{
		"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": map[string]any{
			"uid": "00000000-0000-4000-8000-000000000001", "operation": "CREATE", "namespace": ns, "name": "a",
			"kind":     map[string]any{"group": "", "version": "v1", "kind": "Pod"},
			"resource": map[string]any{"group": "", "version": "v1", "resource": "pods"},
			"userInfo": map[string]any{"username": "drill"}, "object": p,
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(lab.ca) {
		t.Fatal("no authority")
	}
	client := &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}, DisableKeepAlives: true,
	}}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, lab.service.urlOf(name)+"/validate", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := client.Do(req)
	if err != nil {
		t.Fatalf("asking %s: %v", name, err)
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	var answer struct {
		Response *struct {
			Allowed bool `json:"allowed"`
		} `json:"response"`
	}
	if err == nil {
		err = json.Unmarshal(text, &answer)
	}
	if err != nil || answer.Response == nil {
		t.Fatalf("%s answers %s: %v: %.300s", name, resp.Status, err, text)
	}
	return !answer.Response.Allowed
}

// urlOf is where one replica is found, without the service.
func (s *service) urlOf(name string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range s.all {
		if e.name == name {
			return "https://" + e.address
		}
	}
	return "https://" + name + ".invalid"
}
