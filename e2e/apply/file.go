package apply

import (
	"context"
	"fmt"

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
	for _, obj := range objects {
		if _, err := client.Apply(ctx, obj); err != nil {
			return fmt.Errorf("applying %s %s: %w", obj.GetKind(), obj.GetName(), err)
		}
	}
	return nil
}
