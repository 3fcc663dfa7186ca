package host_test

import (
	"testing"

	"github.com/hardgate-dev/hardgate/nodecheck/host"
)

func TestProvide(t *testing.T) {
	type pid int
	h := host.New(nil)
	if _, ok := host.Provided[pid](h); ok {
		t.Error("something is provided that nobody provided")
	}
	host.Provide(h, pid(1))
	host.Provide(h, pid(2))
	if got, ok := host.Provided[pid](h); !ok || got != 2 {
		t.Errorf("Provided is %v, %v, want 2, true", got, ok)
	}
	// A reader's result may have the same type.
	got, err := host.Memo(h, func(*host.Host) (pid, error) { return 3, nil })
	if provided, _ := host.Provided[pid](h); err != nil || got != 3 || provided != 2 {
		t.Errorf("Memo is %v, %v and Provided %v, want 3, nil, 2", got, err, provided)
	}
}
