package systemd

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	"github.com/hardgate-dev/hardgate/nodecheck/host"
)

// TestOracle writes each case to disk and asks systemd what it loads. Before
// variables are put in, the command is the same; variables have their own cases,
// since systemd tells them only when it starts a service.
func TestOracle(t *testing.T) {
	analyze := tool(t, "systemd-analyze")
	systemctl := tool(t, "systemctl")
	for name, c := range cases(t) {
		t.Run(name, func(t *testing.T) {
			if c.noOracle != "" {
				t.Skip(c.noOracle)
			}
			dir := t.TempDir()
			write(t, dir, c.archive)
			root, err := host.Open(dir)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = root.Close() })
			h := host.New(root)
			theirs := load(t, analyze, dir, c.unit)
			u, err := Read(h, c.unit)
			if err != nil {
				if theirs.load == "loaded" {
					t.Errorf("Read says %v, systemd loads it", err)
				}
				return
			}
			want := loadedUnit{load: "loaded", file: u.Path, dropIns: u.Files[1:]}
			if u.Masked {
				want = loadedUnit{load: "masked"}
			} else {
				u.Settings = slices.DeleteFunc(u.Settings, func(s Setting) bool { return strings.Contains(s.Key, "Environment") })
				if _, _, err := u.Command(h); err != nil {
					if theirs.load == "loaded" && theirs.command != "" {
						t.Errorf("Command says %v, systemd %s", err, theirs.command)
					}
					return
				}
				list := u.List("Service", "ExecStart")
				commands, err := u.commands(list[len(list)-1].Value)
				if err != nil {
					t.Fatal(err)
				}
				cmd := commands[len(commands)-1]
				want.command = shell(append([]string{cmd.path}, cmd.args...))
			}
			if diff := cmp.Diff(want, theirs, cmp.AllowUnexported(loadedUnit{})); diff != "" {
				t.Errorf("(-ours +theirs):\n%s", diff)
			}
			state := run(exec.CommandContext(t.Context(), systemctl, "--root="+dir, "is-enabled", c.unit))
			on, _, err := Enabled(h, c.unit)
			if err != nil {
				t.Fatal(err)
			}
			switch state := strings.TrimSpace(state); state {
			case "enabled", "enabled-runtime":
				if !on {
					t.Error("systemctl says it is enabled")
				}
			case "disabled", "masked", "masked-runtime":
				if on {
					t.Errorf("systemctl says it is %s", state)
				}
			default: // alias, static, linked or an error: not whether something pulls it in
			}
		})
	}
}

// TestPulledIn asks what a target wants, whatever systemctl says of links.
func TestPulledIn(t *testing.T) {
	analyze := tool(t, "systemd-analyze")
	dir := t.TempDir()
	const units = "-- usr/lib/systemd/system/multi-user.target --\n[Unit]\nDefaultDependencies=no\n"
	const vendor, site = "usr/lib/systemd/system/", "etc/systemd/system/"
	archive := units
	list := []string{"alias", "empty", "gone", "local", "masked", "none", "other", "plain", "vendor"}
	for _, name := range list {
		archive += "-- " + vendor + name + ".service --\n[Unit]\nDefaultDependencies=no\n[Service]\nExecStart=/bin/true\n"
	}
	const wants = "multi-user.target.wants/"
	archive += "-- " + vendor + wants + "vendor.service -> ../vendor.service --\n" +
		"-- " + vendor + wants + "masked.service -> ../masked.service --\n" +
		"-- " + site + wants + "masked.service -> /dev/null --\n" +
		"-- " + vendor + wants + "empty.service -> ../empty.service --\n" +
		"-- " + site + wants + "empty.service --\n" +
		"-- " + site + wants + "plain.service --\ntext\n" +
		"-- " + site + wants + "local.service -> ../other.service --\n" + // the name of the link counts
		"-- " + site + wants + "gone.service -> /nowhere/gone.service --\n" +
		"-- " + site + "second.service -> /usr/lib/systemd/system/alias.service --\n" +
		"-- " + site + wants + "second.service -> /usr/lib/systemd/system/alias.service --\n"
	write(t, dir, txtar.Parse([]byte(archive)))
	cmd := exec.CommandContext(t.Context(), analyze, "--root="+dir, "--man=no", "--generators=no", "verify", "multi-user.target")
	cmd.Env = append(os.Environ(), "SYSTEMD_LOG_LEVEL=debug", "SYSTEMD_LOG_TARGET=console")
	out := run(cmd)
	if !strings.Contains(out, "vendor.service") {
		t.Fatalf("systemd-analyze says nothing of use:\n%s", out)
	}
	root, err := host.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = root.Close() })
	h := host.New(root)
	for _, name := range list {
		theirs := strings.Contains(out, "Wants: "+name+".service ")
		ours, where, err := Enabled(h, name+".service")
		if err != nil || ours != theirs {
			t.Errorf("%s: %v at %s, %v; systemd says %v", name, ours, where, err, theirs)
		}
	}
}

type loadedUnit struct {
	load, file, command string
	dropIns             []string
}

// load asks systemd-analyze, which loads a unit with the manager's own code and
// dumps it at debug level.
func load(t *testing.T, analyze, dir, unit string) loadedUnit {
	t.Helper()
	write(t, dir, txtar.Parse([]byte("-- usr/lib/systemd/system/sysinit.target --\n[Unit]\nDefaultDependencies=no\n"+
		"-- usr/lib/systemd/system/basic.target --\n[Unit]\nDefaultDependencies=no\n"+
		"-- usr/lib/systemd/system/shutdown.target --\n[Unit]\nDefaultDependencies=no\n")))
	cmd := exec.CommandContext(t.Context(), analyze, "--root="+dir, "--man=no", "--generators=no", "verify", unit)
	cmd.Env = append(os.Environ(), "SYSTEMD_LOG_LEVEL=debug", "SYSTEMD_LOG_TARGET=console")
	out := run(cmd)
	if strings.Contains(out, "is masked") {
		return loadedUnit{load: "masked"}
	}
	var u loadedUnit
	inUnit := false
	for line := range strings.Lines(out) {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "-> Unit ") {
			inUnit = u.load == ""
		}
		if !inUnit {
			continue
		}
		key, value, _ := strings.Cut(line, ": ")
		switch key {
		case "Unit Load State":
			u.load = value
		case "Fragment Path":
			// Where /lib is a link, the one way to a file is as good as the other.
			u.file = strings.Replace(strings.TrimPrefix(value, dir), "/lib/", "/usr/lib/", 1)
			u.file = strings.Replace(u.file, "/usr/usr/", "/usr/", 1)
		case "DropIn Path":
			// It lists masks too, which add nothing.
			if target, _ := os.Readlink(value); target != "/dev/null" {
				u.dropIns = append(u.dropIns, strings.TrimPrefix(value, dir))
			}
		case "Command Line":
			u.command = value
		}
	}
	if u.dropIns == nil {
		u.dropIns = []string{}
	}
	return u
}

func run(cmd *exec.Cmd) string {
	out, _ := cmd.CombinedOutput() // it fails for units that are not to be started
	return string(out)
}

func tool(t *testing.T, name string) string {
	t.Helper()
	p, err := exec.LookPath(name)
	if err != nil {
		if oracles {
			t.Fatal(err)
		}
		t.Skipf("%s is not installed; HARDGATE_ORACLES=required makes this an error", name)
	}
	return p
}

// shell quotes as systemd does in its dump.
func shell(words []string) string {
	for i, w := range words {
		if w == "" || strings.ContainsAny(w, " \t\n\"\\`$*?['()<>|&;!") {
			words[i] = `"` + strings.NewReplacer(`"`, `\"`, `\`, `\\`, "`", "\\`", `$`, `\$`, "\t", `\t`).Replace(w) + `"`
		}
	}
	return strings.Join(words, " ")
}

// write puts an archive on disk, links included.
func write(t *testing.T, dir string, a *txtar.Archive) {
	t.Helper()
	for _, f := range a.Files {
		name, target, isLink := strings.Cut(f.Name, " -> ")
		p := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
			t.Fatal(err)
		}
		var err error
		switch {
		case strings.HasSuffix(name, "/"):
			err = os.MkdirAll(p, 0o755)
		case isLink:
			err = os.Symlink(target, p)
		default:
			err = os.WriteFile(p, f.Data, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}
