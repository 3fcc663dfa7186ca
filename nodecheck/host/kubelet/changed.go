package kubelet

import (
	"errors"
	"io/fs"
	"slices"
	"time"

	"github.com/hardgate-dev/hardgate/nodecheck/host"
)

var errChanged = errors.New("it changed after the kubelet started, so that what is in force is not known")

// tolerance is how far the times of files and of processes may be apart: the latter
// are rounded down twice.
const tolerance = 3 * time.Second

// changed says which of the files is younger than the process that reads them. The
// time of a directory tells of files that came and went, that of a link that it led
// elsewhere.
func (l *layers) changed(h *host.Host, started time.Time) error {
	if started.IsZero() {
		return nil
	}
	for _, p := range slices.Concat(l.dirs, l.paths) {
		for _, look := range []func(string) (host.Info, error){h.Stat, h.Lstat} {
			info, err := look(p)
			switch {
			case err != nil && !errors.Is(err, fs.ErrNotExist):
				return err
			case err == nil && info.ModTime.Sub(started) > tolerance:
				return &host.Error{Path: p, Err: errChanged}
			}
		}
	}
	return nil
}
