package check

import (
	"fmt"
	"strconv"

	"github.com/hardgate-dev/hardgate/nodecheck/host"
	"github.com/hardgate-dev/hardgate/nodecheck/host/accounts"
)

// pwMaxAge: CIS Ubuntu 16.04 5.4.1.1. The default and every account with a password
// are judged apart: on AKS the default is right and root has no limit.
var pwMaxAge = Check{
	ID:    "pw-max-age",
	Reads: []string{"/etc/login.defs", "/etc/shadow", "/etc/passwd"},
	Run: passwords(func(h *host.Host, rules *Rules) (Result, error) {
		var j judge
		limit := rules.PasswordMaxDays
		j.defaultMaxDays(h, limit)
		j.ages(h, "maximum", 1, limit, func(a accounts.Aging) *int { return a.MaxDays })
		return j.done()
	}),
}

// pwInactive: CIS Ubuntu 16.04 5.4.1.4.
var pwInactive = Check{
	ID:    "pw-inactive",
	Reads: []string{"/etc/default/useradd", "/etc/shadow", "/etc/passwd"},
	Run: passwords(func(h *host.Host, rules *Rules) (Result, error) {
		var j judge
		limit := rules.PasswordInactiveDays
		j.defaultInactive(h, limit)
		j.ages(h, "inactive", 0, limit, func(a accounts.Aging) *int { return a.InactiveDays })
		return j.done()
	}),
}

const (
	forNew      = "default for new accounts"
	forAccounts = "account with a password"
)

// defaultMaxDays judges what new accounts get. An unset or unreadable number is -1
// for shadow: no limit.
func (j *judge) defaultMaxDays(h *host.Host, limit int) {
	defs, err := accounts.ReadDefs(h)
	if err != nil {
		j.unknown(err)
		return
	}
	f := Finding{Where: defs.Path, Expected: fmt.Sprintf("PASS_MAX_DAYS 1 to %d", limit), Actual: "PASS_MAX_DAYS is not set", Detail: forNew}
	value, found := defs.Get("PASS_MAX_DAYS")
	if !found {
		if f.Where == "" {
			f.Where = "/etc/login.defs"
		}
		j.fault(f)
		return
	}
	f.Where = value.Where
	n, ok := value.Int()
	f.Actual = "PASS_MAX_DAYS " + strconv.Itoa(n)
	if !ok {
		f.Actual = "PASS_MAX_DAYS is no number"
		f.Detail += ": shadow sets no limit then"
	} else if written := strconv.Itoa(n); written != value.Text {
		f.Detail += fmt.Sprintf(": written as %q", value.Text)
	}
	j.expect(ok && n >= 1 && n <= limit, f)
}

func (j *judge) defaultInactive(h *host.Host, limit int) {
	u, err := accounts.ReadUseradd(h)
	if err != nil {
		j.unknown(err)
		return
	}
	f := Finding{Where: u.Inactive.Where, Expected: fmt.Sprintf("INACTIVE 0 to %d", limit), Detail: forNew}
	days := u.Days()
	switch {
	case f.Where == "":
		f.Where, f.Actual = u.Path, "INACTIVE is not set"
		if u.Path == "" {
			f.Where = "/etc/default/useradd"
		}
	case days < 0 && u.Inactive.Text != "-1":
		f.Actual = "INACTIVE is no number"
		f.Detail += ": useradd sets no limit then"
	default:
		f.Actual = "INACTIVE " + strconv.Itoa(days)
	}
	j.expect(days >= 0 && days <= limit, f)
}

// ages judges a limit of every account that a password opens.
func (j *judge) ages(h *host.Host, what string, least, most int, get func(accounts.Aging) *int) {
	list, err := accounts.PasswordAges(h)
	if err != nil {
		j.unknown(err)
		return
	}
	if len(list) == 0 {
		j.hold(Finding{Where: "/etc/shadow", Detail: "no account has a password"})
	}
	for _, a := range list {
		days := get(a)
		f := Finding{
			Where: a.Where, Expected: fmt.Sprintf("%s days %d to %d", what, least, most),
			Actual: fmt.Sprintf("%s: %s days unlimited", a.Name, what), Detail: forAccounts,
		}
		if a.Password == accounts.Empty {
			f.Detail = "account with an empty password"
		}
		if days != nil && *days >= 0 {
			f.Actual = fmt.Sprintf("%s: %s days %d", a.Name, what, *days)
		}
		ages := a.LastChange != nil && *a.LastChange >= 0
		if !ages && days != nil {
			f.Expected, f.Actual = "a day of the last change", a.Name+": none"
			f.Detail = join(f.Detail, "the password does not age without it")
		}
		j.expect(ages && days != nil && *days >= least && *days <= most, f)
	}
}
