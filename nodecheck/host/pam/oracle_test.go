package pam

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/hardgate-dev/hardgate/nodecheck/host"
	"github.com/hardgate-dev/hardgate/nodecheck/host/hosttest"
)

// program lets libpam go through the service "su" of each directory that it is given
// and prints what comes of it. It writes nothing and needs no privilege.
const program = `
import ctypes, sys
pam = ctypes.CDLL("libpam.so.0")
CONV = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p)
class Conv(ctypes.Structure):
    _fields_ = [("conv", CONV), ("data", ctypes.c_void_p)]
conv = Conv(CONV(lambda n, msg, resp, data: 0), None)
for line in sys.stdin:
    handle = ctypes.c_void_p()
    rc = pam.pam_start_confdir(b"su", b"root", ctypes.byref(conv), line.strip().encode(), ctypes.byref(handle))
    if rc == 0:
        rc = pam.pam_authenticate(handle, 0)
        pam.pam_end(handle, rc)
    print(rc, flush=True)
`

// TestLibpam compares Grants with libpam on stacks made at random. The module
// pam_debug returns what its argument says.
func TestLibpam(t *testing.T) {
	python, err := exec.LookPath("python3")
	if err == nil {
		err = exec.CommandContext(t.Context(), python, "-c", `import ctypes; ctypes.CDLL("libpam.so.0").pam_start_confdir`).Run()
	}
	if err != nil {
		if os.Getenv("HARDGATE_ORACLES") == "required" {
			t.Fatalf("python3 and libpam 1.4 are required: %v", err)
		}
		t.Skipf("python3 and libpam 1.4 are needed: %v", err)
	}
	random := rand.New(rand.NewPCG(1, 2)) // the same stacks each time
	dir := t.TempDir()
	var input bytes.Buffer
	var want []bool
	var stacks []string
	const stacksTried = 600
	for i := range stacksTried {
		files, err := hosttest.Text("")
		if err != nil {
			t.Fatal(err)
		}
		var all string
		for _, name := range []string{"su", "a", "b", "other"} {
			content := "auth required pam_debug.so auth=auth_err\n"
			if name != "other" {
				content = stack(random, name, filepath.Join(dir, fmt.Sprint(i)))
			}
			all += "-- " + name + " --\n" + content
			path := filepath.Join(dir, fmt.Sprint(i), name)
			files.Write("/etc/pam.d/"+name, content)
			files.Write(path, content)
			if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		s, err := Read(host.New(files), "su", Auth)
		if err != nil {
			t.Fatalf("%v\n%s", err, all)
		}
		by, err := s.Grants(func(r *Rule) []Code {
			value, _ := r.Arg("auth")
			return []Code{Code(slices.Index(names[:], value))}
		})
		if err != nil {
			t.Fatalf("%v\n%s", err, all)
		}
		want, stacks = append(want, by != nil), append(stacks, all)
		fmt.Fprintln(&input, filepath.Join(dir, fmt.Sprint(i)))
	}
	cmd := exec.CommandContext(t.Context(), python, "-c", program)
	cmd.Stdin = &input
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	results := strings.Fields(string(out))
	granted := 0
	for i, stack := range stacks {
		got := results[i] == "0"
		if got {
			granted++
		}
		if got != want[i] {
			t.Errorf("libpam returns %s, Grants says %v:\n%s", results[i], want[i], stack)
		}
	}
	if granted < stacksTried/10 || granted > stacksTried*9/10 {
		t.Errorf("%d of %d stacks end in success: too few of one kind to tell", granted, stacksTried)
	}
}

// stack makes a file of a few rules; su may include a, and a may include b. They do
// so by whole paths: libpam looks for others in the machine's own directory.
func stack(random *rand.Rand, name, dir string) string {
	pick := func(list ...string) string { return list[random.IntN(len(list))] }
	var b strings.Builder
	for range 1 + random.IntN(5) {
		control := pick("required", "requisite", "sufficient", "optional", "[%s=%s %s=%s default=%s]", "[%s=%s default=%s]")
		action := func() string { return pick("ok", "done", "bad", "die", "ignore", "reset", "1", "2", "3") }
		code := func() string { return pick("success", "auth_err", "new_authtok_reqd", "ignore", "user_unknown") }
		switch strings.Count(control, "%s") {
		case 3:
			control = fmt.Sprintf(control, code(), action(), action())
		case 5:
			control = fmt.Sprintf(control, code(), action(), code(), action(), action())
		}
		module := "pam_debug.so auth=" + pick("success", "success", "success", "auth_err", "ignore", "new_authtok_reqd", "user_unknown")
		below := map[string]string{"su": "a", "a": "b"}[name]
		if below != "" && random.IntN(4) == 0 {
			control, module = pick("include", "substack"), filepath.Join(dir, below)
		}
		fmt.Fprintf(&b, "auth %s %s\n", control, module)
	}
	return b.String()
}
