package drills

import (
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

	// A renewal of the Lease takes two questions of etcd, and may take 5 s.
	const delay, slow = 2 * time.Second, 40 * time.Second
	lab.etcd.set(delay)
	t.Cleanup(func() { lab.etcd.set(0) })
	began := time.Now()
	reported, denied := 0, 0
	for n := 0; time.Since(began) < slow; n++ {
		if reported < 6 && f.tryReport(f.nodes[reported], true) == nil {
			reported++
		}
		// On trial: nobody asks etcd for more than the namespace, if for that.
		if gate.Denied(create(t.Context(), pod(ns, true))) {
			denied++
		}
	}
	lab.etcd.set(0)
	mended := time.Now()
	if denied == 0 {
		t.Error("no verdict was given while etcd was slow")
	}
	if reported == 0 {
		t.Error("nothing was stored while etcd was slow: that is not slow but away")
	}
	ended := revive(t, controllers)
	for _, name := range f.nodes[:8] {
		f.report(name, true)
	}
	f.awaitVerdict(backWithin, taint.Drifted, f.nodes[:8])
	leading, err := holder(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("slow by %s each way for %s: %d reports stored, %d verdicts, %d of 2 controllers ended, the leader changed: %t; all was done %s later",
		delay, round(mended.Sub(began)), reported, denied, ended, leading != led, round(time.Since(mended)))
	time.Sleep(time.Second) // for what should not come
	h.steady(f.nodes[:8])
	f.writtenAtMostOnce(before)
}
