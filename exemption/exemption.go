// Package exemption says what an Exemption covers: which controls may fail where, and
// until when. The webhook, the audit, the command line and tainting ask it alike, so that
// an exemption has one meaning and ends everywhere in the same second. It is pure.
package exemption

import (
	"time"

	"github.com/hardgate-dev/hardgate/api/v1alpha1"
	"github.com/hardgate-dev/hardgate/control"
)

// Book is a set of compiled Exemptions. It does not change and is safe for concurrent
// use. nil exempts nothing.
type Book struct{}

// Compile makes a Book. The errors name Exemptions that are not understood, which exempt
// nothing.
func Compile([]v1alpha1.Exemption) (*Book, []error) { return &Book{}, nil }

// Object is what an Exemption asks of an object.
type Object struct {
	Group, Kind, Namespace, Name string
	// Account is the ServiceAccount of its pods; empty where it has none.
	Account string
	// Images are those of all its containers.
	Images []string
}

// Scope is what is exempt of one object at one moment; nil is nothing.
type Scope struct{}

// On returns what is exempt of an object.
func (b *Book) On(Object, time.Time) *Scope { return nil }

// Covers is the name of the Exemption that covers a finding; image is that of the
// container that it is about, empty for a finding about the whole.
func (s *Scope) Covers(control.ID, string, string) string { return "" }
