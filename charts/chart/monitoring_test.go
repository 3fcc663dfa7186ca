package chart_test

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	monitoringv1 "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/yaml"

	"github.com/hardgate-dev/hardgate/charts/chart"
)

// monitoring are the objects of the templates of that name, decoded strictly into the
// operator's types.
func monitoring(t *testing.T, text string) []runtime.Object {
	t.Helper()
	s := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{scheme.AddToScheme, monitoringv1.AddToScheme} {
		if err := add(s); err != nil {
			t.Fatal(err)
		}
	}
	d := serializer.NewCodecFactory(s, serializer.EnableStrict).UniversalDeserializer()
	files := render(t, chart.Options{Values: values(t, text)})
	for name := range files {
		if !strings.HasPrefix(name, "monitoring/") {
			delete(files, name)
		}
	}
	var all []runtime.Object
	for _, o := range plain(t, files) {
		typed, _, err := d.Decode(o.JSON, nil, nil)
		if err != nil {
			t.Fatalf("%s: %v", o.Source, err)
		}
		all = append(all, typed)
	}
	return all
}

// Without the operator's kinds the API server would refuse the chart.
func TestNothingIsMonitoredUnasked(t *testing.T) {
	if all := monitoring(t, "{}"); len(all) > 0 {
		t.Errorf("there are %d objects", len(all))
	}
	for _, o := range monitoring(t, "monitoring: {dashboard: {enabled: true}}") {
		if _, ok := o.(*corev1.ConfigMap); !ok {
			t.Errorf("for the dashboard alone there is a %T", o)
		}
	}
}

// What Prometheus selects is there, and leads to the ports at which metrics are served.
func TestServiceMonitor(t *testing.T) {
	all := monitoring(t, "monitoring: {enabled: true, labels: {release: prometheus}, interval: 15s}")
	m := find[*monitoringv1.ServiceMonitor](t, all, "hardgate")
	if m.Labels["release"] != "prometheus" || m.Spec.Endpoints[0].Interval != "15s" || m.Spec.JobLabel != "app.kubernetes.io/name" {
		t.Errorf("it is %+v", m)
	}
	deployments := objects(t, render(t, chart.Options{}))
	selected := labels.SelectorFromSet(m.Spec.Selector.MatchLabels)
	for _, name := range []string{"hardgate-webhook", "hardgate-controller"} {
		s := find[*corev1.Service](t, all, name+"-metrics")
		if !selected.Matches(labels.Set(s.Labels)) || s.Labels[m.Spec.JobLabel] != name {
			t.Errorf("%s has the labels %v", s.Name, s.Labels)
		}
		if s.Spec.Ports[0].Name != m.Spec.Endpoints[0].Port || !s.Spec.PublishNotReadyAddresses {
			t.Errorf("%s is %+v", s.Name, s.Spec)
		}
		pods := find[*appsv1.Deployment](t, deployments, name).Spec.Template
		if !labels.SelectorFromSet(s.Spec.Selector).Matches(labels.Set(pods.Labels)) {
			t.Errorf("%s selects %v, the pods have %v", s.Name, s.Spec.Selector, pods.Labels)
		}
		found := false
		for _, p := range pods.Spec.Containers[0].Ports {
			found = found || p.Name == s.Spec.Ports[0].TargetPort.StrVal
		}
		if !found {
			t.Errorf("%s: the pods have no port %s", s.Name, s.Spec.Ports[0].TargetPort.StrVal)
		}
	}
}

// The file of alerts arrives as it is: Helm's templates and those of alerts look alike.
func TestAlerts(t *testing.T) {
	if all := monitoring(t, "monitoring: {enabled: true, alerts: false}"); len(all) != 3 {
		t.Errorf("without alerts there are %d objects", len(all))
	}
	rule := find[*monitoringv1.PrometheusRule](t, monitoring(t, "monitoring: {enabled: true}"), "hardgate")
	data, err := os.ReadFile(dir + "/files/alerts.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var want monitoringv1.PrometheusRuleSpec
	if err := yaml.UnmarshalStrict(data, &want); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, rule.Spec); diff != "" || len(want.Groups) == 0 {
		t.Error(diff)
	}
}

// The dashboard arrives as it is, too.
func TestDashboard(t *testing.T) {
	m := find[*corev1.ConfigMap](t, monitoring(t, "monitoring: {dashboard: {enabled: true, labels: {a: b}}}"), "hardgate-dashboard")
	data, err := os.ReadFile(dir + "/files/dashboard.json")
	if err != nil {
		t.Fatal(err)
	}
	var got, want any
	if err := json.Unmarshal([]byte(m.Data["hardgate.json"]), &got); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, &want); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" || m.Labels["a"] != "b" {
		t.Errorf("labels %v, %s", m.Labels, diff)
	}
}
