package controller

import (
	"errors"
	"time"

	"golang.org/x/time/rate"
)

// No change by itself takes more writes than burst; who writes that often is answered by
// somebody who writes, too.
const (
	burst  = 24
	refill = 5 * time.Second
)

var errFought = errors.New("there is no end to what has to be changed: somebody else writes the Secrets or the bundles, too; find out who by their managedFields")

// pace bounds the writes where another program undoes each of them.
type pace struct{ left *rate.Limiter }

func newPace() pace { return pace{rate.NewLimiter(rate.Every(refill), burst)} }

// next is an error where it is too soon for another write.
func (p pace) next() error {
	if p.left.Allow() {
		return nil
	}
	return errFought
}

// look is an error as long as so much has been written that it is told as a problem: not
// until some time has passed without, or each write would solve and each answer renew it.
func (p pace) look() error {
	if p.left.Tokens() > burst/2 {
		return nil
	}
	return errFought
}
