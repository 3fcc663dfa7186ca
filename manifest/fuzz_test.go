package manifest_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/hardgate-dev/hardgate/manifest"
)

// FuzzRead: whatever the bytes, Read does not panic, and what it returns as an
// object is JSON with the apiVersion and kind that it is said to have.
func FuzzRead(f *testing.F) {
	for _, seed := range []string{
		"", "---\n", "...\n", "%YAML 1.1\n---\n", yamlA + "---\n" + yamlB, yamlA + "...\n" + yamlB, podA + podB,
		"{a: 1", "[", "{{ x }}", "a: &a [*a]", "a: &a {<<: *a}", "x: &x {p: 1}\ny: {p: 1, <<: *x}", "? [a]\n: b", "\ufeff{}", "a\r---\rb", "# c\r" + yamlA, "%YAML 1.1\r---\r" + yamlA, "...\r" + yamlA, "--- # c\u2028" + yamlA,
		`{"apiVersion":"v1","kind":"PodList","items":[{},{"kind":"X"},null,[]]}`, "--- |\n a\n---\n--- # c", "!!binary a: b", "a: !!float x",
		strings.Repeat("[", 300), strings.Repeat("a: {", 300),
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		set, errs := manifest.Read(bytes.NewReader(data), "f.yaml")
		for _, err := range errs {
			if !strings.HasPrefix(err.Error(), "f.yaml") {
				t.Errorf("an error does not name the file: %v", err)
			}
		}
		for _, o := range set.Objects {
			var head struct {
				APIVersion string `json:"apiVersion"`
				Kind       string `json:"kind"`
			}
			if err := json.Unmarshal(o.JSON, &head); err != nil {
				t.Errorf("%s is no JSON: %v", o.Source, err)
			}
			if o.APIVersion == "" || o.Kind == "" || !strings.HasPrefix(o.Source, "f.yaml#") {
				t.Errorf("object %+v is not named in full", o)
			}
		}
	})
}
