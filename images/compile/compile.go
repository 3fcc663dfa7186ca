// Package compile builds static binaries that are the same bytes wherever they are
// built: by the same version of Go, with the same settings, whatever the environment
// says.
package compile

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// Toolchain is the version of Go that images are built with. The go command gets it
// where another one is installed. The Dockerfile has the same.
const Toolchain = "go1.26.8"

// Flags are those of go build. A profile that lies beside a main package is used.
func Flags(stamped bool) []string {
	return []string{"-trimpath", fmt.Sprintf("-buildvcs=%t", stamped), "-ldflags=-s -w"}
}

// Environment is what go build is told of a platform: nothing that a user has
// configured for other builds shall reach into these.
func Environment(p v1.Platform, toolchain string) []string {
	return []string{
		"CGO_ENABLED=0", "GOOS=" + p.OS, "GOARCH=" + p.Architecture,
		"GOAMD64=v1", "GOARM64=v8.0", "GOFLAGS=-mod=readonly", "GOEXPERIMENT=", "GOFIPS140=off", "GOWORK=off",
		"GOTOOLCHAIN=" + toolchain,
	}
}

// Build builds programs, by the paths of their packages in the module in repo, into
// dir. Stamped binaries name the commit; they need a git repository.
func Build(ctx context.Context, repo, dir string, p v1.Platform, toolchain string, stamped bool, packages ...string) error {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return fmt.Errorf("building for %s: %w", p, err)
	}
	args := slices.Concat([]string{"build", "-o", dir + string(filepath.Separator)}, Flags(stamped), packages)
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = repo
	cmd.Env = append(os.Environ(), Environment(p, toolchain)...)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("building for %s: %w\n%s", p, err, strings.TrimSpace(string(out)))
	}
	return nil
}
