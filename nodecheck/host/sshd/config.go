package sshd

import (
	"fmt"
	"strings"

	"github.com/hardgate-dev/hardgate/nodecheck/host"
)

// Config is what the configuration of a server comes to.
type Config struct {
	// Off says why no server runs, and OffWhere where that is written; empty where
	// one does. There are no values then.
	Off, OffWhere string

	// Version is the release of the server, VersionWhere where that was read.
	Version      Version
	VersionWhere string
	// Main is the file that everything begins with; empty where there is none.
	Main string
	// Stale is a file that changed after the server last read its configuration, and
	// is empty where there is none or it is not known.
	Stale string

	set map[string][]assignment
}

// Setting is one value that holds for some or all connections.
type Setting struct {
	Value string
	Where string // path and line; the main file for a default
	// Default is whether nothing sets it.
	Default bool
	// Option is whether it is an option of the command line.
	Option bool
	// Match are the conditions under which it holds; empty for every connection that
	// meets no other.
	Match string
}

// Keyword is the spelling of a keyword that Effective and Conditional take.
func Keyword(name string) string { return strings.ToLower(name) }

// Effective returns what holds for a connection that meets no condition. The first
// value counts, those of the command line first of all, except that a "Match all"
// overrides what stands outside of it. keyword is in lower case.
func (c *Config) Effective(keyword string) Setting {
	if keywords[keyword].match {
		for _, a := range c.set[keyword] {
			if a.scope.block && a.scope.always() {
				return Setting{Value: a.value, Where: a.where}
			}
		}
	}
	for _, a := range c.set[keyword] {
		if a.scope.always() {
			return Setting{Value: a.value, Where: a.where, Option: a.option}
		}
	}
	where := c.Main
	if where == "" {
		where = c.VersionWhere
	}
	return Setting{Value: preset(keyword, c.Version), Where: where, Default: true}
}

// Conditional returns what Match blocks make of a keyword for some connections, in
// the order in which they count.
func (c *Config) Conditional(keyword string) (list []Setting) {
	if !keywords[keyword].match {
		return nil
	}
	for _, a := range c.set[keyword] {
		if !a.scope.block {
			continue
		}
		if a.scope.always() {
			break // it counts for everybody, and nothing after it does
		}
		list = append(list, Setting{Value: a.value, Where: a.where, Match: a.scope.conditions()})
	}
	return list
}

// MACs returns the algorithms that the server offers, where the value stands and
// what it says. An error means that the server does not take it.
func (c *Config) MACs() ([]string, Setting, error) {
	s := c.Effective("macs")
	list, ok := assemble(s.Value, c.Version)
	if !ok {
		return nil, s, refused(s.Where, "no MAC algorithm is left of %q", s.Value)
	}
	return list, s, nil
}

// preset is what the server takes where nothing is set, see
// fill_default_server_options in servconf.c; empty for keywords that nobody asks
// for, and for MACs.
func preset(keyword string, v Version) string {
	if keyword == "permitrootlogin" && v.Before(7, 0) {
		return "yes"
	}
	return presets[keyword]
}

var presets = map[string]string{
	"banner":                "none",
	"clientalivecountmax":   "3",
	"clientaliveinterval":   "0",
	"disableforwarding":     "no",
	"logingracetime":        "120",
	"maxauthtries":          "6",
	"permitrootlogin":       "prohibit-password",
	"permituserenvironment": "no",
	"x11forwarding":         "no",
}

// Read tells how a node's server is configured. An error wraps ErrRefused where the
// server would not take what is written; anything else could not be read.
func Read(h *host.Host) (*Config, error) { return host.Memo(h, read) }

func read(h *host.Host) (*Config, error) {
	d, err := find(h)
	if err != nil {
		return nil, err
	}
	if d.off != "" {
		return &Config{Off: d.off, OffWhere: d.where}, nil
	}
	v, where, err := version(h, d.program)
	if err != nil {
		return nil, fmt.Errorf("telling the version of OpenSSH: %w", err)
	}
	return parse(h, d.args, d.where, v, where)
}

// parse reads what the options of a command line and the files come to.
func parse(h *host.Host, args []string, argsWhere string, v Version, versionWhere string) (*Config, error) {
	p := &parser{h: h, version: v, set: map[string][]assignment{}}
	main, err := p.options(args, argsWhere)
	if err != nil {
		return nil, err
	}
	if main == "" {
		if main, err = mainFile(h); err != nil {
			return nil, err
		}
	}
	c := &Config{Version: v, VersionWhere: versionWhere, set: p.set}
	if main != none {
		c.Main = main
		if err := p.file(main, scope{}, 0); err != nil {
			return nil, err
		}
	}
	if _, _, err := c.MACs(); err != nil {
		return nil, err
	}
	if c.Stale, err = stale(h, p.files); err != nil {
		return nil, err
	}
	return c, nil
}
