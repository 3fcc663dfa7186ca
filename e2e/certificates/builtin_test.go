package certificates

import (
	"context"
	"testing"
	"time"

	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/hardgate-dev/hardgate/e2e/controller"
)

// allow gives the controller's account what the built-in issuer needs, and no more.
func allow(t *testing.T) {
	t.Helper()
	subject := []rbacv1.Subject{{Kind: rbacv1.ServiceAccountKind, Name: controller.Account, Namespace: controller.Namespace}}
	meta := metav1.ObjectMeta{Name: "hardgate-certificates"}
	_, err := lab.admin.RbacV1().Roles(controller.Namespace).Create(t.Context(), &rbacv1.Role{ObjectMeta: meta, Rules: []rbacv1.PolicyRule{
		{APIGroups: []string{""}, Resources: []string{"secrets"}, Verbs: []string{"create"}},
		{APIGroups: []string{""}, Resources: []string{"secrets"}, ResourceNames: []string{"hardgate-ca", "hardgate-webhook-tls"}, Verbs: []string{"get", "update", "watch"}},
		{APIGroups: []string{"cert-manager.io"}, Resources: []string{"certificates"}, ResourceNames: []string{"hardgate-webhook"}, Verbs: []string{"get"}},
	}}, metav1.CreateOptions{})
	exists(t, err)
	_, err = lab.admin.RbacV1().RoleBindings(controller.Namespace).Create(t.Context(), &rbacv1.RoleBinding{
		ObjectMeta: meta, Subjects: subject, RoleRef: rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: meta.Name},
	}, metav1.CreateOptions{})
	exists(t, err)
	_, err = lab.admin.RbacV1().ClusterRoles().Create(t.Context(), &rbacv1.ClusterRole{ObjectMeta: meta, Rules: []rbacv1.PolicyRule{{
		APIGroups: []string{"admissionregistration.k8s.io"}, Resources: []string{"validatingwebhookconfigurations", "mutatingwebhookconfigurations"},
		ResourceNames: []string{"hardgate"}, Verbs: []string{"get", "update", "watch"},
	}}}, metav1.CreateOptions{})
	exists(t, err)
	_, err = lab.admin.RbacV1().ClusterRoleBindings().Create(t.Context(), &rbacv1.ClusterRoleBinding{
		ObjectMeta: meta, Subjects: subject, RoleRef: rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: meta.Name},
	}, metav1.CreateOptions{})
	exists(t, err)
}

func exists(t *testing.T, err error) {
	t.Helper()
	if err != nil && !apierrors.IsAlreadyExists(err) {
		t.Fatal(err)
	}
}

// lead starts a replica of the controller.
func lead(t *testing.T, name string, flags ...string) *controller.Controller {
	t.Helper()
	c, err := controller.StartReplica(t.Context(), lab.cluster, lab.repo, name, append([]string{"--audit-interval", "5s", "--audit-tick", "500ms"}, flags...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("%s:\n%s", name, c.Log())
		}
		if err := c.Stop(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
	})
	return c
}

// TestBuiltin: both Secrets are deleted, and later both grow old, under load; the leader is
// killed on the way. No request is lost, and at no moment is a bundle stored that refuses
// what a replica serves.
func TestBuiltin(t *testing.T) {
	allow(t)
	s := serve(t)
	register(t, s, nil)
	flags := []string{
		"--certificates", "builtin", "--certificate-settle", "2s",
		// A replica serves a certificate at most 13 s after it is stored: 3 s by the kubelet
		// of the test, and 10 s until the webhook looks.
		"--certificate-lifetime", "75s", "--certificate-overlap", "15s", "--ca-lifetime", "81s",
	}
	first := lead(t, "controller", flags...)
	await(t, "the bundles are stored", func() bool {
		bundles, err := stored(t.Context())
		return err == nil && len(bundles) == 1 && bundles[0] != ""
	})
	s.ready(t)
	enforce(t, "builtin")
	second := lead(t, "controller-2", flags...)

	stopLoad, stopProbe := load(t, "builtin"), probe(t, s)
	for _, name := range []string{"hardgate-ca", servingSecret} {
		if err := lab.admin.CoreV1().Secrets(controller.Namespace).Delete(t.Context(), name, metav1.DeleteOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	await(t, "others are made", func() bool { return wrote(t, first, "make-ca") >= 2 && wrote(t, first, "issue") >= 2 })
	if err := first.Kill(t.Context()); err != nil {
		t.Error(err)
	}
	await(t, "the next leader ends the trust in the old authority", func() bool { return wrote(t, second, "prune") >= 1 })
	await(t, "the certificate and the authority are renewed by their ages", func() bool {
		return wrote(t, second, "make-ca") >= 1 && wrote(t, second, "issue") >= 1 && wrote(t, second, "prune") >= 2
	})
	time.Sleep(time.Second)
	asked, all := stopLoad(), stopProbe()
	if asked < 200 {
		t.Errorf("only %d requests", asked)
	}
	if len(all.served) < 3 || len(all.bundles) < 4 {
		t.Errorf("%d certificates and %d bundles were seen: what is shown by that is too little", len(all.served), len(all.bundles))
	}
}

// wrote is how often a controller has done a step.
func wrote(t *testing.T, c *controller.Controller, action string) float64 {
	t.Helper()
	m, err := c.Metrics(t.Context())
	if err != nil {
		return -1
	}
	return m[`hardgate_certificate_writes_total{action="`+action+`",result="written"}`]
}
