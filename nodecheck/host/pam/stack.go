package pam

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/hardgate-dev/hardgate/nodecheck/host"
)

// Type is the kind of question that a rule takes part in.
type Type string

// The types.
const (
	Auth     Type = "auth"
	Account  Type = "account"
	Password Type = "password"
	Session  Type = "session"
)

// Rule is one line of a stack.
type Rule struct {
	Type    Type
	Control Control
	// Module is as written: a name, or an absolute path.
	Module string
	Args   []string
	Where  string // path and line
	// Optional is whether libpam passes the rule over where its module is not
	// installed: "-" stands before the type.
	Optional bool

	level    int  // how many substacks it is in
	substack bool // a place where one begins: no module
}

// Base is the module's name without directories: "pam_unix.so".
func (r *Rule) Base() string { return path.Base(r.Module) }

// Arg returns the value of the last argument of a name, for "name=value" and for
// "name" alone.
func (r *Rule) Arg(name string) (value string, found bool) {
	for _, arg := range r.Args {
		key, v, _ := strings.Cut(arg, "=")
		if key == name {
			value, found = v, true
		}
	}
	return value, found
}

// Stack is the rules of one type that a service goes through, those of included
// files in their places.
type Stack struct {
	Path  string // the file that the service begins in
	Rules []Rule
}

// directories are where services have their files; the first that has it wins.
// The second and the third are those of distributions that keep /etc for the site.
var directories = []string{"/etc/pam.d", "/usr/lib/pam.d", "/usr/etc/pam.d"}

const singleFile = "/etc/pam.conf"

// Configured is whether the node has any configuration of PAM.
func Configured(h *host.Host) (bool, error) {
	for _, p := range slices.Concat(directories, []string{singleFile}) {
		if found, err := h.Exists(p); found || err != nil {
			return found, err
		}
	}
	return false, nil
}

// Read returns the stack of a service. As in libpam, a service without rules of the
// type has those of "other". An error that wraps fs.ErrNotExist says that neither
// has a file.
func Read(h *host.Host, service string, t Type) (Stack, error) {
	single, err := onlySingleFile(h)
	if err != nil {
		return Stack{}, err
	}
	var first Stack
	var firstErr error
	for i, name := range []string{service, "other"} {
		r := reader{host: h}
		s := Stack{Path: singleFile}
		if single {
			err = r.single(name, t)
		} else {
			s.Path, err = r.service(name, t, 0, 0)
		}
		if err != nil && !errors.Is(err, errNoFile) {
			return Stack{}, err
		}
		s.Rules = r.rules
		if len(s.Rules) > 0 {
			return s, nil
		}
		if i == 0 {
			first, firstErr = s, err
		}
	}
	if firstErr != nil {
		return Stack{}, &host.Error{Path: path.Join(directories[0], service), Err: fs.ErrNotExist}
	}
	return first, nil
}

// HasService is whether a service has a file of its own.
func HasService(h *host.Host, service string) (bool, error) {
	_, err := find(h, service)
	if errors.Is(err, errNoFile) {
		return false, nil
	}
	return err == nil, err
}

func onlySingleFile(h *host.Host) (bool, error) {
	for _, dir := range directories {
		if found, err := h.Exists(dir); found || err != nil {
			return false, err
		}
	}
	return true, nil
}

// A service without a file is as good as one without rules; an include of a file
// that is nowhere makes a rule that always fails.
var (
	errNoFile    = errors.New("no directory of PAM has the service")
	errNoInclude = errors.New("no directory of PAM has the included file")
)

func find(h *host.Host, name string) (*host.File, error) {
	paths := []string{name}
	if !path.IsAbs(name) {
		paths = paths[:0]
		for _, dir := range directories {
			paths = append(paths, path.Join(dir, name))
		}
	}
	for _, p := range paths {
		f, err := h.File(p)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if err := f.Text(); err != nil {
			return nil, err
		}
		return f, nil
	}
	return nil, errNoFile
}

// libpam stops at the same depth; the other bounds are far beyond any real stack.
const (
	maxDepth = 16
	maxFiles = 500
	maxRules = 2000
	maxBytes = 4 << 20
)

type reader struct {
	host  *host.Host
	rules []Rule
	files int
	bytes int
}

// service reads a service's file, which may be one that another includes.
func (r *reader) service(name string, t Type, depth, level int) (string, error) {
	f, err := find(r.host, name)
	if err != nil {
		return "", err
	}
	if r.bytes += len(f.Data); r.bytes > maxBytes {
		return "", &host.Error{Path: f.Path, Err: fmt.Errorf("%w: files of more than %d bytes are included", host.ErrTooLarge, maxBytes)}
	}
	for _, line := range logicalLines(f) {
		if err := r.rule(line.text, f.At(line.n), t, depth, level); err != nil {
			return "", err
		}
	}
	return f.Path, nil
}

// single reads the lines of a service in /etc/pam.conf.
func (r *reader) single(name string, t Type) error {
	f, err := r.host.File(singleFile)
	if errors.Is(err, fs.ErrNotExist) {
		return errNoFile
	}
	if err == nil {
		err = f.Text()
	}
	if err != nil {
		return err
	}
	for _, line := range logicalLines(f) {
		service, rest := word(line.text)
		if !strings.EqualFold(service, name) {
			continue
		}
		if err := r.rule(rest, f.At(line.n), t, 0, 0); err != nil {
			return err
		}
	}
	return nil
}

// rule takes one line that is not empty.
func (r *reader) rule(text, where string, t Type, depth, level int) error {
	kind, rest := word(text)
	if kind == "@include" { // Debian's: rules of every type
		name, _ := word(rest)
		return r.include(name, where, t, depth, level)
	}
	switch got := Type(strings.ToLower(strings.TrimPrefix(kind, "-"))); got {
	case t:
	case Auth, Account, Password, Session:
		return nil
	default:
		// libpam makes it a rule that always fails.
		return malformed(where, "unknown type "+short(kind))
	}
	control, rest := word(rest)
	module, rest := word(rest)
	if module == "" {
		return malformed(where, "a rule without a module")
	}
	switch strings.ToLower(control) {
	case "include":
		return r.include(module, where, t, depth, level)
	case "substack":
		r.rules = append(r.rules, Rule{Type: t, Where: where, level: level, substack: true})
		return r.include(module, where, t, depth, level+1)
	}
	c, err := parseControl(control)
	if err != nil {
		return malformed(where, err.Error())
	}
	if len(r.rules) >= maxRules {
		return &host.Error{Path: where, Err: fmt.Errorf("%w: more than %d rules", host.ErrTooLarge, maxRules)}
	}
	r.rules = append(r.rules, Rule{Type: t, Control: c, Module: module, Args: arguments(rest), Where: where, Optional: strings.HasPrefix(kind, "-"), level: level})
	return nil
}

func (r *reader) include(name, where string, t Type, depth, level int) error {
	r.files++
	if depth+1 >= maxDepth || r.files > maxFiles {
		return &host.Error{Path: where, Err: fmt.Errorf("%w: files include each other", host.ErrLoop)}
	}
	if name == "" {
		return malformed(where, "an include without a file")
	}
	_, err := r.service(name, t, depth+1, level)
	if errors.Is(err, errNoFile) {
		return &host.Error{Path: where, Err: fmt.Errorf("%w %s", errNoInclude, short(name))}
	}
	return err
}

func malformed(where, what string) error {
	return &host.Error{Path: where, Err: fmt.Errorf("%w: %s", host.ErrMalformed, what)}
}
