package kubelet_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hardgate-dev/hardgate/nodecheck/host"
	"github.com/hardgate-dev/hardgate/nodecheck/host/hosttest"
	"github.com/hardgate-dev/hardgate/nodecheck/host/kubelet"
)

// A kubelet that refuses to tell is told of wherever a file or a default is taken for what
// is in force, and nowhere else.
func TestSilence(t *testing.T) {
	const process = "-- proc/1/cmdline nul --\ninit\n-- proc/812/cmdline nul --\n/usr/bin/kubelet\n--config=/c/a\n--read-only-port=0\n"
	const unit = "-- etc/systemd/system/kubelet.service --\n[Service]\nExecStart=/usr/bin/kubelet --config=/c/b\n"
	for name, c := range map[string]struct {
		archive string
		read    func(*kubelet.Kubelet) []kubelet.Reading
		want    []string
	}{
		"a file": {process + file("a", "podPidsLimit: 9\n"), field(kubelet.PodPidsLimit), []string{
			"9 <- podPidsLimit: 9 at /c/a:3; the kubelet does not tell what is in force (403)",
		}},
		"a default": {process + file("a", ""), field(kubelet.PodPidsLimit), []string{
			"-1 <- podPidsLimit: -1 at /c/a; not set, this is the default; the kubelet does not tell what is in force (403)",
		}},
		"a flag comes before all files": {process + file("a", "readOnlyPort: 1\n"), field(kubelet.ReadOnlyPort), []string{
			"0 <- --read-only-port=0 at /proc/812/cmdline; overrides readOnlyPort: 1 of /c/a:3",
		}},
		"what is on disk alone": {process + unit + file("a", "podPidsLimit: 9\n") + file("b", "podPidsLimit: 8\n"), field(kubelet.PodPidsLimit), []string{
			"running 9 <- podPidsLimit: 9 at /c/a:3; the kubelet does not tell what is in force (403)",
			"persisted 8 <- podPidsLimit: 8 at /c/b:3",
		}},
		"a file that was changed since": {
			process + started + file("a mtime=2026-11-01T10:00:00Z", "podPidsLimit: 9\n"), field(kubelet.PodPidsLimit), []string{
				"running error: /c/a: it changed after the kubelet started, so that what is in force is not known; the kubelet does not tell what is in force (403)",
				"persisted 9 <- podPidsLimit: 9 at /c/a:3",
			},
		},
		"a flag that is no field": {
			process + file("a", ""), func(k *kubelet.Kubelet) []kubelet.Reading { return k.Flag(kubelet.FlagHostnameOverride, false) },
			[]string{"<-  at /proc/812/cmdline; not set"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			tree, err := hosttest.Text(c.archive)
			if err != nil {
				t.Fatal(err)
			}
			h := host.New(tree)
			host.Provide(h, kubelet.Silence("403"))
			k, err := kubelet.Read(h)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, r := range c.read(k) {
				got = append(got, line(r))
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func field(f *kubelet.Field) func(*kubelet.Kubelet) []kubelet.Reading {
	return func(k *kubelet.Kubelet) []kubelet.Reading { return k.Field(f) }
}
