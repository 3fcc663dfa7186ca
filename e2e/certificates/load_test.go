package certificates

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/hardgate-dev/hardgate/e2e/cluster"
	"github.com/hardgate-dev/hardgate/e2e/gate"
	"github.com/hardgate-dev/hardgate/webhook/registration"
)

// enforce makes a namespace in which privileged pods are refused, and waits until the API
// server fails closed there.
func enforce(t *testing.T, ns string) {
	t.Helper()
	if err := cluster.EnsureNamespace(t.Context(), lab.admin, ns); err != nil {
		t.Fatal(err)
	}
	policy := object("hardgate.dev/v1alpha1", "WorkloadPolicy", "", ns, map[string]any{"spec": map[string]any{
		"namespaceSelector": map[string]any{"matchLabels": map[string]any{"kubernetes.io/metadata.name": ns}},
		"controls":          []any{map[string]any{"id": "privileged", "mode": "Enforce"}},
	}})
	create(t, policy) // asked about by a webhook that fails closed: it goes by the bundle already
	t.Cleanup(func() { remove(t, policy) })
	await(t, "the API server fails closed in "+ns, func() bool {
		c, err := lab.admin.AdmissionregistrationV1().ValidatingWebhookConfigurations().Get(t.Context(), registration.Name, metav1.GetOptions{})
		return err == nil && slices.Contains(registration.Closed(c), ns)
	})
	await(t, "the gate refuses", func() bool { return gate.Denied(createPod(t.Context(), ns, true)) })
}

func createPod(ctx context.Context, ns string, privileged bool) error {
	_, err := lab.admin.CoreV1().Pods(ns).Create(ctx, &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{GenerateName: "load-"},
		Spec: corev1.PodSpec{Containers: []corev1.Container{{
			Name: "a", Image: "registry.example/a:1", SecurityContext: &corev1.SecurityContext{Privileged: &privileged},
		}}},
	}, metav1.CreateOptions{})
	return err
}

// load creates pods as fast as one client can, until stop is called. Each must be answered
// as if nothing was renewed: that every tenth is denied shows that the gate is asked.
func load(t *testing.T, ns string) (stop func() (asked int64)) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	var client sync.WaitGroup
	var asked, wrong atomic.Int64
	client.Go(func() {
		for n := 0; ctx.Err() == nil; n++ {
			err := createPod(ctx, ns, n%10 == 9)
			if ctx.Err() != nil {
				return
			}
			asked.Add(1)
			if good := err == nil; n%10 == 9 && !gate.Denied(err) || n%10 != 9 && !good {
				if wrong.Add(1) <= 5 {
					t.Errorf("request %d at %s: %v", n, time.Now().Format(time.TimeOnly), err)
				}
			}
		}
	})
	return func() int64 {
		cancel()
		client.Wait()
		t.Logf("%d requests, %d lost", asked.Load(), wrong.Load())
		return asked.Load()
	}
}

// seen are the certificates that replicas served and the bundles that were stored. It is
// read when the probe has ended.
type seen struct {
	served, bundles   []string
	handshakes, wrong int
}

// probe checks all the time what every API server would: that each bundle that is stored
// accepts what each replica serves.
func probe(t *testing.T, s *service) (stop func() *seen) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	all := &seen{}
	running.Go(func() {
		for ctx.Err() == nil {
			bundles, err := stored(ctx)
			if err == nil {
				for n, address := range s.replicas {
					all.try(ctx, t, n, address, bundles)
				}
			}
			time.Sleep(100 * time.Millisecond)
		}
	})
	return func() *seen {
		cancel()
		running.Wait()
		t.Logf("%d handshakes, %d refused; %d serving certificates, %d bundles", all.handshakes, all.wrong, len(all.served), len(all.bundles))
		return all
	}
}

// stored are the bundles of all our webhooks, each once.
func stored(ctx context.Context) (bundles []string, _ error) {
	v, err := lab.admin.AdmissionregistrationV1().ValidatingWebhookConfigurations().Get(ctx, registration.Name, metav1.GetOptions{})
	if err != nil {
		return nil, err
	}
	m, err := lab.admin.AdmissionregistrationV1().MutatingWebhookConfigurations().Get(ctx, registration.Name, metav1.GetOptions{})
	if err != nil {
		return nil, err
	}
	for i := range v.Webhooks {
		bundles = append(bundles, string(v.Webhooks[i].ClientConfig.CABundle))
	}
	for i := range m.Webhooks {
		bundles = append(bundles, string(m.Webhooks[i].ClientConfig.CABundle))
	}
	slices.Sort(bundles)
	return slices.Compact(bundles), nil
}

func (s *seen) try(ctx context.Context, t *testing.T, n int, address string, bundles []string) {
	t.Helper()
	for _, bundle := range bundles {
		pool := x509.NewCertPool()
		pool.AppendCertsFromPEM([]byte(bundle))
		dialer := tls.Dialer{Config: &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: pool, ServerName: "localhost"}}
		conn, err := dialer.DialContext(ctx, "tcp", address)
		if ctx.Err() != nil {
			return
		}
		s.handshakes++
		s.bundles = add(s.bundles, bundle)
		if err != nil {
			if s.wrong++; s.wrong <= 5 {
				t.Errorf("at %s replica %d is refused by a bundle that is stored: %v", time.Now().Format(time.TimeOnly), n, err)
			}
		} else {
			leaf := conn.(*tls.Conn).ConnectionState().PeerCertificates[0]
			s.served = add(s.served, fmt.Sprintf("%x", leaf.SerialNumber))
			_ = conn.Close()
		}
	}
}

func add(all []string, one string) []string {
	if slices.Contains(all, one) {
		return all
	}
	return append(all, one)
}
