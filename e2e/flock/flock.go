// Package flock keeps two runs of the lab from working in one directory at once.
// The lock is flock(2) on the directory itself: the kernel drops it when its
// holder ends, and no lock file is left behind.
package flock

import (
	"context"
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"
)

// Lock creates dir when needed and waits until no other process holds it.
// waiting is called once if there is a wait. The lock lasts until unlock is
// called or the process ends; it is not for two goroutines of one process.
func Lock(ctx context.Context, dir string, waiting func()) (unlock func(), err error) {
	for {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return nil, fmt.Errorf("locking %s: %w", dir, err)
		}
		f, err := os.Open(dir)
		if err != nil {
			return nil, fmt.Errorf("locking %s: %w", dir, err)
		}
		err = acquire(ctx, f, waiting)
		if err == nil && current(f, dir) {
			// Closing drops the lock; a directory opened for reading has nothing to lose.
			return func() { _ = f.Close() }, nil
		}
		_ = f.Close()
		if err != nil {
			return nil, fmt.Errorf("locking %s: %w", dir, err)
		}
		// The holder removed the directory: lock the one that stands there now.
	}
}

func acquire(ctx context.Context, f *os.File, waiting func()) error {
	for first := true; ; first = false {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if !errors.Is(err, syscall.EWOULDBLOCK) {
			return err
		}
		if first && waiting != nil {
			waiting()
		}
		select {
		case <-time.After(200 * time.Millisecond):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// current says whether f is still the directory at path.
func current(f *os.File, path string) bool {
	held, err := f.Stat()
	if err != nil {
		return false
	}
	now, err := os.Stat(path)
	return err == nil && os.SameFile(held, now)
}
