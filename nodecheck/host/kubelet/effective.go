package kubelet

import (
	"errors"
	"fmt"
	"path"
	"strconv"
	"strings"

	"github.com/hardgate-dev/hardgate/nodecheck/host"
)

// config is the effective configuration of a kubelet that is started in one way.
type config struct {
	*command
	values []Value
	gates  map[string]Value
	// gateProblem is why no gate can be told that flags do not set.
	gateProblem error
}

// layers are the files of a configuration.
type layers struct {
	file, dir string // as the kubelet opens them; empty without the flag
	base      *document
	dropIns   []*document
	bytes     int      // of the drop-ins
	paths     []string // of all files, those included that could not be read
	dirs      []string // that were looked through for drop-ins
	err       error    // why the files do not tell a configuration
	pathsErr  error    // why there may be more paths
}

var errRelative = errors.New("a relative path, and the kubelet's working directory is not known")

// abs makes a path of the kubelet's absolute.
func (c *command) abs(name string) (string, error) {
	switch {
	case name == "" || path.IsAbs(name):
		return name, nil
	case c.dir == "":
		return "", &host.Error{Path: c.where, Err: fmt.Errorf("%q: %w", clip(name), errRelative)}
	}
	return path.Join(c.dir, name), nil
}

// files reads the configuration file and the drop-ins of a command.
func (c *command) files(h *host.Host) (l layers) {
	if c.err != nil {
		l.err, l.pathsErr = c.err, c.err
		return l
	}
	given, _ := c.last(FlagConfig)
	if l.file, l.pathsErr = c.abs(given); l.pathsErr == nil {
		given, _ = c.last(FlagConfigDir)
		l.dir, l.pathsErr = c.abs(given)
	}
	if l.pathsErr != nil {
		l.err = l.pathsErr
		return l
	}
	if l.file != "" {
		l.paths = append(l.paths, l.file)
		l.base, l.err = load(h, l.file, ofKubelet, true)
	}
	if l.dir != "" {
		l.dirs = []string{l.dir} // a link to a directory is not walked
		if l.pathsErr = l.walk(h, l.dir, strings.HasSuffix(given, "/"), maxDepth); l.err == nil {
			l.err = l.pathsErr
		}
	}
	return l
}

var ofKubelet = schema{"kubelet.config.k8s.io/v1beta1", "KubeletConfiguration"}

// effective works out the configuration of a command.
func effective(c *command, l *layers) *config {
	e := &config{command: c, values: make([]Value, len(Fields)), gates: map[string]Value{}, gateProblem: l.err}
	for _, f := range Fields {
		v := e.fromFiles(f, l)
		values := c.every(f.Flag)
		switch {
		case v.Err != nil && l.err == nil:
			// No kubelet starts with such a file, whatever the flags say.
		case c.err != nil || len(values) == 0:
		case f == SeccompDefault:
			v = e.seccomp(v, values)
		default:
			v = e.fromFlag(f, values).over(v)
		}
		e.values[f.index] = v
	}
	e.readGates(l)
	return e
}

// defaultOf is the value of a field that nothing sets.
func (e *config) defaultOf(f *Field, l *layers) Value {
	v := Value{V: f.standard, Where: e.where, Note: "not set, this is the default"}
	switch {
	case l.file != "":
		v.Where = l.file
	case l.dir != "":
		v.Where = l.dir
	}
	if f.bare != nil {
		v.Note = "not set, this is the default with a configuration file"
		if l.file == "" {
			v.V, v.Note = f.bare, "not set, this is the default without a configuration file"
		}
	}
	v.Given = write(f.Path, v.V)
	return v
}

// fromFiles is what the files say of a field, without the flags.
func (e *config) fromFiles(f *Field, l *layers) Value {
	if l.err != nil {
		return Value{Err: l.err, Origin: File}
	}
	v := e.defaultOf(f, l)
	standard := v
	standard.V, standard.Given, standard.Note = f.standard, write(f.Path, f.standard), "removed, this is the default"
	if f.bare != nil {
		standard.Note += " with a configuration file"
	}
	if l.base != nil {
		v = e.layer(f, l.base, File, v, v)
	}
	for _, d := range l.dropIns {
		v = e.layer(f, d, DropIn, v, standard)
	}
	return v
}

// layer is what a field becomes with one more file: without the field it stays what
// it was, and null makes it the default.
func (e *config) layer(f *Field, d *document, origin Origin, old, standard Value) Value {
	if old.Err != nil {
		return old // no kubelet starts with it, whatever follows
	}
	at, err := d.find(f.path)
	if err != nil {
		return Value{Err: err, Origin: origin}
	}
	if at.node == nil {
		return old
	}
	if at.null && origin == File && f.kind == duration {
		// A drop-in's null removes; in a file it is decoded, and is no time.
		return Value{Origin: origin, Err: &host.Error{
			Path: d.file.At(at.line), Err: fmt.Errorf("%w: %s: %w", host.ErrMalformed, f.Path, errType),
		}}
	}
	if at.null {
		standard.Where = d.file.At(at.line)
		return standard.over(old)
	}
	v := Value{Origin: origin, Where: d.file.At(at.line)}
	if v.V, v.Err = convert(at.node, f.kind); v.Err != nil {
		v.Err = &host.Error{Path: v.Where, Err: fmt.Errorf("%w: %s: %w", host.ErrMalformed, f.Path, v.Err)}
		return v
	}
	v.Given = write(f.Path, v.V)
	v = v.over(old)
	if f.zero && isZero(v.V) {
		v.V, v.Note = f.standard, join("stands for the default, "+write(f.Path, f.standard), v.Note)
	}
	if f == PodPidsLimit && v.Int() < 0 {
		v.V = f.standard
	}
	return e.resolve(f, d, v)
}

// resolve makes the path of a file absolute. In the configuration file it begins at
// the file's directory, in a drop-in where the kubelet runs.
func (e *config) resolve(f *Field, d *document, v Value) Value {
	if name := v.Text(); f.names && name != "" && !path.IsAbs(name) {
		if v.Origin == File {
			v.V = path.Join(path.Dir(d.file.Path), name)
		} else if v.V, v.Err = e.abs(name); v.Err != nil {
			v.Err = &host.Error{Path: v.Where, Err: fmt.Errorf("%s: %w", f.Path, errRelative)}
		}
	}
	return v
}

// fromFlag is what the flags say of a field.
func (e *config) fromFlag(f *Field, values []string) Value {
	v := Value{Origin: Flag, Where: e.where, Given: "--" + f.Flag + "=" + clip(strings.Join(values, ","))}
	if f.kind != list {
		v.Given = "--" + f.Flag + "=" + clip(values[len(values)-1])
	}
	if v.V, v.Err = parse(values, f.kind); v.Err != nil {
		v.Err = &host.Error{Path: e.where, Err: fmt.Errorf("%w: %s: %w", host.ErrMalformed, v.Given, errType)}
		return v
	}
	if f.names {
		v.V, v.Err = e.abs(v.Text())
	}
	return v
}

// seccomp: true in either the files or the flag is true.
func (e *config) seccomp(v Value, values []string) Value {
	f := e.fromFlag(SeccompDefault, values)
	switch {
	case f.Err != nil, f.Bool():
		return f.over(v)
	case v.Err == nil && !v.Bool() && v.Origin == Default:
		return f
	}
	return v
}

func isZero(v any) bool { return v == "" || fmt.Sprint(v) == "0s" }

func join(a, b string) string {
	if a == "" || b == "" {
		return a + b
	}
	return a + "; " + b
}

// readGates merges the feature gates one by one.
func (e *config) readGates(l *layers) {
	if l.err == nil {
		if l.base != nil {
			e.gatesOf(l.base, File)
		}
		for _, d := range l.dropIns {
			e.gatesOf(d, DropIn)
		}
	}
	if e.err != nil {
		return
	}
	for _, value := range e.every(flagFeatureGates) {
		for pair := range strings.SplitSeq(value, ",") {
			name, given, ok := strings.Cut(pair, "=")
			if pair == "" {
				continue
			}
			name = strings.TrimSpace(name)
			v := Value{Origin: Flag, Where: e.where, Given: "--" + flagFeatureGates + "=" + clip(pair)}
			on, err := strconv.ParseBool(strings.TrimSpace(given))
			if err != nil || !ok {
				v.Err = &host.Error{Path: e.where, Err: fmt.Errorf("%w: %s: %w", host.ErrMalformed, v.Given, errType)}
			}
			v.V = on
			if old := e.gates[name]; old.Err == nil {
				e.gates[name] = v.over(old)
			}
		}
	}
}
