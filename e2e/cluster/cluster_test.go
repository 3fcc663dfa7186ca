package cluster

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hardgate-dev/hardgate/e2e/assets"
	"github.com/hardgate-dev/hardgate/e2e/process"
)

func TestCredentialsAreMadeOnceAndForTheOwnerOnly(t *testing.T) {
	dir := t.TempDir()
	users := []string{admin, "someone"}
	first, err := ensureCredentials(dir, users)
	if err != nil {
		t.Fatal(err)
	}
	again, err := ensureCredentials(dir, users)
	if err != nil {
		t.Fatal(err)
	}
	for _, user := range users {
		if len(first.tokens[user]) < 20 || first.tokens[user] != again.tokens[user] {
			t.Errorf("the token of %s is %q, then %q", user, first.tokens[user], again.tokens[user])
		}
	}
	if first.tokens[admin] == first.tokens["someone"] {
		t.Error("two users share a token")
	}
	if _, err := ensureCredentials(dir, append(users, "newcomer")); err == nil {
		t.Error("a user without a token was accepted")
	}
	if _, err := first.client(); err != nil {
		t.Errorf("the credentials cannot be used: %v", err)
	}
	if err := filepath.WalkDir(filepath.Join(dir, "pki"), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err == nil && info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %v", path, info.Mode())
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
}

func TestFailedStartTellsWhyAndLeavesNothing(t *testing.T) {
	dir := t.TempDir()
	etcd := filepath.Join(dir, "etcd.sh")
	if err := os.WriteFile(etcd, []byte("#!/bin/sh\necho the disk is full\nexit 1\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	state := filepath.Join(dir, "state")
	_, err := Start(t.Context(), Config{Dir: state, Binaries: assets.Paths{assets.Etcd: etcd}, Log: t.Logf})
	if err == nil || !strings.Contains(err.Error(), "the disk is full") {
		t.Errorf("Start = %v, want the end of the log", err)
	}
	if left, err := process.All(state); err != nil || len(left) > 0 {
		t.Errorf("still running: %v (%v)", left, err)
	}
}

// An etcd that listens nowhere: the start is given up when the caller gives up.
func TestStartEndsWithItsContext(t *testing.T) {
	sleep, err := exec.LookPath("sleep")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	etcd := filepath.Join(dir, "etcd.sh")
	if err := os.WriteFile(etcd, []byte("#!/bin/sh\nexec "+sleep+" 60\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	state := filepath.Join(dir, "state")
	if _, err := Start(ctx, Config{Dir: state, Binaries: assets.Paths{assets.Etcd: etcd}, Log: t.Logf}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Start = %v", err)
	}
	if left, err := process.All(state); err != nil || len(left) > 0 {
		t.Errorf("still running: %v (%v)", left, err)
	}
}
