package process_test

import (
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hardgate-dev/hardgate/nodecheck/host"
	"github.com/hardgate-dev/hardgate/nodecheck/host/hosttest"
	"github.com/hardgate-dev/hardgate/nodecheck/host/process"
)

const title = "  sl  local_address rem_address   st tx_queue\n"

func TestListening(t *testing.T) {
	tests := map[string]struct {
		archive string
		want    []string
		err     string
	}{
		"none": {},
		"IPv4": {
			archive: "-- proc/9/net/tcp --\n" + title +
				"   0: 0100007F:2809 00000000:0000 0A 0\n   1: 00000000:280F 00000000:0000 0A 0\n   2: 0200000A:2809 0300000A:1F90 01 0\n",
			want: []string{"127.0.0.1:10249 /proc/9/net/tcp:2", "0.0.0.0:10255 /proc/9/net/tcp:3"},
		},
		"IPv6": {
			archive: "-- proc/9/net/tcp6 --\n" + title +
				"   0: 00000000000000000000000001000000:2809 0:0 0A 0\n   1: 00000000000000000000000000000000:280F 0:0 0A 0\n   2: 0000000000000000FFFF00000100007F:280F 0:0 0A 0\n",
			want: []string{"[::1]:10249 /proc/9/net/tcp6:2", "[::]:10255 /proc/9/net/tcp6:3", "127.0.0.1:10255 /proc/9/net/tcp6:4"},
		},
		"malformed":  {archive: "-- proc/9/net/tcp --\n" + title + "   0: 01007F:2809 0:0 0A 0\n", err: "/proc/9/net/tcp:2: malformed: an address"},
		"unreadable": {archive: "-- proc/9/net/tcp unreadable --\n", err: "/proc/9/net/tcp: permission denied"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			tree, err := hosttest.Text(test.archive)
			if err != nil {
				t.Fatal(err)
			}
			list, err := (&process.Process{PID: 9}).Listening(host.New(tree))
			var got []string
			for _, l := range list {
				got = append(got, l.String()+" "+l.Where)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
			if s := ""; err != nil {
				if s = err.Error(); s != test.err {
					t.Errorf("error is %q, want %q", s, test.err)
				}
			} else if test.err != "" {
				t.Errorf("no error, want %q", test.err)
			}
		})
	}
}

// TestListeningProvided: what was handed in counts, and a scan that follows another
// does not read the tables.
func TestListeningProvided(t *testing.T) {
	tree, err := hosttest.Text("-- proc/9/net/tcp --\n" + title + "   0: 0100007F:2809 00000000:0000 0A 0\n")
	if err != nil {
		t.Fatal(err)
	}
	p := &process.Process{PID: 9}
	h := host.New(tree)
	host.Provide(h, process.Known{})
	if got, err := p.Listening(h); len(got) > 0 || err != nil {
		t.Errorf("got %v, %v", got, err)
	}
	addr := netip.MustParseAddrPort("[::]:10255")
	host.Provide(h, process.Listeners{addr})
	got, err := p.Listening(h)
	if diff := cmp.Diff([]process.Listener{{AddrPort: addr, Where: "/proc/net/tcp"}}, got, cmp.Comparer(func(a, b netip.AddrPort) bool { return a == b })); diff != "" || err != nil {
		t.Errorf("%v, -want +got:\n%s", err, diff)
	}
}

func FuzzListening(f *testing.F) {
	f.Add("   0: 0100007F:2809 00000000:0000 0A 0\n")
	f.Add("   0: 00000000000000000000000001000000:2809 0:0 0A 0\n")
	f.Fuzz(func(t *testing.T, table string) {
		tree, err := hosttest.Text("-- proc/9/net/tcp --\n" + title)
		if err != nil {
			t.Fatal(err)
		}
		tree.Write("proc/9/net/tcp", title+table)
		list, _ := (&process.Process{PID: 9}).Listening(host.New(tree))
		for _, l := range list {
			if !l.IsValid() || l.Where == "" {
				t.Errorf("%+v", l)
			}
		}
	})
}
