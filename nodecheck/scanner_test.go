package nodecheck

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hardgate-dev/hardgate/control"
	"github.com/hardgate-dev/hardgate/nodecheck/check"
	"github.com/hardgate-dev/hardgate/nodecheck/host"
	"github.com/hardgate-dev/hardgate/nodecheck/host/hosttest"
	"github.com/hardgate-dev/hardgate/nodecheck/synopsis"
)

func tree(t *testing.T, text string) host.FS {
	t.Helper()
	files, err := hosttest.Text(text)
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// reads is a check that passes where a file says "good".
func reads(id control.ID, name string) *check.Check {
	return &check.Check{ID: id, Reads: []string{name}, Run: func(h *host.Host, _ *check.Rules) (check.Result, error) {
		f, err := h.File(name)
		switch {
		case err != nil:
			return check.Result{}, err
		case strings.TrimSpace(string(f.Data)) == "good":
			return check.Result{Status: control.Pass, Evidence: []check.Finding{{Where: name}}}, nil
		}
		return check.Result{Status: control.Fail, Findings: []check.Finding{{Where: name, Actual: "bad"}}}, nil
	}}
}

// hangs is a check that waits for a file that never comes.
func hangs(id control.ID, until <-chan struct{}) *check.Check {
	return &check.Check{ID: id, Reads: []string{"/mnt/dead"}, Run: func(*host.Host, *check.Rules) (check.Result, error) {
		<-until
		return check.Result{Status: control.Pass}, nil
	}}
}

func statuses(out Outcome) map[control.ID]control.Status {
	m := map[control.ID]control.Status{}
	for _, v := range out.Verdicts {
		m[v.Control] = v.Status
	}
	return m
}

func scan(t *testing.T, s *Scanner) Outcome {
	t.Helper()
	out, err := s.Scan(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestScan(t *testing.T) {
	s := &Scanner{
		Files: tree(t, `-- etc/os-release --
NAME="Debian"
PRETTY_NAME="Debian GNU/Linux 13 (trixie)"
-- etc/a --
good
-- etc/b --
bad
`),
		Checks: []*check.Check{reads("a", "/etc/a"), reads("b", "/etc/b"), reads("c", "/etc/c")},
		Rules:  check.NewRules(), Patience: time.Minute,
	}
	out := scan(t, s)
	want := map[control.ID]control.Status{"a": control.Pass, "b": control.Fail, "c": control.Unknown}
	if diff := cmp.Diff(want, statuses(out)); diff != "" {
		t.Errorf("verdicts (-want +got):\n%s", diff)
	}
	if out.OS != "Debian GNU/Linux 13 (trixie)" {
		t.Errorf("the system is %q", out.OS)
	}
	for _, name := range []string{"/etc/a", "/etc/b", "/etc/c", "/etc/os-release"} {
		found := false
		for _, got := range out.Looked.Touched {
			found = found || got == name
		}
		if !found {
			t.Errorf("%s is not among what was looked at", name)
		}
	}
}

// A check that hangs is Unknown, the others go on; once it comes back it counts again.
func TestScanOutlivesHangingChecks(t *testing.T) {
	until := make(chan struct{})
	s := &Scanner{
		Files:  tree(t, "-- etc/a --\ngood\n-- etc/b --\nbad\n"),
		Checks: []*check.Check{reads("a", "/etc/a"), hangs("dead", until), reads("b", "/etc/b"), hangs("dead-too", until)},
		Rules:  check.NewRules(), Patience: 20 * time.Millisecond,
	}
	want := map[control.ID]control.Status{"a": control.Pass, "dead": control.Unknown, "b": control.Fail, "dead-too": control.Unknown}
	for range 5 {
		out := scan(t, s)
		if diff := cmp.Diff(want, statuses(out)); diff != "" {
			t.Errorf("verdicts (-want +got):\n%s", diff)
		}
		if f := out.Verdicts[1].Findings; len(f) != 1 || f[0].Where != "/mnt/dead" || !strings.Contains(f[0].Detail, "did not come to an end") {
			t.Errorf("findings %+v", f)
		}
	}
	if n := s.Hanging(); n != 2 {
		t.Errorf("%d checks hang", n)
	}
	close(until)
	want["dead"], want["dead-too"] = control.Pass, control.Pass
	for deadline := time.Now().Add(5 * time.Second); ; {
		out := scan(t, s)
		if cmp.Equal(want, statuses(out)) {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("verdicts %v", statuses(out))
		}
	}
}

// An agent that is told to end does not wait for what hangs.
func TestScanEndsWithItsContext(t *testing.T) {
	until := make(chan struct{})
	defer close(until)
	s := &Scanner{
		Files: tree(t, "-- etc/a --\ngood\n"), Rules: check.NewRules(), Patience: time.Minute,
		Checks: []*check.Check{hangs("dead", until)},
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	begin := time.Now()
	if out, err := s.Scan(ctx); !errors.Is(err, context.DeadlineExceeded) || time.Since(begin) > 30*time.Second {
		t.Errorf("%+v, %v after %s", out, err, time.Since(begin))
	}
}

func TestScanBoundsHangingChecks(t *testing.T) {
	until := make(chan struct{})
	defer close(until)
	s := &Scanner{Files: tree(t, "-- etc/a --\ngood\n"), Rules: check.NewRules(), Patience: time.Millisecond}
	for i := range 3 * maxHanging {
		s.Checks = append(s.Checks, hangs(control.ID("dead-"+string(rune('a'+i))), until))
	}
	out := scan(t, s)
	if len(out.Verdicts) != len(s.Checks) || s.Hanging() > maxHanging {
		t.Errorf("%d verdicts, %d hang", len(out.Verdicts), s.Hanging())
	}
	for _, v := range out.Verdicts {
		if v.Status != control.Unknown {
			t.Errorf("%s is %s", v.Control, v.Status)
		}
	}
}

func TestScanOutlivesPanics(t *testing.T) {
	s := &Scanner{
		Files: tree(t, "-- etc/a --\ngood\n"), Rules: check.NewRules(), Patience: time.Minute,
		Checks: []*check.Check{
			{ID: "broken", Run: func(*host.Host, *check.Rules) (check.Result, error) { panic(errors.New("no")) }},
			reads("a", "/etc/a"),
		},
	}
	if diff := cmp.Diff(map[control.ID]control.Status{"broken": control.Unknown, "a": control.Pass}, statuses(scan(t, s))); diff != "" {
		t.Errorf("verdicts (-want +got):\n%s", diff)
	}
	s.Prepare = func(*host.Host) { panic("no") }
	if out, err := s.Scan(t.Context()); err == nil {
		t.Errorf("a scan that broke gives %+v", out)
	}
	s.Prepare = nil
	scan(t, s)
}

// A scan that follows another knows as much as the first: when the kubelet started,
// and that its file was written after that.
func TestScanKnowsWhatChangedSinceTheStart(t *testing.T) {
	checks := check.In(check.All(), "cis-kubernetes-1.8.0")
	checks = slices.DeleteFunc(slices.Clone(checks), func(c *check.Check) bool { return c.ID != "kubelet-anonymous-auth" })
	s := &Scanner{
		Files: tree(t, `-- proc/1/cmdline nul --
/sbin/init
-- proc/stat --
btime 1000
-- proc/812/cmdline nul --
/usr/bin/kubelet
--config=/etc/kubelet.yaml
-- proc/812/stat --
812 (kubelet) S 1 812 812 0 -1 4194304 99 0 0 0 0 0 0 0 20 0 1 0 500 0
-- etc/kubelet.yaml mtime=2026-11-01T10:00:00Z --
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
`),
		Checks: checks, Rules: check.NewRules(), Patience: time.Minute,
	}
	for range 3 {
		out := scan(t, s)
		if diff := cmp.Diff(map[control.ID]control.Status{"kubelet-anonymous-auth": control.Unknown}, statuses(out)); diff != "" {
			t.Errorf("verdicts (-want +got):\n%s", diff)
		}
		if slices.Contains(out.Looked.Touched, "/proc/stat") {
			t.Error("/proc/stat is followed, which changes all the time")
		}
	}
}

// The same node gives the same bytes: a report that differs by chance would be
// written without end.
func TestReportsDoNotDifferByChance(t *testing.T) {
	systems, err := filepath.Glob(filepath.Join("check", "testdata", "systems", "*.txtar"))
	if err != nil || len(systems) == 0 {
		t.Fatalf("%d systems, %v", len(systems), err)
	}
	for _, system := range systems {
		t.Run(filepath.Base(system), func(t *testing.T) {
			t.Parallel()
			archive, err := os.ReadFile(system)
			if err != nil {
				t.Fatal(err)
			}
			s := &Scanner{Files: tree(t, string(archive)), Checks: check.All(), Rules: check.NewRules(), Patience: time.Minute}
			var first []byte
			for range 20 {
				out := scan(t, s)
				_, data, err := synopsis.Status(out.Verdicts, out.OS, synopsis.Agent{})
				if err != nil {
					t.Fatal(err)
				}
				if first == nil {
					first = data
				}
				if diff := cmp.Diff(string(first), string(data)); diff != "" {
					t.Fatalf("two scans of one node (-first +later):\n%s", diff)
				}
			}
		})
	}
}
