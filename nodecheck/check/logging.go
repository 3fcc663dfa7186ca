package check

import (
	"errors"
	"path"
	"slices"
	"strings"

	"github.com/hardgate-dev/hardgate/nodecheck/host"
	"github.com/hardgate-dev/hardgate/nodecheck/host/syslog"
	"github.com/hardgate-dev/hardgate/nodecheck/host/systemd"
)

// loggingConfigured: CIS Ubuntu 16.04 4.2.1.2, which leaves it to a person to read
// the rules of rsyslog. Either daemon will do: a journal that outlives a restart has
// every message; rsyslog must keep all but debugging. Where its rules depend on
// conditions, a person must look still.
var loggingConfigured = Check{
	ID: "logging-configured",
	Reads: []string{
		"/etc/rsyslog.conf", "/etc/rsyslog.d", "rsyslog.service",
		"/etc/systemd/journald.conf", "/etc/systemd/journald.conf.d", "/usr/lib/systemd/journald.conf.d", syslog.JournalDir,
	},
	Run: func(h *host.Host, _ *Rules) (Result, error) {
		var journal, rsyslog judge
		config, persistent := journal.journald(h)
		if persistent {
			return journal.done()
		}
		manual := rsyslog.rsyslog(h, config, len(journal.unsure) == 0)
		switch {
		case len(rsyslog.faults)+len(rsyslog.unsure)+len(manual) == 0:
			return rsyslog.done()
		case config != nil && config.Persistent() && !syslog.LosesInfo(config.Store):
			return journal.done()
		case len(rsyslog.faults) > 0:
			manual = nil
		}
		held := slices.Concat(journal.held, rsyslog.held)
		unsure := slices.Concat(journal.unsure, rsyslog.unsure)
		switch {
		case len(unsure) > 0:
			// What is wrong with the one is no fault while the other may be right.
			return Result{Evidence: held}, errors.Join(unsure...)
		case len(manual) > 0:
			return byHand(slices.Concat(manual, journal.faults, held)...)
		}
		all := judge{faults: slices.Concat(journal.faults, rsyslog.faults), held: held}
		return all.done()
	},
}

var journaldPrograms = []string{
	"/usr/lib/systemd/systemd-journald", "/lib/systemd/systemd-journald", "/usr/lib/systemd/systemd", "/lib/systemd/systemd",
}

// journald judges whether the journal is kept. It returns what is configured, nil
// where there is no journald.
func (j *judge) journald(h *host.Host) (config *syslog.Journald, persistent bool) {
	const unit = "systemd-journald.service"
	program, err := anyOf(h, journaldPrograms)
	if err != nil {
		j.unknown(err)
		return nil, false
	}
	if program == "" {
		j.fault(Finding{Where: journaldPrograms[0], Expected: "journald or rsyslog", Actual: "no such file"})
		return nil, false
	}
	switch u, err := systemd.Read(h, unit); {
	case err == nil && u.Masked:
		j.fault(Finding{Where: u.Path, Expected: "journald runs", Actual: "masked"})
		return nil, false
	case err != nil && !missing(err):
		j.unknown(err)
		return nil, false
	}
	c, err := syslog.ReadJournald(h)
	if err != nil {
		j.unknown(err)
		return nil, false
	}
	f := Finding{Where: c.StorageWhere, Expected: "Storage=persistent, or auto with " + syslog.JournalDir, Actual: "Storage=" + c.Storage}
	if c.StorageWhere == "" {
		f.Where, f.Detail = "/etc/systemd/journald.conf", "not set, this is the default"
	}
	if syslog.LosesInfo(c.Store) {
		j.fault(Finding{Where: c.StoreWhere, Expected: "MaxLevelStore=info or debug", Actual: "MaxLevelStore=" + c.Store, Detail: "the journal leaves the other messages out"})
		return c, false
	}
	if c.Storage == "auto" && !c.Directory {
		why := " does not exist"
		if c.Leads != "" {
			why = " leads to " + c.Leads + ", which does not outlive a restart"
		}
		f.Detail = join(f.Detail, syslog.JournalDir+why)
	}
	if !c.Persistent() {
		j.fault(f)
		return c, false
	}
	f.State = Persisted
	j.hold(f)
	// journald makes the directory when it begins to keep a journal.
	running := Finding{Where: syslog.JournalDir, Expected: "a directory", Actual: "a directory", State: Running}
	if c.Leads != "" {
		running.Actual, running.Detail = c.Leads, "it does not outlive a restart"
	} else if !c.Directory {
		running.Actual, running.Detail = "no such directory", "journald has not been restarted since it was told to keep its journal"
	}
	j.expect(c.Directory, running)
	return c, c.Directory
}

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
		if len(manual) > 0 || note.Drops {
			manual = append(manual, Finding{Where: note.Where, Detail: note.Detail})
		}
	}
	return manual
}
