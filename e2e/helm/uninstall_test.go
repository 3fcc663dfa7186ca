package helm

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/discovery"

	"github.com/hardgate-dev/hardgate/api/v1alpha1"
)

// noService is what an API server says that has yet to hear that the registration was
// deleted, where the Service is deleted already: Helm does the one right after the other.
const noService = `service "hardgate-webhook" not found`

// uninstall takes everything away while pods are created in a namespace that is enforced:
// none is refused because the webhook is gone before its registration.
func uninstall(t *testing.T) {
	t.Helper()
	s := begin(t, false)
	s.more(t, 50)
	out, err := helm(t.Context(), "uninstall", "hardgate", "--namespace", system, "--wait", "--timeout", "3m")
	if err != nil {
		t.Error(err)
	}
	t.Log(out)
	s.more(t, 50)
	s.end()
	s.forgive(t, noService)
	s.lost(t)
	// What was denied is admitted at once.
	if _, err := lab.client.Create(t.Context(), demo(t, "denied.yaml"), metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}}); err != nil {
		t.Error(err)
	}
	await(t, time.Minute, "all pods have ended", func(ctx context.Context) error {
		pods, err := lab.admin.CoreV1().Pods(system).List(ctx, metav1.ListOptions{})
		if err == nil && len(pods.Items) > 0 {
			err = fmt.Errorf("there are %d", len(pods.Items))
		}
		return err
	})
}

// remains is what the chart's README says of what `helm uninstall` leaves: policies,
// reports, and what the controller made. None of it is asked about or asks anybody.
var remains = []string{
	"clusterreports.hardgate.dev cluster",
	"exemptions.hardgate.dev hardgate-controller",
	"exemptions.hardgate.dev hardgate-controller-events",
	"exemptions.hardgate.dev hardgate-controller-registration",
	"exemptions.hardgate.dev hardgate-nodecheck",
	"exemptions.hardgate.dev hardgate-webhook",
	"leases.coordination.k8s.io hardgate-system/lab-node",
	"namespaces hardgate-system",
	"namespacereports.hardgate.dev *",
	"nodepolicies.hardgate.dev hardgate-default",
	"nodepolicies.hardgate.dev lab-node",
	"nodereports.hardgate.dev lab-node",
	"secrets hardgate-system/hardgate-ca",
	"secrets hardgate-system/hardgate-webhook-tls",
	"workloadpolicies.hardgate.dev hardgate-default",
	"workloadpolicies.hardgate.dev shop",
}

// remain asserts that no more and no less remains, and that all of it can be deleted.
func remain(t *testing.T) {
	t.Helper()
	crds := lab.objects.Resource(schema.GroupVersionResource{Group: "apiextensions.k8s.io", Version: "v1", Resource: "customresourcedefinitions"})
	var got []string
	await(t, time.Minute, "what the garbage collector takes is gone", func(ctx context.Context) (err error) {
		got, err = left(ctx)
		if err == nil && !slices.Equal(got, slices.Sorted(slices.Values(remains))) {
			err = fmt.Errorf("there remain:\n%s", strings.Join(got, "\n"))
		}
		return err
	})
	list, err := crds.List(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for _, crd := range list.Items {
		if !strings.HasSuffix(crd.GetName(), "."+v1alpha1.GroupVersion.Group) {
			continue
		}
		if err := crds.Delete(t.Context(), crd.GetName(), metav1.DeleteOptions{}); err != nil {
			t.Error(err)
		}
	}
	if err := lab.admin.CoreV1().Namespaces().Delete(t.Context(), system, metav1.DeleteOptions{}); err != nil {
		t.Error(err)
	}
	await(t, time.Minute, "nothing remains", func(ctx context.Context) error {
		got, err := left(ctx)
		if err == nil && len(got) > 0 {
			err = fmt.Errorf("there remain:\n%s", strings.Join(got, "\n"))
		}
		return err
	})
}

// served are objects that nobody asks for: what happened, and that there are CRDs.
var served = []string{"events", "customresourcedefinitions", "apiservices"}

// left are all objects that have hardgate in their name, their namespace or their group,
// but for those that are served and what every namespace has.
func left(ctx context.Context) ([]string, error) {
	lists, err := discovery.ServerPreferredResources(lab.admin.Discovery())
	if err != nil {
		return nil, err
	}
	found := map[string]bool{}
	for _, l := range lists {
		version, err := schema.ParseGroupVersion(l.GroupVersion)
		if err != nil {
			return nil, err
		}
		for _, r := range l.APIResources {
			if !slices.Contains(r.Verbs, "list") || slices.Contains(served, r.Name) {
				continue
			}
			kind := version.WithResource(r.Name).GroupResource().String()
			objects, err := lab.objects.Resource(version.WithResource(r.Name)).List(ctx, metav1.ListOptions{})
			if apierrors.IsNotFound(err) || apierrors.IsMethodNotSupported(err) {
				continue
			}
			if err != nil {
				return nil, fmt.Errorf("listing %s: %w", kind, err)
			}
			for _, o := range objects.Items {
				name := strings.TrimPrefix(o.GetNamespace()+"/"+o.GetName(), "/")
				if !strings.Contains(kind+" "+name, "hardgate") || strings.HasSuffix(name, "/kube-root-ca.crt") || name == system+"/default" {
					continue
				}
				if r.Name == "namespacereports" {
					name = "*"
				}
				found[kind+" "+name] = true
			}
		}
	}
	var all []string
	for name := range found {
		all = append(all, name)
	}
	slices.Sort(all)
	return all, nil
}
