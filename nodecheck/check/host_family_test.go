package check

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestBannersLoggingReboot(t *testing.T) {
	for _, c := range slices.Concat(bannerChecks, []*Check{&loggingConfigured, &rebootRequired}) {
		paths, err := filepath.Glob(filepath.Join("testdata", string(c.ID), "*"))
		if err != nil || len(paths) == 0 {
			t.Errorf("%s has no fixtures: %v", c.ID, err)
		}
		for _, path := range paths {
			name := strings.TrimSuffix(filepath.Base(path), ".txtar")
			kind, _, _ := strings.Cut(name, "-")
			t.Run(string(c.ID)+"/"+name, func(t *testing.T) { testFixture(t, c, path, kind) })
		}
	}
}
