package modprobe

import (
	"errors"
	"io/fs"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hardgate-dev/hardgate/nodecheck/host"
	"github.com/hardgate-dev/hardgate/nodecheck/host/hosttest"
)

func node(t *testing.T, archive string) *Node {
	t.Helper()
	return Read(hosttest.Host(t, archive))
}

// place makes a short word of an install line.
func place(l *Install) string {
	if l == nil {
		return ""
	}
	return l.Place.String()
}

func TestInstall(t *testing.T) {
	tests := map[string]struct {
		tree string
		want string
	}{
		"none":              {"-- etc/modprobe.d/a.conf --\nblacklist hfs\n", ""},
		"first line":        {"-- etc/modprobe.d/a.conf --\ninstall hfs /bin/true\ninstall hfs /bin/false\n", "/etc/modprobe.d/a.conf:1"},
		"base names order":  {"-- etc/modprobe.d/b.conf --\ninstall hfs /bin/true\n-- usr/lib/modprobe.d/a.conf --\ninstall hfs x\n", "/usr/lib/modprobe.d/a.conf:1"},
		"masked":            {"-- etc/modprobe.d/a.conf --\n-- usr/lib/modprobe.d/a.conf --\ninstall hfs x\n", ""},
		"masked by link":    {"-- etc/modprobe.d/a.conf -> /dev/null --\n-- lib/modprobe.d/a.conf --\ninstall hfs x\n", ""},
		"masked by run":     {"-- run/modprobe.d/a.conf --\ninstall hfs y\n-- lib/modprobe.d/a.conf --\ninstall hfs x\n", "/run/modprobe.d/a.conf:1"},
		"usr local":         {"-- usr/local/lib/modprobe.d/a.conf --\ninstall hfs y\n-- usr/lib/modprobe.d/a.conf --\ninstall hfs x\n", "/usr/local/lib/modprobe.d/a.conf:1"},
		"no suffix":         {"-- etc/modprobe.d/a --\ninstall hfs x\n", ""},
		"hidden":            {"-- etc/modprobe.d/.a.conf --\ninstall hfs x\n", ""},
		"another directory": {"-- etc/modules-load.d/a.conf --\ninstall hfs x\n-- etc/modprobe.conf --\ninstall hfs x\n", ""},
		"tabs":              {"-- etc/modprobe.d/a.conf --\n \tinstall\thfs\t/bin/true\n", "/etc/modprobe.d/a.conf:1"},
		"pattern":           {"-- etc/modprobe.d/a.conf --\n\ninstall h[fg]? x\n", "/etc/modprobe.d/a.conf:2"},
		"longer name":       {"-- etc/modprobe.d/a.conf --\ninstall hfsplus x\n", ""},
		"shorter name":      {"-- etc/modprobe.d/a.conf --\ninstall hf x\n", ""},
		"no command":        {"-- etc/modprobe.d/a.conf --\ninstall hfs\n", ""},
		"joined":            {"-- etc/modprobe.d/a.conf --\n\ninst\\\nall hfs \\\n  x\ninstall hfs y\n", "/etc/modprobe.d/a.conf:2"},
		"after joined":      {"-- etc/modprobe.d/a.conf --\noptions x \\\n  y\ninstall hfs x\n", "/etc/modprobe.d/a.conf:3"},
		"joined comment":    {"-- etc/modprobe.d/a.conf --\n# off: \\\ninstall hfs x\n", ""},
		"upper case":        {"-- etc/modprobe.d/a.conf --\nINSTALL hfs x\ninstall HFS x\n", ""},
		"old suffix":        {"-- etc/modprobe.d/b.conf --\ninstall hfs x\n-- lib/modprobe.d/a.alias --\ninstall hfs y\n", "/lib/modprobe.d/a.alias:1"},
		"old and harmless":  {"-- etc/modprobe.d/a.alias --\ninstall hfs /bin/true\n", ""},
		"old and masked":    {"-- etc/modprobe.d/a.alias --\n-- lib/modprobe.d/a.alias --\ninstall hfs y\n", ""},
		"carriage return":   {"-- etc/modprobe.d/a.conf --\ninstall hfs\r\n", ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			n := node(t, tt.tree)
			if got := place(n.Install("hfs")); got != tt.want {
				t.Errorf("Install is %q, want %q", got, tt.want)
			}
			if err := n.Config(); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestSpelling(t *testing.T) {
	n := node(t, "-- etc/modprobe.d/a.conf --\ninstall usb-storage x\nblacklist firewire_core\nblacklist cramfs\n")
	for _, name := range []string{"usb-storage", "usb_storage"} {
		if n.Install(name) == nil {
			t.Errorf("%s has no install line", name)
		}
	}
	if at, ok := n.Denied("firewire-core"); !ok || at.String() != "/etc/modprobe.d/a.conf:2" {
		t.Errorf("Denied is %v, %v", at, ok)
	}
	if _, ok := n.Denied("cram"); ok {
		t.Error("a part of a name is on the deny list")
	}
}

func TestDisables(t *testing.T) {
	tests := map[string]bool{
		"/bin/true": true, "/bin/false": true, "/usr/bin/true": true, "/usr/bin/false": true, "/sbin/nologin": true, "/usr/sbin/nologin": true,
		"  /bin/true \t": true, "/bin/false hfs": true, "/bin/true # not needed; see (1)": true, "true": true, ":": true, "/bin/false --quiet": true,
		"": false, " ": false, "#": false, "# /bin/true": false, "/bin/true;": false, "/bin/truer": false, "/bin/true# x": false, "/tmp/bin/true": false,
		"/bin/true && modprobe --ignore-install hfs": false, "/bin/false || /sbin/insmod hfs.ko": false, "/bin/true; insmod hfs": false,
		"/bin/true | x": false, "/bin/true & x": false, "/bin/true `x`": false, "/bin/true $(x)": false, "/bin/true $CMDLINE_OPTS": false,
		"/sbin/modprobe --ignore-install hfs": false, "/bin/sh -c /bin/true": false, "X=1 /bin/true": false, "! /bin/true": false, "\"/bin/true\"": false,
		"/bin/true\r": false, "/bin/echo no": false, "/bin/true <(x)": false, "/bin/true >/dev/null": false, "/bin/tru?": false, "\\/bin/true": false,
	}
	for command, want := range tests {
		if got := (&Install{Command: command}).Disables(); got != want {
			t.Errorf("Disables(%q) is %v", command, got)
		}
	}
}

func TestPast(t *testing.T) {
	tests := map[string]bool{
		"install fs_hfs /sbin/modprobe --ignore-install hfs":               true,
		"install fs_hfs modprobe -qi hfs":                                  true,
		"install x /sbin/insmod /lib/modules/5/kernel/fs/hfs/hfs.ko.zst":   true,
		"install x /bin/true; insmod hfs.ko":                               true,
		"install x MODPROBE_OPTIONS=-i modprobe hfs":                       true,
		"install x modprobe --conf /dev/null hfs":                          true,
		"install x modprobe -C/dev/null hfs":                               true,
		"install x modprobe --quiet -- hfs":                                false,
		"install x /sbin/modprobe hfs":                                     false,
		"install hfsplus /sbin/modprobe --ignore-install hfsplus":          false,
		"install hfsplus modprobe --ignore-install hfsplus; modprobe hfs":  false,
		"install x /bin/true --ignore-install hfs":                         false,
		"install hfs /sbin/modprobe --ignore-install hfs":                  false, // its own line: Install has it
		"install hfsplus /sbin/modprobe --first-time -v hfs && echo hello": false,
	}
	for line, want := range tests {
		n := node(t, "-- etc/modprobe.d/a.conf --\n"+line+"\n")
		if got := n.Past("hfs") != nil; got != want {
			t.Errorf("%s: Past is %v", line, got)
		}
	}
}

func TestSoftdep(t *testing.T) {
	tests := map[string]string{
		"softdep hfs pre: a b post: c":           "a b c",
		"softdep h* post: c":                     "c",
		"softdep hfs a b":                        "",
		"softdep hfs pre: post:":                 "",
		"softdep hfsplus pre: hfs":               "",
		"softdep hfs pre:\nsoftdep hfs pre: a":   "",
		"softdep hfs pre: a\nsoftdep hfs pre: b": "a",
		"softdep hfs":                            "",
	}
	for line, want := range tests {
		n := node(t, "-- etc/modprobe.d/a.conf --\n"+line+"\n")
		var got string
		if dep := n.Softdep("hfs"); dep != nil {
			got = strings.Join(dep.Names, " ")
		}
		if got != want {
			t.Errorf("%q: Softdep is %q, want %q", line, got, want)
		}
	}
}

func TestMatch(t *testing.T) {
	tests := map[string]struct{ yes, no string }{
		"hfs":          {"hfs", "hfsplus hf ahfs"},
		"hfs*":         {"hfs hfsplus", "hf"},
		"*":            {"hfs", ""},
		"*s*u*":        {"hfsplus su", "hfs us"},
		"h?s":          {"hfs", "hs hffs"},
		"h[fg]s":       {"hfs hgs", "hs has"},
		"h[a-f]s":      {"has hcs hfs", "hgs h-s"},
		"h[!a-e]s":     {"hfs", "has hcs"},
		"h[^a-e]s":     {"hfs", "has hcs"},
		"h[f-]s":       {"hfs h-s", "hgs"},
		"h[-f]s":       {"hfs h-s", "hgs"},
		"h[f-a]s":      {"", "has hfs hcs"},
		`h\fs`:         {"hfs", `h\fs`},
		`h[\-f]s`:      {"hfs h-s", `h\s has`},
		"rds-tcp":      {"rds_tcp", "rds-tcp"},
		"rds-[a-z]*-x": {"rds_b_x", "rds_b-x rds_1_x"},
		"[a-]-b":       {"a_b -_b", "a-b"},
	}
	for pattern, tt := range tests {
		p, ok := normalise(pattern)
		if !ok {
			t.Errorf("%q is refused", pattern)
		}
		for name := range strings.FieldsSeq(tt.yes) {
			if !match(p, name) {
				t.Errorf("%q does not match %q", pattern, name)
			}
		}
		for name := range strings.FieldsSeq(tt.no) {
			if match(p, name) {
				t.Errorf("%q matches %q", pattern, name)
			}
		}
	}
	for _, pattern := range []string{"", "a]", "[a", "[a]]", "[[:alpha:]]"} {
		if _, ok := normalise(pattern); ok {
			t.Errorf("%q is not refused", pattern)
		}
	}
}

func TestSoftdepOrder(t *testing.T) {
	const kernel = "-- lib/modules/5/modules.dep --\na.ko:\n-- lib/modules/5/modules.builtin --\n-- lib/modules/5/modules.softdep --\nsoftdep hfs pre: own\n"
	tests := map[string]struct{ tree, want string }{
		"before": {"-- etc/modprobe.d/m.conf --\nsoftdep hfs pre: first\n", "first"},
		"after":  {"-- etc/modprobe.d/n.conf --\nsoftdep hfs pre: last\n", "own"},
	}
	for name, tt := range tests {
		if dep := node(t, kernel+tt.tree).Softdep("hfs"); dep == nil || dep.Names[0] != tt.want {
			t.Errorf("%s: Softdep is %+v", name, dep)
		}
	}
}

func TestSoftdepOfModules(t *testing.T) {
	n := node(t, "-- lib/modules/5.15/modules.dep --\nkernel/hfs.ko:\n-- lib/modules/5.15/modules.builtin --\n-- lib/modules/5.15/modules.softdep --\nsoftdep hfs pre: nls\n")
	dep := n.Softdep("hfs")
	if dep == nil || dep.Place.String() != "/lib/modules/5.15/modules.softdep:1" {
		t.Errorf("Softdep is %+v", dep)
	}
}

func TestCmdline(t *testing.T) {
	tests := map[string]struct {
		line             string
		kernel, modprobe []string
	}{
		"none":           {"BOOT_IMAGE=/vmlinuz root=UUID=1 ro quiet", nil, nil},
		"modprobe":       {"modprobe.blacklist=a,b modprobe.blacklist=c\n", nil, []string{"a", "b", "c"}},
		"kernel":         {"ro module_blacklist=a,b", []string{"a", "b"}, nil},
		"last counts":    {"module_blacklist=a module_blacklist=b", []string{"b"}, nil},
		"dash in key":    {"module-blacklist=a", []string{"a"}, nil},
		"quoted":         {`module_blacklist="a,b" "module_blacklist=a,c"`, []string{"a", "c"}, nil},
		"inside quotes":  {`x="y module_blacklist=a z" ro`, nil, nil},
		"for init":       {"ro -- module_blacklist=a", nil, nil},
		"another's":      {"foo.module_blacklist=a modprobe.blacklists=b xmodprobe.blacklist=c", nil, nil},
		"tab":            {"ro\tmodule_blacklist=a", []string{"a"}, nil},
		"without value":  {"module_blacklist", []string{""}, nil},
		"dashes in name": {"modprobe.blacklist=usb-storage", nil, []string{"usb-storage"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got := parseCmdline(tt.line)
			if diff := cmp.Diff(cmdline{kernel: tt.kernel, modprobe: tt.modprobe}, got, cmp.AllowUnexported(cmdline{})); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
	n := node(t, "-- proc/cmdline --\nmodprobe.blacklist=usb-storage,hfs module_blacklist=firewire-core\n")
	if _, ok := n.Denied("usb-storage"); ok {
		t.Error("libkmod does not take a dash for an underscore on the command line")
	}
	if at, ok := n.Denied("hfs"); !ok || at.String() != "/proc/cmdline" {
		t.Errorf("Denied is %v, %v", at, ok)
	}
	if _, ok := n.Refused("firewire-core"); ok {
		t.Error("the kernel compares names as they are")
	}
}

func TestUnreadable(t *testing.T) {
	tests := map[string]struct {
		tree string
		want error
	}{
		"file":            {"-- etc/modprobe.d/a.conf unreadable --\n", fs.ErrPermission},
		"directory":       {"-- run/modprobe.d/ unreadable --\n", fs.ErrPermission},
		"FIFO":            {"-- etc/modprobe.d/a.conf type=fifo --\n", host.ErrNotRegular},
		"huge":            {"-- etc/modprobe.d/a.conf size=1073741824 --\n", host.ErrTooLarge},
		"links in a ring": {"-- etc/modprobe.d/a.conf -> b.conf --\n-- etc/modprobe.d/b.conf -> a.conf --\n", host.ErrLoop},
		"link to nothing": {"-- etc/modprobe.d/a.conf -> /opt/a.conf --\n", fs.ErrNotExist},
		"not UTF-8":       {"-- etc/modprobe.d/a.conf --\ninstall hfs\xff /bin/true\n", host.ErrMalformed},
		"NUL":             {"-- etc/modprobe.d/a.conf nul --\ninstall hfs /bin/true\n", host.ErrMalformed},
		"many lines":      {"-- etc/modprobe.d/a.conf --\n" + strings.Repeat("blacklist x\n", maxStatements+1), host.ErrTooLarge},
		"long pattern":    {"-- etc/modprobe.d/a.conf --\ninstall " + strings.Repeat("?*", maxPattern) + " x\n", host.ErrTooLarge},
		"softdeps":        {"-- lib/modules/5/modules.dep --\na.ko:\n-- lib/modules/5/modules.softdep unreadable --\n", fs.ErrPermission},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			// What can be read is read nevertheless.
			n := node(t, tt.tree+"-- etc/modprobe.d/0.conf --\ninstall hfs /bin/true\n")
			if err := n.Config(); !errors.Is(err, tt.want) {
				t.Errorf("error is %v, want %v", err, tt.want)
			}
			if name != "directory" && n.Install("hfs") == nil {
				t.Error("the file that can be read is not")
			}
		})
	}
}

func TestValid(t *testing.T) {
	tests := map[string]bool{
		"usb-storage": true, "8021q": true, "NULL": true, strings.Repeat("a", 55): true,
		"": false, " ": false, "a b": false, "a/b": false, "..": false, "hfs*": false, "hfs.ko": false, "a\n": false, "é": false, strings.Repeat("a", 56): false,
	}
	for name, want := range tests {
		if Valid(name) != want {
			t.Errorf("Valid(%q) is %v", name, !want)
		}
	}
}
