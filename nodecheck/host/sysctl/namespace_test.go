package sysctl

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// child is set in the process that has namespaces of its own.
const child = "HARDGATE_SYSCTL_CHILD"

// TestDefaults asks the kernel, which makes them anew for a network namespace.
func TestDefaults(t *testing.T) {
	if os.Getenv(child) == "" {
		inNamespaces(t)
		return
	}
	for key := range defaults {
		family, name, _ := strings.Cut(key, "/")
		for _, who := range []string{"all", "default", "lo"} {
			key := keyOf(family, who, name)
			data, err := os.ReadFile(procSys + key)
			if err != nil {
				t.Fatal(err)
			}
			got, _ := Int(string(data))
			if want, ok := Default(key); !ok || got != want {
				t.Errorf("Default(%s) is %d, %v, the kernel has %d", key, want, ok, got)
			}
		}
	}
}

// TestDisableIPv6: a write to conf/all reaches conf/default and the interfaces, other
// than with the keys that TestApply compares.
func TestDisableIPv6(t *testing.T) {
	if os.Getenv(child) == "" {
		inNamespaces(t)
		return
	}
	runtime.LockOSThread()
	names := fresh(t)
	write(t, procSys+keyOf("ipv6", "all", "disable_ipv6"), "1")
	for _, who := range append(names, "default", "lo") {
		data, err := os.ReadFile(procSys + keyOf("ipv6", who, "disable_ipv6"))
		if err != nil {
			t.Fatal(err)
		}
		if strings.TrimSpace(string(data)) != "1" {
			t.Errorf("conf/%s/disable_ipv6 is %s", who, data)
		}
	}
}

// TestNamespace: the reader of another network namespace sees the same /proc, and
// its own values in it.
func TestNamespace(t *testing.T) {
	const key = "net/ipv4/conf/all/send_redirects"
	if os.Getenv(child) == "" {
		if _, err := os.Stat("/proc/1/net/netlink"); err == nil {
			if _, _, err := Running(open(t, "/"), key); err != nil {
				t.Errorf("in the namespace of the first process: %v", err)
			}
		}
		inNamespaces(t)
		return
	}
	_, _, err := Running(open(t, "/"), key)
	if !errors.Is(err, ErrNamespace) {
		t.Errorf("Running(%s) is %v, want %v", key, err, ErrNamespace)
	}
	if _, err := Interfaces(open(t, "/")); !errors.Is(err, ErrNamespace) {
		t.Errorf("Interfaces is %v, want %v", err, ErrNamespace)
	}
	if _, _, err := Running(open(t, "/"), "kernel/panic"); err != nil {
		t.Errorf("a key that all namespaces share: %v", err)
	}
}

// inNamespaces runs the test again in namespaces for the network and for mounts.
func inNamespaces(t *testing.T) {
	t.Helper()
	if os.Getuid() != 0 {
		skip(t, "only root can make namespaces")
	}
	args := []string{"-test.run=^" + t.Name() + "$", "-test.v=true"}
	if testing.Short() {
		args = append(args, "-test.short")
	}
	cmd := exec.CommandContext(t.Context(), "/proc/self/exe", args...)
	cmd.Env = append(os.Environ(), child+"=1")
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWNET | unix.CLONE_NEWNS}
	out, err := cmd.CombinedOutput()
	if errors.Is(err, unix.EPERM) {
		skip(t, "this root must not make namespaces")
	}
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	t.Logf("%s", out)
}

// mountTree puts the directories of a tree where the programs look for them.
func mountTree(t *testing.T, dir string) {
	t.Helper()
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		t.Fatal(err)
	}
	for _, place := range []string{"/etc/sysctl.d", "/run", "/usr/local/lib", "/usr/lib/sysctl.d", "/etc/sysctl.conf"} {
		source := filepath.Join(dir, place)
		info, err := os.Stat(place)
		if err != nil {
			skip(t, place+" does not exist here")
		}
		if info.IsDir() {
			err = os.MkdirAll(source, 0o755)
		} else {
			write(t, source, "")
		}
		if err != nil {
			t.Fatal(err)
		}
		if err := unix.Mount(source, place, "", unix.MS_BIND, ""); err != nil {
			t.Fatal(err)
		}
	}
}

// tuns are the interfaces: they are there while these are open.
var tuns []int

// fresh moves the calling thread into a new network namespace, where all keys have
// the kernel's defaults, and makes interfaces in it. An old namespace will not do:
// an interface copies from conf/default which values were once written, and those no
// longer follow it.
func fresh(t *testing.T) []string {
	t.Helper()
	for _, tun := range tuns {
		_ = unix.Close(tun)
	}
	tuns = nil
	if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, name := range []string{"eth0", "eth0.100"} {
		tun, err := unix.Open("/dev/net/tun", unix.O_RDWR|unix.O_CLOEXEC, 0)
		if err != nil {
			if required() {
				t.Fatal(err)
			}
			t.Logf("without interfaces: %v", err)
			return nil
		}
		tuns = append(tuns, tun)
		request, err := unix.NewIfreq(name)
		if err != nil {
			t.Fatal(err)
		}
		request.SetUint16(unix.IFF_TAP | unix.IFF_NO_PI)
		if err := unix.IoctlIfreq(tun, unix.TUNSETIFF, request); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		names = append(names, name)
	}
	return names
}
