package node

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/hardgate-dev/hardgate/e2e/assets"
	"github.com/hardgate-dev/hardgate/e2e/cluster"
	"github.com/hardgate-dev/hardgate/e2e/enclosure"
	"github.com/hardgate-dev/hardgate/e2e/process"
)

// Name is what the node registers as.
const Name = enclosure.Host

// Possible is why this machine cannot run a node, nil if nothing speaks against it.
func Possible() error { return errors.Join(enclosure.Possible(), Missing()) }

// Node is one that is Ready, as it is seen from outside.
type Node struct {
	*enclosure.Enclosure

	running *process.Running
	// own says that this process started it.
	own bool
}

// Start brings up a node of the cluster, which must have User among its users and a
// kubelet among its binaries, with what Build has built; or keeps one that is healthy
// and up to date. Fresh says which: a node that is started is a new one to the API
// server, whatever there was of its name.
func Start(ctx context.Context, c *cluster.Cluster) (n *Node, fresh bool, err error) {
	cfg, dir := c.Config(), c.Config().Dir
	access, err := c.RESTConfig()
	if err != nil {
		return nil, false, err
	}
	admin, err := kubernetes.NewForConfig(access)
	if err != nil {
		return nil, false, fmt.Errorf("starting a node: %w", err)
	}
	flags, err := json.Marshal(config{
		Dir: dir, Admin: cluster.Kubeconfig(dir), Kubeconfig: c.Kubeconfig(User),
		Kubelet: cfg.Binaries[assets.Kubelet], Pause: program(dir, pauseProgram), Agent: program(dir, agentProgram),
	})
	file := filepath.Join(dir, "node.json")
	if err := errors.Join(err, os.WriteFile(file, flags, 0o600)); err != nil {
		return nil, false, fmt.Errorf("starting a node: %w", err)
	}
	n = &Node{}
	n.running, n.own, err = process.Service{
		Ports: c.Ports(),
		Program: func() process.Program {
			return process.Program{
				Name: "node", Path: LabProgram(c), Args: []string{"node", file}, Dir: dir, Detached: cfg.Detached,
				Reads: []string{file, c.Kubeconfig(User), program(dir, pauseProgram), program(dir, agentProgram)},
			}
		},
		Ready: func(ctx context.Context) error {
			_, err := open(dir)
			return errors.Join(err, Ready(ctx, admin, Name))
		},
		Limit: 90 * time.Second, Grace: stopGrace,
		Log: cfg.Log,
	}.Ensure(ctx)
	if err == nil {
		n.Enclosure, err = open(dir)
	}
	if err != nil {
		if n.own && !cfg.Detached {
			err = errors.Join(err, n.Stop(context.WithoutCancel(ctx)))
		}
		return nil, false, err
	}
	return n, n.own, nil
}

// Started is when Start started the node; zero if it kept it.
func (n *Node) Started() time.Time { return n.running.Began }

// stopGrace is what it takes at most to end a node and to remove its directory.
const stopGrace = 20 * time.Second

// Stop ends the node if Start started it.
func (n *Node) Stop(ctx context.Context) error {
	if !n.own {
		return nil
	}
	n.own = false
	return n.running.Stop(ctx, stopGrace)
}

// Find is the node of a state directory.
func Find(dir string) (*Node, error) {
	e, err := open(dir)
	if err != nil {
		return nil, err
	}
	return &Node{Enclosure: e}, nil
}

func open(dir string) (*enclosure.Enclosure, error) {
	where, err := os.Readlink(link(dir))
	if err != nil {
		return nil, fmt.Errorf("looking for the lab's node: %w", err)
	}
	return enclosure.Open(where)
}

// Ready is nil if a node of the cluster is Ready.
func Ready(ctx context.Context, core kubernetes.Interface, name string) error {
	node, err := core.CoreV1().Nodes().Get(ctx, name, metav1.GetOptions{})
	if err != nil {
		return err
	}
	for _, c := range node.Status.Conditions {
		if c.Type == corev1.NodeReady && c.Status == corev1.ConditionTrue {
			return nil
		}
	}
	return fmt.Errorf("the node %s is not Ready", name)
}

// Edit replaces what is matched in a file of the node, as editors do: another file takes
// its place. A file that stays the same is not touched.
func (n *Node) Edit(path string, old *regexp.Regexp, replacement string) error {
	path = filepath.Join(n.Root(), path)
	text, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("editing a file of the node: %w", err)
	}
	edited := old.ReplaceAll(text, []byte(replacement))
	if bytes.Equal(edited, text) {
		return nil
	}
	if err := os.WriteFile(path+"~", edited, 0o600); err != nil {
		return fmt.Errorf("editing a file of the node: %w", err)
	}
	if err := os.Rename(path+"~", path); err != nil {
		return fmt.Errorf("editing a file of the node: %w", err)
	}
	return nil
}

// Set writes a setting of the node's network, a path below /proc/sys/net.
func (n *Node) Set(path, value string) error {
	return n.InNetwork(func() error {
		if err := os.WriteFile(path, []byte(value), 0o644); err != nil {
			return fmt.Errorf("setting %s on the node: %w", path, err)
		}
		return nil
	})
}
