package modprobe

import (
	"fmt"
	"strings"
	"testing"

	"github.com/hardgate-dev/hardgate/nodecheck/host"
	"github.com/hardgate-dev/hardgate/nodecheck/host/hosttest"
)

// BenchmarkRead asks for a dozen modules of a kernel with lists as large as a
// distribution's: 6,000 modules, 1 MB.
func BenchmarkRead(b *testing.B) {
	var dep, builtin, loaded, conf strings.Builder
	for i := range 6000 {
		fmt.Fprintf(&dep, "kernel/drivers/net/ethernet/vendor%d/module-%d.ko.zst:%s\n", i%40, i, strings.Repeat(" kernel/drivers/base/regmap/regmap-i2c.ko.zst", i%6))
	}
	for i := range 400 {
		fmt.Fprintf(&builtin, "kernel/fs/builtin%d.ko\n", i)
	}
	for i := range 120 {
		fmt.Fprintf(&loaded, "module_%d 16384 1 module_%d, Live 0x0000000000000000\n", i, i+1)
		fmt.Fprintf(&conf, "install module-x%d /bin/true\nblacklist module-x%d\n", i, i)
	}
	tree, err := hosttest.Text("-- proc/sys/kernel/osrelease --\n5.15\n")
	if err != nil {
		b.Fatal(err)
	}
	tree.Write("/lib/modules/5.15/modules.dep", dep.String())
	tree.Write("/lib/modules/5.15/modules.builtin", builtin.String())
	tree.Write("/proc/modules", loaded.String())
	tree.Write("/etc/modprobe.d/a.conf", conf.String())
	names := []string{"cramfs", "freevxfs", "jffs2", "hfs", "hfsplus", "dccp", "sctp", "rds", "tipc", "usb-storage", "firewire-core", "floppy", "bluetooth"}
	b.ReportAllocs()
	for b.Loop() {
		n := Read(host.New(tree))
		for _, name := range names {
			if p, err := n.Presence(name); err != nil || p.Kind != Absent {
				b.Fatal(p, err)
			}
			if _, err := n.Loaded(name); err != nil {
				b.Fatal(err)
			}
			n.Install(name)
			n.Softdep(name)
			n.Past(name)
			n.Denied(name)
		}
	}
	b.ReportMetric(float64(dep.Len()), "bytes-of-modules.dep")
}
