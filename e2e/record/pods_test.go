package record

import (
	"testing"

	"github.com/hardgate-dev/hardgate/e2e/bench"
)

// The recordings are those of the pods as they are now.
func TestRecordingsAreUpToDate(t *testing.T) {
	sets, err := Sets()
	if err != nil {
		t.Fatal(err)
	}
	for name, pods := range sets {
		recorded, err := bench.Load("../bench/testdata/" + name)
		if err != nil {
			t.Fatal(err)
		}
		if len(recorded) != len(pods) {
			t.Fatalf("%d %s recordings of %d pods: run lab record", len(recorded), name, len(pods))
		}
		for i, pod := range pods {
			if got, want := recorded[i].Name, fileName(i, pod); got != want {
				t.Errorf("recording %s, want %s: run lab record", got, want)
			}
		}
	}
}
