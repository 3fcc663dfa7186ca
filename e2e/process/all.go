package process

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// All finds the running programs of a state directory, the last started first.
func All(dir string) ([]*Running, error) {
	names, err := filepath.Glob(pidPath(dir, "*"))
	if err != nil {
		return nil, fmt.Errorf("listing the programs of %s: %w", dir, err)
	}
	var all []*Running
	for _, path := range names {
		r, found, err := Find(dir, strings.TrimSuffix(filepath.Base(path), ".pid"))
		if err != nil {
			return nil, err
		}
		if found {
			all = append(all, r)
		}
	}
	slices.SortFunc(all, func(a, b *Running) int {
		return cmp.Or(cmp.Compare(b.Started, a.Started), cmp.Compare(b.PID, a.PID))
	})
	return all, nil
}

// StopAll ends every program of a state directory: those that others depend on
// come last, in the order given, for a server whose store has gone first does not
// end in time. It goes on after an error, so that one stubborn program does not
// keep the others.
func StopAll(ctx context.Context, dir string, grace time.Duration, last ...string) error {
	all, err := All(dir)
	if err != nil {
		return err
	}
	slices.SortStableFunc(all, func(a, b *Running) int {
		return cmp.Compare(slices.Index(last, a.Name), slices.Index(last, b.Name))
	})
	var errs []error
	for _, r := range all {
		errs = append(errs, r.Stop(ctx, grace))
	}
	return errors.Join(errs...)
}
