package control

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
