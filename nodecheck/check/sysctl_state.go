package check

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/hardgate-dev/hardgate/nodecheck/host"
	"github.com/hardgate-dev/hardgate/nodecheck/host/sysctl"
)

// sysctl judges a key in force and as the node would boot with it.
func (j *judge) sysctl(h *host.Host, k sysctlKey) {
	stuck := j.sysctlRunning(h, k)
	j.sysctlPersisted(h, k, stuck)
}

// sysctlRunning returns the interfaces that do wrong although conf/all and
// conf/default are right.
func (j *judge) sysctlRunning(h *host.Host, k sysctlKey) (stuck []string) {
	right, decided := true, false
	for _, who := range []string{"all", "default"} {
		value, where, err := sysctl.Running(h, k.path(who))
		if err != nil {
			// The same reason holds for all the others.
			j.sysctlUnknown(err)
			return nil
		}
		right = right && value == k.want
		decided = decided || (k.decided && who == "all" && value == k.want)
		j.expect(value == k.want, Finding{Where: where, Expected: strconv.Itoa(k.want), Actual: strconv.Itoa(value), State: Running})
	}
	if decided {
		return nil
	}
	interfaces, err := sysctl.Interfaces(h)
	j.sysctlUnknown(err)
	see := func(family, who, name string) (int, error) {
		value, _, err := sysctl.Running(h, fmt.Sprintf("net/%s/conf/%s/%s", family, who, name))
		return value, err
	}
	for _, iface := range interfaces {
		value, where, err := sysctl.Running(h, k.path(iface))
		if missing(err) {
			continue // gone meanwhile, or one without IPv6
		}
		if err != nil {
			j.sysctlUnknown(err)
			continue
		}
		f := Finding{Where: where, Expected: strconv.Itoa(k.want), Actual: strconv.Itoa(value), State: Running}
		if k.sticky && right && value != 0 {
			f.Detail = notInherited
		}
		if j.sysctlInterface(k, f, see, iface, value) && right {
			stuck = append(stuck, iface)
		}
	}
	return stuck
}

// sysctlInterface judges the value of one interface, and returns whether it is wrong.
func (j *judge) sysctlInterface(k sysctlKey, f Finding, see sysctlView, iface string, value int) (wrong bool) {
	if (value != 0) == (k.want != 0) {
		j.hold(f)
		return false
	}
	var why string
	if k.ignored != nil {
		var err error
		if why, err = k.ignored(see, iface, value); err != nil {
			j.sysctlUnknown(err)
			return false
		}
	}
	if why != "" {
		f.Detail = why
		j.hold(f)
		return false
	}
	if k.alone != "" {
		f.Detail = join(f.Detail, k.alone)
	}
	j.fault(f)
	return true
}

func (j *judge) sysctlPersisted(h *host.Host, k sysctlKey, stuck []string) {
	config, err := sysctl.Read(h)
	if err != nil {
		j.sysctlUnknown(err)
		return
	}
	b := bootState{config}
	for _, who := range []string{"all", "default"} {
		value, f, err := b.value(k, who)
		if err != nil {
			j.sysctlUnknown(err)
			continue
		}
		j.expect(value == k.want, f)
	}
	for _, iface := range b.interfaces(h, k) {
		s, err := config.Lookup(k.path(iface))
		switch {
		case err != nil:
			// It does not matter where the worst value would have no effect.
			if k.ignored != nil {
				if why, err := k.ignored(b.see, iface, 1-k.want); err == nil && why != "" {
					continue
				}
			}
			j.sysctlUnknown(err)
		case s.Assignment != nil:
			value, f, _ := b.value(k, iface)
			j.sysctlInterface(k, f, b.see, iface, value)
		case s.Refused != nil:
			// The kernel refuses the value, and may stop to let the interface follow
			// conf/default all the same.
			j.sysctlUnknown(&host.Error{Path: s.Refused.Where(), Err: errRefused})
		case slices.Contains(stuck, iface) && k.sticky:
			j.fault(Finding{
				Where: sysctl.Dirs[0], Expected: b.line(k, iface, strconv.Itoa(k.want)),
				Detail: "no file sets it, and " + notInherited, State: Persisted,
			})
		}
	}
}

var errRefused = errors.New("the kernel refuses the value: what the interface has after boot depends on the order of events")

// sysctlUnknown notes what could not be told, where one file is the reason for many keys.
func (j *judge) sysctlUnknown(err error) {
	if err != nil && !slices.ContainsFunc(j.unsure, func(e error) bool { return e.Error() == err.Error() }) {
		j.unknown(err)
	}
}

// bootState is the state that a node would boot with.
type bootState struct{ config *sysctl.Config }

// value is what a key has after boot, and the finding that shows it.
func (b bootState) value(k sysctlKey, who string) (int, Finding, error) {
	s, err := b.config.Lookup(k.path(who))
	if err != nil {
		return 0, Finding{}, err
	}
	f := Finding{Where: sysctl.Dirs[0], Expected: b.line(k, who, strconv.Itoa(k.want)), State: Persisted}
	value, ok := sysctl.Default(k.path(who))
	if !ok {
		return 0, Finding{}, &host.Error{Path: k.path(who), Err: fmt.Errorf("the kernel's default is not known")}
	}
	switch {
	case s.Assignment != nil:
		value, _ = sysctl.Int(s.Assignment.Value)
		f.Where, f.Actual = s.Assignment.Where(), b.line(k, who, s.Assignment.Value)
		if s.Assignment.Key != k.path(who) {
			f.Detail = "set by the pattern " + s.Assignment.Key
		}
	case b.config.Masked() != "":
		f.Where, f.Detail = b.config.Masked(), fmt.Sprintf("systemd-sysctl is masked: no file is applied; the kernel's default is %d", value)
	default:
		f.Detail = fmt.Sprintf("no file sets it; the kernel's default is %d", value)
	}
	for _, note := range notes(s, value) {
		f.Detail = join(f.Detail, note)
	}
	return value, f, nil
}

// notes are the lines that say something else and have no effect.
func notes(s sysctl.Setting, value int) (list []string) {
	if s.Refused != nil {
		list = append(list, s.Refused.Where()+" has a value that the kernel refuses")
	}
	const most = 3
	for _, a := range s.Overridden[:min(len(s.Overridden), most)] {
		if n, ok := sysctl.Int(a.Value); ok && n == value {
			continue
		}
		if s.Assignment == nil {
			list = append(list, "a later line takes back "+a.Where())
		} else {
			list = append(list, fmt.Sprintf("overrides %s, which says %s", a.Where(), short(a.Value)))
		}
	}
	if s.Unapplied != nil {
		list = append(list, fmt.Sprintf("%s says %s, but nothing applies that file at boot", s.Unapplied.Where(), short(s.Unapplied.Value)))
	}
	return list
}

// short keeps a value that somebody wrote from filling a report.
func short(value string) string {
	const most = 32
	if len(value) > most {
		value = strings.ToValidUTF8(value[:most], "") + "…"
	}
	return value
}

// see is a sysctlView. Whether a node forwards is often decided by what starts after
// boot: here it does not count on it.
func (b bootState) see(family, who, name string) (int, error) {
	if name == "forwarding" {
		return 0, nil
	}
	k := sysctlKey{family: family, name: name}
	s, err := b.config.Lookup(k.path(who))
	if err == nil && s.Assignment == nil && who != "all" {
		who = "default"
	}
	value, _, err := b.value(k, who)
	return value, err
}

// line is an assignment in the form of sysctl.d, where a dot in a name is a slash.
func (bootState) line(k sysctlKey, who, value string) string {
	return fmt.Sprintf("net.%s.conf.%s.%s=%s", k.family, strings.ReplaceAll(who, ".", "/"), k.name, short(value))
}

// interfaces are those that a line names, and those that are there, for patterns.
func (b bootState) interfaces(h *host.Host, k sysctlKey) []string {
	names := b.config.Names("net/"+k.family+"/conf/", "/"+k.name)
	if there, err := sysctl.Interfaces(h); err == nil {
		names = append(names, there...)
	}
	slices.Sort(names)
	return slices.DeleteFunc(slices.Compact(names), func(name string) bool {
		return name == "all" || name == "default" || name == "lo"
	})
}
