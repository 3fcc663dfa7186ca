package gate

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"slices"
)

// Build builds a command of the checkout in repo, such as "./cmd/webhook". A
// binary that is up to date is left alone, its time included, so that a program
// that runs it is replaced only when the sources have changed. flags are the go command's.
func Build(ctx context.Context, repo, pkg, binary string, flags ...string) error {
	next := binary + ".next"
	cmd := exec.CommandContext(ctx, "go", slices.Concat([]string{"build", "-o", next}, flags, []string{pkg})...)
	cmd.Dir = repo
	// As the binaries are shipped: an image holds nothing besides.
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("building %s: %w\n%s", pkg, err, out)
	}
	same, err := equal(binary, next)
	if err != nil {
		return fmt.Errorf("building %s: %w", pkg, err)
	}
	if same {
		err = os.Remove(next)
	} else {
		err = os.Rename(next, binary)
	}
	if err != nil {
		return fmt.Errorf("building %s: %w", pkg, err)
	}
	return nil
}

// equal says whether the old file is there with the content of the next one.
func equal(old, next string) (bool, error) {
	a, err := os.ReadFile(old)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	b, err := os.ReadFile(next)
	return bytes.Equal(a, b), err
}
