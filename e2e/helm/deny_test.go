package helm

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"testing"
	"time"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/hardgate-dev/hardgate/e2e/apply"
	"github.com/hardgate-dev/hardgate/e2e/gate"
)

// The namespaces of these tests: e2e/demo enforces something in the first one.
const enforced, open = "shop", "elsewhere"

// nothingIsBlocked asserts that the worst pod is warned about only.
func nothingIsBlocked(t *testing.T) {
	t.Helper()
	ns := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: open}}
	if _, err := lab.admin.CoreV1().Namespaces().Create(t.Context(), ns, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	denied := demo(t, "denied.yaml")
	denied.SetNamespace(open)
	await(t, 30*time.Second, "a Deployment is warned about", func(ctx context.Context) error {
		warnings, err := lab.client.Create(ctx, denied, metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}})
		if err != nil {
			t.Fatal(err)
		}
		if len(warnings) == 0 {
			return errors.New("no warning")
		}
		return nil
	})
}

func deny(t *testing.T) {
	t.Helper()
	for _, o := range demoAll(t, "setup.yaml") {
		if _, err := lab.client.Apply(t.Context(), o); err != nil {
			t.Fatal(err)
		}
	}
	denied := demo(t, "denied.yaml")
	if err := gate.AwaitDenial(t.Context(), lab.client, denied); err != nil {
		t.Fatal(err)
	}
	_, err := lab.client.Create(t.Context(), denied, metav1.CreateOptions{})
	if !gate.Denied(err) {
		t.Fatalf("the Deployment is not denied: %v", err)
	}
	t.Log(err)
	if _, err := lab.client.Create(t.Context(), demo(t, "admitted.yaml"), metav1.CreateOptions{}); err != nil {
		t.Error(err)
	}
	await(t, time.Minute, "the API server fails closed", closed)
}

// demo is the one object of a file in e2e/demo.
func demo(t *testing.T, name string) *unstructured.Unstructured {
	t.Helper()
	return demoAll(t, name)[0]
}

func demoAll(t *testing.T, name string) []*unstructured.Unstructured {
	t.Helper()
	objects, err := apply.Read(filepath.Join(lab.repo, "e2e", "demo", name))
	if err != nil || len(objects) == 0 {
		t.Fatal(len(objects), err)
	}
	return objects
}

// closed is nil where nothing gets into the enforced namespace without the webhook's word.
func closed(ctx context.Context) error {
	stored, err := lab.admin.AdmissionregistrationV1().ValidatingWebhookConfigurations().Get(ctx, "hardgate", metav1.GetOptions{})
	if err != nil {
		return err
	}
	return failsClosed(stored)
}

func failsClosed(stored *admissionregistrationv1.ValidatingWebhookConfiguration) error {
	for _, w := range stored.Webhooks {
		if w.Name != "workloads-enforced.hardgate.dev" || w.FailurePolicy == nil || *w.FailurePolicy != admissionregistrationv1.Fail {
			continue
		}
		for _, r := range w.NamespaceSelector.MatchExpressions {
			if r.Operator == metav1.LabelSelectorOpIn && slices.Contains(r.Values, enforced) {
				return nil
			}
		}
	}
	return fmt.Errorf("no webhook fails closed in %s: %+v", enforced, stored.Webhooks)
}
