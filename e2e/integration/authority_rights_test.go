package integration

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	authenticationv1 "k8s.io/api/authentication/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"

	"github.com/hardgate-dev/hardgate/api/v1alpha1"
	"github.com/hardgate-dev/hardgate/e2e/controller"
)

func serviceAccountToken(t *testing.T, namespace, name string) string {
	t.Helper()
	token, err := lab.admin.CoreV1().ServiceAccounts(namespace).CreateToken(t.Context(), name, &authenticationv1.TokenRequest{}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return token.Status.Token
}

// listAndWatch does as informers do.
func listAndWatch(ctx context.Context, r dynamic.ResourceInterface, o metav1.ListOptions) error {
	if _, err := r.List(ctx, o); err != nil {
		return fmt.Errorf("listing: %w", err)
	}
	w, err := r.Watch(ctx, o)
	if err != nil {
		return fmt.Errorf("watching: %w", err)
	}
	w.Stop()
	return nil
}

// The controller's own token is enough for what it does, and for little else.
func TestAuthorityOfTheController(t *testing.T) {
	authorities(t)
	control := theController(t)
	ours := func(resource string) dynamic.ResourceInterface {
		return control.dynamic.Resource(v1alpha1.GroupVersion.WithResource(resource))
	}
	core := control.typed.CoreV1()
	ctx := t.Context()
	await(t, "the rights are not in force", func() error { return listAndWatch(ctx, control.nodes(), metav1.ListOptions{}) })
	own := metav1.ListOptions{FieldSelector: "metadata.name=" + controller.Namespace}
	namespaces := func(o metav1.ListOptions) error {
		return listAndWatch(ctx, control.dynamic.Resource(schema.GroupVersionResource{Version: "v1", Resource: "namespaces"}), o)
	}
	cluster := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": v1alpha1.GroupVersion.String(), "kind": "ClusterReport", "metadata": map[string]any{"name": v1alpha1.ClusterReportName},
	}}
	lease := &coordinationv1.Lease{ObjectMeta: metav1.ObjectMeta{Name: controller.Leader}}
	leader := control.typed.CoordinationV1().Leases(controller.LeaderNamespace)
	event := func(namespace, name string) *corev1.Event {
		about := corev1.ObjectReference{APIVersion: "v1", Kind: "Node", Name: "n"}
		if namespace != metav1.NamespaceDefault {
			about = corev1.ObjectReference{APIVersion: "coordination.k8s.io/v1", Kind: "Lease", Namespace: namespace, Name: "n"}
		}
		return &corev1.Event{
			ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}, InvolvedObject: about,
			Reason: "Drifted", Type: corev1.EventTypeWarning, Source: corev1.EventSource{Component: "hardgate-controller"},
		}
	}
	unique := fmt.Sprintf("authority-%d", serial.Add(1))
	t.Cleanup(func() {
		reports := administrator(t).dynamic.Resource(v1alpha1.GroupVersion.WithResource("clusterreports"))
		leases := lab.admin.CoordinationV1().Leases(controller.LeaderNamespace)
		err := errors.Join(
			reports.Delete(ctxOf(t), v1alpha1.ClusterReportName, metav1.DeleteOptions{}),
			leases.Delete(ctxOf(t), controller.Leader, metav1.DeleteOptions{}), // or a controller would wait for us
		)
		if err != nil {
			t.Error(err)
		}
	})
	for _, allowed := range []struct {
		name string
		ask  func() error
	}{
		{"reports", func() error { return listAndWatch(ctx, control.reports(), metav1.ListOptions{}) }},
		{"policies", func() error { return listAndWatch(ctx, ours("nodepolicies"), metav1.ListOptions{}) }},
		{"exemptions", func() error { return listAndWatch(ctx, ours("exemptions"), metav1.ListOptions{}) }},
		{"the cluster report", func() error {
			_, err := ours("clusterreports").Get(ctx, v1alpha1.ClusterReportName, metav1.GetOptions{})
			if apierrors.IsNotFound(err) {
				return nil
			}
			return err
		}},
		{"the agents' leases", func() error { return listAndWatch(ctx, control.leases(controller.Namespace), metav1.ListOptions{}) }},
		{"its own namespace", func() error {
			_, err := core.Namespaces().Get(ctx, controller.Namespace, metav1.GetOptions{})
			return err
		}},
		{"all namespaces", func() error { return namespaces(metav1.ListOptions{}) }},
		{"pods", func() error { _, err := core.Pods(metav1.NamespaceAll).List(ctx, metav1.ListOptions{}); return err }},
		{"the webhook's registration", func() error {
			_, err := control.typed.AdmissionregistrationV1().ValidatingWebhookConfigurations().Get(ctx, "hardgate", metav1.GetOptions{})
			if apierrors.IsNotFound(err) {
				return nil
			}
			return err
		}},
		{"its own namespace, watched", func() error { return namespaces(own) }},
		{"making the cluster report", func() error {
			_, err := ours("clusterreports").Create(ctx, cluster, metav1.CreateOptions{})
			return err
		}},
		{"patching the cluster report", func() error {
			_, err := ours("clusterreports").Patch(ctx, v1alpha1.ClusterReportName, types.MergePatchType, []byte(`{"status":{"nodes":{}}}`), metav1.PatchOptions{}, "status")
			if apierrors.IsInvalid(err) {
				return nil // it is not for this test to know what a status needs
			}
			return err
		}},
		{"becoming the leader", func() error { _, err := leader.Create(ctx, lease, metav1.CreateOptions{}); return err }},
		{"remaining the leader", func() error {
			stored, err := leader.Get(ctx, controller.Leader, metav1.GetOptions{})
			if err != nil {
				return err
			}
			stored.Spec.HolderIdentity = new("me")
			_, err = leader.Update(ctx, stored, metav1.UpdateOptions{})
			return err
		}},
		{"telling of nodes", func() error {
			_, err := core.Events(metav1.NamespaceDefault).Create(ctx, event(metav1.NamespaceDefault, unique), metav1.CreateOptions{})
			return err
		}},
		{"telling of nodes again", func() error {
			_, err := core.Events(metav1.NamespaceDefault).Patch(ctx, unique, types.MergePatchType, []byte(`{"metadata":{"labels":{"a":"b"}}}`), metav1.PatchOptions{})
			return err
		}},
		{"telling who leads", func() error {
			_, err := core.Events(controller.LeaderNamespace).Create(ctx, event(controller.LeaderNamespace, unique), metav1.CreateOptions{})
			return err
		}},
	} {
		// Another test may have left what is made here.
		if err := allowed.ask(); err != nil && !apierrors.IsAlreadyExists(err) {
			t.Errorf("%s: %v", allowed.name, err)
		}
	}
	node := newNode(t, "")
	stored := getNode(t, node)
	s := newStation(t)
	s.report(t)
	for name, ask := range map[string]func() error{
		"its namespace's annotations": func() error {
			_, err := core.Namespaces().Patch(ctx, controller.Namespace, types.MergePatchType, []byte(`{}`), metav1.PatchOptions{})
			return err
		},
		"making a node": func() error {
			_, err := core.Nodes().Create(ctx, &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: unique}}, metav1.CreateOptions{})
			return err
		},
		"updating a node": func() error { _, err := core.Nodes().Update(ctx, stored, metav1.UpdateOptions{}); return err },
		"deleting a node": func() error { return core.Nodes().Delete(ctx, node, metav1.DeleteOptions{}) },
		"the status of a report": func() error {
			return statusAttempts(control.reports(), newReport(s.name))["merge patch of the status"](ctx)
		},
		"making a report": func() error {
			_, err := control.reports().Create(ctx, newReport(unique), metav1.CreateOptions{})
			return err
		},
		"deleting a report":        func() error { return control.reports().Delete(ctx, s.name, metav1.DeleteOptions{}) },
		"an agent's lease":         func() error { return control.leases(controller.Namespace).Delete(ctx, s.name, metav1.DeleteOptions{}) },
		"another lease of leaders": func() error { _, err := leader.Get(ctx, "another", metav1.GetOptions{}); return err },
		"a lease in kube-system": func() error {
			_, err := control.leases(metav1.NamespaceSystem).List(ctx, metav1.ListOptions{})
			return err
		},
		"secrets": func() error { _, err := core.Secrets(controller.Namespace).List(ctx, metav1.ListOptions{}); return err },
		"making a pod": func() error {
			_, err := core.Pods(controller.Namespace).Create(ctx, &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: unique}}, metav1.CreateOptions{})
			return err
		},
		"deleting pods": func() error {
			return core.Pods(controller.Namespace).DeleteCollection(ctx, metav1.DeleteOptions{}, metav1.ListOptions{})
		},
		"configuration": func() error {
			_, err := core.ConfigMaps(controller.Namespace).Get(ctx, "c", metav1.GetOptions{})
			return err
		},
		"another's webhooks": func() error {
			_, err := control.typed.AdmissionregistrationV1().ValidatingWebhookConfigurations().Get(ctx, "another", metav1.GetOptions{})
			return err
		},
		"removing the webhook": func() error {
			return control.typed.AdmissionregistrationV1().ValidatingWebhookConfigurations().Delete(ctx, "hardgate", metav1.DeleteOptions{})
		},
		"making webhooks": func() error {
			_, err := control.typed.AdmissionregistrationV1().ValidatingWebhookConfigurations().Create(ctx, &admissionregistrationv1.ValidatingWebhookConfiguration{
				ObjectMeta: metav1.ObjectMeta{Name: unique},
			}, metav1.CreateOptions{})
			return err
		},
		"deleting a namespace's report": func() error { return ours("namespacereports").Delete(ctx, "default", metav1.DeleteOptions{}) },
		"workload policies, written": func() error {
			_, err := ours("workloadpolicies").Patch(ctx, "p", types.MergePatchType, []byte(`{"spec":{"mode":"Off"}}`), metav1.PatchOptions{})
			return err
		},
		"policies, written": func() error { return ours("nodepolicies").Delete(ctx, "p", metav1.DeleteOptions{}) },
		"another cluster report": func() error {
			_, err := ours("clusterreports").Patch(ctx, "another", types.MergePatchType, []byte(`{}`), metav1.PatchOptions{}, "status")
			return err
		},
		// Client-go's older recorder, which tells of the same thing twice as two, needs the core
		// group alone.
		"events of the other group": func() error {
			_, err := control.typed.EventsV1().Events(metav1.NamespaceDefault).Create(ctx, &eventsv1.Event{
				ObjectMeta: metav1.ObjectMeta{Namespace: metav1.NamespaceDefault, Name: unique}, EventTime: metav1.NewMicroTime(time.Now()),
			}, metav1.CreateOptions{})
			return err
		},
		"events elsewhere": func() error {
			_, err := core.Events(metav1.NamespaceSystem).Create(ctx, event(metav1.NamespaceSystem, unique), metav1.CreateOptions{})
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			if err := ask(); !apierrors.IsForbidden(err) {
				t.Errorf("error %v, want forbidden", err)
			}
		})
	}
}
