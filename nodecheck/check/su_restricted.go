package check

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/hardgate-dev/hardgate/nodecheck/host"
	"github.com/hardgate-dev/hardgate/nodecheck/host/accounts"
	"github.com/hardgate-dev/hardgate/nodecheck/host/pam"
)

// suRestricted: CIS Ubuntu 16.04 5.6. Only members of a group may become somebody
// else: no way through the stack may lead anybody else to success, whatever the
// modules besides pam_wheel say.
var suRestricted = Check{
	ID:    "su-restricted",
	Reads: []string{"/usr/bin/su", "/etc/pam.d/su", "/etc/pam.d/su-l", "/etc/group", "/etc/passwd"},
	Run: func(h *host.Host, rules *Rules) (Result, error) {
		var j judge
		binaries, setuid, err := suBinaries(h)
		if err != nil {
			return Result{}, err
		}
		if len(binaries) == 0 {
			// Without its directory, the program may only not have been copied.
			if dir, err := anyOf(h, []string{"/usr/bin", "/bin"}); err != nil || dir == "" {
				return Result{}, errors.Join(err, &host.Error{Path: "/usr/bin", Err: fs.ErrNotExist})
			}
			return notApplicable("/usr/bin/su", "su is not installed")
		}
		if !setuid {
			for _, f := range binaries {
				f.Detail = "without setuid it changes to nobody"
				j.hold(f)
			}
			return j.done()
		}
		for _, service := range []string{"su", "su-l"} {
			found, err := pam.HasService(h, service)
			if err != nil {
				j.unknown(err)
				continue
			}
			if !found && service == "su-l" {
				found, err = asksForLogin(h, binaries)
				j.unknown(err)
			}
			if found || service == "su" {
				j.suStack(h, service, rules)
			}
		}
		return j.done()
	},
}

// suBinaries describes the programs, and whether one of them is setuid.
func suBinaries(h *host.Host) (list []Finding, setuid bool, err error) {
	seen := map[string]bool{}
	for _, p := range []string{"/usr/bin/su", "/bin/su"} {
		info, err := h.Stat(p)
		if missing(err) || err == nil && seen[info.Path] {
			continue
		}
		if err != nil {
			return nil, false, err
		}
		seen[info.Path] = true
		list = append(list, Finding{Where: p, Actual: fmt.Sprintf("mode %04o", info.Mode)})
		setuid = setuid || info.Mode&0o4000 != 0
	}
	return list, setuid, nil
}

// asksForLogin is whether one of the programs has a service of its own for login
// shells, which is that of other where it has no file. That of util-linux has one,
// that of shadow has not; both may be read by everybody.
func asksForLogin(h *host.Host, binaries []Finding) (bool, error) {
	for _, b := range binaries {
		f, err := h.File(b.Where)
		if err != nil {
			return false, err
		}
		if bytes.Contains(f.Data, []byte("su-l\x00")) {
			return true, nil
		}
	}
	return false, nil
}

const (
	wheelModule = "pam_wheel.so"
	wantedWheel = "auth required " + wheelModule + " use_uid"
)

func (j *judge) suStack(h *host.Host, service string, rules *Rules) {
	stack, err := pam.Read(h, service, pam.Auth)
	if missing(err) {
		j.fault(Finding{Where: "/etc/pam.d/" + service, Expected: wantedWheel, Detail: "neither this file nor that of other exists"})
		return
	}
	if err != nil {
		j.unknown(err)
		return
	}
	by, err := stack.Grants(stranger)
	if err != nil {
		j.unknown(&host.Error{Path: stack.Path, Err: err})
		return
	}
	var wheels []*pam.Rule
	for i := range stack.Rules {
		if r := &stack.Rules[i]; r.Base() == wheelModule {
			wheels = append(wheels, r)
		}
	}
	switch {
	case by != nil && len(wheels) == 0:
		j.once(false, Finding{
			Where: stack.Path, Expected: wantedWheel, Actual: "no " + wheelModule,
			Detail: fmt.Sprintf("who knows the password gets through %s at %s", service, by.Where),
		})
	case by != nil:
		j.around(service, by, wheels)
	case len(wheels) == 0:
		j.once(true, Finding{Where: stack.Path, Detail: "nobody but root gets through " + service})
	}
	for _, r := range wheels {
		if r.Optional {
			j.pamModule(h, r)
		}
		if j.wheelOptions(r) && by == nil {
			f := Finding{Where: r.Where, Expected: wantedWheel, Actual: strings.Join(append([]string{describe(r)}, r.Args...), " ")}
			if _, uid := r.Arg("use_uid"); !uid {
				f.Detail = "without use_uid it goes by who logged in, not by who asks"
			}
			j.once(true, f)
		}
		j.wheelGroup(h, r, rules)
	}
}

// around says how a user who is not in the group gets past pam_wheel.
func (j *judge) around(service string, by *pam.Rule, wheels []*pam.Rule) {
	f := Finding{Where: by.Where, Expected: wantedWheel, Actual: describe(by), Detail: "who is not in the group gets through " + service + " here"}
	for _, r := range wheels {
		if !r.Control.Denies(refusals...) {
			f.Where, f.Actual, f.Detail = r.Where, describe(r), service+" goes on when it refuses"
		}
	}
	j.once(false, f)
}

// stranger is what modules may return for a user who is neither root nor in the
// group.
func stranger(r *pam.Rule) []pam.Code {
	switch r.Base() {
	case "pam_rootok.so", "pam_deny.so":
		return []pam.Code{pam.AuthErr}
	case wheelModule:
		return wheel(r)
	}
	return pam.Any()
}

// wheel is what pam_wheel returns for a user outside its group: see pam_wheel(8).
// With "deny" it keeps out the members instead, and with "root_only" it asks
// nothing of those who become another than root.
func wheel(r *pam.Rule) []pam.Code {
	_, deny := r.Arg("deny")
	_, rootOnly := r.Arg("root_only")
	if deny || rootOnly {
		return pam.Any()
	}
	return refusals
}

// refusals are the codes of a module that lets nobody through.
var refusals = slices.DeleteFunc(pam.Any(), func(c pam.Code) bool {
	return c == pam.Success || c == pam.NewAuthtokReqd || c == pam.Ignore
})

// wheelOptions judges the options that turn or narrow the module's meaning; false
// where one does.
func (j *judge) wheelOptions(r *pam.Rule) bool {
	right := true
	for _, option := range []struct{ name, detail string }{
		{"trust", "its members need no password"},
		{"deny", "it keeps the members of the group out, not the others"},
		{"root_only", "anyone may become another than root"},
	} {
		if _, found := r.Arg(option.name); found {
			right = false
			j.once(false, Finding{Where: r.Where, Expected: wantedWheel, Actual: describe(r) + " " + option.name, Detail: option.detail})
		}
	}
	return right
}

// wheelGroup tells who may use su: the members of the named group, else of wheel,
// else of group 0. Where there is no such group, nobody may.
func (j *judge) wheelGroup(h *host.Host, r *pam.Rule, rules *Rules) {
	groups, err := accounts.ReadGroups(h)
	if err != nil {
		j.unknown(err)
		return
	}
	name, _ := r.Arg("group")
	named := name != ""
	if rules.EmptySuGroup && !named {
		j.once(false, Finding{Where: r.Where, Expected: "group=NAME of a group without members", Actual: describe(r) + " without group="})
	}
	if !named {
		name = "wheel"
	}
	group, found := groups.Get(name)
	if !found && !named {
		group, found = groups.ByID(0)
	}
	if !found {
		j.once(true, Finding{Where: "/etc/group", Actual: "no group " + name, Detail: "nobody but root may use su"})
		return
	}
	members, err := membersOf(h, group)
	if err != nil {
		j.unknown(err)
		return
	}
	f := Finding{Where: group.Where, Actual: fmt.Sprintf("group %s has no members", group.Name)}
	if len(members) > 0 {
		f.Actual = fmt.Sprintf("members of group %s: %s", group.Name, some(members))
	}
	if rules.EmptySuGroup {
		f.Expected = "no members"
		j.once(len(members) == 0, f)
		return
	}
	j.once(true, f)
}

// membersOf are those that the line lists and those whose primary group it is,
// without root, who needs no group.
func membersOf(h *host.Host, group accounts.Group) ([]string, error) {
	users, err := accounts.ReadUsers(h)
	if err != nil && !missing(err) {
		return nil, err
	}
	members := slices.Clone(group.Members)
	for _, u := range users {
		if u.GID == group.GID {
			members = append(members, u.Name)
		}
	}
	slices.Sort(members)
	members = slices.Compact(members)
	return slices.DeleteFunc(members, func(name string) bool { return name == "root" }), nil
}

// some lists the first of many names.
func some(names []string) string {
	const most = 10
	if len(names) > most {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), len(names)-most)
	}
	return strings.Join(names, ", ")
}
