package check

import (
	"github.com/hardgate-dev/hardgate/nodecheck/host"
	"github.com/hardgate-dev/hardgate/nodecheck/host/accounts"
	"github.com/hardgate-dev/hardgate/nodecheck/host/pam"
)

// withoutPasswords is whether a node has no passwords at all, as one that is managed
// through an API only: neither PAM nor /etc/shadow, and none in /etc/passwd.
func withoutPasswords(h *host.Host) (bool, error) {
	if found, err := pam.Configured(h); found || err != nil {
		return false, err
	}
	if found, err := h.Exists("/etc/shadow"); found || err != nil {
		return false, err
	}
	users, err := accounts.ReadUsers(h)
	if err != nil && !missing(err) {
		return false, err
	}
	for _, u := range users {
		if u.Password == accounts.Set || u.Password == accounts.Empty {
			return false, nil
		}
	}
	return true, nil
}

// passwords wraps a check that is about passwords.
func passwords(run func(*host.Host, *Rules) (Result, error)) func(*host.Host, *Rules) (Result, error) {
	return func(h *host.Host, rules *Rules) (Result, error) {
		none, err := withoutPasswords(h)
		if err != nil {
			return Result{}, err
		}
		if none {
			return notApplicable("/etc/shadow", "the node has no passwords: neither PAM nor this file exists")
		}
		return run(h, rules)
	}
}
