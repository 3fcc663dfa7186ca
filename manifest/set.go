package manifest

import "fmt"

// Object is one Kubernetes object as it stands in a manifest.
type Object struct {
	// Source says where: "web.yaml#0", or "all.yaml#0[2]" in a list.
	Source string
	// APIVersion and Kind are never empty. An element of a typed list may have
	// got them from the list; JSON has them then too.
	APIVersion, Kind string
	// JSON is the object, free of names that are given twice.
	JSON []byte

	place *place // nil for one that was not read from a file
}

// Set is what was read.
type Set struct {
	// Objects are in the order of the input, lists taken apart.
	Objects []Object
	// Files counts the files that were opened, standard input among them.
	Files int
	// Documents counts the documents that were not empty, bad ones included.
	Documents int
	// Notes are for the user's eye: what was passed over, and why.
	Notes []string
}

// Error is a problem with one file or document.
type Error struct {
	// Source is a file's name, or an Object's Source.
	Source string
	Err    error
}

// Error is the source and what is wrong there.
func (e *Error) Error() string { return e.Source + ": " + e.Err.Error() }

// Unwrap is what is wrong, without the source.
func (e *Error) Unwrap() error { return e.Err }

// at is the error for a source, worded as fmt.Errorf does.
func at(source, format string, args ...any) error {
	return &Error{Source: source, Err: fmt.Errorf(format, args...)}
}
