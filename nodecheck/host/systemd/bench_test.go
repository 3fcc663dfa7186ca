package systemd

import (
	"testing"

	"github.com/hardgate-dev/hardgate/nodecheck/host"
)

// BenchmarkRead reads a unit of the machine that it runs on, index included.
func BenchmarkRead(b *testing.B) {
	r, err := host.Open("/")
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = r.Close() })
	b.ReportAllocs()
	for b.Loop() {
		h := host.New(r)
		_, _ = Read(h, "ssh.service")
		_, _, _ = Enabled(h, "rsyslog.service")
	}
}
