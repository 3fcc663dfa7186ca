package sshd

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	"github.com/hardgate-dev/hardgate/nodecheck/host"
	"github.com/hardgate-dev/hardgate/nodecheck/host/hosttest"
)

func TestParseVersion(t *testing.T) {
	tests := map[string]struct {
		text     string
		want     Version
		portable bool
	}{
		"Debian":          {text: "1:9.2p1-2+deb12u3", want: Version{9, 2}, portable: true},
		"Ubuntu":          {text: "1:8.9p1-3ubuntu0.10", want: Version{8, 9}, portable: true},
		"two digits":      {text: "10.0p2", want: Version{10, 0}, portable: true},
		"without p":       {text: "9.2", want: Version{9, 2}},
		"another's fault": {text: "7.0*,OpenSSH_7.1", want: Version{7, 0}},
		"no version":      {text: "unknown"},
		"zero":            {text: "0.0p1"},
		"nothing":         {},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got, portable := parseVersion(test.text)
			if got != test.want || portable != test.portable {
				t.Errorf("got %v, portable %t, want %v, portable %t", got, portable, test.want, test.portable)
			}
		})
	}
}

func TestBefore(t *testing.T) {
	for _, v := range []Version{{7, 9}, {8, 1}} {
		if !v.Before(8, 2) {
			t.Errorf("%v is before 8.2", v)
		}
	}
	for _, v := range []Version{{}, {8, 2}, {10, 0}} {
		if v.Before(8, 2) {
			t.Errorf("%v is not before 8.2", v)
		}
	}
}

func TestSeconds(t *testing.T) {
	tests := map[string]struct {
		want  int64
		valid bool
	}{
		"0": {0, true}, "60": {60, true}, "1m": {60, true}, "1M30S": {90, true}, "1h30m": {5400, true}, "2d": {172800, true},
		"1w1": {604801, true}, "": {}, "m": {}, "1x": {}, "-1": {}, "1 m": {}, "99999999999": {}, "9999w": {},
	}
	for text, test := range tests {
		if got, valid := Seconds(text); got != test.want || valid != test.valid {
			t.Errorf("%q: got %d, %t, want %d, %t", text, got, valid, test.want, test.valid)
		}
	}
}

func TestCriteria(t *testing.T) {
	old, later := Version{9, 2}, Version{10, 0}
	tests := map[string]struct {
		rest    string
		version Version
		text    string
		all     bool
		wrong   bool
	}{
		"one":                {rest: "User alice", text: "User alice"},
		"two":                {rest: "user=alice Address 10.0.0.0/8 # why", text: "user alice Address 10.0.0.0/8"},
		"all":                {rest: "ALL # of them", all: true, text: "all"},
		"all and more":       {rest: "all User a", wrong: true},
		"more and all":       {rest: "User a all", wrong: true},
		"none":               {rest: "# nothing", wrong: true},
		"no value":           {rest: "User", wrong: true},
		"unknown":            {rest: "Colour red", wrong: true},
		"bits beyond a mask": {rest: "Address 10.0.0.1/8", wrong: true},
		"IPv6":               {rest: "LocalAddress fe80::/10,!fe80::1", text: "LocalAddress fe80::/10,!fe80::1"},
		"mask too long":      {rest: "Address 10.0.0.0/33", wrong: true},
		"address pattern":    {rest: "Address 10.*", text: "Address 10.*"},
		"port":               {rest: "LocalPort 70000", wrong: true},
		"single, old":        {rest: "invalid-user", version: old, wrong: true},
		"single, new":        {rest: "invalid-user", version: later, text: "invalid-user"},
		"long":               {rest: "User " + strings.Repeat("a", 300), text: "User " + strings.Repeat("a", 251) + "..."},
		"version, old":       {rest: "Version *", version: old, wrong: true},
		"version, new":       {rest: "Version *", version: later, text: "Version *"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			text, all, err := criteria(test.rest, test.version)
			if text != test.text || all != test.all || (err != nil) != test.wrong {
				t.Errorf("got %q, all %t, error %v", text, all, err)
			}
		})
	}
}

func TestAssemble(t *testing.T) {
	now := Version{9, 2}
	tests := map[string]struct {
		text    string
		version Version
		want    []string // of the algorithms that no edition approves
		fails   bool
	}{
		"default":               {version: now, want: []string{"umac-64-etm@openssh.com", "hmac-sha1-etm@openssh.com", "umac-64@openssh.com", "hmac-sha1"}},
		"list":                  {text: "hmac-sha2-256", version: now},
		"minus":                 {text: "-umac-64*,*sha1*", version: now},
		"minus but":             {text: "-*,!hmac-sha1", version: now, want: []string{"hmac-sha1"}},
		"plus":                  {text: "+hmac-md5", version: Version{9, 2}, want: []string{"umac-64-etm@openssh.com", "hmac-sha1-etm@openssh.com", "umac-64@openssh.com", "hmac-sha1", "hmac-md5"}},
		"pattern behind a gap":  {text: "hmac-sha2-256,,hmac-md5*", version: now, want: []string{"hmac-md5", "hmac-md5-96", "hmac-md5-etm@openssh.com", "hmac-md5-96-etm@openssh.com"}},
		"negation behind a gap": {text: "hmac-sha2-256,,!hmac-md5", version: now, fails: true},
		"nothing":               {text: ",", version: now, fails: true},
		"minus of old":          {text: "-umac-64*,*sha1*,hmac-ripemd*", version: Version{6, 6}, want: []string{"hmac-md5", "hmac-md5-96", "hmac-md5-etm@openssh.com", "hmac-md5-96-etm@openssh.com"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got, ok := assemble(test.text, test.version)
			got = slices.DeleteFunc(slices.Clone(got), func(m string) bool {
				return strings.HasPrefix(m, "hmac-sha2") || strings.HasPrefix(m, "umac-128")
			})
			if len(got) == 0 {
				got = nil
			}
			if diff := cmp.Diff(test.want, got); diff != "" || ok == test.fails {
				t.Errorf("ok %t, algorithms (-want +got):\n%s", ok, diff)
			}
		})
	}
}

func TestMatchPattern(t *testing.T) {
	tests := map[[2]string]bool{
		{"abc", "abc"}: true, {"abc", "a*"}: true, {"abc", "*c"}: true, {"abc", "a?c"}: true, {"abc", "*b*"}: true, {"", "*"}: true,
		{"abc", "ab"}: false, {"abc", "?"}: false, {"", "?"}: false, {"abc", "*d"}: false, {"abab", "*ab"}: true, {"a", "a**"}: true,
	}
	for test, want := range tests {
		if got := matchPattern(test[0], test[1]); got != want {
			t.Errorf("%q matches %q: %t", test[0], test[1], got)
		}
	}
}

func TestOptions(t *testing.T) {
	tests := map[string]struct {
		args    []string
		main    string
		keyword string
		want    string
		refused bool
	}{
		"apart":           {args: []string{"-D", "-o", "Banner none"}, keyword: "banner", want: "none"},
		"together":        {args: []string{"-DoBanner=none"}, keyword: "banner", want: "none"},
		"first counts":    {args: []string{"-oMaxAuthTries=1", "-oMaxAuthTries=9"}, keyword: "maxauthtries", want: "1"},
		"grace beats":     {args: []string{"-g30", "-oLoginGraceTime=9"}, keyword: "logingracetime", want: "30"},
		"last grace":      {args: []string{"-g30", "-g", "40"}, keyword: "logingracetime", want: "40"},
		"file":            {args: []string{"-4", "-f", "/x", "-p22"}, main: "/x"},
		"last file":       {args: []string{"-f/x", "-f", "NONE"}, main: none},
		"no value":        {args: []string{"-f"}, refused: true},
		"unknown":         {args: []string{"-Z"}, refused: true},
		"no option":       {args: []string{"-D", "x"}, refused: true},
		"after the end":   {args: []string{"--", "x"}, refused: true},
		"no grace time":   {args: []string{"-gx"}, refused: true},
		"include":         {args: []string{"-oInclude /x"}, refused: true},
		"match":           {args: []string{"-oMatch all"}, refused: true},
		"unknown keyword": {args: []string{"-oNoSuch=1"}, refused: true},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			p := &parser{h: hosttest.Host(t, ""), set: map[string][]assignment{}}
			main, err := p.options(test.args, "unit:1")
			if main != test.main || errors.Is(err, ErrRefused) != test.refused {
				t.Fatalf("main file %q, error %v", main, err)
			}
			if test.keyword == "" {
				return
			}
			c := Config{set: p.set}
			want := Setting{Value: test.want, Where: "unit:1", Option: true}
			if diff := cmp.Diff(want, c.Effective(test.keyword)); diff != "" {
				t.Errorf("setting (-want +got):\n%s", diff)
			}
		})
	}
}

// TestBounds: what multiplies without an end is stopped.
func TestBounds(t *testing.T) {
	var fan strings.Builder
	for level := range maxDepth {
		name := string(rune('a' + level))
		next := string(rune('a' + level + 1))
		fan.WriteString("-- " + name + " --\n" + strings.Repeat("Include /"+next+"\n", 4))
	}
	tests := map[string]struct {
		archive string
		err     error
	}{
		"fanning out": {archive: fan.String(), err: host.ErrTooLarge},
		"lines":       {archive: "-- a --\n" + strings.Repeat("UsePAM yes\n", maxLines+1), err: host.ErrTooLarge},
		"itself":      {archive: "-- a --\nInclude /a\n", err: ErrRefused},
		"bytes":       {archive: "-- a --\n" + strings.Repeat("Include /b\n", 100) + "-- b --\n" + strings.Repeat("#", maxBytes/64), err: host.ErrTooLarge},
		"patterns":    {archive: "-- a --\nInclude" + strings.Repeat(" x", maxPatterns+1) + "\n", err: host.ErrTooLarge},
		"all of it":   {archive: "-- a --\nInclude /*\n", err: ErrRefused},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if _, err := parse(hosttest.Host(t, test.archive), []string{"-f/a"}, "unit:1", Version{9, 2}, ""); !errors.Is(err, test.err) {
				t.Errorf("got %v, want %v", err, test.err)
			}
		})
	}
}

func FuzzParse(f *testing.F) {
	fixtures, err := filepath.Glob("../../check/testdata/ssh-*/*.txtar")
	if err != nil || len(fixtures) == 0 {
		f.Fatalf("no fixtures: %v", err)
	}
	for _, name := range fixtures {
		archive, err := txtar.ParseFile(name)
		if err != nil {
			f.Fatal(err)
		}
		var main, dropIn string
		for _, file := range archive.Files {
			if strings.HasPrefix(file.Name, "etc/ssh/sshd_config.d/") {
				dropIn = string(file.Data)
			} else if strings.HasPrefix(file.Name, "etc/ssh/sshd_config") {
				main = string(file.Data)
			}
		}
		f.Add(main, dropIn, "-o", "Banner none", 9, 2)
	}
	f.Fuzz(func(t *testing.T, main, dropIn, option, value string, major, minor int) {
		files, err := hosttest.Text("")
		if err != nil {
			t.Fatal(err)
		}
		files.Write("/etc/ssh/sshd_config", main)
		files.Write("/etc/ssh/sshd_config.d/a.conf", dropIn)
		c, err := parse(host.New(files), []string{option, value}, "unit:1", Version{major, minor}, "")
		if err != nil {
			var at *host.Error
			if !errors.As(err, &at) || at.Path == "" {
				t.Fatalf("an error without a place: %v", err)
			}
			return
		}
		if list, _, err := c.MACs(); err != nil || len(list) == 0 {
			t.Errorf("MACs are %q, error %v", list, err)
		}
		for keyword := range presets {
			for _, s := range append(c.Conditional(keyword), c.Effective(keyword)) {
				if s.Value == "" || s.Where == "" && !s.Default {
					t.Errorf("%s: %+v", keyword, s)
				}
			}
		}
	})
}

func BenchmarkParse(b *testing.B) {
	main, err := os.ReadFile("../../check/testdata/ssh-x11/pass-managed-node.txtar")
	if err != nil {
		b.Fatal(err)
	}
	files, err := hosttest.Text(string(main))
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := Read(host.New(files)); err != nil {
			b.Fatal(err)
		}
	}
}
