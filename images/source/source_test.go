package source

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

func repository(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	write(t, dir, "a")
	for _, args := range [][]string{{"init", "-q"}, {"add", "."}, {"-c", "user.name=a", "-c", "user.email=a@example.org", "commit", "-qm", "a"}} {
		cmd := exec.Command("git", append([]string{"-C", dir}, args...)...)
		// The author wrote it before it was committed.
		cmd.Env = append(os.Environ(), "GIT_AUTHOR_DATE=2020-01-02T03:04:05Z", "GIT_COMMITTER_DATE=2026-01-02T03:04:05+09:00")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("git %v: %v\n%s", args, err, out)
		}
	}
	return dir
}

func write(t *testing.T, dir, content string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, "file"), []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestRead(t *testing.T) {
	committed := time.Date(2026, 1, 1, 18, 4, 5, 0, time.UTC)
	for name, c := range map[string]struct {
		git, dirty bool
		epoch      string
		time       time.Time
		revision   string
		err        string
	}{
		"a commit":                 {git: true, time: committed, revision: "^[0-9a-f]{40}$"},
		"a changed file":           {git: true, dirty: true, time: committed, revision: `^[0-9a-f]{40}\+dirty$`},
		"an epoch":                 {git: true, epoch: "7", time: time.Unix(7, 0), revision: "^[0-9a-f]{40}$"},
		"no git, but an epoch":     {epoch: "7", time: time.Unix(7, 0), revision: "^$"},
		"no git and no epoch":      {err: "set SOURCE_DATE_EPOCH"},
		"an epoch that is a date":  {git: true, epoch: "2026-01-02", err: "number of seconds"},
		"an epoch that is before":  {git: true, epoch: "-1", err: "number of seconds"},
		"an epoch of milliseconds": {git: true, epoch: "7.5", err: "number of seconds"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			if c.git {
				dir = repository(t)
			}
			if c.dirty {
				write(t, dir, "b")
			}
			s, err := Read(t.Context(), dir, c.epoch)
			if c.err != "" {
				if err == nil || !strings.Contains(err.Error(), c.err) {
					t.Fatalf("got %+v, %v; want an error about %s", s, err, c.err)
				}
				return
			}
			if err != nil || !s.Time.Equal(c.time) || !regexp.MustCompile(c.revision).MatchString(s.Revision) {
				t.Errorf("got %+v, %v; want %v and %s", s, err, c.time, c.revision)
			}
		})
	}
}
