package assets

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
)

// VersionEnv names the variable that says which minor version of Kubernetes to build,
// "1.32"; the newest without it.
const VersionEnv = "K8S"

// moduleDir is the directory of the module that requires a version. The newest is that of
// the directory above the others.
func moduleDir(repo, version string) (string, error) {
	newest := filepath.Join(repo, "e2e", "controlplane")
	if version == "" {
		return newest, nil
	}
	others, err := filepath.Glob(filepath.Join(newest, "*", "go.mod"))
	if err != nil {
		return "", fmt.Errorf("looking for versions of the control plane: %w", err)
	}
	var known []string
	for _, path := range others {
		known = append(known, filepath.Base(filepath.Dir(path)))
	}
	if slices.Contains(known, version) {
		return filepath.Join(newest, version), nil
	}
	mod, err := readModule(newest)
	if err != nil {
		return "", err
	}
	last := minor(mod.version("k8s.io/kubernetes"))
	if version == last {
		return newest, nil
	}
	return "", fmt.Errorf("%s=%s: there is no module for that version: use %s, or leave it out for %s",
		VersionEnv, version, strings.Join(known, ", "), last)
}

// minor is "1.36" of "v1.36.3".
func minor(version string) string {
	parts := strings.SplitN(strings.TrimPrefix(version, "v"), ".", 3)
	return strings.Join(parts[:min(2, len(parts))], ".")
}
