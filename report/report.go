package report

import "github.com/hardgate-dev/hardgate/control"

// Report is what a run judged, passes included.
type Report struct {
	// Results are in the order of the input, and for each object in the order of
	// the benchmark. Never nil in output.
	Results []Result `json:"results"`
	Summary Summary  `json:"summary"`
	// Errors are problems with the input. The results are not all there are then.
	Errors []string `json:"errors,omitempty"`
}

// Result is the verdict on one control and one object.
type Result struct {
	Object  Object         `json:"object"`
	Control control.ID     `json:"control"`
	Rows    []control.Row  `json:"rows"`
	Status  control.Status `json:"status"`
	// Mode is what a policy makes of a failure; empty where none was given.
	Mode string `json:"mode,omitempty"`
	// Exemption is the name of the Exemption by which all that fails is exempt; several
	// are separated by commas.
	Exemption string    `json:"exemption,omitempty"`
	Findings  []Finding `json:"findings"`
	// Evidence is what was read and found right; of nodes only.
	Evidence []Finding `json:"evidence,omitempty"`
	// Remedy says what to do; empty unless the control fails.
	Remedy string `json:"remedy,omitempty"`
}

// Object names one object and the place where it was read.
type Object struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	// Namespace is the one that the object is judged in; empty where it has none
	// and where that is not known.
	Namespace string `json:"namespace"`
	Name      string `json:"name"`
	Source    string `json:"source"`
	// Owner is whom a person would have to ask, "Deployment/web"; of clusters only, and
	// empty for an object that nothing has made.
	Owner string `json:"owner,omitempty"`
	// Alike is how many other objects of the same owner have the same results, which are
	// not listed.
	Alike int `json:"alike,omitempty"`
}

// Finding is one thing that is wrong: the path of a field or of a file, and what
// stands there. The fields from Expected on are of nodes only, see package check.
type Finding struct {
	Path   string `json:"path"`
	Detail string `json:"detail"`
	// Exemption is the name of the Exemption that covers it; what is exempt does not fail.
	Exemption string `json:"exemption,omitempty"`
	// Repaired is whether new pods are repaired in this.
	Repaired bool   `json:"repaired,omitempty"`
	Expected string `json:"expected,omitempty"`
	Actual   string `json:"actual,omitempty"`
	// State is "running" or "persisted" where a control has both.
	State string `json:"state,omitempty"`
	// Drift is "now" or "at-reboot" where only one of the two states is wrong.
	Drift string `json:"drift,omitempty"`
}

// Summary counts.
type Summary struct {
	Files     int `json:"files"`
	Documents int `json:"documents"`
	Objects   int `json:"objects"`
	// Namespaces is how many of a cluster were audited.
	Namespaces int `json:"namespaces,omitempty"`
	// Statuses has every status that an object can have, those of no result too.
	Statuses map[control.Status]int `json:"statuses"`
}

// statuses are those of the summary, in the order of the table's last line.
var statuses = []control.Status{
	control.Fail, control.Pass, control.NotApplicable, control.ByHand, control.Unknown, control.Exempt,
}

// New makes a report of results and counts them. counts gives the files, documents
// and objects that were read.
func New(results []Result, counts Summary, errs []error) *Report {
	r := &Report{Results: make([]Result, 0, len(results)), Summary: counts}
	r.Summary.Statuses = make(map[control.Status]int, len(statuses))
	for _, s := range statuses {
		r.Summary.Statuses[s] = 0
	}
	for _, result := range results {
		if result.Findings == nil {
			result.Findings = []Finding{}
		}
		if result.Rows == nil {
			result.Rows = []control.Row{}
		}
		r.Results = append(r.Results, result)
		r.Summary.Statuses[result.Status]++
	}
	for _, err := range errs {
		r.Errors = append(r.Errors, err.Error())
	}
	return r
}

// Failed is whether any control fails.
func (r *Report) Failed() bool { return r.Summary.Statuses[control.Fail] > 0 }
