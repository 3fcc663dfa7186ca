package enclosure

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

// makeCgroups makes a control group of one name in every hierarchy, version 1 or 2.
// remove takes it away with what was made below it.
func makeCgroups(name string) (remove func() error, err error) {
	var made []string
	remove = func() error {
		var errs []error
		for _, dir := range made {
			errs = append(errs, removeCgroup(dir))
		}
		return errors.Join(errs...)
	}
	mounts, err := cgroupMounts()
	if err != nil {
		return remove, err
	}
	for _, mount := range mounts {
		dir := filepath.Join(mount, name)
		if err := enableControllers(mount); err != nil {
			return remove, err
		}
		if err := os.Mkdir(dir, 0o755); err != nil {
			return remove, err
		}
		made = append(made, dir)
	}
	return remove, nil
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
