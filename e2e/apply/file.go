package apply

import (
	"context"
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/rest"
)

// File applies every object of a file.
func File(ctx context.Context, cfg *rest.Config, path string) error {
	client, err := NewClient(cfg)
	if err != nil {
		return err
	}
	objects, err := Read(path)
	if err != nil {
		return err
	}
	return client.applyAll(ctx, objects)
}

// DirWithout applies every object of a directory but those of some kinds. What others
// need goes first: namespaces, whatever file they are in.
func DirWithout(ctx context.Context, cfg *rest.Config, dir string, kinds ...string) error {
	client, err := NewClient(cfg)
	if err != nil {
		return err
	}
	objects, err := ReadDir(dir)
	if err != nil {
		return err
	}
	objects = slices.DeleteFunc(objects, func(o *unstructured.Unstructured) bool { return slices.Contains(kinds, o.GetKind()) })
	slices.SortStableFunc(objects, func(a, b *unstructured.Unstructured) int { return rank(a) - rank(b) })
	return client.applyAll(ctx, objects)
}

func rank(o *unstructured.Unstructured) int {
	if o.GetKind() == "Namespace" {
		return 0
	}
	return 1
}

func (c *Client) applyAll(ctx context.Context, objects []*unstructured.Unstructured) error {
	for _, obj := range objects {
		if _, err := c.Apply(ctx, obj); err != nil {
			return fmt.Errorf("applying %s %s: %w", obj.GetKind(), obj.GetName(), err)
		}
	}
	return nil
}
