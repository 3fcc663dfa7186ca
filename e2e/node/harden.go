package node

import (
	_ "embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// What drifts in the lab: a file, and a setting of the node's network. Both pass when
// the node comes up.
const (
	SSHConfig   = "/etc/ssh/sshd_config"
	LogMartians = "/proc/sys/net/ipv4/conf/all/log_martians"
)

var (
	//go:embed files/sshd_config
	sshConfig []byte
	//go:embed files/ssh.service
	sshUnit []byte
	//go:embed files/sysctl.conf
	sysctlConfig []byte
)

const sshUnitFile = "/usr/lib/systemd/system/ssh.service"

// harden makes the controls of those two pass. It writes to the enclosure's own copies
// of /etc, /usr and /run. Where this machine has an sshd, the node has that one,
// enabled, and none that runs: an sshd outside is out of its sight.
func harden() error {
	files := map[string][]byte{
		SSHConfig:                      sshConfig,
		"/etc/sysctl.d/99-zz-lab.conf": sysctlConfig,
		LogMartians:                    []byte("1"),
		filepath.Dir(filepath.Dir(LogMartians)) + "/default/log_martians": []byte("1"),
	}
	for path, content := range map[string][]byte{sshUnitFile: sshUnit, "/usr/sbin/sshd": nil} {
		if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
			files[path] = content
		}
	}
	for path, content := range files {
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, content, 0o600)); err != nil {
			return fmt.Errorf("hardening the node: %w", err)
		}
	}
	wanted := "/etc/systemd/system/multi-user.target.wants/ssh.service"
	for _, path := range []string{wanted, "/run/sshd.pid"} {
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("hardening the node: %w", err)
		}
	}
	if err := errors.Join(os.MkdirAll(filepath.Dir(wanted), 0o755), os.Symlink(sshUnitFile, wanted)); err != nil {
		return fmt.Errorf("hardening the node: %w", err)
	}
	return nil
}
