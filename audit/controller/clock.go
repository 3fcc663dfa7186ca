package controller

import (
	"fmt"
	"time"
)

// maxSkew is by how much two clocks may differ. Rollouts go by days; what a clock that was
// set to another day has written down as seen would shorten them, or hold them for ever.
const maxSkew = 10 * time.Minute

// skewed is an error where the clocks differ so much that one of them is wrong. Nothing is
// decided by the time then: which one it is cannot be told from here.
func (c *Controller) skewed() error {
	if ahead := c.clock.Ahead(); ahead.Abs() > maxSkew {
		return fmt.Errorf("the clock here and that of the API server differ by %s: nothing is audited or promoted until they agree", ahead.Abs().Round(time.Minute))
	}
	return nil
}
