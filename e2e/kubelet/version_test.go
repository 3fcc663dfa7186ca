package kubelet

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/hardgate-dev/hardgate/api/v1alpha1"
	"github.com/hardgate-dev/hardgate/control"
)

// minor is the minor version of the kubelet, which is the API server's: 36 of 1.36.
func minor(t *testing.T) int {
	t.Helper()
	v, err := lab.admin.Discovery().ServerVersion()
	if err != nil {
		t.Fatal(err)
	}
	n, err := strconv.Atoi(v.Minor)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// Versions from which on a kubelet is another.
const (
	tells       = 33 // its configuration to those who may get nodes/configz
	ignoresIdle = 34 // streamingConnectionIdleTimeout
)

// goesByFiles is what the agent makes of a kubelet that does not tell what is in force: it
// says so once in its log, and wherever it would matter.
func (a *agent) goesByFiles(t *testing.T, onDisk string) {
	t.Helper()
	for _, want := range []control.Status{control.Fail, control.Unknown} {
		text := head + onDisk
		if want == control.Fail {
			text = strings.Replace(text, "readOnlyPort: 0", "readOnlyPort: 10255", 1)
		}
		if err := os.WriteFile(configFile, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		a.await(t, fmt.Sprintf("kubelet-read-only-port to be %s by a file that the kubelet has not read", want), func(r *v1alpha1.NodeReport) error {
			got := verdict(r, "kubelet-read-only-port")
			if got.Status != string(want) || want == control.Unknown && !strings.Contains(fmt.Sprint(got.Findings), "the kubelet does not tell what is in force (it answers 403") {
				return fmt.Errorf("%+v", got)
			}
			return nil
		})
	}
	logs, err := filepath.Glob("/var/log/pods/" + agentNamespace + "_*/*/*.log")
	if err != nil || len(logs) == 0 {
		t.Fatalf("%v; no log", err)
	}
	for _, name := range logs {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if n := strings.Count(string(text), "the kubelet does not tell its configuration"); n != 1 {
			t.Errorf("%s says %d times that the kubelet does not tell its configuration", name, n)
		}
	}
}
