package networkd

import (
	"errors"
	"io/fs"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hardgate-dev/hardgate/nodecheck/host"
	"github.com/hardgate-dev/hardgate/nodecheck/host/hosttest"
)

const managed = "-- sys/class/net/eth0/ifindex --\n2\n-- run/systemd/netif/links/2 --\n" +
	"ADMIN_STATE=configured\nNETWORK_FILE=/run/systemd/network/10-netplan-eth0.network\n"

func TestRead(t *testing.T) {
	const file = "/run/systemd/network/10-netplan-eth0.network"
	for name, test := range map[string]struct {
		archive string
		want    Link
		managed bool
		err     error
	}{
		"no interface":            {archive: "-- etc/hostname --\n"},
		"not by networkd":         {archive: "-- sys/class/net/eth0/ifindex --\n2\n"},
		"without a file":          {archive: "-- sys/class/net/eth0/ifindex --\n2\n-- run/systemd/netif/links/2 --\nADMIN_STATE=unmanaged\n"},
		"the file went":           {archive: managed},
		"the file cannot be read": {archive: managed + "-- run/systemd/network/10-netplan-eth0.network unreadable --\n", err: fs.ErrPermission},
		"unset": {
			archive: managed + "-- run/systemd/network/10-netplan-eth0.network --\n[Match]\nName=eth0\n[Network]\nDHCP=yes\n",
			want:    Link{File: file}, managed: true,
		},
		"in another section": {
			archive: managed + "-- run/systemd/network/10-netplan-eth0.network --\n[IPv6AcceptRA]\nIPv6AcceptRA=yes\n",
			want:    Link{File: file}, managed: true,
		},
		"the last one": {
			archive: managed + "-- run/systemd/network/10-netplan-eth0.network --\n[Network]\nIPv6AcceptRA=no\n# IPv6AcceptRA=no\nIPv6AcceptRA = On\nIPv6AcceptRA=maybe\n",
			want:    Link{File: file, AcceptRA: Setting{Set: true, On: true, Text: "IPv6AcceptRA=On", Where: file + ":4"}}, managed: true,
		},
		"a continued line": {
			archive: managed + "-- run/systemd/network/10-netplan-eth0.network --\n[Network]\nIPv6AcceptRA=\\\n# why\n yes\n",
			want:    Link{File: file, AcceptRA: Setting{Set: true, On: true, Text: "IPv6AcceptRA=yes", Where: file + ":2"}}, managed: true,
		},
		"a drop-in": {
			archive: managed + "-- run/systemd/network/10-netplan-eth0.network --\n[Network]\nIPv6AcceptRA=yes\n" +
				"-- etc/systemd/network/10-netplan-eth0.network.d/ra.conf --\n[Network]\nIPv6AcceptRA=no\n",
			want: Link{File: file, AcceptRA: Setting{
				Set: true, Text: "IPv6AcceptRA=no", Where: "/etc/systemd/network/10-netplan-eth0.network.d/ra.conf:2",
			}}, managed: true,
		},
		"a hidden drop-in": {
			archive: managed + "-- run/systemd/network/10-netplan-eth0.network --\n[Network]\nDHCP=yes\n" +
				"-- etc/systemd/network/10-netplan-eth0.network.d/.ra.conf --\n[Network]\nIPv6AcceptRA=no\n",
			want: Link{File: file}, managed: true,
		},
		"a drop-in takes it back": {
			archive: managed + "-- run/systemd/network/10-netplan-eth0.network --\n[Network]\nIPv6AcceptRA=no\n" +
				"-- etc/systemd/network/10-netplan-eth0.network.d/ra.conf --\n[Network]\nIPv6AcceptRA=\n",
			want: Link{File: file}, managed: true,
		},
	} {
		t.Run(name, func(t *testing.T) {
			files, err := hosttest.Text(test.archive)
			if err != nil {
				t.Fatal(err)
			}
			got, managed, err := Read(host.New(files), "eth0")
			if !errors.Is(err, test.err) || managed != test.managed {
				t.Errorf("managed is %v, the error is %v", managed, err)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func FuzzRead(f *testing.F) {
	f.Add("NETWORK_FILE=/etc/systemd/network/a.network", "[Network]\nIPv6AcceptRA=yes\n", "[Network]\nIPv6AcceptRA=\n")
	f.Fuzz(func(t *testing.T, state, network, dropIn string) {
		files, err := hosttest.Text("-- sys/class/net/eth0/ifindex --\n2\n")
		if err != nil {
			t.Fatal(err)
		}
		files.Write("/run/systemd/netif/links/2", state)
		files.Write("/etc/systemd/network/a.network", network)
		files.Write("/etc/systemd/network/a.network.d/b.conf", dropIn)
		l, managed, err := Read(host.New(files), "eth0")
		if err == nil && !managed && l != (Link{}) {
			t.Errorf("not managed, and yet %+v", l)
		}
	})
}
