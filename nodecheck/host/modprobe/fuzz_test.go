package modprobe

import (
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"github.com/hardgate-dev/hardgate/nodecheck/host"
	"github.com/hardgate-dev/hardgate/nodecheck/host/hosttest"
)

// FuzzRead: whatever the files say, reading ends, and what it says of a module has
// a place in one of them.
func FuzzRead(f *testing.F) {
	f.Add("install hfs* /bin/true\nsoftdep hfs pre: a \\\n b\nblacklist usb-storage\n", "kernel/hfs.ko.zst: a\n", "kernel/ext4.ko\n", "hfs 1 0 - Live 0x0\n", "module_blacklist=a", "hfs")
	paths, err := filepath.Glob(filepath.Join("..", "..", "check", "testdata", "mod-*", "*.txtar"))
	if err != nil {
		f.Fatal(err)
	}
	for _, p := range paths {
		a, err := txtar.ParseFile(p)
		if err != nil {
			f.Fatal(err)
		}
		var conf, dep, builtin, modules, line strings.Builder
		for _, file := range a.Files {
			switch {
			case strings.Contains(file.Name, "modprobe.d/"):
				conf.Write(file.Data)
			case strings.Contains(file.Name, "modules.dep"):
				dep.Write(file.Data)
			case strings.Contains(file.Name, "modules.builtin"):
				builtin.Write(file.Data)
			case strings.Contains(file.Name, "proc/modules"):
				modules.Write(file.Data)
			case strings.Contains(file.Name, "proc/cmdline"):
				line.Write(file.Data)
			}
		}
		f.Add(conf.String(), dep.String(), builtin.String(), modules.String(), line.String(), "cramfs")
	}
	f.Fuzz(func(t *testing.T, conf, dep, builtin, modules, line, name string) {
		tree, err := hosttest.Text("")
		if err != nil {
			t.Fatal(err)
		}
		tree.Write("/etc/modprobe.d/a.conf", conf)
		tree.Write("/lib/modules/5/modules.dep", dep)
		tree.Write("/lib/modules/5/modules.builtin", builtin)
		tree.Write("/proc/modules", modules)
		tree.Write("/proc/cmdline", line)
		n := Read(host.New(tree))
		if l := n.Install(name); l != nil && (l.Command == "" || l.Place.Line < 1 || l.Place.Line > strings.Count(conf, "\n")+1) {
			t.Errorf("Install is %+v", l)
		}
		if d := n.Softdep(name); d != nil && len(d.Names) == 0 {
			t.Errorf("Softdep is %+v", d)
		}
		n.Past(name)
		n.Denied(name)
		n.Refused(name)
		p, err := n.Presence(name)
		if err == nil && p.Kind == Loadable && !strings.Contains(Canonical(strings.Split(dep, "\n")[p.Place.Line-1]), Canonical(name)) {
			t.Errorf("Presence is %+v", p)
		}
		if _, err := n.Loaded(name); err != nil {
			t.Error(err)
		}
	})
}

// FuzzMatch compares match with the definition of fnmatch.
func FuzzMatch(f *testing.F) {
	for _, p := range []string{"*", "h?s", "h[a-f]s", "[!h]*", "[^h", "*a*b*c", `\*`, `[\]]`, "[]]", "[!]", "[a-]", "a[", `[a\`} {
		f.Add(p, "hfs")
	}
	f.Fuzz(func(t *testing.T, pattern, name string) {
		if len(pattern) > 40 || len(name) > 12 || strings.Count(pattern, "*") > 4 {
			t.Skip()
		}
		if got, want := match(pattern, name), slowly(pattern, name); got != want {
			t.Errorf("match(%q, %q) is %v", pattern, name, got)
		}
	})
}

func slowly(pattern, name string) bool {
	switch {
	case pattern == "":
		return name == ""
	case pattern[0] == '*':
		return slowly(pattern[1:], name) || (name != "" && slowly(pattern, name[1:]))
	case name == "":
		return false
	}
	size, ok := element(pattern, name[0])
	return ok && slowly(pattern[size:], name[1:])
}
