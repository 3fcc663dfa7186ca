package suite

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// The package's own tests run as others' do: in this program, and in itself.
func TestMain(m *testing.M) {
	if os.Getenv("SUITE_INNER") == "" {
		os.Exit(m.Run())
	}
	Halves(m, "suite", "^TestOne$", func(_ context.Context, m *testing.M) (int, error) { return m.Run(), nil })
}

// note writes which process a test runs in.
func note(t *testing.T) {
	t.Helper()
	dir := os.Getenv("SUITE_INNER")
	if dir == "" {
		t.Skip("it is run by TestHalves")
	}
	if err := os.WriteFile(filepath.Join(dir, t.Name()), []byte(os.Getenv(halfEnv)), 0o600); err != nil {
		t.Fatal(err)
	}
	if os.Getenv("SUITE_FAILS") == t.Name() {
		t.Error("as it is told to")
	}
}

func TestOne(t *testing.T)   { note(t) }
func TestTwo(t *testing.T)   { note(t) }
func TestThree(t *testing.T) { note(t) }

// Each test runs once, in its half; a failure in either fails both and is seen; and tests
// that are chosen run here.
func TestHalves(t *testing.T) {
	if os.Getenv("SUITE_INNER") != "" {
		t.Skip("it would run itself")
	}
	for name, c := range map[string]struct {
		args  []string
		fails string
		want  map[string]string // by test
	}{
		"all":                   {nil, "", map[string]string{"TestOne": "1", "TestTwo": "2", "TestThree": "2"}},
		"one fails":             {nil, "TestOne", map[string]string{"TestOne": "1", "TestTwo": "2", "TestThree": "2"}},
		"one of the rest fails": {nil, "TestThree", map[string]string{"TestOne": "1", "TestTwo": "2", "TestThree": "2"}},
		"some are chosen":       {[]string{"-test.run=TestO|TestTw"}, "", map[string]string{"TestOne": "", "TestTwo": ""}},
		"some are left out":     {[]string{"-test.skip=TestO"}, "", map[string]string{"TestTwo": "", "TestThree": ""}},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			program, err := os.Executable()
			if err != nil {
				t.Fatal(err)
			}
			cmd := exec.CommandContext(t.Context(), program, append([]string{"-test.testlogfile=" + filepath.Join(dir, "log")}, c.args...)...)
			cmd.Env = append(os.Environ(), "SUITE_INNER="+dir, "SUITE_FAILS="+c.fails)
			out, err := cmd.CombinedOutput()
			if (err != nil) != (c.fails != "") || c.fails != "" && !strings.Contains(string(out), "--- FAIL: "+c.fails) {
				t.Errorf("%v:\n%s", err, out)
			}
			for _, test := range []string{"TestOne", "TestTwo", "TestThree"} {
				half, err := os.ReadFile(filepath.Join(dir, test))
				want, runs := c.want[test]
				if (err == nil) != runs || string(half) != want {
					t.Errorf("%s ran: %t, in half %q; want %t, %q", test, err == nil, half, runs, want)
				}
			}
		})
	}
}
