// Package kernel tells which kernel a node runs and which ones are installed.
package kernel

import (
	"errors"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/hardgate-dev/hardgate/nodecheck/host"
)

// ReleaseFile tells the release of the running kernel. It is not namespaced.
const ReleaseFile = "/proc/sys/kernel/osrelease"

// Kernels is the running kernel and those on disk.
type Kernels struct {
	Running Release
	// Installed are those with an image to boot, in the order of their paths; where
	// there is no image that has a release in its name, those with modules.
	Installed []Installed
}

// Installed is a kernel on disk.
type Installed struct {
	Release Release
	Where   string
}

// Read looks at the running kernel, at /boot and at /lib/modules.
func Read(h *host.Host) (*Kernels, error) { return host.Memo(h, read) }

func read(h *host.Host) (*Kernels, error) {
	f, err := h.File(ReleaseFile)
	if err != nil {
		return nil, err
	}
	if err := f.Text(); err != nil {
		return nil, err
	}
	k := &Kernels{Running: Parse(strings.TrimSpace(string(f.Data)))}
	if k.Running.Text == "" {
		return nil, &host.Error{Path: ReleaseFile, Err: host.ErrMalformed}
	}
	if k.Installed, err = images(h); err != nil || len(k.Installed) > 0 {
		return k, err
	}
	k.Installed, err = withModules(h, "modules.dep")
	return k, err
}

// prefixes of images in /boot.
var prefixes = []string{"vmlinuz-", "vmlinux-", "Image-"}

// images finds kernels to boot, in /boot and beside the modules.
func images(h *host.Host) (list []Installed, err error) {
	entries, err := h.Dir("/boot")
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	for _, e := range entries {
		for _, prefix := range prefixes {
			release, ok := strings.CutPrefix(e.Name, prefix)
			if ok && release != "" && '0' <= release[0] && release[0] <= '9' && !strings.HasSuffix(release, ".old") {
				list = append(list, Installed{Parse(release), path.Join("/boot", e.Name)})
			}
		}
	}
	beside, err := withModules(h, "vmlinuz")
	return append(list, beside...), err
}

// withModules finds the directories of modules that have a file. What a removed
// kernel leaves behind has neither an image nor an index.
func withModules(h *host.Host, file string) (list []Installed, err error) {
	dir := "/lib/modules"
	entries, err := h.Dir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		dir = "/usr/lib/modules" // a copied tree may lack the link
		entries, err = h.Dir(dir)
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		p := path.Join(dir, e.Name, file)
		there, err := h.Exists(p)
		if err != nil {
			return nil, err
		}
		if there {
			list = append(list, Installed{Parse(e.Name), p})
		}
	}
	return list, nil
}

// Newest returns the installed kernel of the running one's kind with the highest
// version, the running one included. It is not ok where none of its kind is
// installed.
func (k *Kernels) Newest() (newest Installed, ok bool) {
	same := slices.DeleteFunc(slices.Clone(k.Installed), func(i Installed) bool { return i.Release.Kind != k.Running.Kind })
	if len(same) == 0 {
		return Installed{}, false
	}
	return slices.MaxFunc(same, func(a, b Installed) int { return a.Release.Compare(b.Release) }), true
}
