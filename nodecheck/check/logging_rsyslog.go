package check

import (
	"path"
	"strings"

	"github.com/hardgate-dev/hardgate/nodecheck/host"
	"github.com/hardgate-dev/hardgate/nodecheck/host/syslog"
	"github.com/hardgate-dev/hardgate/nodecheck/host/systemd"
)

// rsyslogPrograms are where the packages put it; syslog-ng is another daemon, whose
// configuration is not read.
var (
	rsyslogPrograms  = []string{"/usr/sbin/rsyslogd", "/sbin/rsyslogd", "/usr/bin/rsyslogd"}
	syslogNGPrograms = []string{"/usr/sbin/syslog-ng", "/sbin/syslog-ng", "/usr/bin/syslog-ng"}
)

// rsyslog judges whether it runs and keeps what it should. What it returns is for a
// person to look at. known is whether journald could be told.
func (j *judge) rsyslog(h *host.Host, journal *syslog.Journald, known bool) (manual []Finding) {
	program, err := anyOf(h, rsyslogPrograms)
	if err != nil {
		j.unknown(err)
		return nil
	}
	if program == "" {
		other, err := anyOf(h, syslogNGPrograms)
		j.unknown(err)
		if err == nil && other != "" {
			return []Finding{{Where: other, Expected: "what its configuration keeps", Detail: "the configuration of syslog-ng is not evaluated"}}
		}
		j.fault(Finding{Where: rsyslogPrograms[0], Expected: "rsyslog, or a journal that is kept", Actual: "no such file"})
		return nil
	}
	switch init, err := systemd.OtherInit(h); {
	case err != nil:
		j.unknown(err)
		return nil
	case init != "":
		return []Finding{{Where: systemd.InitPath, Expected: "rsyslog is started", Actual: init, Detail: "what an init other than systemd starts is not evaluated"}}
	}
	on, where, err := systemd.Enabled(h, "rsyslog.service")
	switch {
	case missing(err):
		j.fault(Finding{Where: program, Expected: "rsyslog.service is enabled", Actual: "no such unit"})
		return nil
	case err != nil:
		j.unknown(err)
		return nil
	}
	f := Finding{Where: where, Expected: "rsyslog.service is enabled", Actual: "enabled"}
	apart := on && systemd.Apart(path.Base(path.Dir(where)))
	switch {
	case !on:
		f.Actual = "disabled or masked"
	case apart:
		f.Actual, f.Detail = "enabled there only", "the node does not come up with that target"
	}
	if !on || apart {
		j.fault(f)
		return nil
	}
	j.hold(f)
	if other, err := rsyslogCommand(h); err != nil || other != nil {
		j.unknown(err)
		return other
	}
	c, err := syslog.ReadRsyslog(h)
	if err != nil {
		j.unknown(err)
		return nil
	}
	return append(j.rsyslogInput(h, c, journal, known), j.rsyslogRules(c)...)
}

// rsyslogCommand is what a person must look at where the unit starts something else
// than rsyslog with its usual configuration.
func rsyslogCommand(h *host.Host) (manual []Finding, err error) {
	unit, err := systemd.Read(h, "rsyslog.service")
	if err != nil || len(unit.List("Service", "ExecStart")) == 0 {
		return nil, err
	}
	argv, where, err := unit.Command(h)
	if err != nil {
		return nil, err
	}
	if name := path.Base(argv[0]); name != "rsyslogd" {
		return []Finding{{Where: where, Expected: "rsyslogd", Actual: name, Detail: "the unit starts another program"}}, nil
	}
	name := syslog.RsyslogFile
	for i, arg := range argv {
		if value, ok := strings.CutPrefix(arg, "-f"); ok {
			if name = value; name == "" && i+1 < len(argv) {
				name = argv[i+1]
			}
		}
	}
	if path.Clean(name) != syslog.RsyslogFile {
		manual = []Finding{{Where: where, Expected: syslog.RsyslogFile, Actual: name, Detail: "another configuration is not evaluated"}}
	}
	return manual, nil
}

// rsyslogInput judges that the node's messages reach rsyslog.
func (j *judge) rsyslogInput(h *host.Host, c *syslog.Rsyslog, journal *syslog.Journald, known bool) (manual []Finding) {
	f := Finding{Where: syslog.RsyslogFile, Expected: "imuxsock or imjournal is loaded", Actual: "neither"}
	socket, hasSocket := c.Inputs["imuxsock"]
	if where, ok := c.Inputs["imjournal"]; ok {
		f.Where, f.Actual = where, "imjournal"
		switch {
		case !known:
			return []Finding{{Where: where, Detail: "whether journald keeps what it reads could not be told"}}
		case journal == nil:
			f.Detail = "no journald runs whose journal it could read"
		case journal.Storage == "none" || syslog.LosesInfo(journal.Store):
			f.Detail = "journald keeps no journal of all messages that it could read"
		}
		j.expect(f.Detail == "", f)
		return nil
	}
	if !hasSocket {
		j.fault(f)
		return nil
	}
	f.Where, f.Actual = socket, "imuxsock"
	j.hold(f)
	switch {
	case !known:
		return []Finding{{Where: socket, Detail: "whether journald forwards to it could not be told"}}
	case journal == nil:
		return nil
	}
	forward := Finding{
		Where: journal.ForwardWhere, Expected: "ForwardToSyslog=yes", Actual: "ForwardToSyslog=" + journal.Forward,
		Detail: "the socket of rsyslog gets what journald forwards",
	}
	if syslog.LosesInfo(journal.Syslog) {
		j.fault(Finding{
			Where: journal.SyslogWhere, Expected: "MaxLevelSyslog=info or debug", Actual: "MaxLevelSyslog=" + journal.Syslog, Detail: forward.Detail,
		})
	}
	if journal.Forward != "" {
		j.expect(journal.Forward == "yes", forward)
		return nil
	}
	forward.Where, forward.Actual = "/etc/systemd/journald.conf", "not set"
	debian, err := h.Exists("/var/lib/dpkg/status")
	j.unknown(err)
	if debian {
		forward.Detail = join(forward.Detail, "the default of Debian and Ubuntu is yes")
		j.hold(forward)
		return nil
	}
	forward.Detail = join(forward.Detail, "the default is no, except on Debian and Ubuntu")
	return []Finding{forward}
}

// wantedMessages are those that must be kept, the ones that are looked for first in
// front. Debugging may be lost.
var wantedMessages = []struct {
	name     string
	messages syslog.Messages
}{
	{"authentication", syslog.Of("info", "auth", "authpriv")},
	{"emergencies", syslog.Of("emerg", "kern", "user", "mail", "daemon", "syslog", "cron", "local0", "local1", "local2", "local3", "local4", "local5", "local6", "local7")},
	{"the rest", syslog.Of("info", "kern", "user", "mail", "daemon", "syslog", "cron", "local0", "local1", "local2", "local3", "local4", "local5", "local6", "local7")},
}

func (j *judge) rsyslogRules(c *syslog.Rsyslog) (manual []Finding) {
	kept := c.Kept()
	for _, want := range wantedMessages {
		expected := want.name + " in a file or on a server"
		if rule, ok := c.Keeps(want.messages); ok {
			j.hold(Finding{Where: rule.Where, Expected: expected, Actual: rule.Text})
		}
		lost := want.messages.Without(kept)
		if lost == (syslog.Messages{}) {
			continue
		}
		f := Finding{Where: syslog.RsyslogFile, Expected: expected, Actual: "no rule keeps " + lost.String()}
		if len(c.Unclear) > 0 || (want.name != "authentication" && kept != (syslog.Messages{})) {
			// A rule with a condition may keep them, or they are left out on purpose.
			manual = append(manual, f)
		} else {
			j.fault(f)
		}
	}
	for _, note := range c.Unclear {
		if len(manual) > 0 {
			j.unknown(note.Err)
		}
		if len(manual) > 0 || note.Drops {
			manual = append(manual, Finding{Where: note.Where, Detail: note.Detail})
		}
	}
	return manual
}
