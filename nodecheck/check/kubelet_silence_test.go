package check

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hardgate-dev/hardgate/control"
	"github.com/hardgate-dev/hardgate/nodecheck/host"
	"github.com/hardgate-dev/hardgate/nodecheck/host/hosttest"
	"github.com/hardgate-dev/hardgate/nodecheck/host/kubelet"
)

// What a person reads says that nobody has confirmed a value, whatever the verdict is.
func TestKubeletSilence(t *testing.T) {
	const node = "-- proc/1/cmdline nul --\ninit\n-- proc/812/cmdline nul --\nkubelet\n--config=/c\n--read-only-port=0\n"
	const changed = "-- proc/812/stat --\n812 (kubelet) S 1 812 812 0 -1 4194560 0 0 0 0 0 0 0 0 20 0 1 0 100 0 0\n-- proc/stat --\nbtime 1767225600\n"
	const file = " --\napiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\npodPidsLimit: 0\nrotateCertificates: true\n"
	for name, c := range map[string]struct {
		id     control.ID
		tree   string
		status control.Status
		want   []string
	}{
		"passed": {"kubelet-rotate-certificates", node + "-- c" + file, control.Pass, []string{
			"/c:4: rotateCertificates: true, want rotateCertificates: true; the kubelet does not tell what is in force (403)",
		}},
		"failed": {"kubelet-pod-pids-limit", node + "-- c" + file, control.Fail, []string{
			"/c:3: podPidsLimit: 0, want podPidsLimit: above 0; this is no limit for a pod; the kubelet does not tell what is in force (403)",
		}},
		"cannot be told": {"kubelet-rotate-certificates", node + changed + "-- c mtime=2026-11-01T10:00:00Z" + file, control.Unknown, []string{
			"/c: could not tell: it changed after the kubelet started, so that what is in force is not known; the kubelet does not tell what is in force (403)",
			"persisted /c:4: rotateCertificates: true, want rotateCertificates: true",
		}},
		"by a flag": {"kubelet-read-only-port", node + "-- c" + file, control.Pass, []string{
			"/proc/812/cmdline: --read-only-port=0, want readOnlyPort: 0",
		}},
	} {
		t.Run(name, func(t *testing.T) {
			tree, err := hosttest.Text(c.tree)
			if err != nil {
				t.Fatal(err)
			}
			h := host.New(tree)
			host.Provide(h, kubelet.Silence("403"))
			i := slices.IndexFunc(kubeletChecks, func(k *Check) bool { return k.ID == c.id })
			got := Run(h, kubeletChecks[i:i+1], NewRules())[0]
			if got.Status != c.status {
				t.Errorf("status is %s, want %s", got.Status, c.status)
			}
			var text []string
			for _, f := range slices.Concat(got.Findings, got.Evidence) {
				text = append(text, strings.TrimSpace(string(f.State)+" "+f.String()))
			}
			if diff := cmp.Diff(c.want, text); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}
