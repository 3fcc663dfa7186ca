package drills

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/hardgate-dev/hardgate/e2e/apply"
	"github.com/hardgate-dev/hardgate/e2e/controller"
	"github.com/hardgate-dev/hardgate/e2e/gate"
	"github.com/hardgate-dev/hardgate/e2e/process"
	"github.com/hardgate-dev/hardgate/taint"
	"github.com/hardgate-dev/hardgate/webhook/registration"
)

// The Secrets of the certificates that a controller makes.
const servingSecret, caSecret = "hardgate-webhook-tls", "hardgate-ca"

// Promise: without hardgate's CRDs, whether they were never there or are deleted, the
// webhook serves by its defaults and says so, the controller says so and goes on, one that
// starts leads and does what it can without them, and nothing stays closed. When they are back, what is in them is in force.
func TestCRDsAreMissing(t *testing.T) {
	replicas := both(t)
	c := leads(t, "controller-1")
	ns := shut(t, "missing")
	f := newFleet(t, 2)
	f.report(f.nodes[0], true)
	f.awaitVerdict(soon, taint.Drifted, f.nodes[:1])

	// In the middle.
	deleted := time.Now()
	removeCRDs(t)
	t.Cleanup(func() {
		if err := gate.Install(context.WithoutCancel(t.Context()), lab.cluster, lab.repo); err != nil {
			t.Error(err)
		}
	})
	for name := range replicas {
		await(t, soon, name+" judges by its defaults", func() bool { return !denies(t, name, ns) })
	}
	t.Logf("judged by defaults %s after the deletion began", round(time.Since(deleted)))
	for _, r := range replicas {
		await(t, backWithin, r.name+" says so", func() bool { return r.says(t, "WorkloadPolicies are not installed here: their CRD is missing") })
	}
	await(t, soon, "nothing is closed", func() bool { return !closed(t, ns) })
	t.Logf("nothing closed after %s", round(time.Since(deleted)))
	await(t, soon, "taints go with their policies", func() bool {
		n, err := lab.admin.CoreV1().Nodes().Get(t.Context(), f.nodes[0], metav1.GetOptions{})
		return err == nil && !tainted(n)
	})
	await(t, backWithin, "the controller says so", func() bool { return strings.Contains(logOf(t, "controller-1"), "CRDs are missing") })
	if running, err := c.Process().Running(); err != nil || !running {
		t.Fatalf("%v; the controller runs: %t", err, running)
	}

	// At the start.
	for name, r := range replicas {
		r.kill(t)
		began := time.Now()
		r, err := startReplica(t.Context(), name)
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%s was ready without any CRD after %s", name, round(time.Since(began)))
		if denies(t, name, ns) || !r.says(t, "WorkloadPolicies are not installed here: their CRD is missing") {
			t.Errorf("%s does not judge by its defaults, or does not say so", name)
		}
	}
	if said := strings.Join(warnings(t, ns), "\n"); !strings.Contains(said, "privileged") {
		t.Errorf("the defaults warn of %q", said)
	}

	// A controller that starts leads, though it is not ready, and does what it can: it opens
	// what is closed by no policy any more, and makes the certificate that is missing.
	if err := c.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	shutByHand(t, ns)
	ready := make(chan error, 1)
	var late *controller.Controller
	var readyAt time.Time
	began := time.Now()
	go func() {
		var err error
		late, err = controller.StartReplica(t.Context(), lab.cluster, lab.repo, "controller-2",
			"--audit-interval", "1s", "--audit-tick", "500ms", "--certificates", "builtin", "--certificate-settle", "1s")
		readyAt = time.Now()
		ready <- err
	}()
	t.Cleanup(func() { forgetCertificates(t) })
	waiting := func(what string, holds func() bool) {
		t.Helper()
		await(t, soon, "a controller that starts "+what, func() bool {
			select {
			case err := <-ready:
				t.Fatalf("it is ready without any CRD, or has ended: %v", err)
			default:
			}
			return holds()
		})
	}
	waiting("says what is missing", func() bool {
		said, err := os.ReadFile(process.LogFile(lab.cluster.Config().Dir, "controller-2"))
		return err == nil && bytes.Contains(said, []byte("CRDs are missing")) &&
			bytes.Contains(said, []byte("exemptions.hardgate.dev, nodepolicies.hardgate.dev, nodereports.hardgate.dev"))
	})
	waiting("keeps the certificate", func() bool {
		_, err := lab.admin.CoreV1().Secrets(controller.Namespace).Get(t.Context(), servingSecret, metav1.GetOptions{})
		return err == nil
	})
	waiting("opens what nothing enforces", func() bool { return !closed(t, ns) })
	t.Logf("a controller that started without any CRD had made a certificate and opened what was closed after %s", round(time.Since(began)))
	if n, err := lab.admin.CoreV1().Nodes().Get(t.Context(), f.nodes[1], metav1.GetOptions{}); err != nil || tainted(n) {
		t.Errorf("%v; a node is tainted without any policy: %t", err, tainted(n))
	}

	// And back.
	if err := gate.Install(t.Context(), lab.cluster, lab.repo); err != nil {
		t.Fatal(err)
	}
	back := time.Now()
	var refused error
	await(t, soon, "a policy is stored", func() bool {
		err := put(t.Context(), "workloadpolicies", "WorkloadPolicy", ns, enforcing(ns))
		if err != nil {
			refused = err
		}
		return err == nil
	})
	t.Logf("a policy was stored %s after the CRDs were back; until then: %v", round(time.Since(back)), refused)
	for name := range replicas {
		await(t, backWithin, name+" judges by the policy", func() bool { return denies(t, name, ns) })
		t.Logf("%s judged by a policy %s after the CRDs were back", name, round(time.Since(back)))
	}
	await(t, backWithin, "what is enforced fails closed", func() bool { return closed(t, ns) })
	if err := <-ready; err != nil {
		t.Fatal(err)
	}
	took := readyAt.Sub(back)
	t.Logf("a controller that waited was ready %s after the CRDs were back", round(took))
	if took > judgesWithin {
		t.Errorf("it was ready %s after the CRDs were back", took)
	}
	if err := late.Stop(t.Context()); err != nil {
		t.Error(err)
	}
}

// shutByHand makes the API server fail closed in a namespace, as a leader before has.
func shutByHand(t *testing.T, ns string) {
	t.Helper()
	wanted, differs, err := registration.FollowEnforced(stored(t), []string{controller.Namespace, controller.LeaderNamespace}, []string{ns})
	if err != nil || !differs {
		t.Fatalf("%v; it differs: %t", err, differs)
	}
	if _, err := lab.admin.AdmissionregistrationV1().ValidatingWebhookConfigurations().Update(t.Context(), wanted, metav1.UpdateOptions{}); err != nil {
		t.Fatal(err)
	}
	if !closed(t, ns) {
		t.Fatal("nothing is closed")
	}
}

// forgetCertificates takes away what a controller has made that keeps certificates, and
// registers the replicas by their own again.
func forgetCertificates(t *testing.T) {
	t.Helper()
	ctx := context.WithoutCancel(t.Context())
	for _, name := range []string{servingSecret, caSecret} {
		if err := lab.admin.CoreV1().Secrets(controller.Namespace).Delete(ctx, name, metav1.DeleteOptions{}); err != nil && !apierrors.IsNotFound(err) {
			t.Error(err)
		}
	}
	if err := register(ctx); err != nil {
		t.Error(err)
	}
}

// removeCRDs deletes hardgate's CRDs, and all that is of their kinds.
func removeCRDs(t *testing.T) {
	t.Helper()
	crds := lab.dynamic.Resource(schema.GroupVersionResource{Group: "apiextensions.k8s.io", Version: "v1", Resource: "customresourcedefinitions"})
	all, err := apply.ReadDir(filepath.Join(lab.repo, "manifests", "crd"))
	if err != nil {
		t.Fatal(err)
	}
	for _, crd := range all {
		if err := crds.Delete(t.Context(), crd.GetName(), metav1.DeleteOptions{}); err != nil && !apierrors.IsNotFound(err) {
			t.Fatal(err)
		}
	}
	for _, crd := range all {
		await(t, soon, crd.GetName()+" is gone", func() bool {
			_, err := crds.Get(t.Context(), crd.GetName(), metav1.GetOptions{})
			return apierrors.IsNotFound(err)
		})
	}
}
