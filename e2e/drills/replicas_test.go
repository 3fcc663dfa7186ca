package drills

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/hardgate-dev/hardgate/e2e/controller"
	"github.com/hardgate-dev/hardgate/e2e/gate"
	"github.com/hardgate-dev/hardgate/webhook/registration"
)

const (
	enforcedWebhook = "workloads-enforced.hardgate.dev"
	policiesWebhook = "policies.hardgate.dev"
)

// shut makes a namespace in which the API server fails closed, by way of a policy and the
// controller, and the webhook denies.
func shut(t *testing.T, prefix string) string {
	t.Helper()
	ns := namespace(t, prefix)
	enforce(t, ns, ns)
	await(t, soon, "what is enforced fails closed", func() bool { return closed(t, ns) })
	await(t, soon, "a privileged pod is denied", func() bool {
		err := create(t.Context(), pod(ns, true))
		return gate.Denied(err) && strings.Contains(err.Error(), enforcedWebhook)
	})
	return ns
}

// Promise: where one of two replicas is killed, requests in flight are lost, and those that
// still meet its address until the cluster has noticed. Each gets its verdict when it is
// sent again, and none gets a wrong one.
func TestReplicaIsKilled(t *testing.T) {
	replicas := both(t)
	leads(t, "controller-1")
	ns := shut(t, "killed")
	l := startLoad(t, ns)
	l.more(t, 100)
	name, connections := lab.service.busiest()
	if connections == 0 {
		t.Fatal("nobody is connected to any replica")
	}
	killed := time.Now()
	replicas[name].kill(t)
	time.Sleep(2 * probing)
	l.more(t, 100)
	l.end()
	all := l.right(t)
	var last time.Duration
	for _, f := range all {
		if f.at.Before(killed) {
			t.Errorf("lost %s before a replica was killed: %v", killed.Sub(f.at), f.err)
		}
		if !unanswered(f.err, enforcedWebhook) {
			t.Errorf("lost by something else: %v", f.err)
		}
		last = max(last, f.at.Sub(killed))
	}
	t.Logf("%s had %d connections; of %d requests by %d clients, %d had to be sent again, the last after %s",
		name, connections, l.verdicts, workers, len(all), round(last))
	// In flight: one of each client. Once more of each, as long as the address is listed.
	if most := 3 * workers; len(all) > most {
		t.Errorf("%d requests were lost, more than %d", len(all), most)
	}
	if now, _ := lab.service.busiest(); now == name {
		t.Errorf("%s is at work, and was killed", name)
	}
}

// Promise: a replica that is told to end loses no request.
func TestReplicaEnds(t *testing.T) {
	replicas := both(t)
	leads(t, "controller-1")
	ns := shut(t, "ended")
	l := startLoad(t, ns)
	l.more(t, 100)
	first, _ := lab.service.busiest()
	if first == "" {
		t.Fatal("nobody is connected to any replica")
	}
	// One after the other, as a rollout does it: the load must go over twice.
	for range 2 {
		name, connections := lab.service.busiest()
		began := time.Now()
		if err := replicas[name].running.Stop(t.Context(), grace); err != nil {
			t.Fatal(err)
		}
		t.Logf("%s had %d connections and ended in %s", name, connections, round(time.Since(began)))
		if time.Since(began) < drain {
			t.Errorf("%s did not drain", name)
		}
		if log := logOf(t, name); !strings.Contains(log, "draining") {
			t.Errorf("%s does not say that it drains", name)
		}
		l.more(t, 100)
		r, err := startReplica(t.Context(), name)
		if err != nil {
			t.Fatal(err)
		}
		replicas[name] = r
	}
	l.end()
	for _, f := range l.right(t) {
		t.Errorf("lost: %v", f.err)
	}
	t.Logf("%d requests, %d lost", l.verdicts, len(l.lost))
}

// Promise: without any replica, enforced namespaces fail closed and say why; everything
// else works, and so does what the cluster does for itself in them. Policies cannot be
// changed, but deleted, by which a namespace opens. So does everything once the configurations
// are deleted.
func TestAllReplicasAreGone(t *testing.T) {
	replicas := both(t)
	leads(t, "controller-1")
	ns, single, other := shut(t, "closed"), shut(t, "closed"), namespace(t, "open")
	running, err := lab.admin.CoreV1().Pods(ns).Create(t.Context(), pod(ns, false), metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range replicas {
		r.kill(t)
	}
	lab.service.look(t.Context())

	for _, privileged := range []bool{false, true} {
		err := create(t.Context(), pod(ns, privileged))
		if !unanswered(err, enforcedWebhook) {
			t.Errorf("a pod where something is enforced, privileged %t: %v", privileged, err)
		}
		t.Logf("refused by: %v", err)
		for _, open := range []string{other, "default", metav1.NamespaceSystem, metav1.NamespacePublic, controller.Namespace} {
			p := pod(open, privileged)
			if open != other { // without a controller manager there is no account "default" there
				p.Spec.ServiceAccountName = serviceAccount(t, open)
			}
			if err := create(t.Context(), p); err != nil {
				t.Errorf("a pod in %s, privileged %t: %v", open, privileged, err)
			}
		}
	}
	t.Run("the cluster goes on", func(t *testing.T) { goesOn(t, ns, running) })

	err = put(t.Context(), "workloadpolicies", "WorkloadPolicy", ns, enforcing(other))
	if !unanswered(err, policiesWebhook) {
		t.Errorf("a policy is changed that nobody has read: %v", err)
	}
	if closed(t, other) {
		t.Errorf("%s is closed by a webhook that is away", other)
	}

	// The ways out of docs/reliability.md.
	began := time.Now()
	if err := resource("workloadpolicies").Delete(t.Context(), single, metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	await(t, soon, "a namespace is let go of with its policy", func() bool { return create(t.Context(), pod(single, true)) == nil })
	t.Logf("%s was open %s after its policy was deleted", single, round(time.Since(began)))
	if !closed(t, ns) {
		t.Errorf("%s is let go of, too", ns)
	}
	began = time.Now()
	configurations := lab.admin.AdmissionregistrationV1().ValidatingWebhookConfigurations()
	if err := errors.Join(
		configurations.Delete(t.Context(), registration.Name, metav1.DeleteOptions{}),
		lab.admin.AdmissionregistrationV1().MutatingWebhookConfigurations().Delete(t.Context(), registration.Name, metav1.DeleteOptions{}),
	); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := register(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
	})
	await(t, soon, "the namespace is open", func() bool { return create(t.Context(), pod(ns, true)) == nil })
	t.Logf("%s was open %s after the configuration was deleted", ns, round(time.Since(began)))
	await(t, soon, "policies can be changed", func() bool {
		return put(t.Context(), "workloadpolicies", "WorkloadPolicy", ns, enforcing(ns)) == nil
	})
	time.Sleep(2 * time.Second) // for some rounds of the controller
	if list, err := configurations.List(t.Context(), metav1.ListOptions{}); err != nil || len(list.Items) > 0 {
		t.Errorf("%v; the controller brings back what was deleted: %d configurations", err, len(list.Items))
	}

	// And back.
	both(t)
	if err := register(t.Context()); err != nil {
		t.Fatal(err)
	}
	await(t, soon, "what is enforced fails closed again", func() bool { return closed(t, ns) })
	await(t, soon, "a privileged pod is denied again", func() bool { return gate.Denied(create(t.Context(), pod(ns, true))) })
}

// goesOn does what a cluster does all the time, in a namespace that fails closed and
// elsewhere.
func goesOn(t *testing.T, ns string, running *corev1.Pod) {
	t.Helper()
	ctx, core := t.Context(), lab.admin.CoreV1()
	must := func(what string, err error) {
		t.Helper()
		if err != nil {
			t.Errorf("%s: %v", what, err)
		}
	}
	for _, where := range []string{ns, "kube-node-lease", controller.LeaderNamespace} {
		lease := &coordinationv1.Lease{ObjectMeta: metav1.ObjectMeta{Name: "drill-" + ns}}
		lease, err := lab.admin.CoordinationV1().Leases(where).Create(ctx, lease, metav1.CreateOptions{})
		must("a lease in "+where, err)
		if err == nil {
			lease.Spec.RenewTime = &metav1.MicroTime{Time: time.Now()}
			_, err = lab.admin.CoordinationV1().Leases(where).Update(ctx, lease, metav1.UpdateOptions{})
			must("renewing a lease in "+where, err)
			must("a lease ends", lab.admin.CoordinationV1().Leases(where).Delete(ctx, lease.Name, metav1.DeleteOptions{}))
		}
	}
	node, err := core.Nodes().Create(ctx, &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "node-" + ns}}, metav1.CreateOptions{})
	must("a node registers", err)
	if err == nil {
		node.Status.Conditions = []corev1.NodeCondition{{Type: corev1.NodeReady, Status: corev1.ConditionTrue}}
		_, err = core.Nodes().UpdateStatus(ctx, node, metav1.UpdateOptions{})
		must("a node is ready", err)
		must("binding a pod", core.Pods(ns).Bind(ctx, &corev1.Binding{
			ObjectMeta: metav1.ObjectMeta{Name: running.Name, Namespace: ns}, Target: corev1.ObjectReference{Kind: "Node", Name: node.Name},
		}, metav1.CreateOptions{}))
		_, err = core.Pods(ns).Patch(ctx, running.Name, types.StrategicMergePatchType,
			[]byte(`{"status":{"phase":"Running","conditions":[{"type":"Ready","status":"True"}]}}`), metav1.PatchOptions{}, "status")
		must("a pod is running", err)
		must("a pod ends", core.Pods(ns).Delete(ctx, running.Name, metav1.DeleteOptions{GracePeriodSeconds: new(int64)}))
		must("a node goes", core.Nodes().Delete(ctx, node.Name, metav1.DeleteOptions{}))
	}
	_, err = core.ConfigMaps(ns).Create(ctx, &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "drill"}}, metav1.CreateOptions{})
	must("a ConfigMap", err)
	_, err = core.Namespaces().Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "new-" + ns}}, metav1.CreateOptions{})
	must("a namespace", err)
	renewed := func() time.Time {
		lease, err := lab.admin.CoordinationV1().Leases(controller.LeaderNamespace).Get(ctx, controller.Leader, metav1.GetOptions{})
		if err != nil || lease.Spec.RenewTime == nil {
			t.Fatalf("%v: %+v", err, lease)
		}
		return lease.Spec.RenewTime.Time
	}
	before := renewed()
	await(t, soon, "hardgate's own leader renews its lease", func() bool { return renewed().After(before) })
}

// serviceAccount makes an account of this test's own in a namespace of the cluster's.
func serviceAccount(t *testing.T, ns string) string {
	t.Helper()
	const name = "drill"
	sa := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: name}}
	if _, err := lab.admin.CoreV1().ServiceAccounts(ns).Create(t.Context(), sa, metav1.CreateOptions{}); err == nil {
		t.Cleanup(func() {
			_ = lab.admin.CoreV1().ServiceAccounts(ns).Delete(context.WithoutCancel(t.Context()), name, metav1.DeleteOptions{})
		})
	}
	return name
}
