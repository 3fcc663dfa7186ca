package controller

import (
	"fmt"
	"time"
)

// maxSkew is by how much two clocks may differ. Rollouts go by days; what a clock that was
// set to another day has written down as seen would shorten them, or hold them for ever.
const maxSkew = 10 * time.Minute

// skewed is an error where the clocks differ so much that one of them is wrong. Nothing is
// decided by the time then: which one it is cannot be told from here. now is what the round
// has begun by: it may be another API server's than the one that has answered since.
func (c *Controller) skewed(now time.Time) error {
	ahead, began := c.clock.Ahead().Abs(), time.Until(now).Abs()
	if apart := max(ahead, began); apart > maxSkew {
		return fmt.Errorf("the clock here and that of the API server differ by %s: nothing is audited or promoted until they agree", apart.Round(time.Minute))
	}
	return nil
}
