package check

import "github.com/hardgate-dev/hardgate/nodecheck/host"

// permCrontab: CIS Ubuntu 16.04 5.1.2. The packaged mode is 0644, which is wider.
var permCrontab = Check{
	ID:    "perm-crontab",
	Reads: []string{"/etc/crontab"},
	Run: func(h *host.Host, _ *Rules) (Result, error) {
		if _, err := h.Stat("/etc/crontab"); missing(err) {
			return notApplicable("/etc/crontab", "the file does not exist: there is no table of the system for cron")
		}
		var j judge
		j.access(h, "/etc/crontab", 0o600)
		return j.done()
	},
}
