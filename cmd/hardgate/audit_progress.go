package main

import (
	"fmt"
	"io"
	"time"

	"github.com/hardgate-dev/hardgate/audit"
)

// progress says from time to time how far an audit has come. What is short says nothing.
type progress struct {
	to      io.Writer
	now     func() time.Time
	last    time.Time
	objects int
}

const progressEvery = 5 * time.Second

func (p *progress) see(s *audit.Seen) {
	p.objects++
	if now := p.now(); now.Sub(p.last) >= progressEvery {
		p.last = now
		fmt.Fprintf(p.to, "hardgate: %d objects judged so far, now each %s\n", p.objects, s.Kind.Kind)
	}
}
