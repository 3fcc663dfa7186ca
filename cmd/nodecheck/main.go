//go:build linux

// Command nodecheck is the agent on a node: it verifies the node's hardening and its
// kubelet, and writes the NodeReport of its node. It reads files and changes nothing
// on the node.
package main

import (
	"fmt"
	"os"
	"runtime"
	"runtime/debug"

	"sigs.k8s.io/controller-runtime/pkg/manager/signals"
)

// What the runtime is told unless the environment says otherwise: the heap is about
// 3 MiB, and the whole process is to stay below 20 MiB on every node. The heap is
// collected after each scan; at 100 it is not in the middle of one too, which at 50
// cost half a millisecond, and at 200 saved nothing more but took half a MiB. One
// processor is enough for one scan at a time; each further one costs memory, on a node
// of 64 cores more than all the rest.
const (
	collectAt  = 100
	limit      = 14 << 20
	processors = 1
)

func main() {
	runtime.MemProfileRate = 0 // nobody can ask for the profile, and its table is a tenth of the heap
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(collectAt)
	}
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(limit)
	}
	if os.Getenv("GOMAXPROCS") == "" {
		runtime.GOMAXPROCS(processors)
	}
	if err := command().ExecuteContext(signals.SetupSignalHandler()); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}
