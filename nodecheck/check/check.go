package check

import (
	"slices"

	"github.com/hardgate-dev/hardgate/control"
	"github.com/hardgate-dev/hardgate/nodecheck/host"
)

// Check judges one control. Each is one literal in the file of its name or of its
// family, listed in all.go.
type Check struct {
	ID control.ID

	// Reads names the files and directories that the check looks at, for people.
	Reads []string

	// Run judges a node. An error says what could not be told; the evidence and the
	// faults of the result count beside it. Pure.
	Run func(*host.Host, *Rules) (Result, error)
}

// Result is what a check says of a node.
type Result struct {
	Status control.Status

	// Findings say why the status is not Pass: what is wrong, what a person must look
	// at, why the control does not apply or what could not be told.
	Findings []Finding

	// Evidence is what was read and found right.
	Evidence []Finding
}

// Finding is one place on the node, what should be there and what is.
type Finding struct {
	// Where is a path of the node, with a line where there is one:
	// "/etc/login.defs:12", "/proc/sys/net/ipv4/conf/all/send_redirects".
	Where string `json:"path"`
	// Expected and Actual are values, written as the file writes them; empty where
	// there is no value to compare. Actual is never a secret.
	Expected string `json:"expected,omitempty"`
	Actual   string `json:"actual,omitempty"`
	// Detail is the rest that a person needs to know, in English.
	Detail string `json:"detail,omitempty"`
	// State is set where a control has both: what is in force now, and what the
	// node would come up with.
	State State `json:"state,omitempty"`
	// Drift is set where only one of the two is wrong.
	Drift Drift `json:"drift,omitempty"`
}

// State tells what is in force from what is written down.
type State string

// The states.
const (
	Running   State = "running"
	Persisted State = "persisted"
)

// Drift is how the two states differ.
type Drift string

// The drifts.
const (
	DriftedNow   Drift = "now"       // what is written down is right, what is in force is not
	AtNextReboot Drift = "at-reboot" // what is in force is right, what is written down is not
)

// String is a line for a person: place, values, words.
func (f Finding) String() string {
	s := f.Where + ":"
	switch f.Drift {
	case DriftedNow:
		s += " drifted now:"
	case AtNextReboot:
		s += " will drift at reboot:"
	}
	if text := f.Text(); text != "" {
		return s + " " + text
	}
	return s[:len(s)-1]
}

// Text is the values and the words, without the place and the drift.
func (f Finding) Text() string {
	var s string
	switch {
	case f.Actual != "" && f.Expected != "":
		s = f.Actual + ", want " + f.Expected
	case f.Actual != "":
		s = f.Actual
	case f.Expected != "":
		s = "want " + f.Expected
	}
	if s != "" && f.Detail != "" {
		s += "; "
	}
	return s + f.Detail
}

// All returns every check in the order of the catalogue. The slice is the
// caller's, the checks are shared.
func All() []*Check { return slices.Clone(all) }

// Get returns the check of a control.
func Get(id control.ID) (*Check, bool) {
	i := slices.IndexFunc(all, func(c *Check) bool { return c.ID == id })
	if i < 0 {
		return nil, false
	}
	return all[i], true
}
