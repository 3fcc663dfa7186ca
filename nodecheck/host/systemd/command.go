package systemd

import (
	"errors"
	"fmt"
	"path"
	"strings"

	"github.com/hardgate-dev/hardgate/nodecheck/host"
)

// maxArguments bounds the bytes of a command line. The kernel takes some more.
const maxArguments = 1 << 20

var errNoCommand = errors.New("no ExecStart")

// Command returns the arguments that a service is started with and where its
// ExecStart stands. The first is the path of the program, whatever name "@" gives
// it. Variables and the simple specifiers are expanded; variables that the manager
// or a generator adds are not known. Of the commands of a oneshot service it
// returns the last.
func (u *Unit) Command(h *host.Host) (argv []string, where string, err error) {
	list := u.List("Service", "ExecStart")
	if u.Masked || len(list) == 0 {
		return nil, u.Path, &host.Error{Path: u.Path, Err: errNoCommand}
	}
	last := list[len(list)-1]
	commands, err := u.commands(last.Value)
	if err != nil {
		return nil, last.Where, &host.Error{Path: last.Where, Err: err}
	}
	if kind, _ := u.Last("Service", "Type"); kind.Value != "oneshot" && (len(list) > 1 || len(commands) > 1) {
		return nil, last.Where, &host.Error{Path: last.Where, Err: fmt.Errorf("%w: more than one ExecStart, systemd refuses the unit", host.ErrMalformed)}
	}
	c := commands[len(commands)-1]
	if !c.verbatim {
		env, err := u.environment(h)
		if err != nil {
			return nil, last.Where, err
		}
		var ok bool
		if c.args, ok = env.expand(c.args); !ok {
			return nil, last.Where, &host.Error{Path: last.Where, Err: fmt.Errorf("%w: arguments of more than %d bytes", host.ErrTooLarge, maxArguments)}
		}
	}
	return append([]string{c.path}, c.args...), last.Where, nil
}

type command struct {
	path     string
	args     []string
	verbatim bool // without variables
}

// commands takes the value of ExecStart apart, see systemd.service(5): prefixes
// of the program's path, then words, and ";" between commands.
func (u *Unit) commands(text string) (list []command, err error) {
	for {
		first, rest, ok, err := word(text)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", host.ErrMalformed, err)
		}
		if !ok {
			break
		}
		program := strings.TrimLeft(first, "@-:+!|")
		prefixes := first[:len(first)-len(program)]
		c := command{path: u.specifiers(program), verbatim: strings.Contains(prefixes, ":")}
		if !path.IsAbs(c.path) && (c.path == "" || strings.Contains(c.path, "/")) || strings.HasSuffix(c.path, "/") {
			return nil, fmt.Errorf("%w: ExecStart names no program", host.ErrMalformed)
		}
		if c.args, text, err = u.arguments(rest); err != nil {
			return nil, err
		}
		if strings.Contains(prefixes, "@") {
			if len(c.args) == 0 {
				return nil, fmt.Errorf(`%w: "@" without a name`, host.ErrMalformed)
			}
			c.args = c.args[1:]
		}
		list = append(list, c)
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("%w: ExecStart names no program", host.ErrMalformed)
	}
	return list, nil
}

// arguments takes words up to the end of a command.
func (u *Unit) arguments(text string) (args []string, rest string, err error) {
	for {
		if after, ok := strings.CutPrefix(text, ";"); ok && (after == "" || strings.IndexByte(whitespace, after[0]) >= 0) {
			return args, after, nil
		}
		if after, ok := strings.CutPrefix(text, `\;`); ok && (after == "" || strings.IndexByte(whitespace, after[0]) >= 0) {
			args, text = append(args, ";"), strings.TrimLeft(after, whitespace)
			continue
		}
		w, after, ok, err := word(text)
		if err != nil {
			return nil, "", fmt.Errorf("%w: %w", host.ErrMalformed, err)
		}
		if !ok {
			return args, "", nil
		}
		args, text = append(args, u.specifiers(w)), after
	}
}

// specifiers expands those that follow from the name, and the directories of the
// system manager. Others are left as they are.
func (u *Unit) specifiers(text string) string {
	if !strings.Contains(text, "%") {
		return text
	}
	n := split(u.Name)
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		if text[i] != '%' || i+1 == len(text) {
			b.WriteByte(text[i])
			continue
		}
		i++
		switch text[i] {
		case '%':
			b.WriteByte('%')
		case 'n':
			b.WriteString(u.Name)
		case 'N':
			b.WriteString(strings.TrimSuffix(u.Name, n.ext))
		case 'p':
			b.WriteString(n.prefix)
		case 'j':
			b.WriteString(n.prefix[strings.LastIndexByte(n.prefix, '-')+1:])
		case 'i':
			b.WriteString(n.instance)
		default:
			if dir, ok := directories[text[i]]; ok {
				b.WriteString(dir)
			} else {
				b.WriteString(text[i-1 : i+1])
			}
		}
	}
	return b.String()
}

var directories = map[byte]string{
	'C': "/var/cache", 'E': "/etc", 'L': "/var/log", 'S': "/var/lib", 'T': "/tmp", 'V': "/var/tmp", 't': "/run",
}
