package issuer

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/hardgate-dev/hardgate/e2e/flock"
)

// Program is what was built.
type Program struct {
	path string
	// crds is the directory of those of the same version.
	crds string
}

// Build builds the module in e2e/certmanager of a checkout into the cache, which takes some
// minutes once. What is up to date is left alone.
func Build(ctx context.Context, repo string, log func(string, ...any)) (Program, error) {
	cache := os.Getenv("HARDGATE_CACHE")
	if cache == "" {
		user, err := os.UserCacheDir()
		if err != nil {
			return Program{}, fmt.Errorf("finding the cache directory (HARDGATE_CACHE names another): %w", err)
		}
		cache = filepath.Join(user, "hardgate")
	}
	cache = filepath.Join(cache, "cert-manager")
	unlock, err := flock.Lock(ctx, cache, func() { log("another run builds cert-manager: waiting for it") })
	if err != nil {
		return Program{}, err
	}
	defer unlock()
	run := func(args ...string) (string, error) {
		cmd := exec.CommandContext(ctx, "go", args...)
		cmd.Dir = filepath.Join(repo, "e2e", "certmanager")
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOWORK=off", "GOFLAGS=-mod=readonly -buildvcs=false")
		out, err := cmd.CombinedOutput()
		if err != nil {
			return "", fmt.Errorf("building cert-manager: %w\n%s", err, out)
		}
		return strings.TrimSpace(string(out)), nil
	}
	p := Program{path: filepath.Join(cache, "certmanager")}
	if _, err := os.Stat(p.path); errors.Is(err, os.ErrNotExist) {
		log("building cert-manager's controllers, about 4 minutes, once")
	}
	if _, err := run("build", "-trimpath", "-ldflags", "-s -w", "-o", p.path, "."); err != nil {
		return Program{}, err
	}
	module, err := run("list", "-m", "-f", "{{.Dir}}", "github.com/cert-manager/cert-manager")
	if err != nil {
		return Program{}, err
	}
	p.crds = filepath.Join(module, "deploy", "crds")
	return p, nil
}
