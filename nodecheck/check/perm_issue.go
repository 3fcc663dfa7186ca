package check

import (
	"github.com/hardgate-dev/hardgate/control"
	"github.com/hardgate-dev/hardgate/nodecheck/host"
)

// bannerMode judges the file that a link leads to: a link itself is always 0777.
func bannerMode(id control.ID, name string) *Check {
	return &Check{
		ID: id, Reads: []string{name},
		Run: func(h *host.Host, _ *Rules) (Result, error) {
			info, err := h.Stat(name)
			switch {
			case missing(err):
				return notApplicable(name, "the file does not exist")
			case err != nil:
				return Result{}, err
			case info.Type != 0:
				return Result{}, &host.Error{Path: name, Err: host.ErrNotRegular}
			}
			var j judge
			j.mode(name, info, 0o644)
			j.owner(name, info)
			return j.done()
		},
	}
}
