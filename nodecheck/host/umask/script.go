package umask

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/hardgate-dev/hardgate/nodecheck/host"
)

// script follows the umask through the files of one shell.
type script struct {
	host  *host.Host
	order func(a, b string) int // of the files in profile.d
	files int                   // how many were read
	calls int                   // how many functions were called
	deep  int                   // how many of these have not returned, and definitions within each other

	functions map[string]function
	values    map[string][]string // what variables may hold: see parser.assign
	open      []string            // the files being read, to tell a loop
	masks     []Mask              // what the umask may be at this point
	mixed     bool                // whether the order of profile.d depends on the language
}

func newScript(h *host.Host, order func(a, b string) int) *script {
	return &script{host: h, order: order, masks: []Mask{{}}, functions: map[string]function{}, values: map[string][]string{}}
}

// The bounds are far beyond any real profile.
const (
	maxFiles = 500
	maxMasks = 200
	maxOpen  = 8
	maxCalls = 500
	maxDeep  = 20
)

// run follows one file. A file that does not exist changes nothing.
func (s *script) run(name string) error {
	f, err := s.host.File(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	text := string(f.Data)
	if !relevant(name, text) {
		return nil
	}
	if err := f.Text(); err != nil {
		return err
	}
	if s.files++; s.files > maxFiles {
		return &host.Error{Path: name, Err: fmt.Errorf("%w: more than %d files are read", host.ErrTooLarge, maxFiles)}
	}
	if slices.Contains(s.open, f.Info.Path) || len(s.open) >= maxOpen {
		return &host.Error{Path: name, Err: fmt.Errorf("%w: files read each other", host.ErrLoop)}
	}
	tokens, err := tokenize(text)
	if err != nil {
		return &host.Error{Path: name, Err: err}
	}
	s.open = append(s.open, f.Info.Path)
	p := parser{script: s, file: f, tokens: tokens, loops: map[string][]string{}}
	err = p.run()
	s.open = s.open[:len(s.open)-1]
	return err
}

// relevant is whether a file is to be taken apart: it sets a umask, or it is one of
// the site's and reads another file. Most files of profile.d do neither, and what
// packages keep elsewhere, such as completions, is long and reads much.
func relevant(name, text string) bool {
	if strings.Contains(text, "umask") {
		return true
	}
	if !strings.HasPrefix(name, "/etc/") && !strings.HasPrefix(name, "/usr/etc/") {
		return false
	}
	return strings.Contains(text, "source") || strings.Contains(text, "ENV=/") || dots(text)
}

// dots is whether a text may have the command ".".
func dots(text string) bool {
	for i := 0; i+1 < len(text); i++ {
		n := strings.IndexByte(text[i:], '.')
		if n < 0 {
			return false
		}
		i += n
		before := i == 0 || strings.IndexByte(" \t\n;&|({)", text[i-1]) >= 0
		if before && i+1 < len(text) && (text[i+1] == ' ' || text[i+1] == '\t') {
			return true
		}
	}
	return false
}

// each follows the files that a pattern finds.
func (s *script) each(pattern string) error {
	paths, err := s.host.Glob(pattern)
	if err != nil {
		return err
	}
	s.mixed = s.mixed || !slices.IsSortedFunc(paths, folded)
	slices.SortStableFunc(paths, s.order)
	for _, p := range paths {
		if err := s.run(p); err != nil {
			return err
		}
	}
	return nil
}

// set is what a command "umask arg" does.
func (s *script) set(arg, where string, computed bool) {
	var next []Mask
	for _, before := range s.masks {
		m := Mask{Where: where, Text: arg}
		if !computed {
			// What a shell was started with may be anything: nothing is the worst.
			m.Value, m.Known = apply(arg, before.Value)
		}
		next = union(next, []Mask{m})
	}
	s.masks = next
}

// union is what the umask may be where either way leads.
func union(a, b []Mask) []Mask {
	out := slices.Clone(a)
	for _, m := range b {
		if !slices.Contains(out, m) {
			out = append(out, m)
		}
	}
	return out
}
