//go:build linux

package watch

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/hardgate-dev/hardgate/nodecheck/host"
)

// machine watches this machine.
func machine(tb testing.TB) (*Watcher, *host.Root) {
	tb.Helper()
	root, err := host.Open("/")
	if err != nil {
		tb.Fatal(err)
	}
	w := New(tb.Context(), root)
	tb.Cleanup(func() {
		if err := w.Close(); err != nil {
			tb.Error(err)
		}
		if err := root.Close(); err != nil {
			tb.Error(err)
		}
	})
	return w, root
}

func follow(tb testing.TB, w *Watcher, root *host.Root, files ...string) {
	tb.Helper()
	h := host.New(root)
	for _, name := range files {
		if _, err := h.File(name); err != nil {
			tb.Fatal(err)
		}
	}
	w.Follow(tb.Context(), Of(h))
}

// The name of this process is a value of the kernel's that a test may change.
func TestPollComparesContent(t *testing.T) {
	const name = "/proc/self/comm"
	w, root := machine(t)
	before, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.WriteFile(name, before, 0) })
	set := func(to string) {
		t.Helper()
		if err := os.WriteFile(name, []byte(to), 0); err != nil {
			t.Fatal(err)
		}
	}
	set("first")
	follow(t, w, root, name)
	if got, _ := w.Poll(); len(got) > 0 {
		t.Errorf("reported are %q before a change", got)
	}
	set("first")
	if got, _ := w.Poll(); len(got) > 0 {
		t.Errorf("reported are %q after the same was written", got)
	}
	set("second")
	if got, _ := w.Poll(); !slices.Equal(got, []string{name}) {
		t.Errorf("reported are %q", got)
	}
	if got, _ := w.Poll(); len(got) > 0 {
		t.Errorf("reported are %q twice", got)
	}
	follow(t, w, root)
	set("third")
	if got, _ := w.Poll(); len(got) > 0 || len(w.poll.held) > 0 {
		t.Errorf("reported are %q and held %d, though no scan looks any more", got, len(w.poll.held))
	}
}

// A value that is another each time, and no verdict with it, is looked at less often.
func TestPollGetsTiredOfNoise(t *testing.T) {
	const name = "/proc/sys/kernel/random/uuid"
	w, root := machine(t)
	follow(t, w, root, name)
	reported := 0
	for range 200 {
		if got, _ := w.Poll(); len(got) > 0 {
			reported++
			follow(t, w, root, name)
			w.Mattered(false)
		}
	}
	if reported < 5 || reported > 15 {
		t.Errorf("reported in %d of 200 polls", reported)
	}
	for range maxEvery {
		if got, _ := w.Poll(); len(got) > 0 {
			break
		}
	}
	w.Mattered(true)
	if got, _ := w.Poll(); !slices.Equal(got, []string{name}) {
		t.Errorf("reported are %q once it mattered", got)
	}
}

// What changed a few times in weeks without a verdict, as the list of modules does, is
// looked at as often as before once it is quiet.
func TestPollForgetsNoise(t *testing.T) {
	const name = "/proc/self/comm"
	w, root := machine(t)
	before, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	set := func(to string) {
		t.Helper()
		if err := os.WriteFile(name, []byte(to), 0); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() { _ = os.WriteFile(name, before, 0) })
	polls := func() (n int) {
		for n = 1; n < 10*maxEvery; n++ {
			if got, _ := w.Poll(); len(got) > 0 {
				break
			}
		}
		return n
	}
	follow(t, w, root, name)
	for i := range 8 {
		set(fmt.Sprint("module-", i))
		polls()
		w.Mattered(false)
	}
	for range 4 * maxEvery {
		w.Poll()
	}
	set("module-9")
	polls()
	w.Mattered(false)
	set("last")
	if n := polls(); n > 2 {
		t.Errorf("it took %d polls to see a change", n)
	}
}

func TestModules(t *testing.T) {
	const line = "rds 16384 %d %s Live 0x0000000000000000\n"
	a := sum("/proc/modules", fmt.Appendf(nil, line, 0, "-"))
	if b := sum("/proc/modules", fmt.Appendf(nil, line, 3, "rds_tcp,")); a != b {
		t.Error("another count of users is another value")
	}
	if b := sum("/proc/modules", []byte(strings.Replace(line, "rds", "sctp", 1))); a == b {
		t.Error("another module is the same value")
	}
	if b := sum("/proc/modules", nil); a == b {
		t.Error("no module is the same value")
	}
}

func TestPolled(t *testing.T) {
	processes := map[string]bool{"/proc/812/cmdline": true}
	for path, want := range map[string]bool{
		"/proc/sys/net/ipv4/ip_forward": true,
		"/sys/module/rds/initstate":     true,
		"/proc/812/cmdline":             true,
		"/proc/812/status":              false,
		"/proc/813/cmdline":             false,
		"/etc/ssh/sshd_config":          false,
		"/process/x":                    false,
	} {
		t.Run(path, func(t *testing.T) {
			if got := polled(path, processes); got != want {
				t.Errorf("got %t", got)
			}
		})
	}
}

// BenchmarkPoll looks at the values that the checks look at on a node with a few
// hundred network interfaces.
func BenchmarkPoll(b *testing.B) {
	w, root := machine(b)
	h := host.New(root)
	for _, pattern := range []string{"/proc/sys/net/ipv4/conf/*/*", "/proc/sys/kernel/*", "/proc/sys/vm/*"} {
		paths, err := h.Glob(pattern)
		if err != nil {
			b.Fatal(err)
		}
		for _, p := range paths {
			_, _ = h.File(p)
		}
	}
	w.Follow(b.Context(), Of(h))
	b.ReportMetric(float64(len(w.poll.held)), "values")
	for b.Loop() {
		w.Poll()
	}
	b.ReportMetric(float64(len(w.poll.held)), "values")
}
