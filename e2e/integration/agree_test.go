package integration

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/dynamic"

	"github.com/hardgate-dev/hardgate/api/v1alpha1"
	"github.com/hardgate-dev/hardgate/audit"
	"github.com/hardgate-dev/hardgate/control"
	"github.com/hardgate-dev/hardgate/webhook/policy"
	"github.com/hardgate-dev/hardgate/webhook/ruling"
	"github.com/hardgate-dev/hardgate/webhook/verdict"
)

// The audit says of what is stored what the webhook says of the same at the door, letter
// by letter: of every kind, with every violation.
func TestAuditSaysWhatTheWebhookSays(t *testing.T) {
	client := newClient(t)
	namespace := newNamespace(t)
	var stored []*unstructured.Unstructured
	for _, id := range slices.Sorted(maps.Keys(violations)) {
		for _, kind := range slices.Sorted(maps.Keys(kinds)) {
			spec := compliantPod(namespace).Spec
			violations[id].apply(&spec)
			stored = append(stored, workload(t, kind, namespace, spec))
		}
	}
	for _, in := range []string{"", namespace} {
		for _, id := range slices.Sorted(maps.Keys(excess)) {
			stored = append(stored, role(t, in, unique("agree"), excess[id].rule, rule("*", "apps", "*")))
		}
		gathers := role(t, "", unique("agree"))
		gathers.Object["aggregationRule"] = map[string]any{"clusterRoleSelectors": []any{map[string]any{"matchLabels": map[string]any{"rbac.authorization.k8s.io/aggregate-to-edit": "true"}}}}
		stored = append(stored, gathers,
			binding(t, in, unique("agree"), "cluster-admin", user("eve")),
			binding(t, in, unique("agree"), "admin", user("eve"), rbacv1.Subject{Kind: "Group", APIGroup: rbacv1.GroupName, Name: "system:masters"}))
	}
	for _, o := range stored {
		if _, err := client.Create(t.Context(), o, metav1.CreateOptions{}); err != nil {
			t.Fatalf("%s: %v", o.GetName(), err)
		}
	}

	ids := make([]map[string]any, 0, len(violations))
	for _, p := range policy.All() {
		setting := map[string]any{"id": string(p.ID), "mode": "Enforce"}
		if v := violations[string(p.ID)]; v.parameters != nil {
			setting["parameters"] = v.parameters
		}
		ids = append(ids, setting)
	}
	enforceWith(t, namespace, ids...)
	enforceRoles(t, client)

	found := auditOf(t)
	lines := 0
	for _, o := range stored {
		again := o.DeepCopy()
		again.SetName(unique("again"))
		again.SetResourceVersion("")
		_, err := client.Create(t.Context(), again, metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}})
		said := denial(err)
		lines += len(said)
		if diff := cmp.Diff(said, found[o.GetKind()+" "+o.GetNamespace()+"/"+o.GetName()]); diff != "" {
			t.Errorf("%s %s (-webhook +audit):\n%s", o.GetKind(), o.GetName(), diff)
		}
	}
	if lines < len(stored) {
		t.Errorf("%d lines for %d objects that all violate something", lines, len(stored))
	}
}

// auditOf is what the audit finds by the policies that are stored, by object.
func auditOf(t *testing.T) map[string][]string {
	t.Helper()
	found := map[string][]string{}
	_, err := audit.Pass(t.Context(), lab.config, audit.Options{Book: storedBook(t), Now: time.Now, Log: func(namespace, object string, d *verdict.Decision, v *verdict.Violation) {
		kind, name, _ := strings.Cut(object, "/")
		if v.Mode == control.Enforce {
			key := kind + " " + namespace + "/" + name
			found[key] = append(found[key], fmt.Sprintf("%s: %s: %s", d.ID, v.Path, v.Detail))
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	for _, lines := range found {
		slices.Sort(lines)
	}
	return found
}

// storedBook compiles the policies as they are stored.
func storedBook(t *testing.T) *ruling.Book {
	t.Helper()
	client, err := dynamic.NewForConfig(lab.config)
	if err != nil {
		t.Fatal(err)
	}
	list, err := client.Resource(v1alpha1.GroupVersion.WithResource("workloadpolicies")).List(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	policies := make([]v1alpha1.WorkloadPolicy, len(list.Items))
	for i := range list.Items {
		p, err := ruling.Read(marshal(t, &list.Items[i]))
		if err != nil {
			t.Fatal(err)
		}
		policies[i] = *p
	}
	book, errs := ruling.Compile(policies)
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	return book
}

// denial takes the lines of a denial apart: "privileged: spec.…: privileged is true".
func denial(err error) (lines []string) {
	if err == nil {
		return nil
	}
	for line := range strings.Lines(err.Error()) {
		line, isFinding := strings.CutPrefix(strings.TrimSpace(line), "- ")
		if !isFinding {
			continue
		}
		line, _, _ = strings.Cut(line, "; mend: ")
		id, rest, _ := strings.Cut(line, ": ")
		id, _, _ = strings.Cut(id, " (CIS")
		lines = append(lines, id+": "+rest)
	}
	slices.Sort(lines)
	return lines
}
