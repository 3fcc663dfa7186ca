package umask

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hardgate-dev/hardgate/nodecheck/host"
	"github.com/hardgate-dev/hardgate/nodecheck/host/hosttest"
)

// show puts masks in the order of their text: "-" is what no file sets, "?" what no
// file says.
func show(masks []Mask) string {
	var list []string
	for _, m := range masks {
		switch {
		case m.Where == "":
			list = append(list, "-")
		case !m.Known:
			list = append(list, "?")
		default:
			list = append(list, fmt.Sprintf("%03o", m.Value))
		}
	}
	slices.Sort(list)
	return strings.Join(slices.Compact(list), " ")
}

// scripts are profiles and what the umask may be behind them.
var scripts = map[string]struct{ script, want string }{
	"nothing":                    {"PATH=/bin\n", "-"},
	"bash: arithmetic command":   {"(( x = 1 << 2 ))\numask 022\n2\n", "022"},
	"bash: loop with arithmetic": {"for ((i = 0; i < 1 << 2; i++)); do umask 022; done\n2\n", "- 022"},
	"subshells":                  {"((umask 022); true)\n", "-"},
	"bash: ANSI-C quotes":        {"X=$'\\''; umask 022; Y=$'\\''\n", "022"},
	"bash: empty array":          {"a=()\numask 022\n", "022"},
	"bash: array":                {"a=(if 'x)' $(ls))\na+=(\n{\n)\numask 022\n", "022"},
	"bash: array run":            {"a=(umask 022)\n\"${a[@]}\"\n", "- ?"},
	"alias":                      {"alias u='umask 022'\nu\n", "- ?"},
	"trap":                       {"trap 'umask 022' DEBUG\n", "- ?"},
	"in a variable":              {"U=umask\n$U 022\n", "- ?"},
	"evaluated variable":         {"readonly U='umask 022'\neval \"$U\"\n", "?"},
	"octal":                      {"umask 027\n", "027"},
	"without end of line":        {"umask 027", "027"},
	"short":                      {"umask 27\n", "027"},
	"four digits":                {"umask 0077\n", "077"},
	"later wins":                 {"umask 077\numask 022\n", "022"},
	"one line":                   {"umask 077; umask 022", "022"},
	"comment":                    {"# umask 077\numask 022 # umask 077\n", "022"},
	"echo":                       {"echo umask 077\necho 'umask 077'\n", "-"},
	"quoted lines":               {"X='\numask 077\n'\n", "-"},
	"here-document":              {"cat <<EOF\numask 077\nEOF\numask 022\n", "022"},
	"here-document, tabs":        {"cat <<-'EOF'\n\tumask 077\n\tEOF\numask 022\n", "022"},
	"only printed":               {"umask\numask -S\n", "-"},
	"symbolic":                   {"umask u=rwx,g=rx,o=\n", "027"},
	"symbolic after octal":       {"umask 077\numask g+r\n", "037"},
	"taken away":                 {"umask 022\numask o-rwx\n", "027"},
	"computed":                   {"M=027\numask $M\n", "?"},
	"quoted value":               {"umask \"027\"\n", "027"},
	"continued":                  {"umask \\\n027\n", "027"},
	"assignment before it":       {"LANG=C umask 027\n", "027"},
	"builtin":                    {"command umask 027\n", "027"},
	"escaped":                    {"\\umask 027\n", "027"},
	"if":                         {"if [ -n \"$X\" ]; then\n umask 077\nfi\n", "- 077"},
	"if and else":                {"if [ \"$(id -u)\" -gt 199 ]; then umask 002; else umask 022; fi\n", "002 022"},
	"both right":                 {"if true; then umask 027; else umask 077; fi", "027 077"},
	"elif without else":          {"if a; then umask 027; elif b; then umask 077; fi", "- 027 077"},
	"and":                        {"[ -n \"$X\" ] && umask 077\n", "- 077"},
	"or":                         {"umask 022\nfalse || umask 027\n", "022 027"},
	"and, next line":             {"[ -n \"$X\" ] &&\n\n umask 077\n", "- 077"},
	"and a group":                {"[ -n \"$X\" ] && { umask 077; }\n", "- 077"},
	"group":                      {"{ umask 077; }\n", "077"},
	"before and":                 {"umask 077 && true\n", "077"},
	"subshell":                   {"umask 022\n(umask 077)\n", "022"},
	"substitution":               {"umask 022\nX=$(umask 077; echo \")\")\nY=`umask 077`\n", "022"},
	"pipeline":                   {"umask 022\numask 077 | cat\n", "022 077"},
	"case":                       {"case $X in\n a) umask 077;;\n (b) umask 027 ;;\nesac\n", "- 027 077"},
	"case with any":              {"case $X in a|c) umask 077;; *) umask 027;; esac\n", "027 077"},
	"umask is a pattern":         {"case umask in umask) true;; esac\n", "-"},
	"loop":                       {"for i in 1 2; do umask 077; done\n", "- 077"},
	"while":                      {"while false; do umask 077; done; umask 022", "022"},
	"function":                   {"f() { umask 077; }\n", "-"},
	"bash: function, keyword":    {"function f() {\n umask 077\n}\nf\n", "077"},
	"function, next line":        {"f()\n{\n umask 077\n}\numask 022\n", "022"},
	"a call behind":              {"f() { umask 000; }\numask 027\nf\n", "000"},
	"eval":                       {"eval 'umask 000'\n", "?"},
	"return":                     {"umask 022\nreturn\numask 077\n", "022"},
	"return, perhaps":            {"[ -z \"$PS1\" ] && return\numask 077\n", "- 077"},
	"redirected":                 {"umask 027 >/dev/null 2>&1\n", "027"},
	"its name in a path":         {"[ -r /etc/umask.conf ] && . /usr/share/umask.sh\n", "-"},
	"arithmetic":                 {"X=$((1 + (2)))\numask 027\n", "027"},
	"parameter":                  {"X=${Y:-\"}\"}\numask 027\n", "027"},
	"apostrophe":                 {"echo \"it's\"\numask 027\n", "027"},
	"not a number":               {"umask abc\n", "?"},
	"return of a function":       {"umask 027\nf() { [ -n \"$X\" ] && return; umask 000; }\numask 077\n", "077"},
	"carriage return":            {"umask 022\numask 027\r\n", "?"},
	"function, perhaps":          {"if [ -n \"$X\" ]; then f() { umask 077; }; fi\numask 022\nf\n", "022 077"},
	"functions, nested":          {"f() { g() { umask 077; }; g; }\numask 022\nf && true\n", "077"},
	"function, relative":         {"f() { umask g-w; }\numask 007\nf\n", "027"},
	"background":                 {"umask 022\numask 077 &\n", "022 077"},
	"ampersand":                  {"true & umask 077\n", "077"},
}

func TestScripts(t *testing.T) {
	for name, tt := range scripts {
		t.Run(name, func(t *testing.T) {
			files, err := hosttest.Text("")
			if err != nil {
				t.Fatal(err)
			}
			files.Write("/etc/profile", tt.script)
			got, err := Read(host.New(files))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, show(got.Login)); diff != "" {
				t.Errorf("masks (-want +got):\n%s", diff)
			}
		})
	}
}

// TestShells asks real shells: what one of them ends with must be one of the masks.
func TestShells(t *testing.T) {
	for _, shell := range []string{"dash", "bash"} {
		path, err := exec.LookPath(shell)
		if err != nil {
			if os.Getenv("HARDGATE_ORACLES") == "required" {
				t.Fatal(err)
			}
			t.Skipf("%s is not installed", shell)
		}
		for name, tt := range scripts {
			if shell == "dash" && strings.HasPrefix(name, "bash: ") {
				continue
			}
			t.Run(shell+"/"+name, func(t *testing.T) {
				file := filepath.Join(t.TempDir(), "script")
				if err := os.WriteFile(file, []byte(tt.script), 0o600); err != nil {
					t.Fatal(err)
				}
				// 0123 stands for what the shell was started with.
				cmd := exec.CommandContext(t.Context(), path, "-c", `umask 0123; . "$0" >/dev/null 2>&1 </dev/null; echo " $(umask)"`, file)
				out, err := cmd.Output()
				if err != nil {
					t.Fatal(err)
				}
				fields := strings.Fields(string(out))
				got := strings.TrimPrefix(fields[len(fields)-1], "0")
				want := " " + strings.ReplaceAll(tt.want, "-", "123") + " "
				if !strings.Contains(want, "?") && !strings.Contains(want, " "+got+" ") {
					t.Errorf("%s says %s, the masks are %s", shell, got, tt.want)
				}
			})
		}
	}
}

const debianProfile = `
if [ -d /etc/profile.d ]; then
  for i in /etc/profile.d/*.sh; do
    if [ -r $i ]; then
      . $i
    fi
  done
  unset i
fi
`

func TestRead(t *testing.T) {
	tests := map[string]struct{ tree, login, interactive string }{
		"profile.d": {
			"-- etc/profile --" + debianProfile + "-- etc/profile.d/CIS.sh --\numask 027\n", "027", "-",
		},
		"profile.d is not read": {
			"-- etc/profile --\numask 022\n-- etc/profile.d/CIS.sh --\numask 027\n", "022", "-",
		},
		"profile overrides it": {
			"-- etc/profile --" + debianProfile + "umask 022\n-- etc/profile.d/CIS.sh --\numask 027\n", "022", "-",
		},
		"profile before it": {
			"-- etc/profile --\numask 022" + debianProfile + "-- etc/profile.d/CIS.sh --\numask 027\n", "027", "-",
		},
		"order of names": {
			"-- etc/profile --" + debianProfile + "-- etc/profile.d/a.sh --\numask 022\n-- etc/profile.d/b.sh --\numask 027\n", "027", "-",
		},
		"order depends on the language": {
			"-- etc/profile --" + debianProfile + "-- etc/profile.d/apps.sh --\numask 027\n-- etc/profile.d/CIS.sh --\numask 022\n", "022 027", "-",
		},
		"other suffix": {
			"-- etc/profile --" + debianProfile + "-- etc/profile.d/a.csh --\numask 027\n-- etc/profile.d/b --\numask 027\n", "-", "-",
		},
		"run-parts": {
			"-- etc/profile --\nfor i in $(run-parts --list --regex '^[a-z]*\\.sh$' /etc/profile.d); do\n. \"${i}\"\ndone\n-- etc/profile.d/CIS.sh --\numask 027", "027", "-",
		},
		"both branches read": {
			"-- etc/profile --\nfor i in /etc/profile.d/*.sh ; do\n if [ -r \"$i\" ]; then\n  if [ \"${-#*i}\" != \"$-\" ]; then\n   . \"$i\"\n  else\n   . \"$i\" >/dev/null\n  fi\n fi\ndone\n" +
				"-- etc/profile.d/umask.sh --\numask 027", "027", "-",
		},
		"bashrc reads profile.d for other shells only": {
			"-- etc/profile --\nfor i in /etc/profile.d/*.sh; do . $i; done\numask 022\n[ -f /etc/bashrc ] && . /etc/bashrc\n" +
				"-- etc/bashrc --\nif ! shopt -q login_shell; then\n umask 077\n for i in /etc/profile.d/*.sh; do . $i; done\nfi\n-- etc/profile.d/a.sh --\numask 027\n",
			"022 027 077", "027",
		},
		"bash.bashrc": {
			"-- etc/profile --\nif [ \"$PS1\" ]; then\n. /etc/bash.bashrc\nfi\n-- etc/bash.bashrc --\n[ -z \"$PS1\" ] && return\numask 027\n", "- 027", "- 027",
		},
		"vendor": {
			"-- usr/etc/profile --\nfor s in /usr/etc/profile.d/*.sh; do . $s; done\n-- usr/etc/profile.d/a.sh --\numask 027\n", "027", "-",
		},
		"read behind and": {
			"-- etc/profile --\numask 022\nfor sh in /etc/profile.d/*.sh ; do\n[ -r \"$sh\" ] && . \"$sh\"\ndone\n-- etc/profile.d/a.sh --\numask 027", "027", "-",
		},
		"other directory": {
			"-- etc/profile --\numask 027\nfor f in /etc/profile.d/*.sh /etc/site.d/*; do . \"$f\"; done\n-- etc/site.d/x --\numask 022\n", "022", "-",
		},
		"function of another file": {
			"-- etc/profile --\numask 027\n. /etc/lib.sh\nloose\n-- etc/lib.sh --\nloose() {\n umask 022\n}\n", "022", "-",
		},
		"no files": {"", "-", "-"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := Read(hosttest.Host(t, tt.tree))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff([]string{tt.login, tt.interactive}, []string{show(got.Login), show(got.Interactive)}); diff != "" {
				t.Errorf("masks (-want +got):\n%s", diff)
			}
		})
	}
}

func TestReadErrors(t *testing.T) {
	tests := map[string]struct{ tree, want string }{
		"loop":          {"-- etc/profile --\n. /etc/a\n-- etc/a --\n. /etc/profile\n", "/etc/profile: too many links: files read each other"},
		"unreadable":    {"-- etc/profile unreadable --\n", "/etc/profile: permission denied"},
		"calls itself":  {"-- etc/profile --\nf() { umask 027; f; }\nf\n", "/etc/profile:1: too many links: functions call each other"},
		"unclosed":      {"-- etc/profile --\numask 027\nX='\n", "/etc/profile: malformed: line 2: a quote or an expansion that nothing closes"},
		"not text":      {"-- etc/profile nul --\numask 027\n", "/etc/profile: malformed: a NUL byte at offset 9"},
		"unreadable .d": {"-- etc/profile --" + debianProfile + "-- etc/profile.d/ unreadable --\n", "/etc/profile.d: permission denied"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := Read(hosttest.Host(t, tt.tree))
			if err == nil || err.Error() != tt.want {
				t.Errorf("error %v, want %s", err, tt.want)
			}
		})
	}
}

func TestReadSessions(t *testing.T) {
	tests := map[string]struct {
		tree string
		want []Session
	}{
		"argument": {
			"-- etc/pam.d/login --\nsession optional pam_umask.so umask=0077\n",
			[]Session{{Service: "login", Mask: Mask{Where: "/etc/pam.d/login:1", Text: "0077", Value: 0o077, Known: true}}},
		},
		"login.defs, first line": {
			"-- etc/pam.d/login --\n@include common-session\n-- etc/pam.d/common-session --\nsession optional pam_umask.so\n-- etc/login.defs --\nUMASK 022 # c\nUMASK 027\nUSERGROUPS_ENAB yes\n",
			[]Session{{Service: "login", Mask: Mask{Where: "/etc/login.defs:1", Text: "022", Value: 0o022, Known: true}, Groups: "/etc/login.defs:3"}},
		},
		"not asked": {
			"-- etc/pam.d/sshd --\nsession required pam_unix.so\n-- etc/login.defs --\nUMASK 027\n",
			[]Session{{Service: "sshd"}},
		},
		"groups off": {
			"-- etc/pam.d/sshd --\nsession required pam_umask.so nousergroups\n-- etc/login.defs --\nUMASK x\nUSERGROUPS_ENAB yes\n",
			[]Session{{Service: "sshd", Mask: Mask{Where: "/etc/login.defs:1", Text: "x"}}},
		},
		"nothing": {"", nil},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := ReadSessions(hosttest.Host(t, tt.tree))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("sessions (-want +got):\n%s", diff)
			}
		})
	}
}

func FuzzRead(f *testing.F) {
	for _, tt := range scripts {
		f.Add(tt.script)
	}
	f.Add(debianProfile)
	f.Fuzz(func(t *testing.T, script string) {
		files, err := hosttest.Text("-- etc/profile.d/a.sh --\numask 027\n")
		if err != nil {
			t.Fatal(err)
		}
		files.Write("/etc/profile", script)
		got, err := Read(host.New(files))
		if err == nil && len(got.Login) == 0 {
			t.Error("no mask at all")
		}
	})
}

// TestBounds: what is too much is an error, and soon.
func TestBounds(t *testing.T) {
	for name, line := range map[string]string{
		"functions in functions": "a() { # umask\n",
		"masks":                  "a && umask 22\n",
		"branches":               "case a in a) umask 1;;\n",
		"conditions":             "if a; then umask 3\nelif b; then\n",
		"commands in variables":  "U=umask\n$U 1\n",
		"calls":                  "a() { umask 022\n}\na\n",
	} {
		t.Run(name, func(t *testing.T) {
			h := hosttest.Host(t, "-- etc/profile --\n"+strings.Repeat(line, 20000))
			if s, err := Read(h); err == nil {
				t.Errorf("no error, but %d masks", len(s.Login))
			}
		})
	}
}
