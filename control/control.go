package control

import "fmt"

// ID names one control, for example "host-ports". It appears in configuration,
// messages, metrics, documents and file names, and is never reused.
type ID string

// Level is a benchmark's profile: 1 is for every system, 2 for those that can
// give up some function for more protection. Zero means the benchmark names none.
type Level uint8

// The two levels of the CIS benchmarks.
const (
	NoLevel Level = iota
	L1
	L2
)

// String is "L1", "L2", or empty where no level is given.
func (l Level) String() string {
	switch l {
	case NoLevel:
		return ""
	case L1:
		return "L1"
	case L2:
		return "L2"
	}
	return ""
}

// MarshalText writes the level as String does.
func (l Level) MarshalText() ([]byte, error) { return []byte(l.String()), nil }

// UnmarshalText reads what MarshalText writes.
func (l *Level) UnmarshalText(text []byte) error {
	for _, known := range []Level{NoLevel, L1, L2} {
		if string(text) == known.String() {
			*l = known
			return nil
		}
	}
	return fmt.Errorf("unknown level %q: use L1 or L2", text)
}

// Kind says who or what gives a control its verdict.
type Kind string

// The kinds. Planned is a control that the catalogue names before its check exists.
const (
	Measured Kind = "measured" // a machine judges it
	Manual   Kind = "manual"   // a person must decide; hardgate gathers the evidence
	Attested Kind = "attested" // the provider of a managed cluster answers for it
	Planned  Kind = "planned"  // a machine will judge it; the check is not written yet
)

// Face says where a control is looked at.
type Face string

// The faces of the product.
const (
	Admission    Face = "admission"     // one object, at the API server's door and offline
	Cluster      Face = "cluster"       // the objects of the cluster together
	Node         Face = "node"          // a node's files, kernel and kubelet
	ControlPlane Face = "control-plane" // the machines that the provider runs
)

// Scope says of controls of admission where the objects stand that they are about.
type Scope string

// The scopes.
const (
	InNamespaces Scope = ""        // objects in a namespace
	Anywhere     Scope = "any"     // those, and objects without one
	ClusterOnly  Scope = "cluster" // objects without a namespace
)

// Reaches is whether objects in a namespace are in the scope; "" stands for objects
// without one.
func (s Scope) Reaches(namespace string) bool {
	if namespace == "" {
		return s != InNamespaces
	}
	return s != ClusterOnly
}

// Control is what is known of one control apart from its check. Text is our
// own wording; Level is that of the oldest edition in the catalogue that has it,
// of the AKS document where no edition has it, our own for the control of
// admission that no document has, and NoLevel for the controls of the host
// document, which names none.
type Control struct {
	ID     ID    `json:"id"`
	Face   Face  `json:"face"`
	Kind   Kind  `json:"kind"`
	Level  Level `json:"level,omitempty"`
	Scope  Scope `json:"scope,omitempty"`
	Title  Text  `json:"title"`
	Why    Text  `json:"why"`
	Remedy Text  `json:"remedy"`
	// Reason says why no machine judges it. Empty when Kind is Measured.
	Reason Text `json:"reason,omitzero"`
}
