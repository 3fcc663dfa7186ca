package systemd

import (
	"testing"

	"github.com/hardgate-dev/hardgate/nodecheck/host"
	"github.com/hardgate-dev/hardgate/nodecheck/host/hosttest"
)

func TestOtherInit(t *testing.T) {
	tests := map[string]struct {
		tree, want string
		fails      bool
	}{
		"a copied tree":       {tree: "-- etc/ --\n"},
		"systemd":             {tree: "-- proc/1/comm --\nsystemd\n"},
		"systemd as init":     {tree: "-- proc/1/comm --\ninit\n-- run/systemd/system/ --\n"},
		"another":             {tree: "-- proc/1/comm --\ninit\n", want: "init"},
		"no permission":       {tree: "-- proc/1/comm unreadable --\n", fails: true},
		"no permission there": {tree: "-- proc/1/comm --\ninit\n-- run/systemd/ unreadable --\n", fails: true},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			tree, err := hosttest.Text(tt.tree)
			if err != nil {
				t.Fatal(err)
			}
			if got, err := OtherInit(host.New(tree)); got != tt.want || (err != nil) != tt.fails {
				t.Errorf("OtherInit() = %q, %v, want %q", got, err, tt.want)
			}
		})
	}
}
