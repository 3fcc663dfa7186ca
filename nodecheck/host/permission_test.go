//go:build linux

package host_test

import (
	"encoding/binary"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/hardgate-dev/hardgate/nodecheck/host"
)

const (
	treeVariable = "HARDGATE_TEST_UNREADABLE"
	nobody       = 65534
)

// TestPermissionDenied runs again as a user that may not read what it looks at,
// where it runs as root.
func TestPermissionDenied(t *testing.T) {
	dir := os.Getenv(treeVariable)
	if dir == "" {
		dir = t.TempDir()
		write(t, dir, "secret", "text")
		write(t, dir, "closed/file", "text")
		write(t, dir, "listed/file", "text")
		write(t, dir, "entered/file", "text")
		link(t, dir, "/secret", "link")
		for _, f := range []struct {
			name string
			mode fs.FileMode
		}{ // what is in a directory before the directory: its owner cannot enter it any more
			{"entered/file", 0o644}, {"listed/file", 0o644}, {"secret", 0}, {"closed", 0}, {"listed", 0o444}, {"entered", 0o111}, {"", 0o755},
		} {
			must(t, os.Chmod(filepath.Join(dir, f.name), f.mode))
		}
		t.Cleanup(func() {
			for _, name := range []string{"closed", "listed", "entered"} {
				_ = os.Chmod(filepath.Join(dir, name), 0o755)
			}
		})
		if os.Getuid() == 0 {
			asNobody(t, dir)
			return
		}
	}
	roots(t, dir, func(t *testing.T, r *host.Root) {
		t.Helper()
		denied := func(what string, err error) {
			t.Helper()
			if !errors.Is(err, fs.ErrPermission) {
				t.Errorf("%s: %v", what, err)
			}
		}
		_, info, err := r.ReadFile("/secret", 10)
		denied("a file", err)
		if info.Path != "/secret" {
			t.Errorf("of a file that cannot be read: %+v", info)
		}
		_, _, err = r.ReadFile("/link", 10)
		denied("behind a link", err)
		_, err = r.ReadDir("/closed")
		denied("a directory", err)
		for _, name := range []string{"/closed/file", "/closed/none", "/closed/../secret", "/listed/file"} {
			_, err = r.Stat(name)
			denied(name, err)
			_, err = r.Lstat(name)
			denied(name, err)
		}
		if info, err := r.Stat("/secret"); err != nil || info.Mode != 0 {
			t.Errorf("its mode: %+v, %v", info, err)
		}
		if entries, err := r.ReadDir("/listed"); err != nil || len(entries) != 1 || entries[0].Type != 0 {
			t.Errorf("a directory that cannot be entered: %v, %v", entries, err)
		}
		if _, _, err := r.ReadFile("/entered/file", 10); err != nil {
			t.Errorf("a directory that cannot be listed: %v", err)
		}
	})
}

// asNobody starts the calling test as another user.
func asNobody(t *testing.T, dir string) {
	t.Helper()
	// The test's own files are below a directory that others may not enter.
	for p := dir; p != os.TempDir() && p != "/"; p = filepath.Dir(p) {
		must(t, os.Chmod(p, 0o755))
	}
	binary, err := os.ReadFile("/proc/self/exe")
	must(t, err)
	program := filepath.Join(filepath.Dir(dir), "test")
	must(t, os.WriteFile(program, binary, 0o755))
	cmd := exec.CommandContext(t.Context(), program, "-test.run=^TestPermissionDenied$", "-test.v")
	cmd.Env = append(os.Environ(), treeVariable+"="+dir)
	cmd.Dir = "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "--- PASS: TestPermissionDenied/walk") {
		t.Errorf("as uid %d: %v\n%s", nobody, err, out)
	}
}

// TestACL: an access control list with names in it is seen, the three entries that
// are the mode in other words are not.
func TestACL(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "plain", "")
	write(t, dir, "named", "")
	write(t, dir, "same", "")
	link(t, dir, "named", "link")
	const (
		userObj, user, groupObj, group, mask, other = 0x01, 0x02, 0x04, 0x08, 0x10, 0x20
		none                                        = 0xffffffff
	)
	type entry struct {
		tag, perm uint16
		id        uint32
	}
	set := func(name string, entries ...entry) {
		t.Helper()
		value := binary.LittleEndian.AppendUint32(nil, 2)
		for _, e := range entries {
			value = binary.LittleEndian.AppendUint16(value, e.tag)
			value = binary.LittleEndian.AppendUint16(value, e.perm)
			value = binary.LittleEndian.AppendUint32(value, e.id)
		}
		err := unix.Setxattr(filepath.Join(dir, name), "system.posix_acl_access", value, 0)
		if errors.Is(err, unix.ENOTSUP) {
			t.Skip("the file system has no access control lists")
		}
		must(t, err)
	}
	set("named", entry{userObj, 6, none}, entry{user, 6, 1000}, entry{groupObj, 0, none}, entry{mask, 6, none}, entry{other, 0, none})
	set("same", entry{userObj, 6, none}, entry{groupObj, 0, none}, entry{other, 0, none})
	roots(t, dir, func(t *testing.T, r *host.Root) {
		t.Helper()
		for name, want := range map[string]bool{"/plain": false, "/named": true, "/same": false, "/link": true, "/": false} {
			info, err := r.Stat(name)
			if err != nil || info.ACL != want {
				t.Errorf("%s: %v, %v; want %v", name, info.ACL, err, want)
			}
			if name == "/named" && info.Mode != 0o660 {
				t.Errorf("the mask is the group part: %04o", info.Mode)
			}
		}
	})
	set("named", entry{userObj, 6, none}, entry{groupObj, 0, none}, entry{group, 4, 42}, entry{mask, 4, none}, entry{other, 0, none})
	if info, err := open(t, dir).Stat("/named"); err != nil || !info.ACL {
		t.Errorf("a group of its own: %+v, %v", info, err)
	}
}

// TestInfo: mode bits, owner and where a file really is.
func TestInfo(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "real/file", "12345")
	file := dir + "/real/file"
	link(t, dir, "/real", "short")
	must(t, os.Chmod(file, 0o640|fs.ModeSetuid|fs.ModeSticky))
	owner := uint32(os.Getuid())
	if owner == 0 {
		must(t, os.Chown(file, 12, 34))
		must(t, os.Chmod(file, 0o640|fs.ModeSetuid|fs.ModeSticky))
		owner = 12
	}
	roots(t, dir, func(t *testing.T, r *host.Root) {
		t.Helper()
		info, err := r.Stat("/short/file")
		must(t, err)
		if info.Path != "/real/file" || info.Mode != 0o5640 || info.UID != owner || info.Size != 5 || info.Type != 0 || info.ModTime.IsZero() {
			t.Errorf("%+v", info)
		}
		_, read, err := r.ReadFile("/short/file", 10)
		if err != nil || read.Path != info.Path || read.Mode != info.Mode || !read.ModTime.Equal(info.ModTime) || read.Size != 5 {
			t.Errorf("from reading: %+v, %v", read, err)
		}
	})
}
