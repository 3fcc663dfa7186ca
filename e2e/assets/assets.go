package assets

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// A Binary is one program of a cluster.
type Binary string

// The binaries of a control plane, and of a node.
const (
	Etcd              Binary = "etcd"
	APIServer         Binary = "kube-apiserver"
	ControllerManager Binary = "kube-controller-manager"
	Scheduler         Binary = "kube-scheduler"
	Kubectl           Binary = "kubectl"
	Kubelet           Binary = "kubelet"
)

// All is a whole control plane, in the order in which it is built. The kubelet is
// built for those who ask for it: it is of use to root only.
func All() []Binary { return []Binary{Etcd, APIServer, ControllerManager, Scheduler, Kubectl} }

// Minimal is enough for tests: an API server and its store.
func Minimal() []Binary { return []Binary{Etcd, APIServer} }

// source is where a binary comes from, and how long its first build took on two
// cores, each on top of the one before.
type source struct {
	pkg    string
	module string
	cold   time.Duration
}

var sources = map[Binary]source{
	Etcd:              {"go.etcd.io/etcd/server/v3", "go.etcd.io/etcd/server/v3", time.Minute},
	APIServer:         {"k8s.io/kubernetes/cmd/kube-apiserver", "k8s.io/kubernetes", 4 * time.Minute},
	ControllerManager: {"k8s.io/kubernetes/cmd/kube-controller-manager", "k8s.io/kubernetes", time.Minute},
	Scheduler:         {"k8s.io/kubernetes/cmd/kube-scheduler", "k8s.io/kubernetes", 30 * time.Second},
	Kubectl:           {"k8s.io/kubernetes/cmd/kubectl", "k8s.io/kubernetes", 30 * time.Second},
	Kubelet:           {"k8s.io/kubernetes/cmd/kubelet", "k8s.io/kubernetes", 2 * time.Minute},
}

// Config says where to look.
type Config struct {
	Repo string // the root of the checkout
	// Log tells a person what is being done. It must not be nil.
	Log func(format string, args ...any)
}

// Paths are the absolute paths of binaries.
type Paths map[Binary]string

// Get finds the wanted binaries and builds those that are missing. A build that
// is interrupted leaves nothing behind that a later run would take for a binary.
func Get(ctx context.Context, cfg Config, want []Binary) (Paths, error) {
	found := Paths{}
	if dir := os.Getenv("KUBEBUILDER_ASSETS"); dir != "" {
		given := executables(dir, All())
		if given[Etcd] != "" && given[APIServer] != "" {
			found = given
		} else {
			cfg.Log("KUBEBUILDER_ASSETS holds no etcd and kube-apiserver: using our own")
		}
	}
	missing := found.without(want)
	if len(missing) == 0 {
		return found, nil
	}
	dir, err := moduleDir(cfg.Repo, os.Getenv(VersionEnv))
	if err != nil {
		return nil, err
	}
	mod, err := readModule(dir)
	if err != nil {
		return nil, err
	}
	cache, err := cacheDir(mod)
	if err != nil {
		return nil, err
	}
	if slices.Contains(missing, Kubectl) {
		if path := kubectlFor(ctx, cfg, found[APIServer], mod.version("k8s.io/kubernetes")); path != "" {
			found[Kubectl] = path
			missing = found.without(want)
		}
	}
	for _, b := range missing {
		if path := filepath.Join(cache, string(b)); mod.built(path, sources[b]) == nil {
			found[b] = path
		}
	}
	if missing = found.without(want); len(missing) == 0 {
		return found, nil
	}
	built, err := build(ctx, cfg, mod, cache, missing)
	if err != nil {
		return nil, err
	}
	maps.Copy(found, built)
	return found, nil
}

// without returns the wanted binaries that p lacks.
func (p Paths) without(want []Binary) []Binary {
	return slices.DeleteFunc(slices.Clone(want), func(b Binary) bool { return p[b] != "" })
}

// executables finds binaries in a directory that the user vouches for.
func executables(dir string, names []Binary) Paths {
	found := Paths{}
	for _, b := range names {
		path, err := filepath.Abs(filepath.Join(dir, string(b)))
		if err != nil {
			continue
		}
		if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() && info.Mode().Perm()&0o111 != 0 {
			found[b] = path
		}
	}
	return found
}

// cacheDir is one directory per version, so that branches with different
// versions do not take turns in rebuilding.
func cacheDir(mod module) (string, error) {
	root := os.Getenv("HARDGATE_CACHE")
	if root == "" {
		user, err := os.UserCacheDir()
		if err != nil {
			return "", fmt.Errorf("finding the cache directory (HARDGATE_CACHE names another): %w", err)
		}
		root = filepath.Join(user, "hardgate")
	}
	root, err := filepath.Abs(root)
	if err != nil {
		return "", fmt.Errorf("finding the cache directory: %w", err)
	}
	return filepath.Join(root, "controlplane", mod.version("k8s.io/kubernetes")), nil
}
