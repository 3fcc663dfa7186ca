package pwquality

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/hardgate-dev/hardgate/nodecheck/host"
	"github.com/hardgate-dev/hardgate/nodecheck/host/hosttest"
)

func tree(tb testing.TB, files map[string]string) *host.Host {
	tb.Helper()
	tree, err := hosttest.Text("")
	if err != nil {
		tb.Fatal(err)
	}
	for name, content := range files {
		tree.Write(name, content)
	}
	return host.New(tree)
}

const (
	conf = "/etc/security/pwquality.conf"
	dir  = "/etc/security/pwquality.conf.d/"
)

// cases have the length that is asked for, 0 for an error.
var cases = map[string]struct {
	files map[string]string
	want  int
}{
	"file":               {map[string]string{conf: "minlen = 20\n"}, 20},
	"file wins":          {map[string]string{conf: "minlen = 30\n", dir + "99.conf": "minlen = 20\n"}, 30},
	"directory":          {map[string]string{conf: "", dir + "50.conf": "minlen = 20\n", dir + "60.conf": "minlen = 25\n"}, 25},
	"capitals first":     {map[string]string{dir + "Z.conf": "minlen = 20\n", dir + "a.conf": "minlen = 25\n"}, 25},
	"hidden":             {map[string]string{dir + ".h.conf": "minlen = 25\n"}, 25},
	"suffix":             {map[string]string{conf: "minlen = 20\n", dir + "a": "minlen = 25\n"}, 20},
	"later line":         {map[string]string{conf: "minlen = 20\nminlen = 25\n"}, 25},
	"letters and spaces": {map[string]string{conf: "  MinLen \t 22  \n"}, 22},
	"no spaces":          {map[string]string{conf: "minlen=23"}, 23},
	"comment":            {map[string]string{conf: "#minlen=30\nminlen=23#30\n"}, 23},
	"carriage return":    {map[string]string{conf: "minlen=23\r\n"}, 23},
	"sign":               {map[string]string{conf: "minlen = +25\n"}, 25},
	"flag":               {map[string]string{conf: "enforce_for_root = 0\nlocal_users_only\nminlen = 25\n"}, 25},
	"text":               {map[string]string{conf: "badwords = a b c\nminlen = 25\n"}, 25},
	"unknown":            {map[string]string{conf: "minlen = 20\nfoo = 1\n"}, 0},
	"unknown in .d":      {map[string]string{conf: "minlen = 20\n", dir + "a.conf": "foo = 1\n"}, 0},
	"no number":          {map[string]string{conf: "minlen = 20x\n"}, 0},
	"hexadecimal":        {map[string]string{conf: "minlen = 0x20\n"}, 0},
	"two numbers":        {map[string]string{conf: "minlen 20 25\n"}, 0},
	"two signs":          {map[string]string{conf: "minlen == 25\n"}, 0},
	"no value":           {map[string]string{conf: "minlen\n"}, 0},
	"flag of a number":   {map[string]string{conf: "enforcing\n"}, 0},
	"no name":            {map[string]string{conf: "=25\n"}, 0},
	"underscore":         {map[string]string{conf: "minlen = 2_5\n"}, 0},
	"long line":          {map[string]string{conf: "minlen = 20 #" + strings.Repeat("x", 1100) + "\n"}, 0},
	"longest line":       {map[string]string{conf: "minlen = 20 #" + strings.Repeat("x", 1009) + "\n"}, 20},
}

func TestRead(t *testing.T) {
	for name, tt := range cases {
		t.Run(name, func(t *testing.T) {
			s, err := Read(tree(t, tt.files))
			if tt.want == 0 {
				if !errors.Is(err, host.ErrMalformed) {
					t.Errorf("error %v, want a malformed file", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got := s.Get("minlen").Value; got != tt.want {
				t.Errorf("minlen is %d, want %d", got, tt.want)
			}
		})
	}
}

func TestDefaults(t *testing.T) {
	s, err := Read(tree(t, nil))
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]int{"minlen": 8, "dcredit": 0, "minclass": 0, "enforcing": 1, "retry": 1, "dictcheck": 1} {
		if got := s.Get(name); got != (Setting{Value: want}) {
			t.Errorf("%s is %+v, want %d", name, got, want)
		}
	}
}

func TestWith(t *testing.T) {
	s, err := Read(tree(t, map[string]string{conf: "minlen = 14\nenforcing = 1\n"}))
	if err != nil {
		t.Fatal(err)
	}
	on := s.With([]string{"retry=3", "minlen=8", "MINCLASS=4", "dcredit=x", "try_first_pass", "local_users_only"}, "/etc/pam.d/passwd:1")
	for name, want := range map[string]Setting{
		"retry": {3, "/etc/pam.d/passwd:1"}, "minlen": {8, "/etc/pam.d/passwd:1"}, "minclass": {4, "/etc/pam.d/passwd:1"},
		"dcredit": {}, "enforcing": {1, conf + ":2"}, "local_users_only": {1, "/etc/pam.d/passwd:1"},
	} {
		if got := on.Get(name); got != want {
			t.Errorf("%s is %+v, want %+v", name, got, want)
		}
	}
	if s.Get("minlen").Value != 14 {
		t.Error("the arguments changed the settings of the files")
	}
}

// TestPwscore asks libpwquality itself, in a root of its own.
func TestPwscore(t *testing.T) {
	program, err := exec.LookPath("pwscore")
	if err != nil || os.Geteuid() != 0 {
		if os.Getenv("HARDGATE_ORACLES") == "required" {
			t.Fatalf("pwscore of libpwquality-tools and root are required: %v", err)
		}
		t.Skipf("pwscore of libpwquality-tools and root are needed: %v", err)
	}
	list, err := exec.CommandContext(t.Context(), "ldd", program).Output()
	if err != nil {
		t.Fatal(err)
	}
	needed := append(regexp.MustCompile(`/\S+`).FindAllString(string(list), -1), program)
	short := regexp.MustCompile(`shorter than (\d+) characters`)
	for name, tt := range cases {
		t.Run(name, func(t *testing.T) {
			root := t.TempDir()
			for _, path := range needed {
				data, err := os.ReadFile(path)
				if err != nil {
					t.Fatal(err)
				}
				write(t, filepath.Join(root, path), data)
			}
			for path, content := range tt.files {
				write(t, filepath.Join(root, path), []byte(content))
			}
			cmd := exec.CommandContext(t.Context(), "chroot", root, program)
			cmd.Env = append(os.Environ(), "LC_ALL=C")
			cmd.Stdin = strings.NewReader("Ab1$xyzQwe\n")
			out, _ := cmd.CombinedOutput() // it fails with the reason, which is what is looked at
			switch got := short.FindSubmatch(out); {
			case tt.want == 0:
				if !bytes.HasPrefix(out, []byte("Error:")) {
					t.Errorf("pwscore says %q, want an error", out)
				}
			case len(got) == 0 || string(got[1]) != fmt.Sprint(tt.want):
				t.Errorf("pwscore says %q, want %d", out, tt.want)
			}
		})
	}
}

func write(t *testing.T, path string, data []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, data, 0o755); err != nil {
		t.Fatal(err)
	}
}

func FuzzRead(f *testing.F) {
	for _, tt := range cases {
		for _, content := range tt.files {
			f.Add(content)
		}
	}
	f.Fuzz(func(t *testing.T, content string) {
		s, err := Read(tree(t, map[string]string{conf: content}))
		if err != nil {
			return
		}
		for name, v := range s.set {
			if v.Where == "" || name != strings.ToLower(name) {
				t.Errorf("%q is set at %q", name, v.Where)
			}
		}
	})
}
