package kernel_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hardgate-dev/hardgate/nodecheck/host"
	"github.com/hardgate-dev/hardgate/nodecheck/host/hosttest"
	"github.com/hardgate-dev/hardgate/nodecheck/host/kernel"
)

func TestParse(t *testing.T) {
	for text, want := range map[string][2]string{
		"5.15.0-1084-azure":                 {"5.15.0-1084", "azure"},
		"5.15.0-1084-azure-fde":             {"5.15.0-1084", "azure-fde"},
		"6.1.0-41-cloud-amd64":              {"6.1.0-41", "cloud-amd64"},
		"6.12.57+deb13-cloud-amd64":         {"6.12.57+deb13", "cloud-amd64"},
		"6.12.9+bpo-cloud-amd64":            {"6.12.9+bpo", "cloud-amd64"},
		"6.6.96.2-2.azl3":                   {"6.6.96.2-2.azl3", ""},
		"6.6.113-flatcar":                   {"6.6.113", "flatcar"},
		"6.12.46":                           {"6.12.46", ""},
		"5.14.0-427.13.1.el9_4.x86_64":      {"5.14.0-427.13.1.el9_4.x86_64", ""},
		"5.14.0-427.13.1.el9_4.x86_64+rt":   {"5.14.0-427.13.1.el9_4.x86_64", "rt"},
		"5.14.0-427.13.1.el9_4.aarch64+64k": {"5.14.0-427.13.1.el9_4.aarch64", "64k"},
		"6.1.94-99.176.amzn2023.x86_64":     {"6.1.94-99.176.amzn2023.x86_64", ""},
		"0-rescue-0123456789abcdef":         {"0", "rescue-0123456789abcdef"},
		"":                                  {"", ""},
		"-":                                 {"-", ""},
	} {
		got := kernel.Parse(text)
		if diff := cmp.Diff(kernel.Release{Text: text, Version: want[0], Kind: want[1]}, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", text, diff)
		}
	}
}

func TestCompare(t *testing.T) {
	for _, pair := range [][2]string{ // the first is older
		{"5.15.0-99-generic", "5.15.0-100-generic"},
		{"5.15.0-1084-azure", "6.8.0-1030-azure"},
		{"6.9.1", "6.10.0"},
		{"6.6.96.2-2.azl3", "6.6.104.2-4.azl3"},
		{"6.6.96.2-2.azl3", "6.6.96.2-10.azl3"},
		{"6.1.0-41-cloud-amd64", "6.12.57+deb13-cloud-amd64"},
		{"5.14.0-427.el9.x86_64", "5.14.0-427.13.1.el9_4.x86_64"},
		{"5.14.0-427.13.1.el9_4.x86_64", "5.14.0-427.20.1.el9_4.x86_64"},
		{"6.6.1", "6.6.1.1"},
		{"6.006.1", "6.6.2"},
	} {
		a, b := kernel.Parse(pair[0]), kernel.Parse(pair[1])
		if a.Compare(b) >= 0 || b.Compare(a) <= 0 {
			t.Errorf("%v: %d, %d", pair, a.Compare(b), b.Compare(a))
		}
	}
}

func TestRead(t *testing.T) {
	const running = "-- proc/sys/kernel/osrelease --\n6.8.0-88-generic\n"
	for name, test := range map[string]struct {
		archive string
		want    string
	}{
		"images":               {"-- boot/vmlinuz-6.8.0-88-generic --\n-- boot/vmlinuz-6.8.0-100-generic --\n-- boot/vmlinuz -> vmlinuz-6.8.0-100-generic --\n", "/boot/vmlinuz-6.8.0-100-generic"},
		"another kind":         {"-- boot/vmlinuz-6.8.0-88-generic --\n-- boot/vmlinuz-6.8.0-100-lowlatency --\n", "/boot/vmlinuz-6.8.0-88-generic"},
		"beside the modules":   {"-- usr/lib/modules/6.8.0-88-generic/vmlinuz --\n-- usr/lib/modules/6.8.0-90-generic/vmlinuz --\n-- lib -> usr/lib --\n", "/lib/modules/6.8.0-90-generic/vmlinuz"},
		"modules only":         {"-- lib/modules/6.8.0-88-generic/modules.dep --\n-- lib/modules/6.8.0-90-generic/modules.dep --\n", "/lib/modules/6.8.0-90-generic/modules.dep"},
		"left behind":          {"-- lib/modules/6.8.0-88-generic/modules.dep --\n-- lib/modules/6.8.0-90-generic/updates/dkms/x.ko --\n", "/lib/modules/6.8.0-88-generic/modules.dep"},
		"image without kernel": {"-- boot/vmlinuz-6.8.0-88-generic --\n-- lib/modules/6.8.0-90-generic/modules.dep --\n", "/boot/vmlinuz-6.8.0-88-generic"},
		"backups":              {"-- boot/vmlinuz-6.8.0-88-generic --\n-- boot/vmlinuz-6.8.0-90-generic.old --\n-- boot/vmlinuz-rescue-1 --\n", "/boot/vmlinuz-6.8.0-88-generic"},
		"none":                 {"", ""},
	} {
		t.Run(name, func(t *testing.T) {
			tree, err := hosttest.Text(running + test.archive)
			if err != nil {
				t.Fatal(err)
			}
			k, err := kernel.Read(host.New(tree))
			if err != nil {
				t.Fatal(err)
			}
			if newest, ok := k.Newest(); newest.Where != test.want || ok != (test.want != "") {
				t.Errorf("%+v, want %s", newest, test.want)
			}
		})
	}
}

func FuzzParse(f *testing.F) {
	f.Add("5.15.0-1084-azure", "6.12.57+deb13-cloud-amd64")
	f.Add("5.14.0-427.13.1.el9_4.x86_64+rt", "-")
	f.Fuzz(func(t *testing.T, a, b string) {
		x, y := kernel.Parse(a), kernel.Parse(b)
		if x.Compare(y) != -y.Compare(x) || (a == b && x.Compare(y) != 0) {
			t.Errorf("%q and %q: %d, %d", a, b, x.Compare(y), y.Compare(x))
		}
	})
}
