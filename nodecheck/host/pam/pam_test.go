package pam

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hardgate-dev/hardgate/nodecheck/host"
	"github.com/hardgate-dev/hardgate/nodecheck/host/hosttest"
)

// show is a line for each rule.
func show(s Stack) (list []string) {
	for _, r := range s.Rules {
		if r.substack {
			list = append(list, fmt.Sprintf("%s substack", r.Where))
			continue
		}
		line := fmt.Sprintf("%s %d %s %s", r.Where, r.level, r.Control.Text, r.Module)
		for _, a := range r.Args {
			line += fmt.Sprintf(" %q", a)
		}
		list = append(list, line)
	}
	return list
}

func TestRead(t *testing.T) {
	tests := map[string]struct {
		tree string
		want []string
	}{
		"words": {
			"-- etc/pam.d/su --\n#%PAM-1.0\n\nAUTH\tRequired\tpam_a.so  x  y=1 # z\n-auth optional pam_b.so\naccount required pam_c.so\n",
			[]string{`/etc/pam.d/su:3 0 Required pam_a.so "x" "y=1"`, "/etc/pam.d/su:4 0 optional pam_b.so"},
		},
		"brackets": {
			"-- etc/pam.d/su --\nauth [success=1 default=ignore] pam_a.so [a b] [c \\] d]\n",
			[]string{`/etc/pam.d/su:1 0 [success=1 default=ignore] pam_a.so "a b" "c ] d"`},
		},
		"continued": {
			"-- etc/pam.d/su --\nauth \\\n required \\\npam_a.so x\\\ny\n# comment \\\nauth required pam_b.so\n",
			[]string{`/etc/pam.d/su:1 0 required pam_a.so "x" "y"`, "/etc/pam.d/su:6 0 required pam_b.so"},
		},
		"includes": {
			"-- etc/pam.d/su --\nauth include a\n@include b\nauth substack a\n" +
				"-- etc/pam.d/a --\nauth required pam_a.so\naccount required pam_x.so\n-- usr/lib/pam.d/b --\nauth required pam_b.so\naccount include none\n",
			[]string{"/etc/pam.d/a:1 0 required pam_a.so", "/usr/lib/pam.d/b:1 0 required pam_b.so", "/etc/pam.d/su:3 substack", "/etc/pam.d/a:1 1 required pam_a.so"},
		},
		"absolute include": {
			"-- etc/pam.d/su --\nauth include /opt/pam\n-- opt/pam --\nauth required /opt/pam_a.so\n",
			[]string{"/opt/pam:1 0 required /opt/pam_a.so"},
		},
		"other for the type": {
			"-- etc/pam.d/su --\naccount required pam_a.so\n-- etc/pam.d/other --\nauth required pam_deny.so\n",
			[]string{"/etc/pam.d/other:1 0 required pam_deny.so"},
		},
		"first directory": {
			"-- etc/pam.d/su --\nauth required pam_a.so\n-- usr/lib/pam.d/su --\nauth required pam_b.so\n", []string{"/etc/pam.d/su:1 0 required pam_a.so"},
		},
		"vendor directory": {
			"-- usr/etc/pam.d/su --\nauth required pam_b.so\n-- etc/pam.conf --\nsu auth required pam_c.so\n", []string{"/usr/etc/pam.d/su:1 0 required pam_b.so"},
		},
		"one file": {
			"-- etc/pam.conf --\nother auth required pam_deny.so\nSU auth required pam_c.so\n", []string{"/etc/pam.conf:2 0 required pam_c.so"},
		},
		"one file, other": {
			"-- etc/pam.conf --\nother auth required pam_deny.so\n", []string{"/etc/pam.conf:1 0 required pam_deny.so"},
		},
		"no rules": {"-- etc/pam.d/su --\naccount required pam_a.so\n", nil},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := Read(hosttest.Host(t, tt.tree), "su", Auth)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, show(got)); diff != "" {
				t.Errorf("rules (-want +got):\n%s", diff)
			}
		})
	}
}

func TestReadErrors(t *testing.T) {
	many := strings.Repeat("auth required pam_a.so\n", maxRules+1)
	long := strings.Repeat("account required pam_a.so\n", 40000)
	tests := map[string]struct {
		tree, want string
		is         error
	}{
		"too large": {
			"-- etc/pam.d/su --\n" + strings.Repeat("auth include a\n", 100) + "-- etc/pam.d/a --\n" + long,
			"/etc/pam.d/a: too large: files of more than 4194304 bytes are included", host.ErrTooLarge,
		},
		"nothing":         {"", "/etc/pam.d/su: file does not exist", fs.ErrNotExist},
		"unreadable":      {"-- etc/pam.d/su unreadable --\n", "/etc/pam.d/su: permission denied", fs.ErrPermission},
		"loop":            {"-- etc/pam.d/su --\n@include su\n", "/etc/pam.d/su:1: too many links: files include each other", host.ErrLoop},
		"bomb":            {"-- etc/pam.d/su --\nauth include a\nauth include a\n-- etc/pam.d/a --\nauth include b\nauth include b\n-- etc/pam.d/b --\nauth include a\nauth include a\n", "/etc/pam.d/a:1: too many links: files include each other", host.ErrLoop},
		"missing include": {"-- etc/pam.d/su --\nauth include a\n", `/etc/pam.d/su:1: no directory of PAM has the included file "a"`, errNoInclude},
		"nameless":        {"-- etc/pam.d/su --\n@include\n", "/etc/pam.d/su:1: malformed: an include without a file", host.ErrMalformed},
		"type":            {"-- etc/pam.d/su --\nauthentication required pam_a.so\n", `/etc/pam.d/su:1: malformed: unknown type "authentication"`, host.ErrMalformed},
		"control":         {"-- etc/pam.d/su --\nauth must pam_a.so\n", `/etc/pam.d/su:1: malformed: unknown control "must"`, host.ErrMalformed},
		"action":          {"-- etc/pam.d/su --\nauth [success=yes] pam_a.so\n", `/etc/pam.d/su:1: malformed: unknown action "yes"`, host.ErrMalformed},
		"value":           {"-- etc/pam.d/su --\nauth [won=ok] pam_a.so\n", `/etc/pam.d/su:1: malformed: unknown value "won"`, host.ErrMalformed},
		"no jump":         {"-- etc/pam.d/su --\nauth [success=0] pam_a.so\n", `/etc/pam.d/su:1: malformed: unknown action "0"`, host.ErrMalformed},
		"no list":         {"-- etc/pam.d/su --\nauth [success] pam_a.so\n", `/etc/pam.d/su:1: malformed: a control that is no list of value=action: "[success]"`, host.ErrMalformed},
		"no module":       {"-- etc/pam.d/su --\nauth required\n", "/etc/pam.d/su:1: malformed: a rule without a module", host.ErrMalformed},
		"too many":        {"-- etc/pam.d/su --\n" + many, "/etc/pam.d/su:2001: too large: more than 2000 rules", host.ErrTooLarge},
		"not text":        {"-- etc/pam.d/su nul --\nauth required pam_a.so\n", "/etc/pam.d/su: malformed: a NUL byte at offset 22", host.ErrMalformed},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := Read(hosttest.Host(t, tt.tree), "su", Auth)
			if err == nil || err.Error() != tt.want || !errors.Is(err, tt.is) {
				t.Errorf("error %v, want %s", err, tt.want)
			}
		})
	}
}

func TestConfigured(t *testing.T) {
	for archive, want := range map[string]bool{"": false, "-- etc/pam.d/ --\n": true, "-- usr/lib/pam.d/su --\n": true, "-- etc/pam.conf --\n": true} {
		if got, err := Configured(hosttest.Host(t, archive)); got != want || err != nil {
			t.Errorf("%q: %v, error %v", archive, got, err)
		}
	}
}

func TestGrants(t *testing.T) {
	// A module pam_yes.so agrees, pam_no.so refuses, pam_any.so does what it likes.
	may := func(r *Rule) []Code {
		switch r.Base() {
		case "pam_yes.so":
			return []Code{Success}
		case "pam_no.so":
			return []Code{AuthErr}
		}
		return Any()
	}
	tests := map[string]struct{ stack, by string }{
		"empty":                   {"", ""},
		"agrees":                  {"auth required pam_yes.so", ":1"},
		"refuses":                 {"auth required pam_no.so\nauth required pam_yes.so", ""},
		"refuses behind":          {"auth required pam_yes.so\nauth required pam_no.so", ""},
		"optional alone":          {"auth optional pam_no.so", ""},
		"optional":                {"auth optional pam_no.so\nauth required pam_yes.so", ":2"},
		"sufficient":              {"auth sufficient pam_yes.so\nauth required pam_no.so", ":1"},
		"sufficient behind":       {"auth required pam_no.so\nauth sufficient pam_yes.so", ""},
		"sufficient that refuses": {"auth sufficient pam_no.so\nauth required pam_no.so", ""},
		"jump":                    {"auth [success=1 default=ignore] pam_any.so\nauth requisite pam_no.so\nauth required pam_yes.so", ":1"},
		"jump too far":            {"auth [success=3 default=bad] pam_yes.so\nauth requisite pam_no.so\nauth required pam_yes.so", ""},
		"jump over a substack":    {"auth [default=1] pam_any.so\nauth substack a\nauth required pam_yes.so", ":1"},
		"done leaves a substack":  {"auth substack b\nauth required pam_no.so", ""},
		"done leaves an include":  {"auth include b\nauth required pam_no.so", "b:1"},
		"die leaves a substack":   {"auth substack a\nauth required pam_yes.so", ""},
		"reset":                   {"auth required pam_no.so\nauth [default=reset] pam_any.so\nauth required pam_yes.so", ":3"},
		"reset in a substack":     {"auth required pam_no.so\nauth substack c\nauth required pam_yes.so", ""},
		"other success":           {"auth [new_authtok_reqd=ok default=bad] pam_any.so", ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			files, err := hosttest.Text("-- etc/pam.d/a --\nauth requisite pam_no.so\nauth required pam_yes.so\n-- etc/pam.d/b --\nauth sufficient pam_yes.so\nauth required pam_no.so\n" +
				"-- etc/pam.d/c --\nauth [default=reset] pam_any.so\n")
			if err != nil {
				t.Fatal(err)
			}
			files.Write("/etc/pam.d/su", tt.stack)
			s, err := Read(host.New(files), "su", Auth)
			if err != nil {
				t.Fatal(err)
			}
			by, err := s.Grants(may)
			if err != nil {
				t.Fatal(err)
			}
			where := ""
			if by != nil {
				where = strings.TrimPrefix(strings.TrimPrefix(by.Where, "/etc/pam.d/"), "su")
			}
			if where != tt.by {
				t.Errorf("granted by %q, want %q", where, tt.by)
			}
		})
	}
}

// TestTangled: a stack with too many ways ends in an error, soon.
func TestTangled(t *testing.T) {
	const rule = "auth [success=1 default=ignore auth_err=2 perm_denied=3 user_unknown=reset] pam_any.so\n"
	s, err := Read(hosttest.Host(t, "-- etc/pam.d/su --\n"+strings.Repeat(rule, maxRules-1)+"auth required pam_no.so\n"), "su", Auth)
	if err != nil {
		t.Fatal(err)
	}
	by, err := s.Grants(func(r *Rule) []Code {
		if r.Base() == "pam_no.so" {
			return []Code{AuthErr}
		}
		return Any()
	})
	if by != nil || err != nil && !errors.Is(err, ErrTooTangled) {
		t.Errorf("granted by %v, error %v", by, err)
	}
}

func TestBehind(t *testing.T) {
	s, err := Read(hosttest.Host(t, "-- etc/pam.d/su --\nauth substack a\nauth required pam_c.so\n-- etc/pam.d/a --\nauth requisite pam_a.so\nauth required pam_b.so\n"), "su", Auth)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range map[int]int{1: 1, 2: 1, 3: 0} {
		if got := len(s.Behind(i, AuthErr)); got != want {
			t.Errorf("%d rules behind rule %d, want %d", got, i, want)
		}
	}
	if got := len(s.Behind(1, AuthErr, Ignore)); got != 2 {
		t.Errorf("%d rules behind one that may go on, want 2", got)
	}
}

func TestArg(t *testing.T) {
	r := Rule{Args: []string{"use_uid", "group=a", "group=b", "x="}}
	if v, ok := r.Arg("group"); v != "b" || !ok {
		t.Errorf("group is %q, %v", v, ok)
	}
	if _, ok := r.Arg("use_uid"); !ok {
		t.Error("no use_uid")
	}
	if _, ok := r.Arg("use"); ok {
		t.Error("an argument that is not there")
	}
}

func FuzzRead(f *testing.F) {
	for _, seed := range []string{
		"auth required pam_a.so\n", "auth [success=1 default=ignore] pam_a.so [a b]\n", "@include su\n", "auth substack other\n",
		"auth \\\n required pam_a.so", "auth include /etc/pam.d/other\n", "-auth sufficient pam_a.so # c\n", "[", "auth [", "auth [a=b", "auth required [",
	} {
		f.Add(seed, seed)
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		files, err := hosttest.Text("")
		if err != nil {
			t.Fatal(err)
		}
		files.Write("/etc/pam.d/su", a)
		files.Write("/etc/pam.d/other", b)
		s, err := Read(host.New(files), "su", Auth)
		if err != nil {
			return
		}
		if slices.ContainsFunc(s.Rules, func(r Rule) bool { return r.Where == "" }) {
			t.Error("a rule without a place")
		}
		by, err := s.Grants(func(*Rule) []Code { return []Code{AuthErr} })
		if err == nil && by != nil && !strings.Contains(a+b, "auth_err") && !strings.Contains(a+b, "default") {
			t.Errorf("granted by %+v though all refuse", by)
		}
	})
}
