package integration

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/wait"

	"github.com/hardgate-dev/hardgate/control"
	"github.com/hardgate-dev/hardgate/e2e/apply"
	"github.com/hardgate-dev/hardgate/e2e/gate"
	"github.com/hardgate-dev/hardgate/webhook/policy"
	"github.com/hardgate-dev/hardgate/webhook/rbac"
	decoded "github.com/hardgate-dev/hardgate/webhook/workload"
)

const rbacAPI = "rbac.authorization.k8s.io/v1"

// excess is what each control about roles finds in a ClusterRole; in a Role too, unless
// only is set.
var excess = map[string]struct {
	rule rbacv1.PolicyRule
	only bool
}{
	"secret-access":              {rule("list", "", "secrets"), false},
	"rbac-wildcards":             {rule("get,*", "", "configmaps"), false},
	"pod-creation":               {rule("patch", "apps", "daemonsets"), false},
	"bind-impersonate-escalate":  {rule("bind", "rbac.authorization.k8s.io", "clusterroles"), false},
	"token-creation":             {rule("create", "", "serviceaccounts/token"), false},
	"persistent-volume-creation": {rule("create", "", "persistentvolumes"), true},
	"node-proxy":                 {rule("get", "", "nodes/proxy"), true},
	"csr-approval":               {rule("update", "certificates.k8s.io", "certificatesigningrequests/approval"), true},
	"webhook-configurations":     {rule("patch", "admissionregistration.k8s.io", "validatingwebhookconfigurations"), true},
}

func rule(verbs, group, resources string) rbacv1.PolicyRule {
	return rbacv1.PolicyRule{Verbs: strings.Split(verbs, ","), APIGroups: []string{group}, Resources: strings.Split(resources, ",")}
}

// role is a Role where namespace is set, else a ClusterRole.
func role(t *testing.T, namespace, name string, rules ...rbacv1.PolicyRule) *unstructured.Unstructured {
	t.Helper()
	kind := "Role"
	if namespace == "" {
		kind = "ClusterRole"
	}
	return object(t, &rbacv1.Role{
		TypeMeta:   metav1.TypeMeta{APIVersion: rbacAPI, Kind: kind},
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}, Rules: rules,
	})
}

func binding(t *testing.T, namespace, name, role string, subjects ...rbacv1.Subject) *unstructured.Unstructured {
	t.Helper()
	kind := "RoleBinding"
	if namespace == "" {
		kind = "ClusterRoleBinding"
	}
	return object(t, &rbacv1.RoleBinding{
		TypeMeta:   metav1.TypeMeta{APIVersion: rbacAPI, Kind: kind},
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: role}, Subjects: subjects,
	})
}

func user(name string) rbacv1.Subject {
	return rbacv1.Subject{Kind: "User", APIGroup: rbacv1.GroupName, Name: name}
}

func unique(prefix string) string { return fmt.Sprintf("%s-%d", prefix, serial.Add(1)) }

// enforceRoles enforces the controls about roles in the whole cluster until the test ends.
func enforceRoles(t *testing.T, client *apply.Client) {
	t.Helper()
	var controls []any
	for _, c := range control.All() {
		if c.Scope != control.InNamespaces {
			controls = append(controls, map[string]any{"id": string(c.ID), "mode": "Enforce"})
		}
	}
	p := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "hardgate.dev/v1alpha1", "kind": "WorkloadPolicy",
		"metadata": map[string]any{"name": unique("roles")}, "spec": map[string]any{"controls": controls},
	}}
	if _, err := client.Apply(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	trial := role(t, "", unique("trial"), rule("*", "", "configmaps"))
	t.Cleanup(func() {
		ctx := ctxOf(t)
		if err := client.Delete(ctx, p); err != nil {
			t.Error(err)
		}
		// The next test begins without it.
		if err := poll(ctx, func(ctx context.Context) (bool, error) {
			_, err := client.Create(ctx, trial, metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}})
			return err == nil, nil
		}); err != nil {
			t.Error(err)
		}
	})
	if err := gate.AwaitDenial(t.Context(), client, trial); err != nil {
		t.Fatal(err)
	}
}

func TestRolesAtTheDoor(t *testing.T) {
	client := newClient(t)
	enforceRoles(t, client)
	namespace := newNamespace(t)
	for id, e := range excess {
		t.Run(id, func(t *testing.T) {
			_, err := client.Create(t.Context(), role(t, "", unique("role"), rule("get", "", "configmaps"), e.rule), metav1.CreateOptions{})
			wantDenied(t, err, id, "rules[1]")
			_, err = client.Create(t.Context(), role(t, namespace, unique("role"), e.rule), metav1.CreateOptions{})
			if e.only {
				if err != nil {
					t.Errorf("a Role, which grants nothing of it, is refused: %v", err)
				}
			} else {
				wantDenied(t, err, id, "rules[0]")
			}
		})
	}
	for _, in := range []string{"", namespace} {
		_, err := client.Create(t.Context(), binding(t, in, unique("binding"), "cluster-admin", user("eve")), metav1.CreateOptions{})
		wantDenied(t, err, "cluster-admin-bindings", "subjects[0]")
		_, err = client.Create(t.Context(), binding(t, in, unique("binding"), "edit", user("eve")), metav1.CreateOptions{})
		wantDenied(t, err, "secret-access", "subjects[0]: binds User eve to ClusterRole edit, which reads secrets")
		_, err = client.Create(t.Context(), binding(t, in, unique("binding"), "view",
			rbacv1.Subject{Kind: "Group", APIGroup: rbacv1.GroupName, Name: "system:masters"}), metav1.CreateOptions{})
		wantDenied(t, err, "system-masters", "subjects[0]")
		if _, err := client.Create(t.Context(), binding(t, in, unique("binding"), "view", user("eve")), metav1.CreateOptions{}); err != nil {
			t.Errorf("a binding to view is refused: %v", err)
		}
		if _, err := client.Create(t.Context(), role(t, in, unique("role"), rule("get,list,watch", "", "pods,configmaps")), metav1.CreateOptions{}); err != nil {
			t.Errorf("a harmless role is refused: %v", err)
		}
	}
	if len(excess)+2 != countRoleControls() {
		t.Errorf("%d controls about roles are tried of %d", len(excess)+2, countRoleControls())
	}
}

func countRoleControls() (n int) {
	for _, c := range control.All() {
		if c.Scope != control.InNamespaces {
			n++
		}
	}
	return n
}

// What a role had already does not keep it from being mended, whatever order its rules
// stand in.
func TestRolesThatAreThere(t *testing.T) {
	client := newClient(t)
	name := unique("standing")
	if _, err := client.Create(t.Context(), role(t, "", name, rule("get", "", "secrets"), rule("*", "", "configmaps,services")), metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	enforceRoles(t, client)
	update := func(rules ...rbacv1.PolicyRule) error {
		_, err := lab.admin.RbacV1().ClusterRoles().Update(t.Context(), &rbacv1.ClusterRole{ObjectMeta: metav1.ObjectMeta{Name: name}, Rules: rules}, metav1.UpdateOptions{})
		return err
	}
	if err := update(rule("get", "", "pods"), rule("*", "", "services,configmaps"), rule("list", "", "secrets")); err != nil {
		t.Errorf("the same in another order is refused: %v", err)
	}
	wantDenied(t, update(rule("get", "", "secrets"), rule("*", "", "services,configmaps,endpoints")), "rbac-wildcards", `verbs has "*" for "endpoints"`)
	wantDenied(t, update(rule("get", "", "secrets"), rule("create", "", "pods")), "pod-creation", "rules[1]")
	if err := update(rule("*", "", "services")); err != nil {
		t.Errorf("less is refused: %v", err)
	}
	wantDenied(t, update(rule("*", "", "services"), rule("get", "", "secrets")), "secret-access", "rules[1]")
}

// Nothing that the API server makes for itself fails, and each role of the list does
// exactly what the list says.
func TestOwnRoles(t *testing.T) {
	roles := 0
	exist := map[string]bool{}
	bootstrapped(t, func(text []byte) {
		roles++
		judgeRole(t, text, func(id control.ID, f policy.Finding) {
			t.Errorf("%s: %s: %s: %s", text, id, f.Path, f.Detail)
		})
		o, err := decoded.Decode(text)
		if err != nil {
			t.Fatal(err)
		}
		own := rbac.OwnRole(o.Kind.Kind, o.Namespace, o.Name)
		if o.Role == nil || own == nil {
			return
		}
		exist[o.Name] = true
		// Under another name it is a role like any other.
		another := strings.ReplaceAll(string(text), `"`+o.Name+`"`, `"another"`)
		var does []rbac.Deed
		judgeRole(t, []byte(another), func(id control.ID, f policy.Finding) {
			deed := rbac.Deed(strings.TrimSpace(f.Same))
			if id == "rbac-wildcards" {
				deed = rbac.UsesWildcards
			}
			if !slices.Contains(does, deed) {
				does = append(does, deed)
			}
		})
		want := slices.Sorted(slices.Values(own.Deeds))
		if got := slices.Sorted(slices.Values(does)); !slices.Equal(want, got) {
			t.Errorf("%s does %q, the list says %q", o.Name, got, want)
		}
	})
	if roles < 100 {
		t.Errorf("%d roles and bindings of the API server's own", roles)
	}
	for _, own := range rbac.OwnRoles() {
		if !exist[own.Name] {
			t.Errorf("the list has %s, which the API server does not make", own.Name)
		}
	}
}

// bootstrapped calls do for all that the API server has made for itself.
func bootstrapped(t *testing.T, do func(text []byte)) {
	t.Helper()
	client := lab.admin.RbacV1().RESTClient()
	for _, resource := range []string{"clusterroles", "clusterrolebindings", "roles", "rolebindings"} {
		raw, err := client.Get().Resource(resource).Param("labelSelector", "kubernetes.io/bootstrapping=rbac-defaults").SetHeader("Accept", "application/json").Do(t.Context()).Raw()
		if err != nil {
			t.Fatal(err)
		}
		var list struct {
			Kind  string            `json:"kind"`
			Items []json.RawMessage `json:"items"`
		}
		if err := json.Unmarshal(raw, &list); err != nil {
			t.Fatal(err)
		}
		for _, item := range list.Items {
			kind := fmt.Sprintf(`{"apiVersion":%q,"kind":%q,`, rbacAPI, strings.TrimSuffix(list.Kind, "List"))
			do([]byte(kind + strings.TrimPrefix(string(item), "{")))
		}
	}
}

// judgeRole tells of all that the controls about roles find.
func judgeRole(t *testing.T, text []byte, tell func(control.ID, policy.Finding)) {
	t.Helper()
	o, err := decoded.Decode(text)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	for _, p := range policy.All() {
		if c, _ := control.Get(p.ID); c.Scope == control.InNamespaces {
			continue
		}
		for _, f := range p.Judge(&policy.Subject{Object: &o}).Findings {
			tell(p.ID, f)
		}
	}
}

// The API server makes its roles anew without asking the gate, and the gate lets nobody
// else change them into more.
func TestOwnRolesCannotGrow(t *testing.T) {
	client := newClient(t)
	enforceRoles(t, client)
	view, err := lab.admin.RbacV1().ClusterRoles().Get(t.Context(), "view", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	grown := view.DeepCopy()
	grown.Rules = append(grown.Rules, rule("get", "", "secrets"))
	_, err = lab.admin.RbacV1().ClusterRoles().Update(t.Context(), grown, metav1.UpdateOptions{})
	wantDenied(t, err, "secret-access", "reads secrets")
	bound, err := lab.admin.RbacV1().ClusterRoleBindings().Get(t.Context(), "cluster-admin", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	bound.Subjects = append(bound.Subjects, user("eve"))
	_, err = lab.admin.RbacV1().ClusterRoleBindings().Update(t.Context(), bound, metav1.UpdateOptions{})
	wantDenied(t, err, "cluster-admin-bindings", "subjects[1]")
	bound.Subjects, bound.Labels = bound.Subjects[:1], map[string]string{"team": "shop", "kubernetes.io/bootstrapping": "rbac-defaults"}
	if _, err := lab.admin.RbacV1().ClusterRoleBindings().Update(t.Context(), bound, metav1.UpdateOptions{}); err != nil {
		t.Errorf("a label is refused: %v", err)
	}
}

// poll waits for what the API server's caches come to know.
func poll(ctx context.Context, until func(context.Context) (bool, error)) error {
	return wait.PollUntilContextTimeout(ctx, 20*time.Millisecond, 20*time.Second, true, until)
}
