package nodecheck

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hardgate-dev/hardgate/nodecheck/host"
	"github.com/hardgate-dev/hardgate/nodecheck/host/process"
)

func TestAgentFollowsChanges(t *testing.T) {
	r := newAgent(t, nil, 0)
	r.want(t, "Pass")
	r.files.set("bad")
	r.nothing(t)
	r.watcher.changed <- struct{}{}
	r.want(t, "Fail")
	r.watcher.changed <- struct{}{} // the same again
	for n := r.files.scans(); r.files.scans() == n; {
		time.Sleep(time.Millisecond)
	}
	r.nothing(t)
	r.files.set("good")
	r.watcher.poll("/proc/sys/x")
	r.want(t, "Pass")
	if err := r.Alive(); err != nil {
		t.Error(err)
	}
}

// What changed in a directory before it was watched is seen.
func TestAgentScansAgainWhatWasNotWatched(t *testing.T) {
	r := newAgent(t, nil, 2)
	r.want(t, "Pass")
	if n := r.files.scans(); n != 3 {
		t.Errorf("%d scans, want 3: two found new directories", n)
	}
	if n := r.asked.Load(); n != 3 {
		t.Errorf("asked %d times what listens, want once for each scan", n)
	}
}

// A file that changes without end must not burn the node's CPU.
func TestAgentIsNotKeptBusy(t *testing.T) {
	r := newAgent(t, nil, 0)
	r.want(t, "Pass")
	for end := time.Now().Add(3 * time.Second); time.Now().Before(end); time.Sleep(time.Millisecond) {
		select {
		case r.watcher.changed <- struct{}{}:
		default:
		}
	}
	if n := r.files.scans(); n < 2 || n > burst+2 {
		t.Errorf("%d scans in 3 s", n)
	}
}

// parts are two, of which one may have been replaced.
type parts struct {
	replaced  error
	remounted bool
	asked     int
}

func (*parts) Parts() []string { return []string{"/etc", "/var/lib"} }

func (p *parts) Replaced() error {
	p.asked++
	return p.replaced
}

func (p *parts) Remounted() bool { return p.remounted }

// A directory that is mounted by itself and has been replaced on the node is not read on;
// whether it was is asked when something happened to itself.
func TestAgentEndsWithItsParts(t *testing.T) {
	broken := errors.New("/var/lib is another")
	for _, changed := range [][]string{nil, {"/etc/x", "/var/lib/y"}, {"/var"}, {"/usr"}} {
		p := &parts{replaced: broken}
		if err := (&Agent{Parts: p}).replaced(changed); err != nil || p.asked != 0 {
			t.Errorf("%q: %v", changed, err)
		}
	}
	for _, changed := range [][]string{{"/etc/x", "/var/lib"}, {"/"}} {
		if err := (&Agent{Parts: &parts{replaced: broken}}).replaced(changed); !errors.Is(err, broken) {
			t.Errorf("%q, and /var/lib was replaced: %v", changed, err)
		}
		if err := (&Agent{Parts: &parts{}}).replaced(changed); err != nil {
			t.Errorf("%q, and nothing was replaced: %v", changed, err)
		}
	}
	if err := (&Agent{}).replaced([]string{"/etc"}); err != nil {
		t.Errorf("of a whole root: %v", err)
	}
}

// What is mounted on a node and taken off it is not reported: it is looked for with every
// poll, and at full passes.
func TestAgentLooksAtItsParts(t *testing.T) {
	broken := errors.New("/var/lib is another")
	for name, c := range map[string]struct {
		parts          parts
		interval, poll time.Duration
		want           error
	}{
		"remounted":      {parts{replaced: broken, remounted: true}, time.Hour, time.Millisecond, broken},
		"a full pass":    {parts{replaced: broken}, time.Millisecond, time.Hour, broken},
		"not remounted":  {parts{replaced: broken}, time.Hour, time.Millisecond, nil},
		"something else": {parts{remounted: true}, time.Hour, time.Millisecond, nil},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
			defer cancel()
			r := stopped(t, "-- etc/x --\n")
			r.Parts, r.Interval, r.Poll = &c.parts, c.interval, c.poll
			if err := r.Run(ctx); !errors.Is(err, c.want) {
				t.Errorf("%v, want %v", err, c.want)
			}
		})
	}
}

func TestAgentTellsWhatListens(t *testing.T) {
	want := process.Listeners{netip.MustParseAddrPort("0.0.0.0:10255")}
	a := &Agent{Listeners: func() ([]netip.AddrPort, error) { return want, nil }}
	h := host.New(tree(t, "-- etc/x --\n"))
	a.provide(t.Context(), h)
	if got, ok := host.Provided[process.Listeners](h); !ok || !slices.Equal(got, want) {
		t.Errorf("the scan knows of %v, want %v", got, want)
	}
	a.Listeners = func() ([]netip.AddrPort, error) { return nil, errors.New("not permitted") }
	h = host.New(tree(t, "-- etc/x --\n"))
	a.provide(t.Context(), h)
	if got, ok := host.Provided[process.Listeners](h); ok {
		t.Errorf("the scan takes what is not known for %v", got)
	}
}

func TestAliveBeforeTheFirstScan(t *testing.T) {
	if err := (&Agent{}).Alive(); err == nil {
		t.Error("alive without a scan")
	}
}

// The clock of a node is set while the agent runs, by hours on one that has just
// started. Only the monotonic one tells how long ago something was.
func TestAliveWhateverTheClockSays(t *testing.T) {
	r := newAgent(t, nil, 0)
	r.want(t, "Pass")
	if at := r.success.Load(); at == nil || !strings.Contains(at.String(), " m=") {
		t.Errorf("the last scan was at %v, without a monotonic clock", at)
	}
	old := time.Now().Add(-2*r.Interval - 2*time.Minute)
	r.success.Store(&old)
	if err := r.Alive(); err == nil {
		t.Error("alive though no scan comes to its end")
	}
}

// answering is a kubelet that says what a test wants, and counts.
type answering struct {
	mu    sync.Mutex
	err   error
	asked int
}

func (k *answering) Get(context.Context, ...string) ([]byte, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.asked++
	if k.err != nil {
		return nil, k.err
	}
	return []byte(`{"kubeletconfig":{}}`), nil
}

// hangingKubelet is one whose certificate is on a dead file system.
type hangingKubelet struct {
	until chan struct{}
	asked atomic.Int64
}

func (k *hangingKubelet) Get(context.Context, ...string) ([]byte, error) {
	k.asked.Add(1)
	<-k.until
	return []byte(`{"kubeletconfig":{}}`), nil
}

// A certificate that hangs keeps no scan from coming to its end.
func TestKubeletThatHangs(t *testing.T) {
	k := &hangingKubelet{until: make(chan struct{})}
	a := &account{kubelet: k, again: time.Nanosecond, patience: 10 * time.Millisecond}
	for range 3 {
		a.due = time.Time{}
		a.refresh(t.Context(), nil, time.Hour)
	}
	if n := k.asked.Load(); n != 1 || a.known() {
		t.Errorf("asked %d times, known %t", n, a.known())
	}
	close(k.until)
	a.patience = time.Minute
	for deadline := time.Now().Add(10 * time.Second); !a.known(); time.Sleep(time.Millisecond) {
		a.due = time.Time{}
		a.refresh(t.Context(), nil, time.Hour)
		if time.Now().After(deadline) {
			t.Fatal("it is not asked again once it answers")
		}
	}
}

func TestKubeletIsAskedWhenItMayHaveChanged(t *testing.T) {
	k := &answering{}
	a := &account{kubelet: k, again: time.Nanosecond, patience: time.Minute}
	step := func(what string, asked int, known bool, changed ...string) {
		t.Helper()
		a.refresh(t.Context(), changed, time.Hour)
		if k.asked != asked || a.known() != known {
			t.Errorf("%s: asked %d times, known %t; want %d, %t", what, k.asked, a.known(), asked, known)
		}
	}
	step("first scan", 1, true)
	step("another file", 1, true, "/etc/ssh/sshd_config")
	step("its configuration", 2, true, "/var/lib/kubelet/config.yaml")
	k.err = errors.New("connection refused")
	step("it ended", 3, false, "/proc/812/cmdline")
	k.err = nil
	step("it is back", 4, true)
	a.due = time.Time{}
	step("full pass", 5, true)
	step("so much that not all of it is named", 6, true, "/", "/etc/ssh/sshd_config")
	a.absent = true
	step("there is none", 6, true)
	a.due = time.Time{}
	step("there is none at a full pass", 6, false)
	if slices.Contains(a.certificates, "") {
		t.Error("a certificate without a name")
	}
}
