package host

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"reflect"
	"slices"
	"strings"
)

// MaxFile bounds the files that are read whole, in bytes. The largest
// configuration file known is a tenth of it.
const MaxFile = 1 << 20

// maxTogether bounds what is read of the files that are found in one directory: there
// may be any number of them, and all are held until the scan ends.
const maxTogether = 2 * MaxFile

// Host is one node during one scan: it reads each file once and remembers what
// was looked at. It is for one goroutine.
type Host struct {
	fs      FS
	files   map[string]fileResult
	stats   map[string]statResult
	dirs    map[string]dirResult
	memo    map[reflect.Type]any
	touched map[string]struct{}
	derived map[string]struct{} // files of which an earlier scan's Derive still stands
	spent   map[string]int64    // bytes that were read in directories that were listed
}

// File is the content of one file.
type File struct {
	Path string // as it was asked for; Info.Path is where it really is
	Info Info
	Data []byte // shared: not to be changed
	text string // Data once it has been asked for as lines
}

type (
	fileResult struct {
		file *File
		err  error
	}
	statResult struct {
		info Info
		err  error
	}
	dirResult struct {
		entries []Entry
		err     error
	}
)

// New begins a scan.
func New(files FS) *Host {
	return &Host{
		fs: files, files: map[string]fileResult{}, stats: map[string]statResult{}, dirs: map[string]dirResult{},
		memo: map[reflect.Type]any{}, touched: map[string]struct{}{}, derived: map[string]struct{}{}, spent: map[string]int64{},
	}
}

// File reads a regular file of at most MaxFile bytes.
func (h *Host) File(name string) (*File, error) { return h.Large(name, MaxFile) }

// Large reads a file that may have up to limit bytes. The first limit that a path
// is read with is kept.
func (h *Host) Large(name string, limit int64) (*File, error) {
	name = clean(name)
	if r, ok := h.files[name]; ok {
		return r.file, r.err
	}
	var r fileResult
	data, info, err := h.read(name, limit)
	if err != nil {
		r.err = err
	} else {
		r.file = &File{Path: name, Info: info, Data: data}
	}
	h.touch(name, info.Path)
	h.files[name] = r
	return r.file, r.err
}

// read reads a file unless too much was read in its directory. Files that have a name
// of their own are few, and those with a limit of their own are known to be large.
func (h *Host) read(name string, limit int64) ([]byte, Info, error) {
	dir := path.Dir(name)
	if _, listed := h.dirs[dir]; !listed || limit > MaxFile {
		return h.fs.ReadFile(name, limit)
	}
	tooMuch := &Error{Path: name, Err: fmt.Errorf("%w: of the files in its directory, at most %d bytes are read", ErrTooLarge, maxTogether)}
	if h.spent[dir] > maxTogether {
		return nil, Info{}, tooMuch
	}
	data, info, err := h.fs.ReadFile(name, limit)
	if h.spent[dir] += int64(len(data)); h.spent[dir] > maxTogether {
		return nil, info, tooMuch
	}
	return data, info, err
}

// Stat describes what a path leads to.
func (h *Host) Stat(name string) (Info, error) {
	name = clean(name)
	if r, ok := h.stats[name]; ok {
		return r.info, r.err
	}
	info, err := h.fs.Stat(name)
	h.touch(name, info.Path)
	h.stats[name] = statResult{info, err}
	return info, err
}

// Lstat describes the path itself.
func (h *Host) Lstat(name string) (Info, error) {
	name = clean(name)
	h.touch(name, "")
	return h.fs.Lstat(name)
}

// Exists is whether a path leads to anything. An error means that it cannot be
// told.
func (h *Host) Exists(name string) (bool, error) {
	_, err := h.Stat(name)
	switch {
	case err == nil:
		return true, nil
	case errors.Is(err, fs.ErrNotExist):
		return false, nil
	}
	return false, err
}

// Dir lists a directory in the order of names. A directory that does not exist is
// an error that wraps fs.ErrNotExist.
func (h *Host) Dir(name string) ([]Entry, error) {
	name = clean(name)
	if r, ok := h.dirs[name]; ok {
		return r.entries, r.err
	}
	entries, err := h.fs.ReadDir(name)
	h.touch(name, "")
	h.dirs[name] = dirResult{entries, err}
	return entries, err
}

// Glob returns the paths that a pattern matches, in the order of their bytes as
// glob(3) has them in the C locale: "*", "?", "[abc]", "[!a-c]" and a backslash
// before any of these. What does not exist is no match, and what may exist is one;
// a directory that cannot be listed is an error, and so are classes of characters
// such as "[[:digit:]]".
func (h *Host) Glob(pattern string) ([]string, error) {
	found := []string{"/"}
	for element := range strings.SplitSeq(clean(pattern), "/") {
		if element == "" {
			continue
		}
		var next []string
		for _, dir := range found {
			matches, err := h.match(dir, element)
			if err != nil {
				return nil, err
			}
			if next = append(next, matches...); len(next) > maxEntries {
				return nil, &Error{Path: pattern, Err: fmt.Errorf("%w: more than %d matches", ErrTooLarge, maxEntries)}
			}
		}
		found = next
	}
	found = slices.DeleteFunc(found, func(p string) bool {
		_, err := h.Lstat(p)
		return errors.Is(err, fs.ErrNotExist)
	})
	slices.Sort(found)
	return found, nil
}

// match returns the paths in dir whose last element fits.
func (h *Host) match(dir, element string) (found []string, err error) {
	// Not path.Join: where ".." leads depends on links.
	dir = strings.TrimSuffix(dir, "/") + "/"
	if !strings.ContainsAny(element, `*?[\`) {
		return []string{dir + element}, nil
	}
	wanted, err := goPattern(element)
	if err != nil {
		return nil, &Error{Path: dir + element, Err: err}
	}
	entries, err := h.Dir(dir)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, ErrNotDirectory) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		ok, err := path.Match(wanted, e.Name)
		if err != nil {
			return nil, &Error{Path: dir + element, Err: err}
		}
		// As in a shell, a wildcard does not match a leading dot.
		if ok && (e.Name[0] != '.' || strings.HasPrefix(strings.TrimPrefix(element, `\`), ".")) {
			found = append(found, dir+e.Name)
		}
	}
	return found, nil
}

// goPattern writes a pattern of glob(7) as package path has it.
func goPattern(element string) (string, error) {
	b := []byte(element)
	for i := 0; i < len(b); i++ {
		switch {
		case b[i] == '\\':
			i++
		case b[i] == '[' && i+1 < len(b):
			if b[i+1] == '!' {
				b[i+1] = '^'
			}
			for i++; i < len(b) && b[i] != ']'; i++ {
				switch {
				case b[i] == '\\':
					i++
				case b[i] == '[' && i+1 < len(b) && strings.IndexByte(":.=", b[i+1]) >= 0:
					return "", fmt.Errorf("%w: a class of characters in a pattern", ErrMalformed)
				}
			}
		}
	}
	return string(b), nil
}

// Touched returns every path that was asked for, found or not, and where the
// found ones really are; in order. A change of the node that can change a
// verdict is a change of one of these.
func (h *Host) Touched() []string {
	list := make([]string, 0, len(h.touched))
	for name := range h.touched {
		list = append(list, name)
	}
	slices.Sort(list)
	return list
}

// Files returns the files that were read, in the order of their paths.
func (h *Host) Files() []*File {
	var list []*File
	for _, r := range h.files {
		if r.err == nil {
			list = append(list, r.file)
		}
	}
	slices.SortFunc(list, func(a, b *File) int { return strings.Compare(a.Path, b.Path) })
	return list
}

func (h *Host) touch(name, resolved string) {
	h.touched[name] = struct{}{}
	if resolved != "" && resolved != name {
		h.touched[resolved] = struct{}{}
	}
}

// Memo returns what read makes of a node, and calls it once in a scan. Readers
// are told apart by the type of their result, so each has a type of its own.
func Memo[T any](h *Host, read func(*Host) (T, error)) (T, error) {
	type result struct {
		value T
		err   error
	}
	key := reflect.TypeFor[T]()
	if r, ok := h.memo[key].(result); ok {
		return r.value, r.err
	}
	value, err := read(h)
	h.memo[key] = result{value, err}
	return value, err
}

// clean gives one path one spelling. What has ".." in it is left to the file system:
// where it leads depends on links.
func clean(name string) string {
	switch {
	case plain(name):
		return name
	case strings.Contains(name, ".."):
		return "/" + strings.TrimPrefix(name, "/")
	}
	return path.Clean("/" + name)
}

// plain is whether a path has the one spelling already, as nearly all have.
func plain(name string) bool {
	if name == "" || name[0] != '/' {
		return false
	}
	for i := 1; i < len(name); i++ {
		if name[i-1] == '/' && (name[i] == '/' || name[i] == '.') {
			return false
		}
	}
	return len(name) == 1 || name[len(name)-1] != '/'
}
