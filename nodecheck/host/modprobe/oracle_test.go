package modprobe

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hardgate-dev/hardgate/nodecheck/host"
)

// oracleRelease is the kernel of the trees that both sides read.
const oracleRelease = "6.1.0-test"

// oracleModules are the files of that kernel. Names contain each other and are
// spelled both ways.
var oracleModules = []string{"cramfs", "hfs", "hfsplus", "rds", "rds_tcp", "usb-storage", "firewire_core"}

// TestOracle asks the real modprobe what it makes of random configurations.
func TestOracle(t *testing.T) {
	modprobe := tool(t, "modprobe")
	dir := oracleKernel(t)
	configurations := 120
	if testing.Short() {
		configurations = 25
	}
	for i := range configurations {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			generate(t, rand.New(rand.NewPCG(1, uint64(i))), dir)
			root, err := host.Open(dir)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = root.Close() })
			n := Read(host.New(root))
			if err := n.Config(); err != nil {
				t.Fatal(err)
			}
			args := []string{"-d", dir, "-S", oracleRelease}
			for _, d := range Dirs {
				args = append(args, "-C", filepath.Join(dir, d))
			}
			theirs := output(t, modprobe, append(args, "--showconfig")...)
			if diff := cmp.Diff(showConfig(theirs), n.show()); diff != "" {
				t.Errorf("configuration (-theirs +ours):\n%s", diff)
			}
			for _, name := range oracleModules {
				p, err := n.Presence(name)
				if err != nil || p.Kind != Loadable {
					t.Errorf("Presence(%s) is %v, %v", name, p, err)
				}
				if dep := n.Softdep(name); dep != nil && !slices.ContainsFunc(dep.Names, exists) {
					continue // here Softdep is stricter, and says so
				}
				for _, by := range []string{name, "by-alias-" + name} {
					denied := false
					if by != name {
						_, denied = n.Denied(name)
					}
					want := decision{Inserts: !denied}
					if install := n.Install(name); install != nil && !denied && n.Softdep(name) == nil {
						want = decision{Command: strings.TrimSpace(install.Command)}
					}
					out := output(t, modprobe, append(args, "--show-depends", by)...)
					if diff := cmp.Diff(decide(out, name, want.Command), want); diff != "" {
						t.Errorf("modprobe %s (-theirs +ours):\n%s\nit says:\n%s", by, diff, out)
					}
				}
			}
		})
		if t.Failed() {
			t.Fatalf("configuration %d in %s", i, tree(t, dir))
		}
	}
}

// TestOracleShell runs random commands: one that is called harmless has no effect.
func TestOracleShell(t *testing.T) {
	shell := tool(t, "sh")
	words := []string{
		"/bin/true", "/bin/false", "true", ":", "touch", "mark", "&&", "||", ";", "|", "&", ">mark", "> mark", "2>&1", "$(touch mark)", "`touch mark`",
		"#", "#touch", "\"", "'", "\\", "\t", "(", ")", "!", "--", "-x", "a=b", "*", "~", "if", "\r", "/sbin/nologin", "<(touch mark)", "${x:=mark}",
	}
	r := rand.New(rand.NewPCG(2, 0))
	harmless := 0
	for range 1500 {
		var b strings.Builder
		b.WriteString(words[r.IntN(4)])
		for range r.IntN(4) {
			b.WriteString([]string{" ", "", "\t"}[r.IntN(3)] + words[r.IntN(len(words))])
		}
		line := Install{Command: b.String()}
		if !line.Disables() {
			continue
		}
		harmless++
		dir := t.TempDir()
		cmd := exec.CommandContext(t.Context(), shell, "-c", line.Command)
		cmd.Dir = dir
		_ = cmd.Run()
		if _, err := os.Stat(filepath.Join(dir, "mark")); err == nil {
			t.Errorf("%q is called harmless and touches a file", line.Command)
		}
	}
	if harmless < 50 {
		t.Errorf("only %d of the commands were harmless: this shows little", harmless)
	}
}

func exists(name string) bool {
	return slices.ContainsFunc(oracleModules, func(m string) bool { return Canonical(m) == Canonical(name) })
}

// decision is what modprobe does for a module itself.
type decision struct {
	Inserts bool
	Command string
}

// decide reads the output of --show-depends, which names what would be done for a
// module and for its soft dependencies.
func decide(out, name, command string) (d decision) {
	for line := range strings.Lines(out) {
		line = strings.TrimSuffix(line, "\n")
		verb, rest, _ := strings.Cut(line, " ")
		rest = strings.TrimSpace(rest)
		file, _, _ := strings.Cut(rest, " ") // options come after it
		switch {
		case verb == "insmod" && strings.HasSuffix(file, "/"+name+".ko"):
			d.Inserts = true
		case verb == "install" && command != "" && strings.HasPrefix(rest, command):
			d.Command = command
		}
	}
	return d
}

// showConfig takes the lines out that can be compared: kmod 30 leaves words of a
// softdep out when it prints one.
func showConfig(out string) (list []string) {
	for line := range strings.Lines(out) {
		line = strings.TrimSuffix(line, "\n")
		if line == "# End of configuration files. Dumping indexes now:" {
			break
		}
		switch verb, _, _ := strings.Cut(line, " "); verb {
		case "install", "blacklist":
			list = append(list, line)
		}
	}
	return list
}

func (n *Node) show() (list []string) {
	for _, d := range n.config.denied {
		list = append(list, "blacklist "+d.name)
	}
	for _, l := range n.config.installs {
		list = append(list, "install "+l.Pattern+" "+l.Command)
	}
	return list
}

// output is what a program prints; how it ends is part of no answer here.
func output(t *testing.T, program string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), program, args...)
	cmd.Env = []string{}
	out, err := cmd.Output()
	var status *exec.ExitError
	if err != nil && !errors.As(err, &status) {
		t.Fatal(err)
	}
	return string(out)
}

func tool(t *testing.T, name string) string {
	t.Helper()
	for _, dir := range []string{"/usr/sbin", "/sbin", "/usr/bin", "/bin"} {
		if p, err := exec.LookPath(filepath.Join(dir, name)); err == nil {
			return p
		}
	}
	const hint = "is not installed (Debian package kmod); HARDGATE_ORACLES=required makes this an error"
	if os.Getenv("HARDGATE_ORACLES") == "required" {
		t.Fatalf("%s %s", name, hint)
	}
	t.Skipf("%s %s", name, hint)
	return ""
}
