package skew

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/hardgate-dev/hardgate/e2e/gate"
)

//go:embed now.txt
var testClock []byte

// Build builds a command of the module in repo, such as "./cmd/webhook", with a clock that
// can be set. The first time, that is all its packages, those of Go too; the go command
// keeps them.
func Build(ctx context.Context, repo, pkg, binary string) (err error) {
	dir, err := os.MkdirTemp("", "hardgate-skew-")
	if err != nil {
		return fmt.Errorf("building a clock: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	overlay, err := write(ctx, dir)
	if err != nil {
		return fmt.Errorf("building a clock: %w", err)
	}
	return gate.Build(ctx, repo, pkg, binary, "-overlay", overlay, "-ldflags", "-s -w")
}

// write writes what takes the place of Go's own files, and the list of them.
func write(ctx context.Context, dir string) (overlay string, _ error) {
	root, err := exec.CommandContext(ctx, "go", "env", "GOROOT").Output()
	if err != nil {
		return "", fmt.Errorf("asking where Go is: %w", err)
	}
	own := filepath.Join(strings.TrimSpace(string(root)), "src", "time")
	source, err := os.ReadFile(filepath.Join(own, "time.go"))
	if err != nil {
		return "", err
	}
	edited, err := edit(string(source))
	if err != nil {
		return "", err
	}
	replace := map[string]string{}
	for name, text := range map[string][]byte{"time.go": []byte(edited), "testclock.go": testClock} {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, text, 0o600); err != nil {
			return "", err
		}
		replace[filepath.Join(own, name)] = path
	}
	list, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return "", err
	}
	overlay = filepath.Join(dir, "overlay.json")
	return overlay, os.WriteFile(overlay, list, 0o600)
}

// What is replaced in time.Now, which asks once for both clocks: sec is that of the wall.
const (
	asks = "func Now() Time {\n\tsec, nsec, mono := runtimeNow()\n"
	adds = "\tsec += testClockAhead.Load()\n"
)

// edit makes Now add what is set. Where another version of Go has it otherwise, nothing is
// guessed.
func edit(source string) (string, error) {
	if strings.Count(source, asks) != 1 {
		return "", fmt.Errorf("time.go of this version of Go does not have, once,\n%sadapt the edit to it", asks)
	}
	return strings.Replace(source, asks, asks+adds, 1), nil
}
