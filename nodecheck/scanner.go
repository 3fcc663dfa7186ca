package nodecheck

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/hardgate-dev/hardgate/control"
	"github.com/hardgate-dev/hardgate/nodecheck/check"
	"github.com/hardgate-dev/hardgate/nodecheck/host"
	"github.com/hardgate-dev/hardgate/nodecheck/host/osrelease"
	"github.com/hardgate-dev/hardgate/nodecheck/host/process"
	"github.com/hardgate-dev/hardgate/nodecheck/watch"
)

// Scanner runs the checks over a node, one scan at a time. A check that does not
// come back, since a file hangs on a dead file system, is left behind: it is Unknown
// as long as it hangs, and the others go on without it. A Scanner is for one
// goroutine.
type Scanner struct {
	Files host.FS
	// Checks and Rules may be replaced by others between two scans; what they point to
	// is not changed.
	Checks []*check.Check
	Rules  *check.Rules
	// Patience is how long nothing may come of a check until it counts as hanging.
	Patience time.Duration
	// Prepare hands over what is known besides the files, before a pass; Finish looks at
	// what was read, after it, in the pass's goroutine. Either may be nil.
	Prepare, Finish func(*host.Host)

	// hanging are the checks that were left behind, until they come back.
	hanging map[control.ID]<-chan struct{}
	known   process.Known
	boot    process.Boot // zero until it is known
	kept    host.Kept
}

// afterwards stands for what a pass does after its checks, which may hang as well.
const afterwards control.ID = "afterwards"

// maxHanging is how many checks may hang: each holds a thread of the system.
const maxHanging = 16

// Outcome is what a scan found.
type Outcome struct {
	// Verdicts has one for each check, in their order.
	Verdicts []check.Verdict
	// OS is the name of the operating system, or empty.
	OS string
	// Looked is what the scan looked at, without the checks that hang.
	Looked watch.Looked
	// Took is how long it took.
	Took time.Duration
}

// pass is a run of checks in a goroutine of its own, which is left alone when it
// hangs.
type pass struct {
	mu       sync.Mutex
	verdicts []check.Verdict // so far; one for each check, in their order

	done chan struct{} // closed when it has come to its end
	end  ending        // to be read once done is closed
}

type ending struct {
	os     string
	looked watch.Looked
	known  process.Known
	boot   process.Boot
	err    error
}

// Scan judges the node. An error means that the scan itself broke, or that ctx ended:
// what hangs is not waited for then.
func (s *Scanner) Scan(ctx context.Context) (Outcome, error) {
	begin := time.Now()
	verdicts := make(map[control.ID]check.Verdict, len(s.Checks))
	var list []*check.Check
	for _, c := range s.Checks {
		if s.hangs(c.ID) {
			verdicts[c.ID] = s.unanswered(c)
		} else {
			list = append(list, c)
		}
	}
	var out Outcome
	for first := true; first || len(list) > 0; first = false {
		if len(s.hanging) >= maxHanging {
			for _, c := range list {
				verdicts[c.ID] = s.unanswered(c)
			}
			break
		}
		p := s.start(list)
		got, over := s.wait(ctx, p)
		if ctx.Err() != nil {
			return Outcome{}, ctx.Err()
		}
		for _, v := range got {
			verdicts[v.Control] = v
		}
		switch {
		case over:
			if p.end.err != nil {
				return Outcome{}, p.end.err
			}
			s.known, s.boot = p.end.known, p.end.boot
			out.OS = p.end.os
			out.Looked = out.Looked.Join(p.end.looked)
			list = nil
		case len(got) == len(list):
			s.left(afterwards, p.done)
			list = nil
		default:
			stuck := list[len(got)]
			s.left(stuck.ID, p.done)
			verdicts[stuck.ID] = s.unanswered(stuck)
			list = list[len(got)+1:]
		}
	}
	for _, c := range s.Checks {
		out.Verdicts = append(out.Verdicts, verdicts[c.ID])
	}
	out.Took = time.Since(begin)
	return out, nil
}

// start runs checks over a new host.
func (s *Scanner) start(list []*check.Check) *pass {
	p := &pass{done: make(chan struct{})}
	known, boot, rest := s.known, s.boot, !s.hangs(afterwards)
	rules := s.Rules // a pass that is left behind outlives them
	go func() {
		defer close(p.done)
		defer func() {
			if r := recover(); r != nil {
				// The checks' own are caught where they run; this one is of the readers' frame.
				p.end.err = fmt.Errorf("scanning: panic of type %T", r)
			}
		}()
		h := host.New(s.Files)
		host.Provide(h, known)
		host.Provide(h, &s.kept)
		booted := !time.Time(boot).IsZero()
		if !booted {
			// Of a host of its own: the file changes all the time, and nobody is to follow it.
			boot, booted = process.Booted(host.New(s.Files))
		}
		if booted {
			host.Provide(h, boot)
			p.end.boot = boot
		}
		if s.Prepare != nil {
			s.Prepare(h)
		}
		for _, c := range list {
			p.add(check.Run(h, []*check.Check{c}, rules)[0])
		}
		p.end.known = known
		if !rest {
			return
		}
		if release, err := osrelease.Read(h); err == nil {
			p.end.os = release.PrettyName
		}
		var processes []string
		if table, err := process.Read(h); err == nil {
			p.end.known = table.Next()
			for i := range table.Found {
				processes = append(processes, table.Found[i].Where)
			}
		}
		if s.Finish != nil {
			s.Finish(h)
		}
		p.end.looked = watch.Of(h)
		p.end.looked.Processes = processes
	}()
	return p
}

// wait returns the verdicts of a pass and whether it has come to its end; it has not
// where it does not get on any more.
func (s *Scanner) wait(ctx context.Context, p *pass) (verdicts []check.Verdict, over bool) {
	tick := time.NewTicker(s.Patience)
	defer tick.Stop()
	for before := -1; ; {
		select {
		case <-p.done:
			return p.so(), true
		case <-ctx.Done():
			return nil, false
		case <-tick.C:
		}
		verdicts := p.so()
		if len(verdicts) == before {
			return verdicts, false
		}
		before = len(verdicts)
	}
}

// so returns the verdicts so far.
func (p *pass) so() []check.Verdict {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.verdicts)
}

func (p *pass) add(v check.Verdict) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.verdicts = append(p.verdicts, v)
}

func (s *Scanner) left(id control.ID, done <-chan struct{}) {
	if s.hanging == nil {
		s.hanging = map[control.ID]<-chan struct{}{}
	}
	s.hanging[id] = done
}

// hangs is whether a check that was left behind has not come back yet.
func (s *Scanner) hangs(id control.ID) bool {
	done, ok := s.hanging[id]
	if !ok {
		return false
	}
	select {
	case <-done:
		delete(s.hanging, id)
		return false
	default:
		return true
	}
}

// Hanging returns how many checks hang.
func (s *Scanner) Hanging() int { return len(s.hanging) }

func (s *Scanner) unanswered(c *check.Check) check.Verdict {
	f := check.Finding{Where: string(c.ID), Detail: fmt.Sprintf("could not tell: reading did not come to an end within %s", s.Patience)}
	if len(c.Reads) > 0 {
		f.Where = c.Reads[0]
	}
	return check.Verdict{Control: c.ID, Result: check.Result{Status: control.Unknown, Findings: []check.Finding{f}}}
}
