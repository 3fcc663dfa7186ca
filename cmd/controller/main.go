// Command controller taints nodes that fail what their NodePolicies enforce. One replica
// leads; the others watch.
package main

import (
	"fmt"
	"os"
	"runtime/debug"

	"sigs.k8s.io/controller-runtime/pkg/manager/signals"
)

func main() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(collectAt)
	}
	if err := command().ExecuteContext(signals.SetupSignalHandler()); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

// collectAt is GOGC unless the environment sets it: what is kept of thousands of nodes
// lives long, so that a plan's garbage need not be allowed to double it.
const collectAt = 50
