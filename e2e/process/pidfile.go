package process

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// pidFile is what is remembered of a program: which process it is, and the
// digest of the definition that it was started from.
type pidFile struct {
	Identity
	digest string
}

func pidPath(dir, name string) string { return filepath.Join(dir, "run", name+".pid") }

// save writes the file. It is renamed into place, so that a reader never sees
// half of it.
func (f pidFile) save(path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("writing a pid file: %w", err)
	}
	part := path + ".part"
	if err := os.WriteFile(part, fmt.Appendf(nil, "%d %d %s\n", f.PID, f.Started, f.digest), 0o600); err != nil {
		return fmt.Errorf("writing a pid file: %w", err)
	}
	if err := os.Rename(part, path); err != nil {
		return fmt.Errorf("writing a pid file: %w", err)
	}
	return nil
}

// load reads a pid file. found is false when there is none. A file that cannot
// be understood is an error: a program may be running that it should name.
func load(path string) (f pidFile, found bool, err error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return pidFile{}, false, nil
	}
	if err != nil {
		return pidFile{}, false, fmt.Errorf("reading a pid file: %w", err)
	}
	if _, err := fmt.Sscanf(string(text), "%d %d %s\n", &f.PID, &f.Started, &f.digest); err != nil || f.PID <= 1 {
		return pidFile{}, false, fmt.Errorf("reading the pid file %s: %q is not a pid, a start time and a digest", path, text)
	}
	return f, true, nil
}
