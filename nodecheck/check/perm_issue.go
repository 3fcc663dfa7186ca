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
			if _, err := h.Stat(name); missing(err) {
				return notApplicable(name, "the file does not exist")
			}
			var j judge
			j.access(h, name, 0o644)
			return j.done()
		},
	}
}
