package accounts

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/hardgate-dev/hardgate/nodecheck/host"
)

// oracle finds a program of shadow-utils that works on another root, which only root
// may do.
func oracle(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err == nil && os.Geteuid() == 0 {
		return path
	}
	if os.Getenv("HARDGATE_ORACLES") == "required" {
		t.Fatalf("%s as root is required: %v", name, err)
	}
	t.Skipf("%s as root is needed: %v", name, err)
	return ""
}

// node writes files below a directory and opens it both ways.
func node(t *testing.T, files map[string]string) (string, *host.Host) {
	t.Helper()
	dir := t.TempDir()
	for name, content := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	root, err := host.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = root.Close() })
	return dir, host.New(root)
}

func run(t *testing.T, name string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Env = append(os.Environ(), "LC_ALL=C")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s %q: %v\n%s", name, args, err, out)
	}
	return string(out)
}

const nodePasswd = "root:x:0:0:root:/root:/bin/sh\nal:x:1000:1000::/home/al:/bin/sh\n"

// TestInactiveOracle compares with useradd -D.
func TestInactiveOracle(t *testing.T) {
	useradd := oracle(t, "useradd")
	for _, content := range []string{
		"INACTIVE=30\n", "INACTIVE=-1\n", "INACTIVE=0\n", "INACTIVE=30\nINACTIVE=45\n", "INACTIVE=30 # c\n", " INACTIVE=30\n",
		"INACTIVE=\"20\"\n", "INACTIVE=0x1e\n", "INACTIVE=\n", "INACTIVE=40\nINACTIVE=20x\n", "INACTIVE=20x\nINACTIVE=40\n",
		"INACTIVE= 30\n", "INACTIVE=030\n", "INACTIVE=30 \n", "INACTIVE=-5\n", "inactive=3\n", "INACTIVE=+7", "SHELL=/bin/sh\n", "INACTIVE=40\r\n", "#INACTIVE=3\n", "INACTIVE=0b11\n", "INACTIVE=1_0\n", "INACTIVE=099\n",
	} {
		dir, h := node(t, map[string]string{"etc/default/useradd": content, "etc/passwd": nodePasswd, "etc/group": "root:x:0:\n", "etc/login.defs": ""})
		want := regexp.MustCompile(`(?m)^INACTIVE=(-?\d+)$`).FindStringSubmatch(run(t, useradd, "-D", "-R", dir))
		got, err := ReadUseradd(h)
		if err != nil {
			t.Fatal(err)
		}
		if strconv.Itoa(got.Days()) != want[1] {
			t.Errorf("%q: %d, useradd says %s", content, got.Days(), want[1])
		}
	}
}

// TestMaxDaysOracle lets useradd make an account and looks at what it wrote.
func TestMaxDaysOracle(t *testing.T) {
	useradd := oracle(t, "useradd")
	for _, value := range []string{"90", "90 # c", `"60"`, "0x5a", "090", "070", "99 88", "90x", "", "-1", "0", "0b11", "1_0", `"45`, "90\t", "\t  45"} {
		for _, more := range []string{"", "PASS_MAX_DAYS 33\n"} {
			content := "PASS_MAX_DAYS " + value + "\n" + more
			dir, h := node(t, map[string]string{
				"etc/login.defs": content, "etc/passwd": nodePasswd, "etc/group": "root:x:0:\n", "etc/shadow": "root:*:1:0:9:7:::\n", "etc/default/useradd": "",
			})
			run(t, useradd, "-R", dir, "-M", "-N", "-g", "0", "new")
			shadow, err := ReadShadow(h)
			if err != nil {
				t.Fatal(err)
			}
			made, _ := shadow.Get("new")
			defs, err := ReadDefs(h)
			if err != nil {
				t.Fatal(err)
			}
			v, _ := defs.Get("PASS_MAX_DAYS")
			got, ok := v.Int()
			switch {
			case !ok || got == -1:
				if made.MaxDays != nil {
					t.Errorf("%q: no number, useradd takes %d", content, *made.MaxDays)
				}
			case made.MaxDays == nil || *made.MaxDays != got:
				t.Errorf("%q: %d, useradd takes another", content, got)
			}
		}
	}
}

// TestChageOracle compares the fields of shadow with what chage says of them.
func TestChageOracle(t *testing.T) {
	chage := oracle(t, "chage")
	for _, fields := range []string{"90:7:30", "99999:7:", ":7:", "-1:7:-1", "10000:7:5", "0:7:0", "60:7:"} {
		dir, h := node(t, map[string]string{"etc/passwd": nodePasswd, "etc/shadow": "al:$6$salt$hash:19000:0:" + fields + "::\n", "etc/login.defs": ""})
		out := run(t, chage, "-R", dir, "-l", "al")
		shadow, err := ReadShadow(h)
		if err != nil {
			t.Fatal(err)
		}
		al, _ := shadow.Get("al")
		want := regexp.MustCompile(`(?m)^Maximum number .*: (-?\d+)$`).FindStringSubmatch(out)
		got := "-1"
		if al.MaxDays != nil {
			got = strconv.Itoa(*al.MaxDays)
		}
		if len(want) == 0 || want[1] != got {
			t.Errorf("%s: maximum %s, chage says %q", fields, got, want)
		}
		// chage says "never" for an account that never becomes inactive, also because
		// its password never expires.
		if never := strings.Contains(out, "Password inactive\t\t\t\t\t: never"); !never && (al.InactiveDays == nil || *al.InactiveDays < 0) {
			t.Errorf("%s: no inactive days, chage says\n%s", fields, out)
		}
	}
}
