package skew

import (
	"fmt"
	"os"
	"time"
)

// Clock is that of the programs that are started with its Env.
type Clock struct{ file string }

// NewClock makes a clock that is right, kept in a file.
func NewClock(file string) (*Clock, error) {
	c := &Clock{file}
	if err := c.Set(0); err != nil {
		return nil, err
	}
	return c, nil
}

// Env is the variable by which a program that Build has built finds its clock.
func (c *Clock) Env() string { return "HARDGATE_TEST_CLOCK=" + c.file }

// Set makes the clock go ahead by whole seconds, or behind where that is negative. Programs
// that run go by it some milliseconds later.
func (c *Clock) Set(ahead time.Duration) error {
	next := c.file + ".next"
	if err := os.WriteFile(next, []byte(ahead.String()), 0o600); err != nil {
		return fmt.Errorf("setting a clock: %w", err)
	}
	if err := os.Rename(next, c.file); err != nil {
		return fmt.Errorf("setting a clock: %w", err)
	}
	return nil
}
