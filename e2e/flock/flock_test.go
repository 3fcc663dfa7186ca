package flock

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"
)

func TestLock(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new")
	unlock, err := Lock(t.Context(), dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	short, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	waited := false
	if _, err := Lock(short, dir, func() { waited = true }); !errors.Is(err, context.DeadlineExceeded) || !waited {
		t.Fatalf("a second lock gives %v, told to wait %v", err, waited)
	}

	got := make(chan error, 1)
	go func() {
		again, err := Lock(t.Context(), dir, nil)
		if err == nil {
			again()
		}
		got <- err
	}()
	// As `lab down` does: the directory goes while another run waits for it.
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	unlock()
	if err := <-got; err != nil {
		t.Errorf("the waiting run: %v", err)
	}
	if _, err := os.Stat(dir); err != nil {
		t.Errorf("the waiting run holds a directory that is gone: %v", err)
	}
}
