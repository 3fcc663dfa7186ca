package helm

import (
	"context"
	"strings"
	"testing"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"
)

// upgrade replaces every pod and changes the controller's flags, while pods are created
// in a namespace that is enforced.
func upgrade(t *testing.T) {
	t.Helper()
	before, ended := keepsClosed(t)
	s := begin(t, true)
	s.more(t, 50)
	out, err := helm(t.Context(), "upgrade", "hardgate", chart(), "--namespace", system, "--reset-then-reuse-values",
		"--set", "image.tag="+next, "--set", "image.pullPolicy=Never", "--set", "controller.auditInterval=6s", "--wait", "--timeout", "5m")
	if err != nil {
		t.Error(err)
	}
	running(t, next)
	s.more(t, 50)
	s.end()
	s.lost(t)
	if err := ended(); err != nil {
		t.Error(err)
	}
	after, err := lab.admin.AdmissionregistrationV1().ValidatingWebhookConfigurations().Get(t.Context(), "hardgate", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if before.UID != after.UID {
		t.Error("the webhook configuration was replaced")
	}
	if !strings.Contains(out, "REVISION: 2") {
		t.Errorf("helm says\n%s", out)
	}
	deployment, err := lab.admin.AppsV1().Deployments(system).Get(t.Context(), "hardgate-controller", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if args := strings.Join(deployment.Spec.Template.Spec.Containers[0].Args, " "); !strings.Contains(args, "--audit-interval=6s") {
		t.Errorf("the controller's arguments are %s", args)
	}
}

// keepsClosed watches the webhook configuration. ended gives an error if it ever let
// something into the enforced namespace without the webhook's word.
func keepsClosed(t *testing.T) (before *admissionregistrationv1.ValidatingWebhookConfiguration, ended func() error) {
	t.Helper()
	configurations := lab.admin.AdmissionregistrationV1().ValidatingWebhookConfigurations()
	before, err := configurations.Get(t.Context(), "hardgate", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	w, err := configurations.Watch(ctx, metav1.ListOptions{FieldSelector: "metadata.name=hardgate", ResourceVersion: before.ResourceVersion})
	if err != nil {
		cancel()
		t.Fatal(err)
	}
	found := make(chan error, 1)
	go func() {
		var wrong error
		for e := range w.ResultChan() {
			if stored, ok := e.Object.(*admissionregistrationv1.ValidatingWebhookConfiguration); ok && wrong == nil {
				if wrong = failsClosed(stored); wrong == nil && e.Type == watch.Deleted {
					wrong = context.Canceled
				}
			}
		}
		found <- wrong
	}()
	return before, func() error {
		cancel()
		return <-found
	}
}
