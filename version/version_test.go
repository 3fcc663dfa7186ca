package version

import (
	"runtime/debug"
	"testing"
)

func TestLine(t *testing.T) {
	tests := map[string]*debug.BuildInfo{
		"(devel)":         {},
		"v1.2.3 go1.26.8": {GoVersion: "go1.26.8", Main: debug.Module{Version: "v1.2.3"}},
		"v0.0.1 commit 0123 with changes go1.26.8": {
			GoVersion: "go1.26.8", Main: debug.Module{Version: "v0.0.1"},
			Settings: []debug.BuildSetting{{Key: "vcs.revision", Value: "0123"}, {Key: "GOOS", Value: "linux"}, {Key: "vcs.modified", Value: "true"}},
		},
		"(devel) commit 0123": {Settings: []debug.BuildSetting{{Key: "vcs.revision", Value: "0123"}, {Key: "vcs.modified", Value: "false"}}},
	}
	for want, info := range tests {
		if got := line(info); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
