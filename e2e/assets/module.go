package assets

import (
	"debug/buildinfo"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/mod/modfile"
)

// module is a go.mod without its replacements: the version that a build uses of
// each module.
type module struct {
	dir      string
	versions map[string]string
}

func readModule(dir string) (module, error) {
	path := filepath.Join(dir, "go.mod")
	text, err := os.ReadFile(path)
	if err != nil {
		return module{}, fmt.Errorf("reading the control plane's module: %w", err)
	}
	file, err := modfile.Parse(path, text, nil)
	if err != nil {
		return module{}, fmt.Errorf("reading the control plane's module: %w", err)
	}
	m := module{dir: dir, versions: map[string]string{}}
	for _, r := range file.Require {
		m.versions[r.Mod.Path] = r.Mod.Version
	}
	for _, r := range file.Replace {
		m.versions[r.Old.Path] = r.New.Version
	}
	for _, s := range sources {
		if m.versions[s.module] == "" {
			return module{}, fmt.Errorf("reading the control plane's module: %s requires no %s", path, s.module)
		}
	}
	return m, nil
}

func (m module) version(path string) string { return m.versions[path] }

// built returns nil when the file is src built from the versions of this module,
// and otherwise what differs.
func (m module) built(path string, src source) error {
	info, err := buildinfo.ReadFile(path)
	if err != nil {
		return err
	}
	if info.Path != src.pkg {
		return fmt.Errorf("%s is %s, want %s", path, info.Path, src.pkg)
	}
	if info.Main.Version != m.version(src.module) {
		return fmt.Errorf("%s is of version %s, want %s", path, info.Main.Version, m.version(src.module))
	}
	for _, dep := range info.Deps {
		version := dep.Version
		if dep.Replace != nil {
			version = dep.Replace.Version
		}
		if version != m.version(dep.Path) {
			return fmt.Errorf("%s has %s %s, want %s", path, dep.Path, version, m.version(dep.Path))
		}
	}
	return nil
}
