package kubelet_test

import (
	"bytes"
	"encoding/json"
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
	"github.com/hardgate-dev/hardgate/nodecheck/host/hosttest"
	"github.com/hardgate-dev/hardgate/nodecheck/host/kubelet"
)

// kubeletEnv names a kubelet to compare with; without it, one in PATH is taken.
const kubeletEnv = "HARDGATE_KUBELET"

// TestOracle makes up configurations and asks a kubelet what it makes of them: at
// -v=5 it logs its configuration before it looks for anything to run. What it
// refuses must be an error here, and what it takes must be the same, or an error
// where this package is the stricter one.
func TestOracle(t *testing.T) {
	program := os.Getenv(kubeletEnv)
	if program == "" {
		var err error
		if program, err = exec.LookPath("kubelet"); err != nil {
			t.Skipf("no kubelet: %v; %s may name one", err, kubeletEnv)
		}
	}
	count := 150
	if testing.Short() {
		count = 20
	}
	compared, stricter := 0, 0
	for seed := range count {
		m := &maker{rand.New(rand.NewPCG(uint64(seed), 7))}
		dir := t.TempDir()
		args, files := m.node(dir)
		want, refusal := ask(t, program, dir, args, files)
		got, err := work(t, dir, args, files)
		switch {
		case want == nil && (strings.Contains(refusal, "failed to validate") || strings.Contains(refusal, "failed to construct")):
			// The values were worked out, and are not told.
		case want == nil && err == nil:
			t.Errorf("seed %d: the kubelet says %s\n%s", seed, refusal, describe(args, files))
		case want == nil:
			compared++
		default:
			if err != nil {
				stricter++
			} else {
				compared++
			}
			for path := range want {
				if _, ok := got[path]; !ok {
					delete(want, path) // an error
				}
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("seed %d: -kubelet +here:\n%s\n%s", seed, diff, describe(args, files))
			}
		}
		if t.Failed() {
			return
		}
	}
	t.Logf("%d of %d compared, %d stricter here", compared, count, stricter)
	if compared < count/4 {
		t.Errorf("only %d of %d compared", compared, count)
	}
}

func describe(args []string, files map[string]string) string {
	s := strings.Join(args, " ") + "\n"
	for name, content := range files {
		s += "-- " + name + " --\n" + content
	}
	return s
}

// work is the answer of this package.
func work(t *testing.T, dir string, args []string, files map[string]string) (map[string]any, error) {
	t.Helper()
	tree, err := hosttest.Text("-- proc/1/cmdline nul --\ninit\n-- proc/9/cwd -> " + dir + " --\n")
	if err != nil {
		t.Fatal(err)
	}
	tree.Write("proc/9/cmdline", "kubelet\x00"+strings.Join(args, "\x00")+"\x00")
	for name, content := range files {
		tree.Write(filepath.Join(dir, name), content)
	}
	if slices.Contains(args, "--config-dir="+filepath.Join(dir, "d")) {
		tree.Mkdir(filepath.Join(dir, "d"))
	}
	k, err := kubelet.Read(host.New(tree))
	if err != nil {
		t.Fatal(err)
	}
	return k.Effective()
}

// ask is the answer of a kubelet: its configuration, or why it has none.
func ask(t *testing.T, program, dir string, args []string, files map[string]string) (map[string]any, string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Join(dir, "d"), 0o700); err != nil {
		t.Fatal(err)
	}
	for name, content := range files {
		p := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(p), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(p, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	// The first two keep it from refusing this machine, and from finding a runtime.
	args = append([]string{
		"--fail-cgroupv1=false", "--container-runtime-endpoint=unix://" + filepath.Join(dir, "none.sock"), "--v=5",
		"--root-dir=" + filepath.Join(dir, "root"), "--cert-dir=" + filepath.Join(dir, "own"),
	}, args...)
	cmd := exec.CommandContext(t.Context(), program, args...)
	cmd.Dir = dir
	output, _ := cmd.CombinedOutput() // it fails for want of a runtime
	const begin = `"KubeletConfiguration" configuration=<`
	_, text, ok := bytes.Cut(output, []byte(begin))
	if !ok {
		_, refusal, _ := strings.Cut(string(output), "command failed")
		return nil, strings.TrimSpace(refusal)
	}
	var tree map[string]any
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	if err := decoder.Decode(&tree); err != nil {
		t.Fatalf("reading the kubelet's log: %v", err)
	}
	want := map[string]any{"featureGates": map[string]any{}}
	if gates, _ := child(tree, "featureGates").(map[string]any); gates != nil {
		want["featureGates"] = gates
	}
	for _, f := range kubelet.Fields {
		var v any = tree
		for name := range strings.SplitSeq(f.Path, ".") {
			v = child(v, name)
		}
		switch x := v.(type) {
		case json.Number:
			n, err := x.Int64()
			if err != nil {
				t.Fatal(err)
			}
			v = n
		case []any:
			list := []string{}
			for _, item := range x {
				list = append(list, fmt.Sprint(item))
			}
			v = list
		case nil:
			v = []string{}
		}
		want[f.Path] = v
	}
	// It leaves what flags and drop-ins write as it is, and opens it where it runs.
	for _, path := range []string{"authentication.x509.clientCAFile", "tlsCertFile", "tlsPrivateKeyFile"} {
		if name := fmt.Sprint(want[path]); name != "" && !filepath.IsAbs(name) {
			want[path] = filepath.Join(dir, name)
		}
	}
	// Where no certificate is set, it adds the one it makes.
	if want["tlsCertFile"] == filepath.Join(dir, "own", "kubelet.crt") {
		want["tlsCertFile"], want["tlsPrivateKeyFile"] = "", ""
	}
	return want, ""
}

// child is a field by its name in another case: the log has the internal names.
func child(v any, name string) any {
	object, _ := v.(map[string]any)
	for key, value := range object {
		if strings.EqualFold(key, name) {
			return value
		}
	}
	return nil
}
