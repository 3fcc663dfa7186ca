package kubelet

import "fmt"

// Silence says that the kubelet was asked for the configuration in force and refused to
// tell, and how. Hand it to a scan with host.Provide, in place of a ConfigzBody.
type Silence string

// note adds to what files and defaults say of a setting that is in force that nobody has
// confirmed it. What a flag says needs no confirmation: it comes before the files.
func (s Silence) note(r Reading) Reading {
	if s == "" || r.State == Persisted || r.Origin == Flag {
		return r
	}
	words := "the kubelet does not tell what is in force (" + string(s) + ")"
	if r.Err != nil {
		r.Err = fmt.Errorf("%w; %s", r.Err, words)
		return r
	}
	r.Note = join(r.Note, words)
	return r
}
