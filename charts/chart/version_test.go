package chart_test

import (
	"strings"
	"testing"

	metav1validation "k8s.io/apimachinery/pkg/apis/meta/v1/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/hardgate-dev/hardgate/charts/chart"
)

// The label tells what runs, in a form that a label may have, whatever a tag may be.
func TestVersionLabel(t *testing.T) {
	for tag, want := range map[string]string{
		"":                             "dev",
		"v1.2.3":                       "v1.2.3",
		"_nightly.":                    "nightly",
		"__":                           "dev",
		strings.Repeat("a", 128):       strings.Repeat("a", 63),
		strings.Repeat("a", 62) + "-b": strings.Repeat("a", 62),
	} {
		files, err := chart.Render(load(t), chart.Options{Values: values(t, "image: {tag: \""+tag+"\"}")})
		if err != nil {
			t.Errorf("%q: %v", tag, err)
			continue
		}
		n := 0
		for name, text := range files {
			for line := range strings.SplitSeq(text, "\n") {
				if got, ok := strings.CutPrefix(strings.TrimSpace(line), "app.kubernetes.io/version: "); ok {
					n++
					if got = strings.Trim(got, `"`); got != want {
						t.Errorf("%q: %s has %q, want %q", tag, name, got, want)
					}
				}
			}
		}
		if n == 0 {
			t.Errorf("%q: no label", tag)
		}
		if errs := metav1validation.ValidateLabels(map[string]string{"a": want}, field.NewPath("labels")); len(errs) > 0 {
			t.Errorf("%q is no label: %v", want, errs)
		}
	}
}
