package node

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/hardgate-dev/hardgate/e2e/enclosure"
	"github.com/hardgate-dev/hardgate/e2e/relay"
)

// config says what a node runs and whose it is.
type config struct {
	Dir        string // the cluster's state directory
	Admin      string // the administrator's kubeconfig
	Kubeconfig string // the kubelet's
	Kubelet    string // the program
	Pause      string // the binaries of the two images
	Agent      string
}

// Run is a node, for as long as ctx lasts: this program once more in an enclosure,
// with containerd and a kubelet. Start writes the file.
func Run(ctx context.Context, file string) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return fmt.Errorf("starting a node: %w", err)
	}
	var cfg config
	if err := json.Unmarshal(text, &cfg); err != nil {
		return fmt.Errorf("starting a node from %s: %w", file, err)
	}
	if enclosure.Dir() != "" {
		return inside(ctx, cfg)
	}
	if err := Sweep(cfg.Dir); err != nil {
		return err
	}
	access, err := clientcmd.BuildConfigFromFlags("", cfg.Admin)
	if err != nil {
		return fmt.Errorf("starting a node: %w", err)
	}
	if err := forget(ctx, access); err != nil {
		return err
	}
	server, err := url.Parse(access.Host)
	if err != nil {
		return fmt.Errorf("starting a node: %w", err)
	}
	code, err := enclosure.Run(ctx, func(ctx context.Context, e *enclosure.Enclosure) error {
		l, err := relay.Listen(ctx, e.InNetwork, server.Host)
		if err != nil {
			return err
		}
		if err := os.Symlink(e.Dir(), link(cfg.Dir)); err != nil {
			return errors.Join(fmt.Errorf("starting a node: %w", err), l.Close())
		}
		return relay.Serve(ctx, l, server.Host)
	})
	err = errors.Join(err, os.RemoveAll(link(cfg.Dir)))
	if err == nil && ctx.Err() == nil {
		err = fmt.Errorf("the node ended with exit code %d", code)
	}
	return err
}

// link leads from the state directory to the enclosure's, with the logs of containerd
// and the kubelet, while there is one.
func link(dir string) string { return filepath.Join(dir, "node") }

// Sweep removes what a node has left that was killed.
func Sweep(dir string) error {
	old, err := os.Readlink(link(dir))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("removing what is left of a node: %w", err)
	}
	return errors.Join(enclosure.Remove(old), os.Remove(link(dir)))
}

// forget deletes the Node of an earlier machine of this name. This one is new, and is
// to register.
func forget(ctx context.Context, access *rest.Config) error {
	admin, err := kubernetes.NewForConfig(access)
	if err != nil {
		return fmt.Errorf("starting a node: %w", err)
	}
	err = admin.CoreV1().Nodes().Delete(ctx, enclosure.Host, metav1.DeleteOptions{})
	if err != nil && !apierrors.IsNotFound(err) {
		return fmt.Errorf("forgetting an earlier node: %w", err)
	}
	return nil
}
