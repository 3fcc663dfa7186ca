package syslog

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"

	"github.com/hardgate-dev/hardgate/nodecheck/host"
)

// RsyslogFile is where rsyslog begins to read.
const RsyslogFile = "/etc/rsyslog.conf"

// Rsyslog is what the files of rsyslog say.
type Rsyslog struct {
	Files []string
	// Rules are the actions that depend on facility and priority alone, in order.
	Rules []Rule
	// Inputs are the loaded modules that take the node's own messages, imuxsock and
	// imjournal, and where they are loaded.
	Inputs map[string]string
	// Unclear are places that may keep or drop messages for reasons that are not
	// evaluated.
	Unclear []Note
}

// Rule is one action and the messages that it gets.
type Rule struct {
	Where    string
	Messages Messages
	Target   Target
	// Text says where messages go: a file, a server, users.
	Text string
}

// Target is a kind of place where messages go.
type Target string

// The targets. Only the first two keep a message.
const (
	File   Target = "file"
	Server Target = "server"
	Users  Target = "users"
	Nobody Target = "nobody" // /dev/null, a console, a file that does not outlive the node's start
)

// Note is something to look at.
type Note struct {
	Where, Detail string
	// Drops is whether it may also take messages away from the rules.
	Drops bool
	// Err is why it could not be told whether it keeps them, where it is for lack of a file.
	Err error
}

// Kept are the messages that files or servers get.
func (r *Rsyslog) Kept() (m Messages) {
	for _, rule := range r.Rules {
		if rule.Target == File || rule.Target == Server {
			m = m.Or(rule.Messages)
		}
	}
	return m
}

// Keeps returns the first rule that keeps some of the messages.
func (r *Rsyslog) Keeps(m Messages) (Rule, bool) {
	for _, rule := range r.Rules {
		if (rule.Target == File || rule.Target == Server) && rule.Messages.And(m) != (Messages{}) {
			return rule, true
		}
	}
	return Rule{}, false
}

// ReadRsyslog reads rsyslog.conf and what it includes. Where there is none, the
// error wraps fs.ErrNotExist.
func ReadRsyslog(h *host.Host) (*Rsyslog, error) { return host.Memo(h, readRsyslog) }

func readRsyslog(h *host.Host) (*Rsyslog, error) {
	r := &Rsyslog{Inputs: map[string]string{}}
	s := &state{h: h, r: r, alive: All()}
	return r, s.file(RsyslogFile, 0)
}

// Bounds of a configuration; real ones have a few dozen of each.
const (
	maxDepth = 10
	maxFiles = 200
	maxItems = 4000
	maxBytes = 4 << 20
)

// state is how far the reading has come.
type state struct {
	h                   *host.Host
	r                   *Rsyslog
	alive               Messages // what no rule has discarded so far
	files, bytes, items int
	// apart is set where rules belong to a rule set that the node's messages do not
	// go to by themselves, or to one program or host.
	apart bool
}

func (s *state) file(name string, depth int) error {
	if s.files++; depth > maxDepth || s.files > maxFiles {
		return &host.Error{Path: name, Err: fmt.Errorf("%w: of files that include each other", host.ErrLoop)}
	}
	f, err := s.h.File(name)
	if err != nil {
		return err
	}
	if err := f.Text(); err != nil {
		return err
	}
	if s.bytes += len(f.Data); s.bytes > maxBytes {
		return &host.Error{Path: name, Err: fmt.Errorf("%w: a configuration of more than %d bytes", host.ErrTooLarge, maxBytes)}
	}
	s.r.Files = append(s.r.Files, name)
	p := newParser(s, f, depth)
	return p.statements(filter{messages: All()}, 0)
}

// include reads the files that a pattern matches, all of a directory where it ends
// in a slash.
func (s *state) include(pattern, where string, depth int, optional bool) error {
	if !path.IsAbs(pattern) {
		s.doubt(where, "it includes a relative path")
		return nil
	}
	wild := strings.ContainsAny(pattern, "*?[")
	if strings.HasSuffix(pattern, "/") {
		pattern, wild = pattern+"*", true
	}
	names := []string{path.Clean(pattern)}
	if wild {
		var err error
		if names, err = s.h.Glob(pattern); err != nil {
			return err
		}
	}
	for _, name := range names {
		info, err := s.h.Stat(name)
		switch {
		case errors.Is(err, fs.ErrNotExist) && (wild || optional):
			continue
		case err == nil && info.Type == fs.ModeDir && wild:
			continue
		case errors.Is(err, fs.ErrNotExist):
			s.note(where, "it includes "+name+", which does not exist")
			continue
		}
		if err := s.file(name, depth+1); err != nil {
			return err
		}
	}
	return nil
}

// note is for what may keep messages, doubt for what may drop them.
func (s *state) note(where, detail string) { s.unclear(Note{Where: where, Detail: detail}) }

func (s *state) doubt(where, detail string) {
	s.unclear(Note{Where: where, Detail: detail, Drops: true})
}

// unclear remembers the first notes of each kind.
func (s *state) unclear(n Note) {
	const most = 8
	same := 0
	for _, old := range s.r.Unclear {
		if old.Drops == n.Drops {
			same++
		}
	}
	if same < most {
		s.r.Unclear = append(s.r.Unclear, n)
	}
}

// filter is which messages reach an action.
type filter struct {
	messages Messages
	// partly is set where a condition picks some of them; narrow where that is a
	// comparison with a text, so that it cannot be most of them.
	partly, narrow bool
}

// act takes an action on what a filter lets through.
func (s *state) act(f filter, where string, target Target, text string) error {
	if s.items++; s.items > maxItems {
		return &host.Error{Path: where, Err: fmt.Errorf("%w: more than %d actions", host.ErrTooLarge, maxItems)}
	}
	if target == File && path.IsAbs(text) {
		switch dir, err := s.h.Stat(path.Dir(text)); {
		case err == nil && !lasting(path.Join(dir.Path, path.Base(text))):
			target = Nobody // a link on the way
		case err != nil && !errors.Is(err, fs.ErrNotExist):
			s.unclear(Note{Where: where, Detail: "it writes to " + text, Err: err})
			return nil
		}
	}
	if !s.apart && !f.partly {
		s.r.Rules = append(s.r.Rules, Rule{Where: where, Messages: f.messages.And(s.alive), Target: target, Text: text})
	}
	return nil
}

// discard ends the way of what a filter lets through.
func (s *state) discard(f filter, where string) {
	switch {
	case s.apart, f.partly && f.narrow:
	case f.partly:
		s.doubt(where, "it discards messages on a condition")
	default:
		s.alive = s.alive.Without(f.messages)
	}
}
