package story

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/hardgate-dev/hardgate/e2e/apply"
	"github.com/hardgate-dev/hardgate/e2e/node"
	"github.com/hardgate-dev/hardgate/taint/key"
)

// kind is one way in which a node drifts.
type kind struct {
	name string
	goal time.Duration // for the 99th percentile, from the drift to the taint
	// spread is by how much trials are out of step with each other: no less than the
	// time between two looks of the agent, where it does not learn of a change by itself.
	spread      time.Duration
	drift, mend func(*node.Node) error
}

var kinds = []kind{
	{
		name: "file", goal: 2 * time.Second, spread: time.Second,
		drift: edit(loosened), mend: edit(hardened),
	},
	{
		name: "sysctl", goal: 4 * time.Second, spread: 2 * time.Second,
		drift: set("0"), mend: set("1"),
	},
}

func edit(line string) func(*node.Node) error {
	return func(n *node.Node) error {
		return n.Edit(node.SSHConfig, graceTime, line)
	}
}

func set(value string) func(*node.Node) error {
	return func(n *node.Node) error { return n.Set(node.LogMartians, value) }
}

// Measure lets the node drift and mends it so many times in each way, and prints how long
// it took from the write until a watch on the Node showed the taint, and its removal.
func (s *Story) Measure(ctx context.Context, n *node.Node, trials int, out io.Writer) error {
	if err := apply.File(ctx, s.access, s.manifest("node-policy-trials.yaml")); err != nil {
		return err
	}
	var text, results strings.Builder
	fmt.Fprintf(&text, "From drift to taint and back on a real node, %d trials each.\n%-26s %8s %8s %8s %8s   goal of p99\n", trials, "", "p50", "p90", "p99", "max")
	for _, k := range kinds {
		s.cfg.Cluster.Config().Log("%d trials with a %s", trials, k.name)
		set, cleared, err := s.try(ctx, n, k, trials)
		if err != nil {
			return err
		}
		fmt.Fprintf(&text, "%s   %7.2f s\n%s\n", row(k.name+", until the taint", set), k.goal.Seconds(), row(k.name+", until it is gone", cleared))
		fmt.Fprintf(&results, "taint %s p50=%.2fs p99=%.2fs removed p50=%.2fs p99=%.2fs\n", k.name,
			percentile(set, 50).Seconds(), percentile(set, 99).Seconds(), percentile(cleared, 50).Seconds(), percentile(cleared, 99).Seconds())
	}
	_, err := io.WriteString(out, text.String()+results.String())
	return err
}

// pace is the time between two changes. When changes come without end, the agent scans
// for one in five seconds: trials that come more often would measure that.
const pace = 5500 * time.Millisecond

func (s *Story) try(ctx context.Context, n *node.Node, k kind, trials int) (set, cleared []time.Duration, err error) {
	next := time.Now()
	for range trials {
		for _, step := range []struct {
			do      func(*node.Node) error
			tainted bool
			took    *[]time.Duration
		}{{k.drift, true, &set}, {k.mend, false, &cleared}} {
			next = next.Add(pace)
			select {
			case <-time.After(time.Until(next.Add(rand.N(k.spread)))): //nolint:gosec // only out of step
			case <-ctx.Done():
				return nil, nil, ctx.Err()
			}
			at := time.Now()
			if err := step.do(n); err != nil {
				return nil, nil, err
			}
			seen, err := s.watch.await(ctx, at, fmt.Sprintf("the node is tainted: %t", step.tainted), func(n *corev1.Node) bool {
				return tainted(n, key.Drifted) == step.tainted
			})
			if err != nil {
				return nil, nil, fmt.Errorf("in a trial with a %s: %w", k.name, err)
			}
			*step.took = append(*step.took, seen.at.Sub(at))
		}
	}
	return set, cleared, nil
}

func row(name string, took []time.Duration) string {
	seconds := func(p int) float64 { return percentile(took, p).Seconds() }
	return fmt.Sprintf("%-26s %6.2f s %6.2f s %6.2f s %6.2f s", name, seconds(50), seconds(90), seconds(99), seconds(100))
}

// percentile is by the nearest rank: of 50 values, the 99th is the greatest.
func percentile(took []time.Duration, p int) time.Duration {
	sorted := slices.Sorted(slices.Values(took))
	return sorted[max(0, (len(sorted)*p+99)/100-1)]
}
