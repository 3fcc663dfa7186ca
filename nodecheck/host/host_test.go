package host_test

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hardgate-dev/hardgate/nodecheck/host"
	"github.com/hardgate-dev/hardgate/nodecheck/host/hosttest"
)

// counted counts what is asked of a file system.
type counted struct {
	host.FS
	reads, stats, lists int
}

func (c *counted) ReadFile(name string, limit int64) ([]byte, host.Info, error) {
	c.reads++
	return c.FS.ReadFile(name, limit)
}

func (c *counted) Stat(name string) (host.Info, error) {
	c.stats++
	return c.FS.Stat(name)
}

func (c *counted) ReadDir(name string) ([]host.Entry, error) {
	c.lists++
	return c.FS.ReadDir(name)
}

func tree(tb testing.TB, archive string) *hosttest.Tree {
	tb.Helper()
	t, err := hosttest.Text(archive)
	if err != nil {
		tb.Fatal(err)
	}
	return t
}

// TestOnce: every path is looked at once in a scan, in whatever spelling, and what
// went wrong is remembered too.
func TestOnce(t *testing.T) {
	files := &counted{FS: tree(t, "-- etc/file --\ntext\n-- etc/link -> file --\n-- etc/closed unreadable --\n")}
	h := host.New(files)
	for _, name := range []string{"/etc/file", "etc/file", "//etc/./file", "/etc/file/"} {
		f, err := h.File(name)
		if err != nil || f.Path != "/etc/file" || string(f.Data) != "text\n" {
			t.Errorf("%s: %+v, %v", name, f, err)
		}
		if _, err := h.Stat(name); err != nil {
			t.Error(err)
		}
	}
	for range 3 {
		if _, err := h.File("/etc/closed"); !errors.Is(err, fs.ErrPermission) {
			t.Error(err)
		}
		if _, err := h.Dir("/etc"); err != nil {
			t.Error(err)
		}
		if _, err := h.Dir("/none"); !errors.Is(err, fs.ErrNotExist) {
			t.Error(err)
		}
		if _, err := h.File("/etc/link"); err != nil {
			t.Error(err)
		}
	}
	if files.reads != 3 || files.stats != 1 || files.lists != 2 {
		t.Errorf("%d reads, %d stats, %d lists", files.reads, files.stats, files.lists)
	}
	if diff := cmp.Diff([]string{"/etc", "/etc/closed", "/etc/file", "/etc/link", "/none"}, h.Touched()); diff != "" {
		t.Errorf("touched (-want +got):\n%s", diff)
	}
	var read []string
	for _, f := range h.Files() {
		read = append(read, f.Path)
	}
	if diff := cmp.Diff([]string{"/etc/file", "/etc/link"}, read); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
}

func TestExists(t *testing.T) {
	h := host.New(tree(t, "-- etc/file --\n-- etc/nowhere -> /none --\n-- etc/loop -> loop --\n-- closed/ unreadable --\n-- closed/file --\n"))
	for name, want := range map[string]bool{"/etc/file": true, "/etc": true, "/none": false, "/etc/nowhere": false, "/etc/file/x": false} {
		if got, err := h.Exists(name); got != want || err != nil {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
	for _, name := range []string{"/etc/loop", "/closed/file"} {
		if got, err := h.Exists(name); got || err == nil {
			t.Errorf("%s: %v, %v; it cannot be told", name, got, err)
		}
	}
}

// TestMemo: each type of result is read once, its error included.
func TestMemo(t *testing.T) {
	type first struct{ n int }
	type second struct{ n int }
	h := host.New(tree(t, ""))
	calls := 0
	broken := errors.New("broken")
	for range 2 {
		v, err := host.Memo(h, func(*host.Host) (first, error) { calls++; return first{1}, nil })
		if v.n != 1 || err != nil {
			t.Errorf("%v, %v", v, err)
		}
		w, err := host.Memo(h, func(*host.Host) (second, error) { calls++; return second{2}, broken })
		if w.n != 2 || !errors.Is(err, broken) {
			t.Errorf("%v, %v", w, err)
		}
	}
	if calls != 2 {
		t.Errorf("%d calls", calls)
	}
	if v, _ := host.Memo(host.New(tree(t, "")), func(*host.Host) (first, error) { return first{3}, nil }); v.n != 3 {
		t.Errorf("of another scan: %v", v)
	}
}

func TestGlob(t *testing.T) {
	h := host.New(tree(t, `-- etc/a.conf --
-- etc/b.conf --
-- etc/.hidden.conf --
-- etc/c.txt --
-- etc/[x].conf --
-- etc/d -> nowhere --
-- etc/a/z --
-- etc/a-b/z --
-- link -> usr/etc --
-- usr/etc/file --
-- usr/other/file --
-- closed/ unreadable --
`))
	for pattern, want := range map[string]string{
		"/etc/*.conf":       "/etc/[x].conf /etc/a.conf /etc/b.conf",
		"etc/*.conf":        "/etc/[x].conf /etc/a.conf /etc/b.conf",
		"/etc/.*.conf":      "/etc/.hidden.conf",
		`/etc/\.*.conf`:     "/etc/.hidden.conf",
		"/etc/?.conf":       "/etc/a.conf /etc/b.conf",
		"/etc/[ab].conf":    "/etc/a.conf /etc/b.conf",
		"/etc/[!a].conf":    "/etc/b.conf",
		"/etc/[^a].conf":    "/etc/b.conf",
		"/etc/[a-c].*":      "/etc/a.conf /etc/b.conf /etc/c.txt",
		`/etc/\[x\].conf`:   "/etc/[x].conf",
		"/etc/*/z":          "/etc/a-b/z /etc/a/z", // by bytes: "-" is before "/"
		"/etc/none*":        "",
		"/none/*":           "",
		"/etc/c.txt/*":      "",
		"/etc/a.conf":       "/etc/a.conf",
		"/etc/none":         "",
		"/etc/d":            "/etc/d", // a link is there, wherever it leads
		"/e*/../usr/*/file": "/etc/../usr/etc/file /etc/../usr/other/file",
		"/link/../*/file":   "/link/../etc/file /link/../other/file", // up from where the link leads
		"/link/*":           "/link/file",
		"/../../etc/c*":     "/../../etc/c.txt",
		"/*/./a.conf":       "/closed/a.conf /etc/a.conf", // whether the first exists cannot be told
		"//etc///a.*":       "/etc/a.conf",
		"/":                 "/",
		"":                  "/",
	} {
		got, err := h.Glob(pattern)
		if err != nil || strings.Join(got, " ") != want {
			t.Errorf("%s: %q, %v; want %q", pattern, got, err, want)
		}
	}
	for pattern, want := range map[string]error{
		"/closed/*":        fs.ErrPermission,
		"/*/x*":            fs.ErrPermission,
		"/etc/[[:alpha:]]": host.ErrMalformed,
		"/etc/[a":          nil,
	} {
		if got, err := h.Glob(pattern); err == nil || (want != nil && !errors.Is(err, want)) {
			t.Errorf("%s: %q, %v", pattern, got, err)
		}
	}
}

// TestGlobBomb: a pattern that doubles itself ends in an error.
func TestGlobBomb(t *testing.T) {
	files := tree(t, "-- a -> / --\n-- b -> / --\n-- c -> / --\n-- d -> / --\n")
	if got, err := host.New(files).Glob(strings.Repeat("/*", 30)); !errors.Is(err, host.ErrTooLarge) {
		t.Errorf("%d matches, %v", len(got), err)
	}
}

func TestFragments(t *testing.T) {
	const dirs = "/etc/x.d /run/x.d /usr/lib/x.d"
	for name, test := range map[string]struct {
		archive string
		want    string // name=path, or name!reason
		err     error
	}{
		"none": {},
		"by name": {
			archive: "-- usr/lib/x.d/10.conf --\n-- etc/x.d/20.conf --\n-- run/x.d/05.conf --\n-- etc/x.d/note.txt --\n-- etc/x.d/dir.conf/ --\n",
			want:    "05.conf=/run/x.d/05.conf 10.conf=/usr/lib/x.d/10.conf 20.conf=/etc/x.d/20.conf",
		},
		"the earlier directory masks": {
			archive: "-- usr/lib/x.d/10.conf --\n-- run/x.d/10.conf --\n-- etc/x.d/10.conf --\n",
			want:    "10.conf=/etc/x.d/10.conf",
		},
		"a link to /dev/null masks": {
			archive: "-- usr/lib/x.d/10.conf --\n-- etc/x.d/10.conf -> /dev/null --\n-- run/x.d/20.conf -> ../../dev/./null --\n-- usr/lib/x.d/20.conf --\n",
		},
		"an empty file masks and is there": {
			archive: "-- usr/lib/x.d/10.conf --\na\n-- etc/x.d/10.conf --\n",
			want:    "10.conf=/etc/x.d/10.conf",
		},
		"an unreadable file masks and is not known": {
			archive: "-- usr/lib/x.d/10.conf --\n-- etc/x.d/10.conf unreadable --\n",
			want:    "10.conf!permission denied",
		},
		"a link elsewhere": {
			archive: "-- opt/x --\n-- etc/x.d/10.conf -> /opt/x --\n",
			want:    "10.conf=/etc/x.d/10.conf",
		},
		"a link that leads nowhere": {
			archive: "-- etc/x.d/10.conf -> /opt/x --\n-- usr/lib/x.d/10.conf --\n",
			want:    "10.conf!file does not exist",
		},
		"a FIFO": {
			archive: "-- etc/x.d/10.conf type=fifo --\n",
			want:    "10.conf!not a regular file",
		},
		"an unreadable directory": {
			archive: "-- etc/x.d/10.conf --\n-- run/x.d/ unreadable --\n",
			err:     fs.ErrPermission,
		},
		"a file for a directory": {
			archive: "-- etc/x.d --\n-- usr/lib/x.d/10.conf --\n",
			want:    "10.conf=/usr/lib/x.d/10.conf",
		},
	} {
		t.Run(name, func(t *testing.T) {
			fragments, err := host.New(tree(t, test.archive)).Fragments(strings.Fields(dirs), ".conf")
			if !errors.Is(err, test.err) {
				t.Fatalf("%v, want %v", err, test.err)
			}
			var got []string
			for _, f := range fragments {
				if f.Err != nil {
					got = append(got, f.Name+"!"+strings.TrimSpace(reason(f.Err)))
				} else {
					got = append(got, f.Name+"="+f.Path)
				}
			}
			if diff := cmp.Diff(test.want, strings.Join(got, " ")); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestText(t *testing.T) {
	for content, want := range map[string][]string{
		"":              {""},
		"a":             {"a"},
		"a\n":           {"a"},
		"a\n\nb":        {"a", "", "b"},
		"a\r\nb\n\n":    {"a\r", "b", ""},
		"\ufeffa\n":     {"\ufeffa"},
		"a\u2028b\vc\n": {"a\u2028b\vc"},
	} {
		f := &host.File{Path: "/f", Data: []byte(content)}
		var got []string
		for line := range f.Lines() {
			got = append(got, line.Text)
			if line.N != len(got) {
				t.Errorf("%q: line %d has the number %d", content, len(got), line.N)
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%q (-want +got):\n%s", content, diff)
		}
		if err := f.Text(); err != nil {
			t.Errorf("%q: %v", content, err)
		}
	}
	for _, content := range []string{"a\x00b", "\xff\xfea\x00", "caf\xe9", "\xed\xa0\x80"} {
		f := &host.File{Path: "/f", Data: []byte(content)}
		if err := f.Text(); !errors.Is(err, host.ErrMalformed) {
			t.Errorf("%q: %v", content, err)
		}
	}
	if at := (&host.File{Path: "/f"}).At(3); at != "/f:3" {
		t.Error(at)
	}
	if at := host.At("/f", 0); at != "/f" {
		t.Error(at)
	}
}

// FuzzPaths: whatever a pattern or a path says, what comes back is in the tree and
// the two agree.
func FuzzPaths(f *testing.F) {
	for _, s := range []string{
		"/etc/*", "../../*", "/link/../*", "/etc/[a-", `/\*`, "/loop/*", "//./..//*/*", "/etc/\x00*", "/[!.]*/*", "/[[:digit:]]*", "/*/*/*/*/*/*",
	} {
		f.Add(s)
	}
	files := tree(f, "-- etc/a --\ninside\n-- etc/b/c --\ninside\n-- link -> /etc/b --\n-- up -> ../../.. --\n-- loop -> loop --\n")
	f.Fuzz(func(t *testing.T, pattern string) {
		h := host.New(files)
		if file, err := h.File(pattern); err == nil && string(file.Data) != "inside\n" {
			t.Errorf("%q: read %q", pattern, file.Data)
		}
		found, err := h.Glob(pattern)
		if err != nil {
			return
		}
		if !slices.IsSorted(found) {
			t.Errorf("%q: %q are not in order", pattern, found)
		}
		for _, p := range found {
			if _, err := h.Lstat(p); errors.Is(err, fs.ErrNotExist) {
				t.Errorf("%q: %q does not exist", pattern, p)
			}
		}
	})
}

// Any number of files may be in a directory that is listed: what is held of them is
// bounded, and so is what is read.
func TestFilesTogetherAreBounded(t *testing.T) {
	var archive strings.Builder
	for i := range 40 {
		fmt.Fprintf(&archive, "-- etc/sysctl.d/%02d.conf --\n%s\n", i, strings.Repeat("x", host.MaxFile/4))
	}
	archive.WriteString("-- etc/motd --\ntext\n")
	files := &counted{FS: tree(t, archive.String())}
	h := host.New(files)
	list, err := h.Fragments([]string{"/etc/sysctl.d"}, ".conf")
	if err != nil || len(list) != 40 {
		t.Fatalf("%d fragments, %v", len(list), err)
	}
	read, refused := 0, 0
	for _, f := range list {
		switch {
		case errors.Is(f.Err, host.ErrTooLarge):
			refused++
		case f.Err == nil && refused == 0:
			read += len(f.File.Data)
		default:
			t.Errorf("%s: %v after %d were refused", f.Name, f.Err, refused)
		}
	}
	if read < host.MaxFile || read > 3*host.MaxFile || files.reads > 13 {
		t.Errorf("%d bytes of %d files that were opened, %d refused", read, files.reads, refused)
	}
	if _, err := h.File("/etc/motd"); err != nil {
		t.Errorf("a file elsewhere: %v", err)
	}
}
