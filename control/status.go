package control

import "slices"

// Status is a verdict on one control and one object or node. Verdicts are
// values; "could not tell" is Unknown and never Pass.
type Status string

// The verdicts.
const (
	Pass          Status = "Pass"
	Fail          Status = "Fail"
	NotApplicable Status = "NotApplicable" // the thing the control is about does not exist here
	ByHand        Status = "Manual"        // a person must decide
	Unknown       Status = "Unknown"       // something could not be read
	AttestedBy    Status = "Attested"      // the provider says so
	Exempt        Status = "Exempt"        // an exemption covers it
)

// rank orders the verdicts of several rulings on one control. One that leaves
// nothing to judge by (Manual) yields to one that passes, and all to a failure.
var rank = []Status{"", NotApplicable, ByHand, Pass, Fail}

// Outranks is whether s is the verdict where one ruling gives s and another t.
func (s Status) Outranks(t Status) bool { return slices.Index(rank, s) > slices.Index(rank, t) }
