package drills

import (
	"context"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/hardgate-dev/hardgate/e2e/controller"
	"github.com/hardgate-dev/hardgate/taint"
)

// What docs/reliability.md promises of the leader's Lease, where it lasts 15 s. Drills that
// wait for its end have one of half that; those of e2e/tainting go by the whole.
const (
	leaseLasts = 8 * time.Second    // from when the others wait no longer
	leadsAlone = leaseLasts * 2 / 3 // for how long a leader acts that could not renew it
)

// brief makes a controller's Lease last so long.
var brief = []string{"--lease-duration", leaseLasts.String()}

// usurp takes the leader's Lease by hand, as another program would, and holds it no further.
func usurp(ctx context.Context, holder string) error {
	leases := lab.admin.CoordinationV1().Leases(controller.LeaderNamespace)
	lease, err := leases.Get(ctx, controller.Leader, metav1.GetOptions{})
	if err != nil {
		return err
	}
	now := metav1.NowMicro()
	lease.Spec.HolderIdentity, lease.Spec.AcquireTime, lease.Spec.RenewTime = &holder, &now, &now
	*lease.Spec.LeaseTransitions++
	_, err = leases.Update(ctx, lease, metav1.UpdateOptions{})
	return err
}

// Promise: a leader whose Lease is taken writes nothing any more after 10 s, and ends. The
// next one goes on where it stopped: no node is written twice, and no taint goes and comes
// back.
func TestLeaseIsTaken(t *testing.T) {
	both(t)
	f := newFleet(t, 12)
	h := f.record()
	first := leads(t, "controller-1", brief...)
	f.awaitVerdict(soon, taint.Compliant, f.nodes)
	second := leads(t, "controller-2", brief...)
	before := written(t)
	early, late := f.nodes[:4], f.nodes[4:8]
	for _, name := range early {
		f.report(name, true)
	}
	f.awaitVerdict(soon, taint.Drifted, early)

	await(t, soon, "the Lease is taken", func() bool { return usurp(t.Context(), "somebody") == nil })
	taken := time.Now()
	await(t, 2*leaseLasts, "the leader that was has ended", func() bool {
		running, err := first.Process().Running()
		if err != nil {
			t.Fatal(err)
		}
		return !running
	})
	ended := time.Since(taken)
	if by, err := holder(t.Context()); err != nil || by != "somebody" {
		t.Errorf("%v; the Lease is held by %q: the leader that was has taken it back", err, by)
	}
	for _, name := range late {
		f.report(name, true)
	}
	time.Sleep(time.Second) // for what should not come: nobody leads
	if by, err := holder(t.Context()); err == nil && by == "somebody" {
		now := written(t)
		for _, name := range late {
			if now[" "+name] != before[" "+name] {
				t.Errorf("%s was tainted while nobody led", name)
			}
		}
	} else {
		t.Logf("%v; %q leads already", err, by)
	}
	f.awaitVerdict(soon, taint.Drifted, late)
	next := time.Since(taken)
	time.Sleep(time.Second) // for what should not come
	h.steady(f.nodes[:8])
	f.writtenOnce(before, f.nodes[:8])
	if running, err := second.Process().Running(); err != nil || !running {
		t.Errorf("%v; the next leader runs: %t", err, running)
	}
	t.Logf("the leader that was ended %s after its Lease was taken, the next had tainted after %s", round(ended), round(next))
}
