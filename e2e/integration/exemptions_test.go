package integration

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/hardgate-dev/hardgate/api/v1alpha1"
	"github.com/hardgate-dev/hardgate/audit"
	"github.com/hardgate-dev/hardgate/e2e/cluster"
	"github.com/hardgate-dev/hardgate/exemption"
	"github.com/hardgate-dev/hardgate/webhook/ruling"
)

const (
	collectorImage = "registry.example.com/shop/collector:1"
	otherImage     = "registry.example.com/shop/other:1"
	privilegedAt   = "securityContext.privileged"
)

// exempt writes an Exemption from the control "privileged" and takes it away at the end. The
// warnings are those of the API server.
func exempt(t *testing.T, name string, until time.Time, objects map[string]any) (warnings []string) {
	t.Helper()
	return exemptFrom(t, name, "privileged", until, objects)
}

func exemptFrom(t *testing.T, name, control string, until time.Time, objects map[string]any) (warnings []string) {
	t.Helper()
	client := newClient(t)
	e := exemptionOf(name, control, until, objects)
	warnings, err := client.Apply(t.Context(), e)
	if err != nil {
		t.Fatalf("applying the Exemption: %v", err)
	}
	t.Cleanup(func() {
		if err := client.Delete(context.WithoutCancel(t.Context()), e); err != nil && !apierrors.IsNotFound(err) {
			t.Error(err)
		}
	})
	return warnings
}

func exemptionOf(name, control string, until time.Time, objects map[string]any) *unstructured.Unstructured {
	return &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "hardgate.dev/v1alpha1", "kind": "Exemption", "metadata": map[string]any{"name": name},
		"spec": map[string]any{
			"controls": []any{control}, "reason": "a test", "owner": "team-shop", "objects": objects,
			"expires": until.UTC().Format(time.RFC3339),
		},
	}}
}

// collector is a privileged pod, as the Exemptions of these tests mean it.
func collector(namespace string) *corev1.Pod {
	p := compliantPod(namespace)
	p.Name = "collector"
	p.Spec.Containers[0].Image = collectorImage
	privilege(&p.Spec.Containers[0])
	return p
}

// tried asks for an object that is not stored.
func tried(t *testing.T, typed any) error {
	t.Helper()
	_, err := newClient(t).Create(t.Context(), object(t, typed), metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}})
	return err
}

// awaitExempt waits until the object may be created.
func awaitExempt(t *testing.T, typed any) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		err := tried(t, typed)
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("it is not exempt: %v", err)
		}
	}
}

// An Exemption covers what it describes, and nothing that differs from that in one respect.
func TestExemptionCoversWhatItSays(t *testing.T) {
	here, elsewhere := newNamespace(t), newNamespace(t)
	for _, namespace := range []string{here, elsewhere} {
		enforce(t, namespace, "host-pid")
		if err := cluster.EnsureServiceAccount(t.Context(), lab.admin, namespace, "other"); err != nil {
			t.Fatal(err)
		}
	}
	if err := tried(t, collector(here)); err == nil {
		t.Fatal("it needs no Exemption")
	}
	exempt(t, here, time.Now().Add(time.Hour), map[string]any{
		"namespaces": []any{here}, "kinds": []any{"Pod"}, "names": []any{"collector"}, "serviceAccounts": []any{"web"},
		"images": []any{"registry.example.com/shop/collector"}, "fieldPaths": []any{"spec.containers[*].securityContext.privileged"},
	})
	awaitExempt(t, collector(here))

	const container = "spec.containers[0]." + privilegedAt
	tests := map[string]struct {
		namespace string
		change    func(*corev1.Pod)
		control   string
		path      string
	}{
		"another namespace": {elsewhere, func(*corev1.Pod) {}, "privileged", container},
		"another name":      {here, func(p *corev1.Pod) { p.Name = "collector-2" }, "privileged", container},
		"a name that is made": {here, func(p *corev1.Pod) {
			p.Name, p.GenerateName = "", "collector"
		}, "privileged", container},
		"another account":           {here, func(p *corev1.Pod) { p.Spec.ServiceAccountName = "other" }, "privileged", container},
		"another image":             {here, func(p *corev1.Pod) { p.Spec.Containers[0].Image = otherImage }, "privileged", container},
		"another registry's":        {here, func(p *corev1.Pod) { p.Spec.Containers[0].Image = "evil.example.net/" + collectorImage }, "privileged", container},
		"another container's image": {here, func(p *corev1.Pod) { p.Spec.Containers = append(p.Spec.Containers, other()) }, "privileged", "spec.containers[1]." + privilegedAt},
		"another field": {here, func(p *corev1.Pod) {
			p.Spec.InitContainers, p.Spec.Containers = p.Spec.Containers, []corev1.Container{compliantContainer("main")}
		}, "privileged", "spec.initContainers[0]." + privilegedAt},
		"another control": {here, func(p *corev1.Pod) { p.Spec.HostPID = true }, "host-pid", "spec.hostPID"},
		"what a tenant says of itself": {here, func(p *corev1.Pod) {
			says := map[string]string{
				"app": "collector", "name": "collector", "hardgate.dev/exempt": "true", "hardgate.dev/exemption": here, "hardgate.dev/pause": "",
			}
			p.Name, p.Labels, p.Annotations = "other", says, says
			p.Annotations["hardgate.dev/pause"] = "please"
			p.OwnerReferences = []metav1.OwnerReference{
				{APIVersion: "v1", Kind: "Pod", Name: "collector", UID: "5f0e8f5e-0000-4000-8000-000000000001", Controller: new(true)},
				{APIVersion: "hardgate.dev/v1alpha1", Kind: "Exemption", Name: here, UID: "5f0e8f5e-0000-4000-8000-000000000002"},
			}
		}, "privileged", container},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			p := collector(tt.namespace)
			tt.change(p)
			wantDenied(t, tried(t, p), tt.control, tt.path)
		})
	}
	t.Run("another kind", func(t *testing.T) {
		d := kinds["Deployment"].build(metav1.ObjectMeta{Namespace: here, Name: "collector"}, collector(here).Spec)
		wantDenied(t, tried(t, d), "privileged", "spec.template."+container)
	})

	// Nothing follows, and the audit log says by whose leave.
	client, warnings := warned(t)
	if _, err := client.CoreV1().Pods(here).Create(t.Context(), collector(here), metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	if got := warnings.about("hardgate: privileged "); len(got) > 0 {
		t.Errorf("what is exempt is warned of: %q", got)
	}
	wantExemptInAuditLog(t, here, "collector", here)
}

func other() corev1.Container {
	c := compliantContainer("other")
	c.Image = otherImage
	privilege(&c)
	return c
}

func wantExemptInAuditLog(t *testing.T, namespace, pod, by string) {
	t.Helper()
	events, err := lab.cluster.AuditEvents()
	if err != nil {
		t.Fatal(err)
	}
	const key = "workloads.hardgate.dev/privileged"
	said := ""
	for _, e := range events {
		if e.ObjectRef.Namespace == namespace && e.ObjectRef.Name == pod && e.ResponseStatus.Code == 201 && e.Annotations[key] != "" {
			said = e.Annotations[key]
		}
	}
	if !strings.Contains(said, "Exempt("+by+")") {
		t.Errorf("the audit log says %q, want Exempt(%s)", said, by)
	}
}

// What an Exemption says counts as it is now: changed and deleted, it takes effect.
func TestExemptionThatChanges(t *testing.T) {
	namespace := newNamespace(t)
	enforce(t, namespace)
	until := time.Now().Add(time.Hour)
	named := func(name string) *corev1.Pod {
		p := collector(namespace)
		p.Name = name
		return p
	}
	awaitDenied := func(p *corev1.Pod) {
		t.Helper()
		for deadline := time.Now().Add(20 * time.Second); tried(t, p) == nil; time.Sleep(20 * time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("%s is still exempt", p.Name)
			}
		}
		wantDenied(t, tried(t, p), "privileged", "spec.containers[0]."+privilegedAt)
	}
	exempt(t, namespace, until, map[string]any{"namespaces": []any{namespace}, "names": []any{"first"}})
	awaitExempt(t, named("first"))
	wantDenied(t, tried(t, named("second")), "privileged", "spec.containers[0]."+privilegedAt)

	exempt(t, namespace, until, map[string]any{"namespaces": []any{namespace}, "names": []any{"second"}})
	awaitExempt(t, named("second"))
	awaitDenied(named("first"))

	if err := newClient(t).Delete(t.Context(), exemptionOf(namespace, "privileged", until, nil)); err != nil {
		t.Fatal(err)
	}
	awaitDenied(named("second"))
}

// An Exemption ends in the second that it says, without anybody's doing, at the API server's
// door as in an audit of what was let in before.
func TestExemptionEnds(t *testing.T) {
	namespace := newNamespace(t)
	enforce(t, namespace)
	objects := map[string]any{"namespaces": []any{namespace}}
	end := time.Now().Truncate(time.Second).Add(4 * time.Second)
	exempt(t, namespace, end, objects)
	stored := collector(namespace)
	awaitExempt(t, stored)
	if _, err := lab.admin.CoreV1().Pods(namespace).Create(t.Context(), stored, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	probe := collector(namespace)
	probe.Name = "probe"
	for seen := 0; ; seen++ {
		before := time.Now()
		err := tried(t, probe)
		after := time.Now()
		switch {
		case err == nil && !before.Before(end):
			t.Fatalf("exempt %s after its end", before.Sub(end))
		case err == nil:
			continue
		case after.Before(end):
			t.Fatalf("refused %s before its end: %v", end.Sub(after), err)
		}
		wantDenied(t, err, "privileged", "spec.containers[0]."+privilegedAt)
		if seen == 0 {
			t.Error("it was never exempt")
		}
		break
	}

	for at, want := range map[time.Time]audit.Tally{end.Add(-time.Nanosecond): {Exempt: 1}, end: {Failing: 1}} {
		got := audited(t, namespace, exemptionOf(namespace, "privileged", end, objects), at)
		if got.Exempt != want.Exempt || got.Failing != want.Failing {
			t.Errorf("an audit at %s finds %d exempt and %d failing, want %d and %d", at, got.Exempt, got.Failing, want.Exempt, want.Failing)
		}
	}
}

// audited is what an audit of a namespace at a time says of the control "privileged".
func audited(t *testing.T, namespace string, e *unstructured.Unstructured, at time.Time) audit.Tally {
	t.Helper()
	read := func(u *unstructured.Unstructured) []byte {
		data, err := u.MarshalJSON()
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	p, err := ruling.Read(read(workloadPolicy(namespace, map[string]any{"id": "privileged", "mode": "Enforce"})))
	if err != nil {
		t.Fatal(err)
	}
	x, err := exemption.Read(read(e))
	if err != nil {
		t.Fatal(err)
	}
	book, errs := ruling.Compile([]v1alpha1.WorkloadPolicy{*p})
	exemptions, more := exemption.Compile([]v1alpha1.Exemption{*x})
	if len(errs)+len(more) > 0 {
		t.Fatal(errs, more)
	}
	sum, err := audit.Namespace(t.Context(), lab.config, namespace, audit.Options{Book: book, Exemptions: exemptions, Now: func() time.Time { return at }})
	if err != nil {
		t.Fatal(err)
	}
	return *sum.Controls["privileged"]
}

// An ephemeral container is exempt by its own image.
func TestExemptEphemeralContainer(t *testing.T) {
	namespace := newNamespace(t)
	enforce(t, namespace)
	exempt(t, namespace, time.Now().Add(time.Hour), map[string]any{"namespaces": []any{namespace}, "images": []any{collectorImage}})
	awaitExempt(t, collector(namespace))
	pods := lab.admin.CoreV1().Pods(namespace)
	pod, err := pods.Create(t.Context(), compliantPod(namespace), metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	debug := func(image string) error {
		c := compliantContainer("debug")
		c.Image = image
		privilege(&c)
		p := pod.DeepCopy()
		p.Spec.EphemeralContainers = []corev1.EphemeralContainer{{EphemeralContainerCommon: corev1.EphemeralContainerCommon(c)}}
		_, err := pods.UpdateEphemeralContainers(t.Context(), p.Name, p, metav1.UpdateOptions{})
		return err
	}
	wantDenied(t, debug(otherImage), "privileged", "spec.ephemeralContainers[0]."+privilegedAt)
	if err := debug(collectorImage); err != nil {
		t.Errorf("the exempt image is refused: %v", err)
	}
}

// What is exempt for its image is not for the next one.
func TestExemptImageIsReplaced(t *testing.T) {
	namespace := newNamespace(t)
	enforce(t, namespace)
	exempt(t, namespace, time.Now().Add(time.Hour), map[string]any{"namespaces": []any{namespace}, "images": []any{"registry.example.com/shop/collector"}})
	awaitExempt(t, collector(namespace))
	pods := lab.admin.CoreV1().Pods(namespace)
	pod, err := pods.Create(t.Context(), collector(namespace), metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	replace := func(image string) error {
		p := pod.DeepCopy()
		p.Spec.Containers[0].Image = image
		_, err := pods.Update(t.Context(), p, metav1.UpdateOptions{DryRun: []string{metav1.DryRunAll}})
		return err
	}
	wantDenied(t, replace(otherImage), "privileged", "spec.containers[0]."+privilegedAt)
	if err := replace("registry.example.com/shop/collector:2"); err != nil {
		t.Errorf("another tag of the exempt image is refused: %v", err)
	}
}

// What a Deployment makes is no Deployment. Whoever writes only that is told.
func TestExemptDeploymentAndItsPods(t *testing.T) {
	namespace := newNamespace(t)
	enforce(t, namespace)
	spec := collector(namespace).Spec
	deployment := kinds["Deployment"].build(metav1.ObjectMeta{Namespace: namespace, Name: "web"}, spec).(*appsv1.Deployment)
	set := kinds["ReplicaSet"].build(metav1.ObjectMeta{Namespace: namespace, Name: "web-5d8f9"}, spec)
	pod := collector(namespace)
	pod.Name, pod.GenerateName = "", "web-5d8f9-"

	objects := map[string]any{"namespaces": []any{namespace}, "kinds": []any{"Deployment"}, "names": []any{"web"}}
	warnings := strings.Join(exempt(t, namespace, time.Now().Add(30*24*time.Hour), objects), "\n")
	for _, want := range []string{"what a Deployment makes is judged by itself and not exempt: add ReplicaSet and Pod", `add "web-*"`} {
		if !strings.Contains(warnings, want) {
			t.Errorf("%q is not among the warnings: %s", want, warnings)
		}
	}
	awaitExempt(t, deployment)
	wantDenied(t, tried(t, set), "privileged", "spec.template.spec.containers[0]."+privilegedAt)
	wantDenied(t, tried(t, pod), "privileged", "spec.containers[0]."+privilegedAt)

	objects["kinds"], objects["names"] = []any{"Deployment", "ReplicaSet", "Pod"}, []any{"web", "web-*"}
	if got := exempt(t, namespace, time.Now().Add(30*24*time.Hour), objects); len(got) > 0 {
		t.Errorf("warned of %q", got)
	}
	awaitExempt(t, pod)
	for _, exempt := range []any{deployment, set} {
		if err := tried(t, exempt); err != nil {
			t.Error(err)
		}
	}
}

// What would exempt nothing is refused or warned of when it is written.
func TestExemptionSlips(t *testing.T) {
	client := newClient(t)
	name := fmt.Sprintf("slip-%d", serial.Add(1))
	for kind, want := range map[string]string{"Deployments": `write "Deployment"`, "clusterrole": `write "ClusterRole"`} {
		_, err := client.Create(t.Context(), exemptionOf(name, "privileged", time.Now().Add(time.Hour), map[string]any{"namespaces": []any{"shop"}, "kinds": []any{kind}}), metav1.CreateOptions{})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", kind, err, want)
		}
	}
	got := strings.Join(exempt(t, name, time.Now().AddDate(2, 0, 0), map[string]any{"kinds": []any{"Deploment"}}), "\n")
	for _, want := range []string{`did you mean "Deployment"?`, "is more than a year away", "no namespace is named"} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is not among the warnings: %s", want, got)
		}
	}
}

// Roles are exempt by name; one of the cluster is in no namespace.
func TestExemptClusterRole(t *testing.T) {
	name := fmt.Sprintf("proxy-%d", serial.Add(1))
	client := newClient(t)
	policy := workloadPolicy(name, map[string]any{"id": "node-proxy", "mode": "Enforce"})
	delete(policy.Object["spec"].(map[string]any), "namespaceSelector") // what is in no namespace is in all
	if _, err := client.Apply(t.Context(), policy); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := client.Delete(context.WithoutCancel(t.Context()), policy); err != nil {
			t.Error(err)
		}
	})
	role := func(name string) *rbacv1.ClusterRole {
		return &rbacv1.ClusterRole{
			TypeMeta: metav1.TypeMeta{APIVersion: "rbac.authorization.k8s.io/v1", Kind: "ClusterRole"}, ObjectMeta: metav1.ObjectMeta{Name: name},
			Rules: []rbacv1.PolicyRule{{APIGroups: []string{""}, Resources: []string{"nodes/proxy"}, Verbs: []string{"get"}}},
		}
	}
	for deadline := time.Now().Add(20 * time.Second); tried(t, role(name)) == nil; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the role is never refused")
		}
	}
	until := time.Now().Add(30 * 24 * time.Hour)
	placed := map[string]any{"kinds": []any{"ClusterRole"}, "names": []any{name}, "namespaces": []any{metav1.NamespaceDefault}}
	if got := exemptFrom(t, name+"-placed", "node-proxy", until, placed); len(got) != 1 || !strings.Contains(got[0], "a ClusterRole is in no namespace") {
		t.Errorf("warnings %q", got)
	}
	if got := exemptFrom(t, name, "node-proxy", until, map[string]any{"kinds": []any{"ClusterRole"}, "names": []any{name + "-b"}}); len(got) > 0 {
		t.Errorf("warned of %q", got)
	}
	awaitExempt(t, role(name+"-b"))
	wantDenied(t, tried(t, role(name)), "node-proxy", "rules[0]")
}
