package helm

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/hardgate-dev/hardgate/e2e/node"
)

// components are the programs that the chart runs.
var components = []string{"webhook", "controller", "nodecheck"}

// build builds Helm's command line and the images, as `make image` does, for this machine
// alone.
func build(ctx context.Context) error {
	if err := os.MkdirAll(lab.built, 0o755); err != nil {
		return err
	}
	logf("building Helm, which takes minutes the first time")
	err := run(ctx, "e2e/helmcli", "go", "build", "-trimpath", "-ldflags=-s -w", "-o", helmProgram(), "helm.sh/helm/v4/cmd/helm")
	if err != nil {
		return err
	}
	logf("building the images")
	image := filepath.Join(lab.built, "image")
	if err := run(ctx, "images", "go", "build", "-buildvcs=false", "-o", image, "./cmd/image"); err != nil {
		return err
	}
	return run(ctx, ".", image, "--platform", "linux/"+runtime.GOARCH, "--component", strings.Join(components, ","), "--out", lab.built)
}

func helmProgram() string { return filepath.Join(lab.built, "helm") }

func run(ctx context.Context, dir, program string, args ...string) error {
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Dir = filepath.Join(lab.repo, filepath.FromSlash(dir))
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s %s: %w\n%s", filepath.Base(program), strings.Join(args, " "), err, out)
	}
	return nil
}

// next is the tag of an upgrade. The programs are the same: what is tested is that others
// take their place.
const next = "next"

// load gives the runtime every image, by the tag of the chart and by that of an upgrade.
func load(ctx context.Context, r *node.Runtime) error {
	for _, c := range components {
		archive, err := os.ReadFile(filepath.Join(lab.built, c+".tar"))
		if err != nil {
			return err
		}
		if err := r.Import(ctx, bytes.NewReader(archive)); err != nil {
			return err
		}
	}
	list, err := ctr(ctx, "images", "list", "--quiet")
	if err != nil {
		return err
	}
	for name := range strings.FieldsSeq(list) {
		if repository, _, found := strings.Cut(name, ":"); found && strings.HasPrefix(name, "docker.io/hardgate/") {
			if _, err := ctr(ctx, "images", "tag", name, repository+":"+next); err != nil {
				return err
			}
		}
	}
	return nil
}

func ctr(ctx context.Context, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "ctr", append([]string{"--address", node.Socket, "--namespace", "k8s.io"}, args...)...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("ctr %s: %w: %s", strings.Join(args, " "), err, out)
	}
	return string(out), nil
}
