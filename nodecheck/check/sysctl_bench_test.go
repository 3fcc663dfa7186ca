package check

import (
	"testing"

	"github.com/hardgate-dev/hardgate/nodecheck/host"
)

// BenchmarkSysctl judges this machine by the whole family.
func BenchmarkSysctl(b *testing.B) {
	root, err := host.Open("/")
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = root.Close() })
	rules := NewRules("cis-ubuntu-22.04-3.0.0")
	b.ReportAllocs()
	for b.Loop() {
		Run(host.New(root), sysctlChecks, rules)
	}
}
