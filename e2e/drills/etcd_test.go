package drills

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/hardgate-dev/hardgate/e2e/gate"
	"github.com/hardgate-dev/hardgate/taint"
)

// Promise: while etcd is slow a leader may lose its Lease, and what is asked of it waits.
// Nothing is written twice, no taint goes and comes back, and the webhook, which asks etcd
// nothing, gives its verdicts. Once etcd is itself again, so is everything.
func TestEtcdIsSlow(t *testing.T) {
	both(t)
	f := newFleet(t, 12)
	h := f.record()
	controllers := leadBoth(t)
	f.awaitVerdict(soon, taint.Compliant, f.nodes)
	ns := shut(t, "slow")
	before := written(t)
	led, err := holder(t.Context())
	if err != nil {
		t.Fatal(err)
	}

	// Denials are asked for all the time: a request that is denied does not come to etcd.
	asking, stop := context.WithCancel(t.Context())
	denied, other := 0, 0
	var all sync.WaitGroup
	t.Cleanup(func() { lab.etcd.set(0) })
	t.Cleanup(all.Wait)
	t.Cleanup(stop)
	all.Go(func() {
		for asking.Err() == nil {
			switch err := create(asking, pod(ns, true)); {
			case gate.Denied(err):
				denied++
			case asking.Err() == nil:
				other++
				t.Logf("no denial: %v", err)
			}
		}
	})
	began := time.Now()
	// At first what is asked of it is answered late; a renewal of the Lease takes two
	// questions, and may take a third of its time. Then it is too late.
	reported := 0
	for _, phase := range []struct{ delay, lasts time.Duration }{{400 * time.Millisecond, 5 * time.Second}, {2 * time.Second, 10 * time.Second}} {
		lab.etcd.set(phase.delay)
		for began := time.Now(); time.Since(began) < phase.lasts; {
			if reported < 6 && f.tryReport(f.nodes[reported], true) == nil {
				reported++
			}
			time.Sleep(100 * time.Millisecond)
		}
	}
	lab.etcd.set(0)
	mended := time.Now()
	stop()
	all.Wait()
	if denied < 20 || other > 0 {
		t.Errorf("%d denials while etcd was slow, and %d other answers", denied, other)
	}
	if reported == 0 {
		t.Error("nothing was stored while etcd was slow: that is not slow but away")
	}
	// What was begun is ended first.
	ended := 0
	await(t, 2*leaseLasts, "a leader that has lost its Lease has ended", func() bool {
		ended += revive(t, controllers)
		return ended > 0
	})
	for _, name := range f.nodes[:8] {
		f.report(name, true)
	}
	f.awaitVerdict(backWithin, taint.Drifted, f.nodes[:8])
	leading, err := holder(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("slow for %s: %d reports stored, %d denials, %d of 2 controllers ended, the leader changed: %t; all was done %s later",
		round(mended.Sub(began)), reported, denied, ended, leading != led, round(time.Since(mended)))
	time.Sleep(time.Second) // for what should not come
	h.steady(f.nodes[:8])
	f.writtenAtMostOnce(before)
}
