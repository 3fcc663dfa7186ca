package check

import (
	"errors"
	"slices"

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
		"/etc/rsyslog.conf", "/etc/rsyslog.d", "rsyslog.service", systemd.InitPath,
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
	switch init, err := systemd.OtherInit(h); {
	case err != nil:
		j.unknown(err)
		return nil, false
	case init != "":
		j.fault(Finding{Where: systemd.InitPath, Expected: "systemd, which starts journald", Actual: init, State: Running})
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
