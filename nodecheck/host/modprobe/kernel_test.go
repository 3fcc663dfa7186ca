package modprobe

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"testing"
	"time"

	"github.com/hardgate-dev/hardgate/nodecheck/host"
)

func TestPresence(t *testing.T) {
	const lists = `
-- lib/modules/5.15/modules.dep --
kernel/fs/hfsplus/hfsplus.ko.xz: kernel/lib/nls.ko.xz
kernel/drivers/usb/storage/usb-storage.ko.zst: kernel/fs/cramfs/cramfs.ko
/lib/modules/5.15/extra/rds.ko:
updates/dkms/ext4.ko:
updates/dkms/tipc.ko.gz: kernel/x/sctp.ko
-- lib/modules/5.15/modules.builtin --
kernel/fs/ext4/ext4.ko
kernel/fs/squashfs/squashfs.ko
`
	const running = "-- proc/sys/kernel/osrelease --\n5.15\n"
	const other = "-- lib/modules/6.1/modules.dep --\nkernel/jffs2.ko:\n-- lib/modules/6.1/modules.builtin --\nkernel/cramfs.ko\n"
	tests := map[string]struct {
		tree, name string
		kind       Kind
		place      string
		err        error
	}{
		"loadable":            {running + lists, "hfsplus", Loadable, "/lib/modules/5.15/modules.dep:1", nil},
		"part of a name":      {running + lists, "hfs", Absent, "/lib/modules/5.15/modules.dep", nil},
		"dash":                {running + lists, "usb_storage", Loadable, "/lib/modules/5.15/modules.dep:2", nil},
		"a dependency only":   {running + lists, "cramfs", Absent, "/lib/modules/5.15/modules.dep", nil},
		"absolute":            {running + lists, "rds", Loadable, "/lib/modules/5.15/modules.dep:3", nil},
		"last line":           {running + lists, "tipc", Loadable, "/lib/modules/5.15/modules.dep:5", nil},
		"builtin":             {running + lists, "squashfs", Builtin, "/lib/modules/5.15/modules.builtin:2", nil},
		"builtin and a file":  {running + lists, "ext4", Builtin, "/lib/modules/5.15/modules.builtin:1", nil},
		"another kernel":      {running + lists + other, "jffs2", Absent, "/lib/modules/5.15/modules.dep", nil},
		"by version":          {"-- proc/version --\nLinux version 5.15 (x@y) #1 SMP\n" + lists + other, "jffs2", Absent, "/lib/modules/5.15/modules.dep", nil},
		"any kernel":          {lists + other, "jffs2", Loadable, "/lib/modules/6.1/modules.dep:1", nil},
		"any kernel, builtin": {lists + other, "cramfs", Builtin, "/lib/modules/6.1/modules.builtin:1", nil},
		"no kernel has it":    {lists + other, "dccp", Absent, "/lib/modules", nil},
		"running is gone":     {"-- proc/sys/kernel/osrelease --\n5.4\n" + lists + other, "jffs2", Loadable, "/lib/modules/6.1/modules.dep:1", nil},
		"left behind":         {lists + "-- lib/modules/4.4/kernel/x --\n", "dccp", Absent, "/lib/modules/5.15/modules.dep", nil},
		"through a link":      {running + "-- lib -> usr/lib --\n" + strings.ReplaceAll(lists, "-- lib/", "-- usr/lib/"), "hfsplus", Loadable, "/lib/modules/5.15/modules.dep:1", nil},
		"without the link":    {running + strings.ReplaceAll(lists, "-- lib/", "-- usr/lib/"), "hfsplus", Loadable, "/usr/lib/modules/5.15/modules.dep:1", nil},
		"a release with dots": {"-- proc/sys/kernel/osrelease --\n../6.1\n" + lists + other, "dccp", Absent, "/lib/modules", nil},
		"no directory":        {running, "hfs", Absent, "", fs.ErrNotExist},
		"no builtin":          {running + "-- lib/modules/5.15/modules.dep --\nkernel/hfs.ko:\n", "cramfs", Absent, "/lib/modules/5.15/modules.dep", fs.ErrNotExist},
		"no builtin, there":   {running + "-- lib/modules/5.15/modules.dep --\nkernel/hfs.ko:\n", "hfs", Loadable, "/lib/modules/5.15/modules.dep:1", nil},
		"no dep":              {running + "-- lib/modules/5.15/modules.builtin --\nkernel/hfs.ko\n", "cramfs", Absent, "/lib/modules/5.15/modules.dep", fs.ErrNotExist},
		"no dep, builtin":     {running + "-- lib/modules/5.15/modules.builtin --\nkernel/hfs.ko\n", "hfs", Builtin, "/lib/modules/5.15/modules.builtin:1", nil},
		"empty dep":           {running + "-- lib/modules/5.15/modules.dep --\n\n-- lib/modules/5.15/modules.builtin --\n", "hfs", Absent, "/lib/modules/5.15/modules.dep", host.ErrMalformed},
		"NUL":                 {running + "-- lib/modules/5.15/modules.dep nul --\nkernel/hfs.ko:\n\n-- lib/modules/5.15/modules.builtin --\n", "hfs", Absent, "/lib/modules/5.15/modules.dep", host.ErrMalformed},
		"one of two unknown":  {lists + "-- lib/modules/6.1/modules.dep unreadable --\n-- lib/modules/6.1/modules.builtin --\n", "hfsplus", Loadable, "/lib/modules/5.15/modules.dep:1", fs.ErrPermission},
		"builtin is certain":  {lists + "-- lib/modules/6.1/modules.dep unreadable --\n-- lib/modules/6.1/modules.builtin --\n", "ext4", Builtin, "/lib/modules/5.15/modules.builtin:1", nil},
		"too large":           {running + "-- lib/modules/5.15/modules.dep size=1073741824 --\n-- lib/modules/5.15/modules.builtin --\n", "hfs", Absent, "/lib/modules/5.15/modules.dep", host.ErrTooLarge},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := node(t, tt.tree).Presence(tt.name)
			if !errors.Is(err, tt.err) || (err != nil && tt.err == nil) {
				t.Errorf("error is %v, want %v", err, tt.err)
			}
			if got.Kind != tt.kind || got.Place.String() != tt.place {
				t.Errorf("Presence is %v %v, want %v %v", got.Kind, got.Place, tt.kind, tt.place)
			}
		})
	}
}

func TestLoaded(t *testing.T) {
	n := node(t, "-- proc/modules --\nrds_tcp 40960 0 - Live 0x0\nrds 155648 1 rds_tcp, Live 0x0\nusb_storage 1 0 - Unloading 0x0\nhfsplus 1 0 - Live 0x0 (O)\n")
	tests := map[string]struct {
		place, users string
	}{
		"rds": {"/proc/modules:2", "rds_tcp"}, "rds_tcp": {"/proc/modules:1", ""}, "usb-storage": {"/proc/modules:3", ""}, "hfs": {}, "plus": {},
	}
	for name, tt := range tests {
		got, err := n.Loaded(name)
		if err != nil {
			t.Fatal(err)
		}
		if got == nil {
			got = &Loaded{}
		}
		if got.Place.String() != tt.place || got.Users != tt.users {
			t.Errorf("%s: %+v, want %+v", name, got, tt)
		}
	}
	if _, err := node(t, "").Loaded("hfs"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("without /proc/modules the error is %v", err)
	}
}

func TestManyKernels(t *testing.T) {
	var b strings.Builder
	for i := range maxKernels + 1 {
		fmt.Fprintf(&b, "-- lib/modules/5.%d/modules.dep --\nkernel/hfs.ko:\n", i)
	}
	if _, err := node(t, b.String()).Presence("hfs"); !errors.Is(err, host.ErrTooLarge) {
		t.Errorf("error is %v", err)
	}
}

// TestHostileNames: no list of names makes the index slow.
func TestHostileNames(t *testing.T) {
	lines := map[string]string{
		"one name":   strings.Repeat("a.ko:\n", 1<<20),
		"no names":   strings.Repeat("\n", 1<<22),
		"long names": strings.Repeat(strings.Repeat("a", 4000)+"\n", 1000),
		"no end":     strings.Repeat("a", 1<<22),
		"slashes":    strings.Repeat("/", 1<<22),
	}
	for name, text := range lines {
		t.Run(name, func(t *testing.T) {
			begin := time.Now()
			l := list{data: []byte(text)}
			l.index()
			l.find("b")
			if took := time.Since(begin); took > 2*time.Second {
				t.Errorf("it took %v", took)
			}
		})
	}
}
