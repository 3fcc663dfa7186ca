package chart_test

import (
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/hardgate-dev/hardgate/charts/chart"
)

// authority is the Secret of one, which may be about to be replaced.
func authority(t *testing.T, replaced bool, annotations map[string]string) *unstructured.Unstructured {
	t.Helper()
	ca := object("v1", "Secret", "hardgate-system", "hardgate-ca", annotations)
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
	byCertManager := map[string]string{"cert-manager.io/certificate-name": "hardgate-ca"}
	for name, tt := range map[string]struct {
		ca      *unstructured.Unstructured
		issuer  string
		install bool
		refused bool
	}{
		"to cert-manager, in between":           {authority(t, true, nil), "cert-manager", false, true},
		"to cert-manager, at rest":              {authority(t, false, nil), "cert-manager", false, false},
		"to cert-manager, without an authority": {nil, "cert-manager", false, false},
		"it was cert-manager already":           {authority(t, true, byCertManager), "cert-manager", false, false},
		"the built-in issuer goes on":           {authority(t, true, nil), "builtin", false, false},
		"auto keeps the built-in issuer":        {authority(t, true, nil), "auto", false, false},
		"nothing serves yet":                    {authority(t, true, nil), "cert-manager", true, false},
	} {
		t.Run(name, func(t *testing.T) {
			s := cluster(t)
			if tt.ca != nil {
				s = cluster(t, tt.ca)
			}
			o := installed(s)
			o.Upgrade, o.Values = !tt.install, values(t, "certificates: {issuer: "+tt.issuer+"}")
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
