package assets

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

const goMod = `module example.org/controlplane

go 1.26.0

require (
	k8s.io/kubernetes v1.36.3
	k8s.io/api v0.0.0
	go.etcd.io/etcd/server/v3 v3.6.8
)

replace k8s.io/api => k8s.io/api v0.36.3
`

// repo makes a checkout that holds the control plane's go.mod only, in which
// any attempt to build fails.
func repo(t *testing.T, mod string) Config {
	t.Helper()
	root := t.TempDir()
	dir := filepath.Join(root, "e2e", "controlplane")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "go.mod"), []byte(mod), 0o600); err != nil {
		t.Fatal(err)
	}
	return Config{Repo: root, Log: t.Logf}
}

func fill(t *testing.T, dir string, mode os.FileMode, names ...Binary) {
	t.Helper()
	for _, name := range names {
		if err := os.WriteFile(filepath.Join(dir, string(name)), []byte("#!/bin/sh\n"), mode); err != nil {
			t.Fatal(err)
		}
	}
}

func TestGivenAssetsAreUsed(t *testing.T) {
	dir := t.TempDir()
	fill(t, dir, 0o700, Etcd, APIServer, Kubectl)
	t.Setenv("KUBEBUILDER_ASSETS", dir)
	t.Setenv("HARDGATE_CACHE", t.TempDir())
	got, err := Get(t.Context(), repo(t, goMod), Minimal())
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range []Binary{Etcd, APIServer, Kubectl} {
		if want := filepath.Join(dir, string(b)); got[b] != want {
			t.Errorf("%s is %q, want %q", b, got[b], want)
		}
	}
	// The rest is built, here without success: the module has no go.sum.
	if _, err := Get(t.Context(), repo(t, goMod), All()); err == nil || !strings.Contains(err.Error(), "building kube-controller-manager") {
		t.Errorf("Get of all = %v, want an attempt to build what the directory lacks", err)
	}
}

func TestIncompleteAssetsAreNotUsed(t *testing.T) {
	for name, mode := range map[string]os.FileMode{"no kube-apiserver": 0o700, "not executable": 0o600} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			fill(t, dir, mode, Etcd)
			if mode == 0o600 {
				fill(t, dir, mode, APIServer)
			}
			t.Setenv("KUBEBUILDER_ASSETS", dir)
			t.Setenv("HARDGATE_CACHE", t.TempDir())
			if got, err := Get(t.Context(), repo(t, goMod), Minimal()); err == nil {
				t.Errorf("Get = %v, want an attempt to build", got)
			}
		})
	}
}

func TestFailedBuildLeavesNothing(t *testing.T) {
	cache := t.TempDir()
	t.Setenv("KUBEBUILDER_ASSETS", "")
	t.Setenv("HARDGATE_CACHE", cache)
	if _, err := Get(t.Context(), repo(t, goMod), Minimal()); err == nil {
		t.Fatal("a build without go.sum succeeded")
	}
	left, err := filepath.Glob(filepath.Join(cache, "controlplane", "v1.36.3", "*"))
	if err != nil || len(left) != 0 {
		t.Errorf("the cache holds %v (%v)", left, err)
	}
}

func TestModuleVersions(t *testing.T) {
	m, err := readModule(filepath.Join(repo(t, goMod).Repo, "e2e", "controlplane"))
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{"k8s.io/kubernetes": "v1.36.3", "k8s.io/api": "v0.36.3", "example.org/none": ""} {
		if got := m.version(path); got != want {
			t.Errorf("%s is %q, want %q", path, got, want)
		}
	}
	if _, err := readModule(filepath.Join(repo(t, "module example.org/empty\n").Repo, "e2e", "controlplane")); err == nil {
		t.Error("a module without Kubernetes was accepted")
	}
}

// The go command is a Go binary too, but none of ours; a script is none at all.
func TestBuiltRefusesOtherBinaries(t *testing.T) {
	m, err := readModule(filepath.Join(repo(t, goMod).Repo, "e2e", "controlplane"))
	if err != nil {
		t.Fatal(err)
	}
	goCommand, err := exec.LookPath("go")
	if err != nil {
		t.Fatal(err)
	}
	if err := m.built(goCommand, sources[Etcd]); err == nil || !strings.Contains(err.Error(), "want go.etcd.io") {
		t.Errorf("the go command was taken for etcd: %v", err)
	}
	dir := t.TempDir()
	fill(t, dir, 0o700, Etcd)
	if err := m.built(filepath.Join(dir, "etcd"), sources[Etcd]); err == nil {
		t.Error("a script was taken for etcd")
	}
}

func TestLdflags(t *testing.T) {
	got := ldflags("v1.36.3")
	for _, want := range []string{"version.gitVersion=v1.36.3", "version.gitMajor=1", "version.gitMinor=36 "} {
		if !strings.Contains(got, want) {
			t.Errorf("%q lacks %q", got, want)
		}
	}
}
