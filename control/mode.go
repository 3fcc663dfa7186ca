package control

import "fmt"

// Mode is what happens when a control fails at admission. Modes are ordered:
// the larger is the stricter.
type Mode uint8

// The modes, from the mildest to the strictest.
const (
	Off     Mode = iota // not judged
	Audit               // audit annotations and metrics only
	Warn                // also a warning to the client
	Enforce             // the request is denied
)

var modeNames = [...]string{"Off", "Audit", "Warn", "Enforce"}

// String is the name used in WorkloadPolicy: Off, Audit, Warn, Enforce.
func (m Mode) String() string {
	if int(m) < len(modeNames) {
		return modeNames[m]
	}
	return fmt.Sprintf("Mode(%d)", m)
}

// ParseMode reads a mode's name. It is case-sensitive, as the API is; the error
// carries the nearest name.
func ParseMode(s string) (Mode, error) {
	for i, name := range modeNames {
		if s == name {
			return Mode(i), nil
		}
	}
	return Off, fmt.Errorf("unknown mode %q%s", s, Hint(s, modeNames[:]))
}
