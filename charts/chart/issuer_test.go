package chart_test

import (
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/hardgate-dev/hardgate/charts/chart"
	"github.com/hardgate-dev/hardgate/webhook/registration"
)

// authority is the Secret of one, which may be about to be replaced.
func authority(t *testing.T, replaced bool) *unstructured.Unstructured {
	t.Helper()
	ca := object("v1", "Secret", "hardgate-system", "hardgate-ca", nil)
	data := map[string]any{"tls.crt": "bmV3", "tls.key": "a2V5"}
	if replaced {
		data["previous.crt"] = "b2xk"
	}
	if err := unstructured.SetNestedMap(ca.Object, data, "data"); err != nil {
		t.Fatal(err)
	}
	return ca
}

// By whom pods serve must be in the bundle. cert-manager knows the authority that signs, and
// none before it: a change of the issuer waits for the end of a replacement. It is refused
// where it would be an outage, and nowhere else.
func TestIssuerIsNotChangedDuringAReplacement(t *testing.T) {
	builtin, byCertManager := registration.Build(base), registration.Build(base)
	byCertManager.Annotations = map[string]string{"cert-manager.io/inject-ca-from": "hardgate-system/hardgate-webhook"}
	trusted := builtin.DeepCopy()
	for i := range trusted.Webhooks {
		trusted.Webhooks[i].ClientConfig.CABundle = []byte("old")
	}
	for name, tt := range map[string]struct {
		there   []runtime.Object
		issuer  string
		refused bool
	}{
		"to cert-manager, in between":           {[]runtime.Object{builtin, authority(t, true)}, "cert-manager", true},
		"to cert-manager, at rest":              {[]runtime.Object{builtin, authority(t, false)}, "cert-manager", false},
		"to cert-manager, without an authority": {[]runtime.Object{builtin}, "cert-manager", false},
		"to cert-manager, as it is lost":        {[]runtime.Object{trusted}, "cert-manager", true},
		"to cert-manager, as it is trusted":     {[]runtime.Object{trusted, authority(t, false)}, "cert-manager", false},
		"it was cert-manager already":           {[]runtime.Object{byCertManager, authority(t, true)}, "cert-manager", false},
		"the built-in issuer goes on":           {[]runtime.Object{builtin, authority(t, true)}, "builtin", false},
		"auto keeps the built-in issuer":        {[]runtime.Object{builtin, authority(t, true)}, "auto", false},
		"nothing is registered":                 {[]runtime.Object{authority(t, true)}, "cert-manager", false},
	} {
		t.Run(name, func(t *testing.T) {
			o := installed(cluster(t, tt.there...))
			o.Values = values(t, "certificates: {issuer: "+tt.issuer+"}")
			o.APIVersions = append(o.APIVersions, "cert-manager.io/v1")
			_, err := chart.Render(load(t), o)
			if (err != nil) != tt.refused {
				t.Fatalf("refused: %v, want %t", err, tt.refused)
			}
			if err != nil && !strings.Contains(err.Error(), "try again after the Event AuthorityRetired") {
				t.Errorf("it does not say what to do: %v", err)
			}
		})
	}
}
