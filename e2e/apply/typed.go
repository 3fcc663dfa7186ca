package apply

import (
	"context"
	"fmt"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/rest"
)

// Typed applies objects of Go types, whose TypeMeta is set.
func Typed(ctx context.Context, cfg *rest.Config, objects ...any) error {
	client, err := NewClient(cfg)
	if err != nil {
		return err
	}
	var list []*unstructured.Unstructured
	for _, o := range objects {
		content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(o)
		if err != nil {
			return fmt.Errorf("applying an object: %w", err)
		}
		list = append(list, &unstructured.Unstructured{Object: content})
	}
	return client.applyAll(ctx, list)
}
