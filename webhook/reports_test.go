package webhook

import (
	"testing"
	"unsafe"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/hardgate-dev/hardgate/control"
	"github.com/hardgate-dev/hardgate/webhook/ruling"
)

// What is kept of a report is what rollouts have reached, each by which policy; and of what
// a policy is called there is one copy, not one for each control.
func TestTrimReport(t *testing.T) {
	led := func(id string, modes ...any) any { return map[string]any{"id": id, "modes": modes} }
	mode := func(policy, uid, reached string) any {
		return map[string]any{"policy": string([]byte(policy)), "uid": string([]byte(uid)), "reached": reached}
	}
	got := trimReport(&unstructured.Unstructured{Object: map[string]any{
		"metadata": map[string]any{"name": "shop"},
		"status": map[string]any{"controls": []any{
			led("privileged", mode("p", "1", "Warn"), mode("q", "2", "Enfroce"), map[string]any{"policy": "r", "reached": "Enforce"}),
			led("host-path", mode("p", "1", "Enforce")), led("no-such", mode("p", "1", "Enforce")), "nonsense",
		}},
	}})
	want := map[ruling.Cell]control.Mode{
		{Policy: "p/1", Control: "privileged"}: control.Warn, {Policy: "p/1", Control: "host-path"}: control.Enforce, {Policy: "r", Control: "privileged"}: control.Enforce,
	}
	if diff := cmp.Diff(want, got.modes); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	copies := map[*byte]bool{}
	for c := range got.modes {
		copies[unsafe.StringData(c.Policy)] = true
	}
	if len(copies) != 2 {
		t.Errorf("%d copies of two names", len(copies))
	}
}
