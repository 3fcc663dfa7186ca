package webhook

import (
	"context"
	"fmt"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
	logf "sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/hardgate-dev/hardgate/webhook/serving"
)

// tallyInterval is how often it is written what would have been refused.
const tallyInterval = 5 * time.Second

// Run serves until ctx ends: the informers first, then, once they have read
// everything, the server. A request is never judged by rules that have not been
// read yet; those of nodes are not waited for long, as an installation may not have
// them. At the end the server drains before the informers stop.
func Run(ctx context.Context, gate *Gate, informers *Informers, server *serving.Server, probes *serving.Probes) error {
	group, ctx := errgroup.WithContext(ctx)
	watching, stopWatching := context.WithCancel(context.WithoutCancel(ctx))
	group.Go(func() error {
		informers.Run(watching)
		return nil
	})
	group.Go(func() error { return probes.Run(watching) })
	group.Go(func() error {
		defer stopWatching()
		if err := informers.Synced(ctx); err != nil {
			if ctx.Err() != nil {
				return nil // told to stop before it began
			}
			return err
		}
		if err := gate.WatchPolicies(watching, informers); err != nil {
			return err
		}
		if err := gate.WatchExemptions(watching, informers); err != nil {
			return err
		}
		if err := gate.WatchNodePolicies(watching, informers); err != nil {
			return err
		}
		logf.FromContext(ctx).Info("namespaces, accounts and policies are read")
		tallying, stopTallying := context.WithCancel(watching)
		var tallies sync.WaitGroup
		tallies.Go(func() { gate.WriteTallies(tallying, informers, tallyInterval) })
		defer tallies.Wait()
		defer stopTallying()
		if err := server.Run(ctx); err != nil {
			return fmt.Errorf("webhook: %w", err)
		}
		return nil
	})
	return group.Wait()
}
