package node

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/hardgate-dev/hardgate/e2e/enclosure"
	"github.com/hardgate-dev/hardgate/e2e/process"
	"github.com/hardgate-dev/hardgate/images/oci"
)

// Socket is where containerd listens, and where a kubelet looks for it.
const Socket = "/run/containerd/containerd.sock"

// PauseImage holds a pod's namespaces, and can be all that a pod does. AgentImage is
// what the agent's DaemonSet names.
const (
	PauseImage = "hardgate.dev/pause:lab"
	AgentImage = "docker.io/hardgate/nodecheck:dev"
)

const cniPlugins = "/usr/lib/cni" // where Debian has them

// Missing tells what this machine lacks of a container runtime, nil when it has
// all.
func Missing() error {
	for _, program := range []string{"containerd", "runc", "ctr"} {
		if _, err := exec.LookPath(program); err != nil {
			return fmt.Errorf("no %s here (Debian: apt-get install containerd runc containernetworking-plugins)", program)
		}
	}
	if _, err := os.Stat(filepath.Join(cniPlugins, "bridge")); err != nil {
		return errors.New("no network plugins here (Debian: apt-get install containernetworking-plugins)")
	}
	return nil
}

// runtimeConfig is in version 2 of the format, which containerd 1.4 and all later
// ones read.
const runtimeConfig = `version = 2

[plugins."io.containerd.grpc.v1.cri"]
sandbox_image = "` + PauseImage + `"
# Without CAP_SYS_RESOURCE a container cannot be made less likely to be killed than
# containerd itself.
restrict_oom_score_adj = true

[plugins."io.containerd.grpc.v1.cri".cni]
bin_dir = "` + cniPlugins + `"
`

// networkFile is where a runtime looks for its networks, the first one of which it takes.
const networkFile = "/etc/cni/net.d/00-lab.conflist"

const network = `{
  "cniVersion": "0.4.0",
  "name": "lab",
  "plugins": [{
    "type": "bridge",
    "bridge": "lab0",
    "ipam": {"type": "host-local", "ranges": [[{"subnet": "198.51.100.0/24"}]]}
  }]
}
`

// Runtime is a containerd that answers.
type Runtime struct{ running *process.Running }

// StartRuntime starts containerd in the enclosure of this process and gives it
// PauseImage, which runs the binary pause.
func StartRuntime(ctx context.Context, pause string) (*Runtime, error) {
	if enclosure.Dir() == "" {
		return nil, errors.New("starting containerd: only in an enclosure")
	}
	for path, content := range map[string]string{
		"/etc/containerd/config.toml": runtimeConfig,
		networkFile:                   network,
	} {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return nil, fmt.Errorf("configuring containerd: %w", err)
		}
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			return nil, fmt.Errorf("configuring containerd: %w", err)
		}
	}
	path, err := exec.LookPath("containerd")
	if err != nil {
		return nil, fmt.Errorf("starting containerd: %w", err)
	}
	r := &Runtime{}
	r.running, err = process.Program{Name: "containerd", Path: path, Dir: enclosure.Dir()}.Start(ctx)
	if err != nil {
		return nil, err
	}
	err = r.running.Await(ctx, 30*time.Second, func(ctx context.Context) error {
		conn, err := (&net.Dialer{}).DialContext(ctx, "unix", Socket)
		if err != nil {
			return err
		}
		return conn.Close()
	})
	if err == nil {
		err = r.ImportCommand(ctx, pause, PauseImage)
	}
	if err != nil {
		return nil, errors.Join(err, r.Stop(context.WithoutCancel(ctx)))
	}
	return r, nil
}

// Stop ends containerd. Its containers end with the enclosure.
func (r *Runtime) Stop(ctx context.Context) error { return r.running.Stop(ctx, 10*time.Second) }

// ImportCommand loads an image that runs a binary, which needs no library.
func (r *Runtime) ImportCommand(ctx context.Context, binary, name string) error {
	content, err := os.ReadFile(binary)
	if err != nil {
		return fmt.Errorf("making the image %s: %w", name, err)
	}
	command := "/" + filepath.Base(binary)
	index, err := oci.Index([]oci.Image{{
		Platform:   v1.Platform{OS: "linux", Architecture: runtime.GOARCH},
		Layers:     []oci.Files{{command: {Content: content, Executable: true}}},
		Entrypoint: []string{command},
	}}, nil)
	if err != nil {
		return err
	}
	var archive bytes.Buffer
	if err := oci.Archive(&archive, name, index); err != nil {
		return err
	}
	return r.Import(ctx, &archive)
}

// Import loads an archive of images for pods, such as `make image` writes.
func (r *Runtime) Import(ctx context.Context, archive io.Reader) error {
	cmd := exec.CommandContext(ctx, "ctr", "--address", Socket, "--namespace", "k8s.io", "images", "import", "-")
	cmd.Stdin = archive
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("importing images: %w: %s", err, strings.TrimSpace(string(out)))
	}
	return nil
}
