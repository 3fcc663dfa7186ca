// Package repo finds the checkout that a command or a test runs in.
package repo

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// Root returns the nearest directory, from the working directory upwards, that
// holds this module's control plane. Sources are built from it, so a copy of the
// binary alone is of no use.
func Root() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", fmt.Errorf("finding the checkout: %w", err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "e2e", "controlplane", "go.mod")); err == nil {
			return dir, nil
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", errors.New("finding the checkout: run this inside a checkout of hardgate")
		}
		dir = parent
	}
}
