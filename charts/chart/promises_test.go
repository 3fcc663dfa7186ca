package chart_test

import (
	"slices"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/hardgate-dev/hardgate/charts/chart"
)

// What is in flight is answered before the pod is killed: serving drains, then takes up to
// 15 s.
func TestDrainFitsIntoTheGracePeriod(t *testing.T) {
	const inFlight = 15
	for text, drain := range map[string]int64{"{}": 10, "webhook: {drainSeconds: 120}": 120} {
		all := objects(t, render(t, chart.Options{Values: values(t, text)}))
		pod := find[*appsv1.Deployment](t, all, "hardgate-webhook").Spec.Template.Spec
		if got := *pod.TerminationGracePeriodSeconds; got <= drain+inFlight {
			t.Errorf("%s: the pod is killed after %d s, and drains for %d", text, got, drain)
		}
	}
}

// There is always a replica: neither a rollout nor a drain takes the last one.
func TestWebhookStaysUp(t *testing.T) {
	all := objects(t, render(t, chart.Options{}))
	d := find[*appsv1.Deployment](t, all, "hardgate-webhook")
	if *d.Spec.Replicas < 2 || d.Spec.Strategy.RollingUpdate.MaxUnavailable.IntValue() != 0 {
		t.Errorf("%d replicas, %v of which may be away in a rollout", *d.Spec.Replicas, d.Spec.Strategy.RollingUpdate.MaxUnavailable)
	}
	var spread []string
	for _, c := range d.Spec.Template.Spec.TopologySpreadConstraints {
		spread = append(spread, c.TopologyKey)
		selects(t, "a spread of the webhook", c.LabelSelector, d.Spec.Template.Labels)
	}
	if !slices.Equal(spread, []string{corev1.LabelHostname, corev1.LabelTopologyZone}) {
		t.Errorf("replicas are spread over %q", spread)
	}
	budget := find[*policyv1.PodDisruptionBudget](t, all, "hardgate-webhook")
	if budget.Spec.MaxUnavailable.IntValue() != 1 || *budget.Spec.UnhealthyPodEvictionPolicy != policyv1.AlwaysAllow {
		t.Errorf("the budget is %+v", budget.Spec)
	}
	selects(t, "the budget", budget.Spec.Selector, d.Spec.Template.Labels)
	service := find[*corev1.Service](t, all, "hardgate-webhook")
	selects(t, "the Service", &metav1.LabelSelector{MatchLabels: service.Spec.Selector}, d.Spec.Template.Labels)
}

func selects(t *testing.T, what string, s *metav1.LabelSelector, labels map[string]string) {
	t.Helper()
	selector, err := metav1.LabelSelectorAsSelector(s)
	if err != nil {
		t.Fatal(err)
	}
	if selector.Empty() {
		t.Errorf("%s selects everything", what)
	}
	for key, value := range s.MatchLabels {
		if labels[key] != value {
			t.Errorf("%s selects by %s=%s, which the pods do not have", what, key, value)
		}
	}
	// A rollout, or another version, must not change what is selected.
	if len(s.MatchLabels) != 1 || s.MatchLabels["app.kubernetes.io/name"] == "" {
		t.Errorf("%s selects by %v, want the name alone, which never changes", what, s.MatchLabels)
	}
}

// Selectors of workloads cannot be changed, so that these are for ever.
func TestSelectorsAreForEver(t *testing.T) {
	all := objects(t, render(t, chart.Options{}))
	found := templates(t, all)
	selects(t, "the webhook", find[*appsv1.Deployment](t, all, "hardgate-webhook").Spec.Selector, found["hardgate-webhook"].Labels)
	selects(t, "the controller", find[*appsv1.Deployment](t, all, "hardgate-controller").Spec.Selector, found["hardgate-controller"].Labels)
	selects(t, "the agent", find[*appsv1.DaemonSet](t, all, "hardgate-nodecheck").Spec.Selector, found["hardgate-nodecheck"].Labels)
}

// The agent is on every node, and changes none.
func TestAgent(t *testing.T) {
	pod := find[*appsv1.DaemonSet](t, objects(t, render(t, chart.Options{})), "hardgate-nodecheck").Spec.Template.Spec
	if want := []corev1.Toleration{{Operator: corev1.TolerationOpExists}}; !slices.Equal(pod.Tolerations, want) {
		t.Errorf("it tolerates %+v", pod.Tolerations)
	}
	for _, c := range pod.Containers {
		for _, m := range c.VolumeMounts {
			if !m.ReadOnly || m.MountPropagation == nil || *m.MountPropagation != corev1.MountPropagationHostToContainer {
				t.Errorf("%s is mounted so that it can be written, or kept from the node: %+v", m.Name, m)
			}
		}
		if got := c.SecurityContext.Capabilities.Add; !slices.Equal(got, []corev1.Capability{"DAC_READ_SEARCH"}) {
			t.Errorf("it has the capabilities %v", got)
		}
	}
	if pod.HostPID || pod.HostIPC {
		t.Error("it sees the node's processes other than by its /proc")
	}
}

// The agent's ports are the node's, where somebody else may have them.
func TestAgentPorts(t *testing.T) {
	for text, want := range map[string]struct {
		args []string
		port int32
	}{
		"{}": {[]string{"--root=/host", "--root-in-parts"}, 9258},
		"nodecheck: {healthPort: 19258, metricsPort: 19257}": {[]string{"--root=/host", "--root-in-parts", "--health-listen=127.0.0.1:19258", "--metrics-listen=127.0.0.1:19257"}, 19258},
		"nodecheck: {metricsPort: 0}":                        {[]string{"--root=/host", "--root-in-parts", "--metrics-listen=0"}, 9258},
	} {
		c := find[*appsv1.DaemonSet](t, objects(t, render(t, chart.Options{Values: values(t, text)})), "hardgate-nodecheck").Spec.Template.Spec.Containers[0]
		if !slices.Equal(c.Args, want.args) {
			t.Errorf("%s: it is started with %q, want %q", text, c.Args, want.args)
		}
		for _, p := range []*corev1.Probe{c.LivenessProbe, c.ReadinessProbe} {
			if p.HTTPGet.Port.IntVal != want.port || p.HTTPGet.Host != "127.0.0.1" {
				t.Errorf("%s: it is probed at %s:%s, want port %d", text, p.HTTPGet.Host, p.HTTPGet.Port.String(), want.port)
			}
		}
	}
}

// A heap that comes near the limit is collected, before the kernel kills every replica for
// the same burst.
func TestHeapsKnowTheirLimit(t *testing.T) {
	all := objects(t, render(t, chart.Options{}))
	for _, name := range []string{"hardgate-webhook", "hardgate-controller"} {
		c := find[*appsv1.Deployment](t, all, name).Spec.Template.Spec.Containers[0]
		i := slices.IndexFunc(c.Env, func(e corev1.EnvVar) bool { return e.Name == "GOMEMLIMIT" })
		if i < 0 || c.Env[i].ValueFrom == nil || c.Env[i].ValueFrom.ResourceFieldRef == nil || c.Env[i].ValueFrom.ResourceFieldRef.Resource != "limits.memory" {
			t.Errorf("%s is not told of its limit: %+v", name, c.Env)
		}
	}
}

// Whatever priority the pods have, the quota names it.
func TestQuotaKnowsThePriorities(t *testing.T) {
	all := objects(t, render(t, chart.Options{}))
	quota := find[*corev1.ResourceQuota](t, all, "hardgate-critical-pods")
	known := quota.Spec.ScopeSelector.MatchExpressions[0].Values
	for name, template := range templates(t, all) {
		if p := template.Spec.PriorityClassName; !strings.HasPrefix(p, "system-") || !slices.Contains(known, p) {
			t.Errorf("%s has the priority %q, the quota is for %q", name, p, known)
		}
	}
}

// What is open is what is asked for.
func TestNetwork(t *testing.T) {
	all := objects(t, render(t, chart.Options{}))
	closed := find[*networkingv1.NetworkPolicy](t, all, "hardgate-closed")
	if len(closed.Spec.PodSelector.MatchLabels) != 0 || len(closed.Spec.PolicyTypes) != 2 || closed.Spec.Ingress != nil || closed.Spec.Egress != nil {
		t.Errorf("not everything is closed: %+v", closed.Spec)
	}
	if in := find[*networkingv1.NetworkPolicy](t, all, "hardgate-webhook").Spec.Ingress; len(in) != 1 || in[0].Ports[0].Port.String() != "webhook" {
		t.Errorf("the webhook is open to %+v", in)
	}
	if in := find[*networkingv1.NetworkPolicy](t, all, "hardgate-controller").Spec.Ingress; len(in) != 0 {
		t.Errorf("the controller is open to %+v", in)
	}
	all = objects(t, render(t, chart.Options{Values: values(t, "networkPolicies: {metricsFrom: [{podSelector: {}}], apiServerCIDRs: [192.0.2.0/28]}")}))
	in := find[*networkingv1.NetworkPolicy](t, all, "hardgate-webhook").Spec.Ingress
	// API servers are not reached at the address that they come from: behind konnectivity
	// they come from a pod.
	if len(in) != 2 || len(in[0].From) != 0 || in[1].Ports[0].Port.String() != "metrics" || len(in[1].From) != 1 {
		t.Errorf("the webhook is open to %+v", in)
	}
	for _, name := range []string{"hardgate-webhook", "hardgate-controller"} {
		if out := find[*networkingv1.NetworkPolicy](t, all, name).Spec.Egress; out[0].To[0].IPBlock.CIDR != "192.0.2.0/28" {
			t.Errorf("%s may reach %+v", name, out)
		}
	}
}

// Where it is known from where API servers come, nobody else is let in.
func TestNetworkOfReviews(t *testing.T) {
	all := objects(t, render(t, chart.Options{Values: values(t, "networkPolicies: {webhookFrom: [{ipBlock: {cidr: 192.0.2.0/28}}, {podSelector: {matchLabels: {app: konnectivity-agent}}, namespaceSelector: {}}]}")}))
	in := find[*networkingv1.NetworkPolicy](t, all, "hardgate-webhook").Spec.Ingress
	if len(in) != 1 || len(in[0].From) != 2 || in[0].From[0].IPBlock.CIDR != "192.0.2.0/28" || in[0].From[1].PodSelector.MatchLabels["app"] != "konnectivity-agent" {
		t.Errorf("the webhook is open to %+v", in)
	}
}

// A namespace that Helm has made for the release cannot be made by the release.
func TestNamespaceIsMadeOnce(t *testing.T) {
	for namespace, want := range map[string]bool{"default": true, "kube-system": true, "hardgate-system": false} {
		made := false
		for _, o := range objects(t, render(t, chart.Options{Namespace: namespace})) {
			if ns, ok := o.(*corev1.Namespace); ok && ns.Name == "hardgate-system" {
				made = true
			}
		}
		if made != want {
			t.Errorf("with a release in %s, hardgate-system is made: %v", namespace, made)
		}
	}
}
