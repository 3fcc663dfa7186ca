package controller

import (
	"maps"
	"strings"
	"testing"
	"time"

	certmanagerv1 "github.com/cert-manager/cert-manager/pkg/apis/certmanager/v1"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/tools/record"
)

func TestWatcher(t *testing.T) {
	at := func(d time.Duration) string { return time.Now().Add(d).UTC().Format(time.RFC3339) }
	ready := func(status string) []any {
		return []any{
			map[string]any{"type": "Issuing", "status": "True", "reason": "x", "message": "x"},
			map[string]any{"type": "Ready", "status": status, "reason": "DoesNotExist", "message": "Issuing certificate as Secret does not exist", "lastTransitionTime": at(0)},
		}
	}
	good := map[string]any{"conditions": ready("True"), "notAfter": at(90 * 24 * time.Hour), "renewalTime": at(60 * 24 * time.Hour)}
	with := func(key string, value any) map[string]any {
		status := maps.Clone(good)
		status[key] = value
		return status
	}
	for name, c := range map[string]struct {
		status   map[string]any
		injected bool
		want     string
	}{
		"all is well":            {good, true, ""},
		"on its way":             {with("renewalTime", at(-time.Minute)), true, ""},
		"none":                   {nil, true, "there is no Certificate hardgate-webhook in hardgate-system"},
		"new":                    {map[string]any{}, true, "has not looked at the Certificate"},
		"not ready":              {with("conditions", ready("False")), true, "is not ready: DoesNotExist: Issuing certificate as Secret does not exist"},
		"expired":                {with("notAfter", at(-time.Minute)), true, "has expired at"},
		"its renewal is overdue": {with("renewalTime", at(-2*time.Hour)), true, "was to be renewed at"},
		"nobody injects":         {good, false, "the MutatingWebhookConfiguration hardgate has no bundle"},
	} {
		t.Run(name, func(t *testing.T) {
			objects := registrations()
			store := cluster(t, objects...)
			if c.status != nil {
				kept := &certmanagerv1.Certificate{ObjectMeta: inOwn("hardgate-webhook")}
				if err := runtime.DefaultUnstructuredConverter.FromUnstructured(c.status, &kept.Status); err != nil {
					t.Fatal(err)
				}
				store = store.WithObjects(kept)
			}
			kept := store.Build()
			if c.injected {
				all, err := readRegistered(t.Context(), kept)
				if err != nil {
					t.Fatal(err)
				}
				i := Issuer{client: kept}
				if err := i.writeBundle(t.Context(), all, []byte("ca")); err != nil {
					t.Fatal(err)
				}
			}
			w := &Watcher{Options: options(), client: kept, clock: ahead(0), metrics: NewMetrics(prometheus.NewRegistry()), teller: teller{events: record.NewFakeRecorder(9)}}
			err := w.look(t.Context())
			if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, want %q", err, c.want)
			}
			if c.status["notAfter"] != nil && testutil.ToFloat64(w.metrics.expiry.WithLabelValues(serving)) == 0 {
				t.Error("the metric does not say when it ends")
			}
			if c.status == nil && testutil.CollectAndCount(w.metrics.expiry) != 0 {
				t.Error("what is not there has an end")
			}
		})
	}
}
