package systemd

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"

	"github.com/hardgate-dev/hardgate/nodecheck/host"
)

// environment is the variables of a service.
type environment map[string]string

// Variable returns what a service finds in one variable, see Command. The others do
// not leave: they may be secrets.
func (u *Unit) Variable(h *host.Host, name string) (value string, set bool, err error) {
	env, err := u.environment(h)
	value, set = env[name]
	return value, set, err
}

// environment reads Environment and then EnvironmentFile, of which the later one
// counts each time, and takes away what UnsetEnvironment names.
func (u *Unit) environment(h *host.Host) (environment, error) {
	env := environment{}
	for _, s := range u.List("Service", "Environment") {
		list, err := words(s.Value)
		if err != nil {
			return nil, &host.Error{Path: s.Where, Err: fmt.Errorf("%w: %w", host.ErrMalformed, err)}
		}
		for _, w := range list {
			env.set(u.specifiers(w))
		}
	}
	for _, s := range u.List("Service", "EnvironmentFile") {
		if err := u.environmentFile(h, s, env); err != nil {
			return nil, err
		}
	}
	for _, s := range u.List("Service", "UnsetEnvironment") {
		list, err := words(s.Value)
		if err != nil {
			return nil, &host.Error{Path: s.Where, Err: fmt.Errorf("%w: %w", host.ErrMalformed, err)}
		}
		for _, w := range list {
			name, value, ok := strings.Cut(u.specifiers(w), "=")
			if v, set := env[name]; set && (!ok || v == value) {
				delete(env, name)
			}
		}
	}
	return env, nil
}

func (u *Unit) environmentFile(h *host.Host, s Setting, env environment) error {
	name, optional := strings.CutPrefix(u.specifiers(s.Value), "-")
	if !path.IsAbs(name) {
		return nil // passed over with a warning
	}
	names := []string{name}
	if strings.ContainsAny(name, "*?[") {
		var err error
		if names, err = h.Glob(name); err != nil {
			return err
		}
		if len(names) == 0 && !optional {
			return &host.Error{Path: s.Where, Err: fmt.Errorf("%w: no file matches, the service does not start", host.ErrMalformed)}
		}
	}
	for _, name := range names {
		f, err := h.File(name)
		switch {
		case errors.Is(err, fs.ErrNotExist) && optional:
			continue
		case errors.Is(err, fs.ErrNotExist):
			return &host.Error{Path: s.Where, Err: fmt.Errorf("%w: %s does not exist, the service does not start", host.ErrMalformed, name)}
		case err != nil:
			return err
		}
		if err := parseEnvironment(f, env.set); err != nil {
			return err
		}
	}
	return nil
}

// set takes an assignment, if its name is one that a variable may have.
func (e environment) set(assignment string) {
	name, value, ok := strings.Cut(assignment, "=")
	if !ok || name == "" || name[0] >= '0' && name[0] <= '9' {
		return
	}
	for _, c := range []byte(name) {
		if c != '_' && (c < '0' || c > '9') && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') {
			return
		}
	}
	e[name] = value
}

// expand puts in the variables: $NAME as a word of its own becomes as many words
// as its value has, ${NAME} its value where it stands, $$ a dollar. It is not ok
// where the result is too long.
func (e environment) expand(args []string) (list []string, ok bool) {
	size := 0
	for _, a := range args {
		if len(a) > 0 && a[0] == '$' && !strings.HasPrefix(a, "${") && !strings.HasPrefix(a, "$$") {
			value := e[a[1:]]
			size += len(value)
			if size <= maxArguments {
				list = append(list, fields(value)...)
			}
		} else {
			text, ok := e.replace(a)
			size += len(text)
			if !ok {
				return nil, false
			}
			list = append(list, text)
		}
		if size > maxArguments {
			return nil, false
		}
	}
	return list, true
}

// replace puts variables into one word.
func (e environment) replace(text string) (string, bool) {
	var b strings.Builder
	for b.Len() <= maxArguments {
		before, after, found := strings.Cut(text, "$")
		b.WriteString(before)
		if !found {
			return b.String(), true
		}
		end := -1
		if strings.HasPrefix(after, "{") {
			end = strings.IndexAny(after, "}$")
		}
		switch {
		case strings.HasPrefix(after, "$"):
			b.WriteByte('$')
			text = after[1:]
		case end > 0 && after[end] == '}':
			b.WriteString(e[after[1:end]])
			text = after[end+1:]
		default:
			b.WriteByte('$')
			text = after
		}
	}
	return "", false
}
