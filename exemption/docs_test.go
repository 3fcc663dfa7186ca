package exemption

import (
	"os"
	"strings"
	"testing"
	"time"

	"sigs.k8s.io/yaml"
)

// What the documentation shows is a good example.
func TestDocumentation(t *testing.T) {
	text, err := os.ReadFile("../docs/exemptions.md")
	if err != nil {
		t.Fatal(err)
	}
	shown := 0
	for i, block := range strings.Split(string(text), "```") {
		if source, isYAML := strings.CutPrefix(block, "yaml\n"); i%2 == 1 && isYAML && strings.Contains(source, "kind: Exemption") {
			shown++
			data, err := yaml.YAMLToJSON([]byte(source))
			if err != nil {
				t.Fatal(err)
			}
			e, err := Read(data)
			if err != nil {
				t.Fatalf("%v in:\n%s", err, source)
			}
			if got := Warnings(e, e.Spec.Expires.Add(-30*24*time.Hour)); len(got) > 0 {
				t.Errorf("warned of %q in:\n%s", got, source)
			}
		}
	}
	if shown == 0 {
		t.Error("no example is found")
	}
}
