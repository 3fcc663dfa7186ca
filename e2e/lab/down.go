package lab

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/hardgate-dev/hardgate/e2e/cluster"
	"github.com/hardgate-dev/hardgate/e2e/flock"
	"github.com/hardgate-dev/hardgate/e2e/node"
)

// Down ends every program of the lab in dir and, unless told to keep it, removes
// the directory. A lab that is down already is fine.
func Down(ctx context.Context, dir string, keep bool, log func(string, ...any)) error {
	if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
		log("the lab is down already")
		return nil
	}
	if !owned(dir) {
		return fmt.Errorf("%s is not a lab's state directory: leaving it alone", dir)
	}
	unlock, err := flock.Lock(ctx, dir, func() { log("another run works in %s: waiting for it", dir) })
	if err != nil {
		return err
	}
	defer unlock()
	if err := cluster.Down(ctx, dir); err != nil {
		return err
	}
	if err := node.Sweep(dir); err != nil {
		return err
	}
	log("no process of the lab is left")
	if keep {
		return nil
	}
	if err := os.RemoveAll(dir); err != nil {
		return fmt.Errorf("removing the lab's state: %w", err)
	}
	return nil
}

// marker makes a directory the lab's own. Without it, nothing is removed: --dir
// may name anything.
const marker = "hardgate-lab"

func mark(dir string) error {
	const text = "The state of a hardgate lab. `lab down` removes this directory.\n"
	if err := os.WriteFile(filepath.Join(dir, marker), []byte(text), 0o600); err != nil {
		return fmt.Errorf("marking the state directory: %w", err)
	}
	return nil
}

func owned(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, marker))
	if err == nil {
		return true
	}
	entries, err := os.ReadDir(dir)
	return err == nil && len(entries) == 0
}
