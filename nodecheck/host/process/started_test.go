package process_test

import (
	"testing"
	"time"

	"github.com/hardgate-dev/hardgate/nodecheck/host"
	"github.com/hardgate-dev/hardgate/nodecheck/host/hosttest"
	"github.com/hardgate-dev/hardgate/nodecheck/host/process"
)

func TestStarted(t *testing.T) {
	const fields = " S 1 9 9 0 -1 4194304 99 0 0 0 0 0 0 0 20 0 1 0 "
	const boot = "-- proc/stat --\ncpu 1 2 3\nbtime 1000\n"
	tests := map[string]struct {
		archive string
		known   any
		want    int64 // 0 for not known
	}{
		"known":          {archive: boot + "-- proc/9/stat --\n9 (kubelet)" + fields + "2599 0\n", want: 1025},
		"a name":         {archive: boot + "-- proc/9/stat --\n9 (a) S 1 (b)" + fields + "2599 0\n", want: 1025},
		"no boot":        {archive: "-- proc/9/stat --\n9 (kubelet)" + fields + "2599 0\n"},
		"malformed boot": {archive: "-- proc/stat --\nbtime x\n-- proc/9/stat --\n9 (kubelet)" + fields + "2599 0\n"},
		"no process":     {archive: boot},
		"short":          {archive: boot + "-- proc/9/stat --\n9 (kubelet) S 1\n"},
		"malformed":      {archive: boot + "-- proc/9/stat --\n9 (kubelet)" + fields + "x 0\n"},
		"given":          {archive: "-- proc/9/stat --\n9 (kubelet)" + fields + "2599 0\n", known: process.Boot(time.Unix(2000, 0)), want: 2025},
		"not given":      {archive: boot + "-- proc/9/stat --\n9 (kubelet)" + fields + "2599 0\n", known: process.Known{}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			tree, err := hosttest.Text(test.archive)
			if err != nil {
				t.Fatal(err)
			}
			h := host.New(tree)
			switch v := test.known.(type) {
			case process.Boot:
				host.Provide(h, v)
			case process.Known:
				host.Provide(h, v)
			}
			got := (&process.Process{PID: 9}).Started(h)
			if test.want == 0 && !got.IsZero() || test.want != 0 && got.Unix() != test.want {
				t.Errorf("it started at %v, want %d", got, test.want)
			}
		})
	}
}
