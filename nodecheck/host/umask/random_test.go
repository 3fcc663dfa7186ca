package umask

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hardgate-dev/hardgate/nodecheck/host"
	"github.com/hardgate-dev/hardgate/nodecheck/host/hosttest"
)

// TestRandomScripts makes scripts at random and asks real shells: whatever one ends
// with must be among the masks.
func TestRandomScripts(t *testing.T) {
	for _, shell := range []string{"dash", "bash"} {
		t.Run(shell, func(t *testing.T) {
			program, err := exec.LookPath(shell)
			if err != nil {
				if os.Getenv("HARDGATE_ORACLES") == "required" {
					t.Fatal(err)
				}
				t.Skipf("%s is not installed", shell)
			}
			random := rand.New(rand.NewPCG(3, 4)) // the same scripts each time
			dir := t.TempDir()
			var input bytes.Buffer
			var scripts, masks []string
			for i := range 400 {
				script := statements(random, 4)
				files, err := hosttest.Text("")
				if err != nil {
					t.Fatal(err)
				}
				files.Write("/etc/profile", script)
				got, err := Read(host.New(files))
				if err != nil {
					t.Fatalf("%v\n%s", err, script)
				}
				scripts, masks = append(scripts, script), append(masks, strings.ReplaceAll(show(got.Login), "-", "000"))
				name := filepath.Join(dir, fmt.Sprint(i))
				if err := os.WriteFile(name, []byte(script), 0o600); err != nil {
					t.Fatal(err)
				}
				fmt.Fprintf(&input, "(umask 0; . %s >/dev/null 2>&1 </dev/null; umask)\n", name)
			}
			cmd := exec.CommandContext(t.Context(), program)
			cmd.Stdin = &input
			out, err := cmd.Output()
			if err != nil {
				t.Fatal(err)
			}
			results := strings.Fields(string(out))
			if len(results) != len(scripts) {
				t.Fatalf("%d results of %d scripts", len(results), len(scripts))
			}
			sure := 0
			for i, result := range results {
				result = result[len(result)-3:]
				if masks[i] == result {
					sure++
				}
				if !strings.Contains(" "+masks[i]+" ", " "+result+" ") {
					t.Errorf("%s says %s, the masks are %s:\n%s", shell, result, masks[i], scripts[i])
				}
			}
			if sure < len(scripts)/10 {
				t.Errorf("only %d of %d scripts have one mask: the rest shows little", sure, len(scripts))
			}
		})
	}
}

// statements are a few lines of a script, nested up to a depth.
func statements(random *rand.Rand, depth int) string {
	pick := func(list ...string) string { return list[random.IntN(len(list))] }
	var b strings.Builder
	for range 1 + random.IntN(3) {
		inner := func() string {
			if depth == 0 {
				return "umask " + pick("022", "027", "077") + "\n"
			}
			return statements(random, depth-1)
		}
		one := "umask " + pick("022", "027", "077", "002", "007", "u=rwx,g=rx,o=", "g-w", "o+r")
		test := pick("true", "false", "[ 1 = 1 ]", "! true", "true && false", "false || true")
		var text string
		switch random.IntN(16) {
		case 0:
			text = fmt.Sprintf("if %s; then\n%sfi\n", test, inner())
		case 1:
			text = fmt.Sprintf("if %s\nthen %selse\n%sfi\n", test, inner(), inner())
		case 2:
			text = fmt.Sprintf("if %s; then\n%selif %s; then\n%selse %sfi\n", test, inner(), test, inner(), inner())
		case 3:
			text = fmt.Sprintf("%s && %s\n", test, one)
		case 4:
			text = fmt.Sprintf("%s || {\n%s}\n", test, inner())
		case 5:
			text = fmt.Sprintf("case %s in\n(a|b) %s;;\nb) ;;\nesac\n", pick("a", "b", "c"), inner())
		case 6:
			text = fmt.Sprintf("case %s in a) %s;; *) %s esac\n", pick("a", "b"), inner(), inner())
		case 7:
			text = fmt.Sprintf("for i in %s; do\n%sdone\n", pick("", "1", "1 2"), inner())
		case 8:
			text = fmt.Sprintf("while false; do %sdone\n", inner())
		case 9:
			text = fmt.Sprintf("( %s)\n", inner())
		case 10:
			name := fmt.Sprint("f", depth) // of its own, so that none calls itself
			text = fmt.Sprintf("%s() {\n%s}\n%s", name, inner(), pick("", name+"\n", one+"; "+name+"\n"))
		case 11:
			text = pick("", test+" && ") + "return\n"
		case 12:
			text = fmt.Sprintf("X=$(%s; echo ')')\n", one)
		case 13:
			text = fmt.Sprintf("cat <<E\n%s\nE\n", one)
		default:
			text = one + pick("\n", "; true\n", " # umask 000\n", " && true\n", " >/dev/null\n")
		}
		b.WriteString(text)
	}
	return b.String()
}
