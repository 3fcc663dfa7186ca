// Package source tells which commit a checkout has and when it was made: the only time
// that an image knows.
package source

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strconv"
	"strings"
	"time"
)

// Source is what images are built from.
type Source struct {
	// Revision is the commit, followed by "+dirty" where files differ from it, as the go
	// command has it. It is empty where there is no git repository.
	Revision string
	Time     time.Time
}

// Read asks git about the checkout in dir. The epoch, in seconds, takes the place of the
// time of the commit unless it is empty (reproducible-builds.org, "SOURCE_DATE_EPOCH");
// without a git repository there has to be one.
func Read(ctx context.Context, dir, epoch string) (Source, error) {
	var s Source
	commit, err := git(ctx, dir, "log", "-1", "--format=%H %ct")
	if err != nil && epoch == "" {
		return Source{}, fmt.Errorf("finding out what is built: %w; outside of a git repository, set SOURCE_DATE_EPOCH", err)
	}
	if err == nil {
		var seconds string
		s.Revision, seconds, _ = strings.Cut(commit, " ")
		if epoch == "" {
			epoch = seconds
		}
		changes, err := git(ctx, dir, "status", "--porcelain")
		if err != nil {
			return Source{}, fmt.Errorf("finding out what is built: %w", err)
		}
		if changes != "" {
			s.Revision += "+dirty"
		}
	}
	seconds, err := strconv.ParseInt(epoch, 10, 64)
	if err != nil || seconds < 0 {
		return Source{}, fmt.Errorf("SOURCE_DATE_EPOCH is %q; it has to be a number of seconds since 1970", epoch)
	}
	s.Time = time.Unix(seconds, 0).UTC()
	return s, nil
}

func git(ctx context.Context, dir string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "git", append([]string{"-C", dir}, args...)...)
	var complaint bytes.Buffer
	cmd.Stderr = &complaint
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("git %s: %w", args[0], errors.Join(err, errors.New(strings.TrimSpace(complaint.String()))))
	}
	return strings.TrimSpace(string(out)), nil
}
