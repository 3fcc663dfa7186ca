package integration

import (
	"context"
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"
)

// attempt is one request.
type attempt func(context.Context) error

// attempts are all ways to write an object that exists.
func attempts(r dynamic.ResourceInterface, stored *unstructured.Unstructured) map[string]attempt {
	name := stored.GetName()
	bare := stored.DeepCopy()
	for _, field := range []string{"resourceVersion", "uid", "managedFields", "creationTimestamp", "generation"} {
		unstructured.RemoveNestedField(bare.Object, "metadata", field)
	}
	patch := func(kind types.PatchType, body string) attempt {
		return func(ctx context.Context) error {
			_, err := r.Patch(ctx, name, kind, []byte(body), metav1.PatchOptions{})
			return err
		}
	}
	return map[string]attempt{
		"create":      func(ctx context.Context) error { _, err := r.Create(ctx, bare, metav1.CreateOptions{}); return err },
		"update":      func(ctx context.Context) error { _, err := r.Update(ctx, stored, metav1.UpdateOptions{}); return err },
		"apply":       func(ctx context.Context) error { _, err := r.Apply(ctx, name, bare, applied("forger")); return err },
		"merge patch": patch(types.MergePatchType, `{"metadata":{"labels":{"forged":"yes"}}}`),
		"JSON patch":  patch(types.JSONPatchType, `[{"op":"add","path":"/metadata/labels","value":{"forged":"yes"}}]`),
		"delete":      func(ctx context.Context) error { return r.Delete(ctx, name, metav1.DeleteOptions{}) },
		"delete many": func(ctx context.Context) error {
			return r.DeleteCollection(ctx, metav1.DeleteOptions{}, metav1.ListOptions{FieldSelector: "metadata.name=" + name})
		},
	}
}

// statusAttempts are all ways to write the status of a report that exists.
func statusAttempts(r dynamic.ResourceInterface, stored *unstructured.Unstructured) map[string]attempt {
	name := stored.GetName()
	forged := with(stored, "forged", "status", "os")
	return map[string]attempt{
		"update of the status": func(ctx context.Context) error {
			_, err := r.UpdateStatus(ctx, forged, metav1.UpdateOptions{})
			return err
		},
		"merge patch of the status": func(ctx context.Context) error {
			_, err := r.Patch(ctx, name, types.MergePatchType, []byte(`{"status":{"os":"forged"}}`), metav1.PatchOptions{}, "status")
			return err
		},
		"apply to the status": func(ctx context.Context) error {
			_, err := r.ApplyStatus(ctx, name, with(newReport(name), "forged", "status", "os"), applied("forger"))
			return err
		},
	}
}

func only(tries map[string]attempt, ways ...string) map[string]attempt {
	some := map[string]attempt{}
	for _, way := range ways {
		some[way] = tries[way]
	}
	return some
}

func merged(all ...map[string]attempt) map[string]attempt {
	tries := map[string]attempt{}
	for i, some := range all {
		for way, try := range some {
			tries[fmt.Sprintf("%s %d", way, i)] = try
		}
	}
	return tries
}

func generated(o *unstructured.Unstructured, prefix string) *unstructured.Unstructured {
	o.SetName("")
	o.SetGenerateName(prefix)
	return o
}

// owned makes another the owner of a report, by which the garbage collector would
// delete it.
func owned(s station, report *unstructured.Unstructured, apiVersion, kind, name string, uid types.UID) map[string]attempt {
	forged := report.DeepCopy()
	forged.SetOwnerReferences([]metav1.OwnerReference{{APIVersion: apiVersion, Kind: kind, Name: name, UID: uid}})
	return only(attempts(s.reports(), forged), "create", "update", "apply")
}
