package webhook

import (
	"context"
	"errors"
	"fmt"

	logf "sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/hardgate-dev/hardgate/exemption"
)

// WatchExemptions puts the Exemptions in force, now and after every change, until ctx ends.
func (g *Gate) WatchExemptions(ctx context.Context, i *Informers) error {
	changed, err := i.exemptions.changes()
	if err != nil {
		return fmt.Errorf("watching Exemptions: %w", err)
	}
	g.reloadExemptions(ctx, i)
	go func() {
		for {
			select {
			case <-ctx.Done():
				return
			case <-changed:
				g.reloadExemptions(ctx, i)
			}
		}
	}()
	return nil
}

// reloadExemptions compiles what the informer holds. One that is not understood exempts
// nothing.
func (g *Gate) reloadExemptions(ctx context.Context, i *Informers) {
	exemptions, errs := readStored(i.exemptions, "Exemption", exemption.Read)
	book, more := exemption.Compile(exemptions)
	errs = append(errs, more...)
	g.exemptions.Store(book)
	g.metrics.invalidExemptions.Set(float64(len(errs)))
	log := logf.FromContext(ctx).WithName("exemptions")
	if len(errs) > 0 {
		log.Error(errors.Join(errs...), "Exemptions are not understood and exempt nothing")
	}
	log.Info("Exemptions in force", "exemptions", len(exemptions), "errors", len(errs))
}
