package node

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/hardgate-dev/hardgate/e2e/cluster"
	"github.com/hardgate-dev/hardgate/e2e/gate"
)

// What a node runs, in bin of the state directory. The lab is what a node is a command of.
const (
	agentProgram = "nodecheck"
	pauseProgram = "pause"
	labProgram   = "lab"
)

func program(dir, name string) string { return filepath.Join(dir, "bin", name) }

// LabProgram is the lab's own program, as Build has built it.
func LabProgram(c *cluster.Cluster) string { return program(c.Config().Dir, labProgram) }

// Build builds what a node runs from the checkout in repo. self is the lab's program, of
// which a copy is made: the node is not to be replaced because a file has a new time. It
// is built where self is empty, as in tests.
func Build(ctx context.Context, dir, repo, self string) error {
	e2e := filepath.Join(repo, "e2e")
	if err := gate.Build(ctx, repo, "./cmd/nodecheck", program(dir, agentProgram)); err != nil {
		return err
	}
	if err := gate.Build(ctx, e2e, "./cmd/pause", program(dir, pauseProgram)); err != nil {
		return err
	}
	if self == "" {
		return gate.Build(ctx, e2e, "./cmd/lab", program(dir, labProgram))
	}
	return duplicate(self, program(dir, labProgram))
}

// duplicate copies a program, unless that is what is there.
func duplicate(from, to string) error {
	want, err := os.ReadFile(from)
	if err != nil {
		return fmt.Errorf("copying a program: %w", err)
	}
	has, err := os.ReadFile(to)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("copying a program: %w", err)
	}
	if bytes.Equal(has, want) {
		return nil
	}
	// What runs cannot be written to.
	if err := errors.Join(os.WriteFile(to+".next", want, 0o700), os.Rename(to+".next", to)); err != nil {
		return fmt.Errorf("copying a program: %w", err)
	}
	return nil
}
