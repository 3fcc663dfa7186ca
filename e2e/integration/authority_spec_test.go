package integration

import (
	"context"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
)

// asked is a spec as the controller writes it.
const asked = `{"spec":{"benchmarks":["cis-ubuntu-22.04-3.0.0"]}}`

func patchReport(a actor, name, patch string) attempt {
	return func(ctx context.Context) error {
		_, err := a.reports().Patch(ctx, name, types.MergePatchType, []byte(patch), metav1.PatchOptions{})
		return err
	}
}

// The spec of a report is the controller's; administrators are refused too, unless they
// break the glass.
func TestAuthorityOverTheSpecOfReports(t *testing.T) {
	authorities(t)
	s := newStation(t)
	admin := administrator(t)
	awaitInForce(t, specPolicy, attempts(admin.reports(), with(newReport("authority-trial"), []any{"x"}, "spec", "benchmarks"))["create"])
	s.report(t)
	control := theController(t)
	if err := patchReport(control, s.name, asked)(t.Context()); err != nil {
		t.Fatalf("the controller asks: %v", err)
	}
	stored, err := admin.reports().Get(t.Context(), s.name, metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	namesake := impersonated(t, "system:serviceaccount:another:hardgate-controller", masters)
	bare := newReport(s.name)
	for name, try := range map[string]attempt{
		"changed":             patchReport(admin, s.name, `{"spec":{"benchmarks":["other"]}}`),
		"added to":            patchReport(admin, s.name, `{"spec":{"unnecessaryModules":["dccp"]}}`),
		"removed":             patchReport(admin, s.name, `{"spec":null}`),
		"emptied":             patchReport(admin, s.name, `{"spec":{"benchmarks":null}}`),
		"replaced":            attempts(admin.reports(), with(stored, []any{"other"}, "spec", "benchmarks"))["update"],
		"applied":             attempts(admin.reports(), with(bare, []any{"other"}, "spec", "benchmarks"))["apply"],
		"by a namesake":       patchReport(namesake, s.name, `{"spec":{"benchmarks":["other"]}}`),
		"created":             attempts(admin.reports(), with(newReport("authority-none"), []any{"x"}, "spec", "benchmarks"))["create"],
		"created empty":       attempts(admin.reports(), with(newReport("authority-none"), map[string]any{}, "spec"))["create"],
		"created by applying": attempts(admin.reports(), with(newReport("authority-none"), []any{"x"}, "spec", "benchmarks"))["apply"],
		"by its own agent":    patchReport(s.actor, s.name, `{"spec":null}`),
	} {
		t.Run(name, func(t *testing.T) { wantRefused(t, try(t.Context()), specPolicy) })
	}
	collector := impersonated(t, "system:serviceaccount:kube-system:generic-garbage-collector", "system:serviceaccounts", "system:serviceaccounts:kube-system", "system:authenticated")
	glass := impersonated(t, "somebody", masters, breakGlass)
	for _, allowed := range []struct {
		name string
		try  attempt
	}{
		{"an agent writes its status while there is a spec", statusAttempts(s.reports(), newReport(s.name))["apply to the status"]},
		{"an agent applies its report while there is a spec", attempts(s.reports(), s.ownReport())["apply"]},
		{"an administrator labels", patchReport(admin, s.name, `{"metadata":{"labels":{"a":"b"}}}`)},
		{"an administrator writes the status", statusAttempts(admin.reports(), newReport(s.name))["merge patch of the status"]},
		{"an administrator creates without a spec", attempts(admin.reports(), newReport("authority-made-by-hand"))["create"]},
		{"an administrator deletes", attempts(admin.reports(), newReport("authority-made-by-hand"))["delete"]},
		{"the glass is broken", patchReport(glass, s.name, `{"spec":{"benchmarks":["other"]}}`)},
		{"the controller takes it back", patchReport(control, s.name, `{"spec":null}`)},
		{"the controller asks again", patchReport(control, s.name, asked)},
		{"the garbage collector patches", patchReport(collector, s.name, `{"metadata":{"ownerReferences":null}}`)},
		{"the garbage collector deletes", attempts(collector.reports(), newReport(s.name))["delete"]},
	} {
		if err := allowed.try(t.Context()); err != nil {
			t.Errorf("%s: %v", allowed.name, err)
		}
	}
	if _, found, err := unstructured.NestedMap(stored.Object, "spec"); !found || err != nil {
		t.Errorf("the report had no spec: %v", err)
	}
}
