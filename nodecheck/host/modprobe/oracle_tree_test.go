package modprobe

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// generate writes a random configuration over the last one.
func generate(t *testing.T, r *rand.Rand, dir string) {
	t.Helper()
	for _, d := range Dirs {
		if err := os.RemoveAll(filepath.Join(dir, d)); err != nil {
			t.Fatal(err)
		}
		if r.IntN(5) == 0 {
			continue
		}
		if err := os.MkdirAll(filepath.Join(dir, d), 0o755); err != nil {
			t.Fatal(err)
		}
		for range r.IntN(4) {
			name := filepath.Join(dir, d, pick(r, "10-a.conf", "a.conf", "B.conf", "m.conf", "modules.conf", "modules.softdep", "n.conf", "z.conf",
				"a.conf.bak", "a.config", "README", ".hidden.conf", "x~"))
			if _, err := os.Lstat(name); err == nil {
				continue
			}
			var err error
			switch r.IntN(12) {
			case 0:
				err = os.Symlink("/dev/null", name)
			case 1:
				err = os.Mkdir(name, 0o755)
			default:
				err = os.WriteFile(name, []byte(configuration(r)), 0o600)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	softdeps := filepath.Join(dir, modulesDir, oracleRelease, softdepFile)
	text := "# what the modules ask for\n"
	if r.IntN(3) == 0 {
		text += statement(r)
	}
	if err := errors.Join(os.WriteFile(softdeps, []byte(text), 0o600),
		// The last of all, so that it decides nothing else.
		os.MkdirAll(dir+"/lib/modprobe.d", 0o755),
		os.WriteFile(dir+"/lib/modprobe.d/~aliases.conf", []byte(aliases()), 0o600)); err != nil {
		t.Fatal(err)
	}
}

func aliases() string {
	var b strings.Builder
	for _, name := range oracleModules {
		fmt.Fprintf(&b, "alias by-alias-%s %s\n", name, name)
	}
	return b.String()
}

func pick(r *rand.Rand, list ...string) string { return list[r.IntN(len(list))] }

func configuration(r *rand.Rand) string {
	var b strings.Builder
	for range r.IntN(5) {
		b.WriteString(statement(r))
	}
	text := b.String()
	// Of a backslash at the very end, versions of kmod make different things.
	if cut := strings.TrimSuffix(text, "\n"); r.IntN(6) == 0 && !strings.HasSuffix(cut, "\\") {
		text = cut
	}
	return text
}

func statement(r *rand.Rand) string {
	space := pick(r, " ", " ", " ", "\t", "  ", " \t", " \\\n", "\\\n ")
	// Not two: kmod 30 overlooks the word after them.
	before := pick(r, " ", "\t", "   ", " \t ")
	name := pick(r, "cramfs", "hfs", "hfsplus", "rds", "rds_tcp", "rds-tcp", "usb-storage", "usb_storage", "firewire-core",
		"hfs*", "*", "?fs", "h[fg]s", "[!c]ramfs", "[^h]fs", "[a-h]fs*", "rds[-_]tcp", "usb[_-]storage", "hfs[", "hfs]", "[]hfs", "h[]fs", "h\\\\fs", "\\hfs", "h\\\\[fs]",
		"*fs", "*s*", "r*d*s", "cramfs.ko", "Cramfs", "[c-a]ramfs", "[[:alpha:]]fs", "h[f-]s", "h[-f]s", "h[\\\\f]s")
	other := pick(r, "hfs", "rds", "usb-storage", "rds_tcp hfs", "cramfs")
	line := pick(r, "", "", "", "", " ", "\t") + pick(r,
		"install"+space+name+space+pick(r, "/bin/true", "/bin/false", "/sbin/modprobe --ignore-install "+other, "/bin/true # why", "", " "),
		"install"+space+name+space+pick(r, "/bin/true", "/bin/false"),
		"blacklist"+space+name,
		"blacklist"+space+name+pick(r, " # why", "\r", " other"),
		"softdep"+space+name+before+pick(r, "pre: ", "post: ", "pre: hfs post: ")+other,
		"softdep"+space+name+before+pick(r, "", "pre:", "hfs", "post: hfs pre:", "pre:hfs"),
		"options"+space+name+" x=1",
		"remove "+name+" /bin/true",
		"include /etc/other.d", "Install cramfs /bin/true", "# install hfs /bin/true", "#\\", "nonsense", "install", "blacklist", "",
	)
	return line + pick(r, "\n", "\n", "\n", "\n", "\\\n", "\\ \n", " \\\n\n", "\n\n")
}

// oracleKernel makes a tree with a kernel's modules, and has depmod index them.
func oracleKernel(t *testing.T) string {
	t.Helper()
	depmod := tool(t, "depmod")
	dir := t.TempDir()
	base := filepath.Join(dir, modulesDir, oracleRelease)
	files := map[string][]byte{
		filepath.Join(base, "modules.builtin"):         []byte("kernel/fs/ext4/ext4.ko\n"),
		filepath.Join(base, "modules.order"):           nil,
		filepath.Join(base, "modules.builtin.modinfo"): nil,
		dir + "/proc/sys/kernel/osrelease":             []byte(oracleRelease + "\n"),
		dir + "/lib/modules/5.10/other/file":           nil,
	}
	for _, name := range oracleModules {
		files[filepath.Join(base, "kernel", name+".ko")] = object(t)
	}
	for name, data := range files {
		if err := errors.Join(os.MkdirAll(filepath.Dir(name), 0o755), os.WriteFile(name, data, 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	if out, err := exec.CommandContext(t.Context(), depmod, "-b", dir, oracleRelease).CombinedOutput(); err != nil {
		t.Fatalf("depmod: %v\n%s", err, out)
	}
	return dir
}

// object is the smallest object file that depmod takes for a module.
func object(t *testing.T) []byte {
	t.Helper()
	names := []byte("\x00.shstrtab\x00\x00\x00\x00\x00\x00")
	head := elf.Header64{
		Ident: [elf.EI_NIDENT]byte{0x7f, 'E', 'L', 'F', byte(elf.ELFCLASS64), byte(elf.ELFDATA2LSB), byte(elf.EV_CURRENT)},
		Type:  uint16(elf.ET_REL), Machine: uint16(elf.EM_X86_64), Version: uint32(elf.EV_CURRENT),
		Shoff: 64 + uint64(len(names)), Ehsize: 64, Shentsize: 64, Shnum: 2, Shstrndx: 1,
	}
	var b bytes.Buffer
	for _, part := range []any{head, names, elf.Section64{}, elf.Section64{Name: 1, Type: uint32(elf.SHT_STRTAB), Off: 64, Size: uint64(len(names)), Addralign: 1}} {
		if err := binary.Write(&b, binary.LittleEndian, part); err != nil {
			t.Fatal(err)
		}
	}
	return b.Bytes()
}

// tree prints the configuration for a failure.
func tree(t *testing.T, dir string) string {
	t.Helper()
	var b strings.Builder
	for _, d := range Dirs {
		names, _ := filepath.Glob(filepath.Join(dir, d, "*"))
		for _, name := range names {
			data, err := os.ReadFile(name)
			fmt.Fprintf(&b, "\n-- %s -- %v\n%q", strings.TrimPrefix(name, dir), err, data)
		}
	}
	data, err := os.ReadFile(filepath.Join(dir, modulesDir, oracleRelease, softdepFile))
	fmt.Fprintf(&b, "\n-- %s -- %v\n%q", softdepFile, err, data)
	return b.String()
}
