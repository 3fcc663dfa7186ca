package syslog

import (
	"errors"
	"io/fs"
	"slices"
	"strings"

	"github.com/hardgate-dev/hardgate/nodecheck/host"
	"github.com/hardgate-dev/hardgate/nodecheck/host/systemd"
)

// JournalDir is where the journal is kept. With Storage=auto, its being there is
// what makes journald keep one.
const JournalDir = "/var/log/journal"

// Journald is what journald.conf and its drop-ins say; the place of a value is
// empty where it is the default.
type Journald struct {
	Storage, StorageWhere string // auto, persistent, volatile or none
	Forward, ForwardWhere string // ForwardToSyslog; empty where nothing is set
	Directory             bool   // whether JournalDir is there and outlives a restart
	// Leads is where JournalDir leads if that does not outlive a restart.
	Leads string
	// Store and Syslog are the least severe priority that is kept and forwarded; empty
	// where nothing is set, which is debug.
	Store, StoreWhere, Syslog, SyslogWhere string
}

// LosesInfo is whether a priority of MaxLevelStore or MaxLevelSyslog leaves out
// messages that are more severe than those of debugging.
func LosesInfo(priority string) bool {
	return priority != "" && slices.Index(priorities, priority) < slices.Index(priorities, "info")
}

// Persistent is whether the journal outlives a restart of the node.
func (j *Journald) Persistent() bool {
	return j.Storage == "persistent" || (j.Storage == "auto" && j.Directory)
}

var configDirs = []string{"/etc/systemd", "/run/systemd", "/usr/local/lib/systemd", "/usr/lib/systemd", "/lib/systemd"}

// ReadJournald reads the first journald.conf and the drop-ins beside each, see
// journald.conf(5).
func ReadJournald(h *host.Host) (*Journald, error) { return host.Memo(h, readJournald) }

func readJournald(h *host.Host) (*Journald, error) {
	j := &Journald{Storage: "auto"}
	info, err := h.Stat(JournalDir)
	switch {
	case err == nil:
		j.Directory = info.Type == fs.ModeDir && lasting(info.Path)
		if !lasting(info.Path) {
			j.Leads = info.Path
		}
	case !errors.Is(err, fs.ErrNotExist):
		return nil, err
	}
	var drops []string
	main := false
	for _, dir := range configDirs {
		drops = append(drops, dir+"/journald.conf.d")
		if main {
			continue
		}
		f, err := h.File(dir + "/journald.conf")
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err == nil {
			err = j.read(f)
		}
		if err != nil {
			return nil, err
		}
		main = true
	}
	fragments, err := h.Fragments(drops, ".conf")
	if err != nil {
		return nil, err
	}
	for _, f := range fragments {
		if f.Err != nil {
			return nil, f.Err
		}
		if err := j.read(f.File); err != nil {
			return nil, err
		}
	}
	return j, nil
}

// read takes the values of one file. What journald would pass over with a warning
// is passed over.
func (j *Journald) read(f *host.File) error {
	settings, err := systemd.Parse(f)
	if err != nil {
		return err
	}
	for _, s := range settings {
		switch {
		case s.Section != "Journal":
		case s.Key == "Storage" && slices.Contains([]string{"auto", "persistent", "volatile", "none"}, s.Value):
			j.Storage, j.StorageWhere = s.Value, s.Where
		case s.Key == "MaxLevelStore":
			level(s, &j.Store, &j.StoreWhere)
		case s.Key == "MaxLevelSyslog":
			level(s, &j.Syslog, &j.SyslogWhere)
		case s.Key == "ForwardToSyslog":
			switch strings.ToLower(s.Value) {
			case "1", "yes", "y", "true", "t", "on":
				j.Forward, j.ForwardWhere = "yes", s.Where
			case "0", "no", "n", "false", "f", "off":
				j.Forward, j.ForwardWhere = "no", s.Where
			}
		}
	}
	return nil
}

// level takes a priority by its name or its number.
func level(s systemd.Setting, priority, where *string) {
	text := s.Value
	if len(text) == 1 && '0' <= text[0] && text[0] <= '7' {
		text = priorities[text[0]-'0']
	}
	if slices.Contains(priorities, text) {
		*priority, *where = text, s.Where
	}
}
