package enclosure

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

// makeCgroups makes a control group of one name in every hierarchy, version 1 or 2.
func makeCgroups(name string) error {
	mounts, err := cgroupMounts()
	if err != nil {
		return err
	}
	for _, mount := range mounts {
		if err := enableControllers(mount); err != nil {
			return err
		}
		if err := os.Mkdir(filepath.Join(mount, name), 0o755); err != nil {
			return err
		}
	}
	return nil
}

// removeCgroups takes away those of that name, as far as they were made, with what
// was made below them.
func removeCgroups(name string) error {
	mounts, err := cgroupMounts()
	if err != nil {
		return err
	}
	var errs []error
	for _, mount := range mounts {
		if err := removeCgroup(filepath.Join(mount, name)); !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// cgroupMounts are where the hierarchies are: each of version 1 has a mount of its
// own.
func cgroupMounts() (dirs []string, err error) {
	mounts, err := os.ReadFile("/proc/self/mounts")
	if err != nil {
		return nil, err
	}
	for line := range strings.Lines(string(mounts)) {
		fields := strings.Fields(line)
		if len(fields) < 3 || fields[2] != "cgroup" && fields[2] != "cgroup2" || !strings.HasPrefix(fields[1], "/sys/fs/cgroup") {
			continue
		}
		dirs = append(dirs, fields[1])
	}
	return dirs, nil
}

// removeCgroup removes a control group and those below it: their files go with
// them and cannot be removed one by one.
func removeCgroup(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	var errs []error
	for _, e := range entries {
		if e.IsDir() {
			errs = append(errs, removeCgroup(filepath.Join(dir, e.Name())))
		}
	}
	return errors.Join(append(errs, syscall.Rmdir(dir))...)
}

// enableControllers hands the controllers of a hierarchy of version 2 on to the
// groups at its top, as a kubelet without CgroupRoot does. In version 1 there is
// nothing to do.
func enableControllers(mount string) error {
	have, err := os.ReadFile(filepath.Join(mount, "cgroup.controllers"))
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	name := filepath.Join(mount, "cgroup.subtree_control")
	enabled, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	for controller := range strings.FieldsSeq(string(have)) {
		if slices.Contains(strings.Fields(string(enabled)), controller) {
			continue
		}
		if err := os.WriteFile(name, []byte("+"+controller), 0o644); err != nil {
			return err
		}
	}
	return nil
}
