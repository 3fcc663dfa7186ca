package enclosure

import (
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"syscall"

	"golang.org/x/sys/unix"
)

// SetUp makes the inside what it should be. It is called once, by the process that
// Run has started.
func SetUp() error {
	if Dir() == "" || os.Getpid() != 1 {
		return errors.New("setting up an enclosure: this process is not the first of one")
	}
	for _, step := range []func() error{privateMounts, ownDirectories, ownKernelSettings, ownNetwork} {
		if err := step(); err != nil {
			return fmt.Errorf("setting up an enclosure: %w", err)
		}
	}
	return nil
}

func mount(source, target, fstype string, flags uintptr, data string) error {
	if err := syscall.Mount(source, target, fstype, flags, data); err != nil {
		return fmt.Errorf("mounting %s on %s: %w", fstype, target, err)
	}
	return nil
}

// privateMounts keeps mounts from spreading to the machine, lets them spread inside
// as systemd does, which pods may ask for, and shows the processes of the enclosure
// only.
func privateMounts() error {
	for _, propagation := range []uintptr{syscall.MS_PRIVATE, syscall.MS_SHARED} {
		if err := mount("", "/", "", syscall.MS_REC|propagation, ""); err != nil {
			return err
		}
	}
	return mount("proc", "/proc", "proc", syscall.MS_NOSUID|syscall.MS_NODEV|syscall.MS_NOEXEC, "")
}

// ownDirectories lays a writable layer in memory over the directories that a node
// writes to; /usr for the kubelet's volume plugins. A container runtime and a kubelet want a real file system below them.
func ownDirectories() error {
	layers := filepath.Join(Dir(), "layers")
	if err := os.Mkdir(layers, 0o700); err != nil {
		return err
	}
	if err := mount("tmpfs", layers, "tmpfs", 0, "mode=0700"); err != nil {
		return err
	}
	for _, dir := range []string{"etc", "run", "usr", "var"} {
		upper, work := filepath.Join(layers, dir), filepath.Join(layers, dir+".work")
		if err := errors.Join(os.Mkdir(upper, 0o755), os.Mkdir(work, 0o755)); err != nil {
			return err
		}
		data := "lowerdir=/" + dir + ",upperdir=" + upper + ",workdir=" + work
		if err := mount("overlay", "/"+dir, "overlay", 0, data); err != nil {
			return err
		}
	}
	for _, name := range []string{"containerd", "kubelet"} {
		real, seen := filepath.Join(Dir(), name), "/var/lib/"+name
		if err := errors.Join(os.MkdirAll(real, 0o700), os.MkdirAll(seen, 0o700)); err != nil {
			return err
		}
		if err := mount(real, seen, "", syscall.MS_BIND, ""); err != nil {
			return err
		}
	}
	return nil
}

// tuned are the settings of the whole kernel that a kubelet changes when it starts.
var tuned = []string{
	"vm/overcommit_memory", "vm/panic_on_oom", "kernel/panic", "kernel/panic_on_oops",
	"kernel/keys/root_maxkeys", "kernel/keys/root_maxbytes",
}

// ownKernelSettings puts files of the same content over those settings: no
// namespace separates them.
func ownKernelSettings() error {
	for _, name := range tuned {
		path, own := "/proc/sys/"+name, filepath.Join(Dir(), "layers", filepath.Base(name))
		value, err := os.ReadFile(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		if err := os.WriteFile(own, value, 0o644); err != nil {
			return err
		}
		if err := mount(own, path, "", syscall.MS_BIND, ""); err != nil {
			return err
		}
	}
	return nil
}

// ownNetwork names the machine and brings up its one interface.
func ownNetwork() error {
	if err := syscall.Sethostname([]byte(Host)); err != nil {
		return fmt.Errorf("naming the node: %w", err)
	}
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("bringing up the loopback interface: %w", err)
	}
	defer func() { _ = unix.Close(fd) }() // nothing is written to it
	up, err := unix.NewIfreq("lo")
	if err != nil {
		return fmt.Errorf("bringing up the loopback interface: %w", err)
	}
	up.SetUint16(unix.IFF_UP | unix.IFF_LOOPBACK | unix.IFF_RUNNING)
	if err := unix.IoctlIfreq(fd, unix.SIOCSIFFLAGS, up); err != nil {
		return fmt.Errorf("bringing up the loopback interface: %w", err)
	}
	return alias(fd, "lo:0", netip.MustParseAddr(Address))
}

// AddAddress gives the loopback interface inside one more address, by the name of an alias
// such as "lo:1".
func AddAddress(name string, address netip.Addr) error {
	if Dir() == "" {
		return errors.New("giving the node an address: only in an enclosure")
	}
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("giving the node an address: %w", err)
	}
	defer func() { _ = unix.Close(fd) }() // nothing is written to it
	return alias(fd, name, address)
}

// alias sets an address, and that there are no others in its network: the kernel takes
// the class of the address for it.
func alias(fd int, name string, address netip.Addr) error {
	request, err := unix.NewIfreq(name)
	if err != nil {
		return fmt.Errorf("giving the node an address: %w", err)
	}
	for _, set := range []struct {
		what    uint
		address netip.Addr
	}{{unix.SIOCSIFADDR, address}, {unix.SIOCSIFNETMASK, netip.AddrFrom4([4]byte{255, 255, 255, 255})}} {
		if err := request.SetInet4Addr(set.address.AsSlice()); err != nil {
			return fmt.Errorf("giving the node an address: %w", err)
		}
		if err := unix.IoctlIfreq(fd, set.what, request); err != nil {
			return fmt.Errorf("giving the node an address: %w", err)
		}
	}
	return nil
}
