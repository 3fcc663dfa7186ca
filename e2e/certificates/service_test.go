package certificates

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/pem"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/hardgate-dev/hardgate/e2e/apply"
	"github.com/hardgate-dev/hardgate/e2e/controller"
	"github.com/hardgate-dev/hardgate/e2e/gate"
	"github.com/hardgate-dev/hardgate/e2e/process"
	"github.com/hardgate-dev/hardgate/webhook/registration"
)

// replicas of the webhook.
const replicas = 2

// metricsPort is what a replica's port of metrics is named after it.
const metricsPort = "-metrics"

// service is the webhook's replicas, and the address that stands for them all.
type service struct {
	address  string
	replicas []string
	health   []string
}

// ready waits until every replica serves.
func (s *service) ready(t *testing.T) {
	t.Helper()
	for _, url := range s.health {
		await(t, "every replica is ready", func() bool { return process.Answers(t.Context(), url+"/readyz") == nil })
	}
}

// serves waits until every replica serves what is stored.
func (s *service) serves(t *testing.T) {
	t.Helper()
	block, _ := pem.Decode(secret(t, servingSecret)["tls.crt"])
	if block == nil {
		t.Fatal("no certificate is stored")
	}
	for _, address := range s.replicas {
		await(t, "every replica serves what is stored", func() bool {
			dialer := tls.Dialer{Config: &tls.Config{MinVersion: tls.VersionTLS12, InsecureSkipVerify: true}} // which one it is is looked at
			conn, err := dialer.DialContext(t.Context(), "tcp", address)
			if err != nil {
				return false
			}
			defer func() { _ = conn.Close() }()
			return bytes.Equal(conn.(*tls.Conn).ConnectionState().PeerCertificates[0].Raw, block.Bytes)
		})
	}
}

// serve starts the replicas and the address before them.
func serve(t *testing.T) *service {
	t.Helper()
	var all []process.Program
	for n := range replicas {
		all = append(all, process.Program{Name: fmt.Sprintf("webhook-%d", n), Path: lab.webhook})
	}
	return serveBy(t, all)
}

// serveBy is serve for replicas of which name, path and environment are given. They wait for
// their certificate.
func serveBy(t *testing.T, all []process.Program) *service {
	t.Helper()
	s := &service{}
	t.Cleanup(func() { // the next test begins without
		for _, name := range []string{authoritySecret, servingSecret} {
			if err := lab.admin.CoreV1().Secrets(controller.Namespace).Delete(context.WithoutCancel(t.Context()), name, metav1.DeleteOptions{}); err != nil {
				t.Error(err)
			}
		}
	})
	for _, p := range all {
		address, health := replica(t, p)
		s.replicas, s.health = append(s.replicas, address), append(s.health, health)
	}
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.address = listener.Addr().String()
	var connections sync.WaitGroup
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(func() {
		cancel()
		_ = listener.Close()
		connections.Wait()
	})
	var turn atomic.Uint32
	connections.Go(func() {
		for {
			from, err := listener.Accept()
			if err != nil {
				return
			}
			to := s.replicas[int(turn.Add(1))%len(s.replicas)]
			connections.Go(func() { join(ctx, from, to) })
		}
	})
	return s
}

// join carries bytes both ways until either end closes.
func join(ctx context.Context, from net.Conn, address string) {
	defer func() { _ = from.Close() }()
	to, err := new(net.Dialer).DialContext(ctx, "tcp", address)
	if err != nil {
		return
	}
	defer context.AfterFunc(ctx, func() { _, _ = from.Close(), to.Close() })()
	var back sync.WaitGroup
	back.Go(func() {
		_, _ = io.Copy(from, to)
		_ = from.Close()
	})
	_, _ = io.Copy(to, from)
	_ = to.Close()
	back.Wait()
}

// replica starts one, with a kubelet of its own, and returns where it listens and tells of
// its health.
func replica(t *testing.T, p process.Program) (address, health string) {
	t.Helper()
	name := p.Name
	mounted := filepath.Join(lab.dir, name+"-tls")
	if err := os.RemoveAll(mounted); err != nil {
		t.Fatal(err)
	}
	kubelet(t, mounted)
	ports := lab.cluster.Ports()
	at := func(purpose string) string { return "127.0.0.1:" + strconv.Itoa(ports.Of(name+purpose)) }
	r, _, err := process.Service{
		Ports: ports, Purposes: []string{name, name + "-health", name + metricsPort},
		Program: func() process.Program {
			p.Dir, p.Args = lab.dir, []string{
				"--kubeconfig", lab.cluster.Kubeconfig(gate.User), "--cert-dir", mounted, "--drain", "0s",
				"--listen", at(""), "--health-listen", at("-health"), "--metrics-listen", at(metricsPort),
			}
			return p
		},
		// It lives before it has a certificate, and is not ready.
		Ready: func(ctx context.Context) error { return process.Answers(ctx, "http://"+at("-health")+"/healthz") },
		Limit: 60 * time.Second, Grace: 10 * time.Second, Log: say,
	}.Ensure(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("%s:\n%s", name, r.LogTail())
		}
		if err := r.Stop(context.WithoutCancel(t.Context()), 10*time.Second); err != nil {
			t.Error(err)
		}
	})
	if process.Answers(t.Context(), "http://"+at("-health")+"/readyz") == nil {
		t.Errorf("%s is ready without a certificate", name)
	}
	return at(""), "http://" + at("-health")
}

// register installs both configurations without a bundle, as the chart does.
func register(t *testing.T, s *service) {
	t.Helper()
	_, port, err := net.SplitHostPort(s.address)
	if err != nil {
		t.Fatal(err)
	}
	o := registration.Options{URL: "https://localhost:" + port}
	for _, built := range []any{registration.Build(o), registration.BuildMutating(o)} {
		content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(built)
		if err != nil {
			t.Fatal(err)
		}
		u := &unstructured.Unstructured{Object: content}
		create(t, u)
		t.Cleanup(func() { remove(t, u) })
	}
}

func create(t *testing.T, u *unstructured.Unstructured) {
	t.Helper()
	if _, err := lab.client.Create(t.Context(), u, metav1.CreateOptions{FieldManager: apply.FieldManager}); err != nil {
		t.Fatal(err)
	}
}

func remove(t *testing.T, u *unstructured.Unstructured) {
	t.Helper()
	if err := lab.client.Delete(context.WithoutCancel(t.Context()), u); err != nil {
		t.Error(err)
	}
}

func object(apiVersion, kind, ns, name string, content map[string]any) *unstructured.Unstructured {
	u := &unstructured.Unstructured{Object: content}
	u.SetAPIVersion(apiVersion)
	u.SetKind(kind)
	u.SetNamespace(ns)
	u.SetName(name)
	return u
}

// await waits until something holds.
func await(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for began := time.Now(); !holds(); time.Sleep(50 * time.Millisecond) {
		if time.Since(began) > 90*time.Second {
			t.Fatalf("waiting until %s", what)
		}
	}
}
