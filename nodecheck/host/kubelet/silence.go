package kubelet

import (
	"errors"
	"fmt"

	"github.com/hardgate-dev/hardgate/nodecheck/host"
)

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
	var at *host.Error
	switch {
	case errors.As(r.Err, &at): // findings say what is in it
		r.Err = &host.Error{Path: at.Path, Err: fmt.Errorf("%w; %s", at.Err, words)}
		return r
	case r.Err != nil:
		r.Err = fmt.Errorf("%w; %s", r.Err, words)
		return r
	}
	r.Note = join(r.Note, words)
	return r
}
