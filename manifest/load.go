package manifest

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Load reads files, directories and, for the name "-", stdin, in the order of
// names. A file may have any name; of a directory, every file whose name ends in
// .yaml, .yml or .json is read, in lexical order and in the directories below too.
// Links are followed, and what several links lead to is read once for each name
// in names.
func Load(names []string, stdin io.Reader) (*Set, []error) {
	s := &Set{}
	var errs []error
	stdinRead := false
	for _, name := range names {
		switch {
		case name == "":
			errs = append(errs, at(`""`, "an empty name"))
		case name != "-":
			errs = append(errs, s.path(name)...)
		case stdinRead:
			errs = append(errs, at("-", "standard input can be read once only"))
		default:
			stdinRead = true
			errs = append(errs, reader{Set: s, name: "-"}.read(stdin)...)
		}
	}
	return s, errs
}

// path reads what the user named.
func (s *Set) path(name string) []error {
	info, err := os.Stat(name)
	if err != nil {
		return []error{at(name, "%w", bare(err))}
	}
	if !info.IsDir() {
		return reader{Set: s, name: name}.file(info)
	}
	w := walk{Set: s, seen: map[string]bool{}}
	errs := w.directory(name)
	if !w.found && len(errs) == 0 {
		errs = append(errs, at(name, "no file in this directory ends in .yaml, .yml or .json"))
	}
	return errs
}

// file reads a file, or a pipe that the shell made. A device could be endless.
func (r reader) file(info fs.FileInfo) []error {
	if mode := info.Mode(); !mode.IsRegular() && mode&fs.ModeNamedPipe == 0 {
		return []error{at(r.name, "neither a file nor a directory")}
	}
	f, err := os.Open(r.name)
	if err != nil {
		return []error{at(r.name, "%w", bare(err))}
	}
	defer func() { _ = f.Close() }() // it was only read
	return r.read(f)
}

// walk is the way through one directory that the user named.
type walk struct {
	*Set
	seen  map[string]bool // files and directories by their real paths
	found bool            // whether any file was one to read
}

func (w *walk) directory(name string) (errs []error) {
	if !w.first(name) {
		return nil
	}
	entries, err := os.ReadDir(name)
	if err != nil {
		return []error{at(name, "%w", bare(err))}
	}
	for _, entry := range entries {
		errs = append(errs, w.entry(filepath.Join(name, entry.Name()))...)
	}
	return errs
}

func (w *walk) entry(name string) []error {
	info, err := os.Stat(name) // follows links
	switch {
	case err != nil && !isManifest(name):
		return nil // a dangling link that is none of ours
	case err != nil:
		return []error{at(name, "%w", bare(err))}
	case info.IsDir():
		return w.directory(name)
	case !isManifest(name) || !w.first(name):
		return nil
	}
	w.found = true
	if !info.Mode().IsRegular() {
		return []error{at(name, "not a file")}
	}
	return reader{Set: w.Set, name: name, walked: true}.file(info)
}

// first is whether the real path has not been met before.
func (w *walk) first(name string) bool {
	target, err := filepath.EvalSymlinks(name)
	if err == nil {
		target, err = filepath.Abs(target)
	}
	if err != nil {
		target = name
	}
	if w.seen[target] {
		return false
	}
	w.seen[target] = true
	return true
}

func isManifest(name string) bool {
	switch strings.ToLower(filepath.Ext(name)) {
	case ".yaml", ".yml", ".json":
		return true
	}
	return false
}

// bare is a path error without the operation and the path, which is named already.
func bare(err error) error {
	if p, ok := errors.AsType[*fs.PathError](err); ok {
		return p.Err
	}
	return err
}
