package check

import (
	"errors"

	"github.com/hardgate-dev/hardgate/control"
)

// judge collects what a check finds, and makes the result of it: a fault is Fail,
// whatever else could not be told; what could not be told is an error; the rest is
// Pass. A judge that saw nothing at all says so with an error: a pass needs
// evidence.
type judge struct {
	faults, held []Finding
	unsure       []error
}

// expect adds f to the evidence if ok, else to the faults. Words that explain a
// fault only belong into fault.
func (j *judge) expect(ok bool, f Finding) {
	if ok {
		j.hold(f)
	} else {
		j.fault(f)
	}
}

func (j *judge) fault(f Finding) { j.faults = append(j.faults, f) }

func (j *judge) hold(f Finding) { j.held = append(j.held, f) }

// unknown notes what could not be told. A nil error is nothing.
func (j *judge) unknown(err error) {
	if err != nil {
		j.unsure = append(j.unsure, err)
	}
}

var errNothing = errors.New("nothing was found to judge by")

func (j *judge) done() (Result, error) {
	r := Result{Findings: drifts(j.faults, j.unsure), Evidence: j.held}
	switch {
	case len(j.faults) > 0:
		r.Status = control.Fail
		return r, errors.Join(j.unsure...)
	case len(j.unsure) > 0:
		return r, errors.Join(j.unsure...)
	case len(j.held) == 0:
		return r, errNothing
	}
	r.Status = control.Pass
	return r, nil
}

// drifts marks the faults where all are in one of the two states. Where something
// could not be told, it may be wrong too, and nothing is marked.
func drifts(faults []Finding, unsure []error) []Finding {
	if len(unsure) > 0 {
		return faults
	}
	for state, drift := range map[State]Drift{Running: DriftedNow, Persisted: AtNextReboot} {
		only := len(faults) > 0
		for _, f := range faults {
			only = only && f.State == state
		}
		if only {
			for i := range faults {
				faults[i].Drift = drift
			}
		}
	}
	return faults
}

// notApplicable is the result where what the control is about does not exist.
func notApplicable(where, detail string) (Result, error) {
	return Result{Status: control.NotApplicable, Findings: []Finding{{Where: where, Detail: detail}}}, nil
}

// byHand is the result where a person must decide on the evidence.
func byHand(findings ...Finding) (Result, error) {
	return Result{Status: control.ByHand, Findings: findings}, nil
}
