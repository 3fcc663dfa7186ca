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
)

// Promise: without hardgate's CRDs, whether they were never there or are deleted, the
// webhook serves by its defaults and says so, the controller says so and goes on waiting,
// and nothing stays closed. When they are back, what is in them is in force.
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

	// A controller that starts waits, and is ready when they are there.
	ready := make(chan error, 1)
	var late *controller.Controller
	go func() {
		var err error
		late, err = controller.StartReplica(t.Context(), lab.cluster, lab.repo, "controller-2")
		ready <- err
	}()
	await(t, soon, "a controller that starts says what it waits for", func() bool {
		select {
		case err := <-ready:
			t.Fatalf("it is ready without any CRD, or has ended: %v", err)
		default:
		}
		said, err := os.ReadFile(process.LogFile(lab.cluster.Config().Dir, "controller-2"))
		return err == nil && bytes.Contains(said, []byte("still waiting for the API server to answer all that is asked")) &&
			bytes.Contains(said, []byte("nodereports.hardgate.dev"))
	})

	// And back.
	if err := gate.Install(t.Context(), lab.cluster, lab.repo); err != nil {
		t.Fatal(err)
	}
	back := time.Now()
	await(t, soon, "a policy is stored", func() bool {
		return put(t.Context(), "workloadpolicies", "WorkloadPolicy", ns, enforcing(ns)) == nil
	})
	for name := range replicas {
		await(t, backWithin, name+" judges by the policy", func() bool { return denies(t, name, ns) })
		t.Logf("%s judged by a policy %s after the CRDs were back", name, round(time.Since(back)))
	}
	await(t, backWithin, "what is enforced fails closed", func() bool { return closed(t, ns) })
	if err := <-ready; err != nil {
		t.Fatal(err)
	}
	t.Logf("a controller that waited was ready %s after the CRDs were back", round(time.Since(back)))
	if err := late.Stop(t.Context()); err != nil {
		t.Error(err)
	}
	if running, err := c.Process().Running(); err != nil || !running {
		t.Errorf("%v; the controller runs: %t", err, running)
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
