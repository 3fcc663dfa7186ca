//go:build unix

package manifest_test

import (
	"os"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hardgate-dev/hardgate/manifest"
)

// TestLoadPipe: a pipe in a directory would block for ever; one that is named is
// what a shell makes of <(command).
func TestLoadPipe(t *testing.T) {
	tree(t, map[string]string{"d/a.yaml": yamlA})
	if err := syscall.Mkfifo("d/p.yaml", 0o600); err != nil {
		t.Skip(err)
	}
	_, problems := got(manifest.Load([]string{"d"}, nil))
	if diff := cmp.Diff([]string{"d/p.yaml: not a file"}, problems); diff != "" {
		t.Errorf("errors (-want +got):\n%s", diff)
	}
	written := make(chan error, 1)
	go func() { written <- os.WriteFile("d/p.yaml", []byte(yamlB), 0o600) }()
	objects, problems := got(manifest.Load([]string{"d/p.yaml"}, nil))
	if err := <-written; err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"d/p.yaml#0 " + podB}, objects); diff != "" || problems != nil {
		t.Errorf("errors %v, objects (-want +got):\n%s", problems, diff)
	}
}
