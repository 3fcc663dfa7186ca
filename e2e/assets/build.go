package assets

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/hardgate-dev/hardgate/e2e/flock"
)

// build makes the missing binaries in the cache directory, one run at a time.
func build(ctx context.Context, cfg Config, mod module, cache string, missing []Binary) (Paths, error) {
	unlock, err := flock.Lock(ctx, cache, func() { cfg.Log("another run builds the control plane: waiting for it") })
	if err != nil {
		return nil, err
	}
	defer unlock()
	if err := removeParts(cache); err != nil {
		return nil, err
	}
	paths := Paths{}
	for i, b := range missing {
		path, src := filepath.Join(cache, string(b)), sources[b]
		paths[b] = path
		// The run that was waited for may have built it.
		if mod.built(path, src) == nil {
			continue
		}
		cfg.Log("building %s %s (%d/%d), about %s, once", b, mod.version(src.module), i+1, len(missing), src.cold)
		if err := buildOne(ctx, cfg, mod, b, path); err != nil {
			return nil, fmt.Errorf("building %s: %w", b, err)
		}
		if err := mod.built(path, src); err != nil {
			return nil, fmt.Errorf("building %s: the result does not match go.mod: %w", b, err)
		}
	}
	return paths, nil
}

// removeParts removes what builds that were killed have left.
func removeParts(cache string) error {
	parts, err := filepath.Glob(filepath.Join(cache, "*"+partSuffix))
	for _, part := range parts {
		err = errors.Join(err, os.Remove(part))
	}
	if err != nil {
		return fmt.Errorf("cleaning the cache: %w", err)
	}
	return nil
}

const partSuffix = ".part"

// buildOne builds to a name of this process's own first: what stands at path is
// whole, even if a compiler of a killed run is still at work.
func buildOne(ctx context.Context, cfg Config, mod module, b Binary, path string) error {
	part := fmt.Sprintf("%s.%d%s", path, os.Getpid(), partSuffix)
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags", ldflags(mod.version("k8s.io/kubernetes")), "-o", part, sources[b].pkg)
	cmd.Dir = mod.dir
	// A workspace or a vendor directory of the user's is not for this module.
	cmd.Env = append(os.Environ(), "GOWORK=off", "GOFLAGS=-mod=readonly")
	// go build starts compilers of its own, which must end with it.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM) }
	cmd.WaitDelay = 10 * time.Second

	stop := heartbeat(cfg, b)
	out, err := cmd.CombinedOutput()
	stop()
	if errors.Is(err, exec.ErrNotFound) {
		return fmt.Errorf("the go command is needed: %w", err)
	}
	if ctx.Err() != nil {
		return errors.Join(context.Cause(ctx), os.RemoveAll(part))
	}
	if err != nil {
		return errors.Join(fmt.Errorf("go build: %w\n%s", err, out), os.RemoveAll(part))
	}
	return os.Rename(part, path)
}

// heartbeat says from time to time that a build goes on, until it is stopped.
func heartbeat(cfg Config, b Binary) (stop func()) {
	done, begin := make(chan struct{}), time.Now()
	go func() {
		tick := time.NewTicker(30 * time.Second)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				cfg.Log("  still building %s (%s)", b, time.Since(begin).Round(time.Second))
			case <-done:
				return
			}
		}
	}()
	return func() { close(done) }
}

// ldflags gives the binaries a version: without one, clients choke on the
// version string v0.0.0-master+$Format:%H$ that the source carries.
func ldflags(version string) string {
	flags := []string{"-s", "-w"}
	major, rest, _ := strings.Cut(strings.TrimPrefix(version, "v"), ".")
	minor, _, _ := strings.Cut(rest, ".")
	const pkg = "k8s.io/component-base/version."
	for _, v := range [][2]string{
		{pkg + "gitVersion", version},
		{pkg + "gitMajor", major},
		{pkg + "gitMinor", minor},
		{pkg + "gitTreeState", "clean"},
		{"k8s.io/client-go/pkg/version.gitVersion", version},
	} {
		flags = append(flags, "-X", v[0]+"="+v[1])
	}
	return strings.Join(flags, " ")
}
