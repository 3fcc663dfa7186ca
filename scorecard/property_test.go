package scorecard_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/hardgate-dev/hardgate/audit"
	"github.com/hardgate-dev/hardgate/control"
	"github.com/hardgate-dev/hardgate/scorecard"
)

// chance is a cluster at random, and what is true of it.
type chance struct {
	*rand.Rand
	in scorecard.In
	// complete is whether the audit has read and judged a control everywhere.
	complete map[control.ID]bool
	// fine is whether every node has said that it passes or does not have the thing.
	fine map[control.ID]bool
}

func (c *chance) rarely() bool { return c.IntN(6) == 0 }

// A row passes only where everything that it depends on was seen and is in order.
func TestNoFalsePass(t *testing.T) {
	passes := 0
	for seed := range uint64(3000) {
		c := &chance{Rand: rand.New(rand.NewPCG(seed, 5)), complete: map[control.ID]bool{}, fine: map[control.ID]bool{}}
		c.audit()
		c.nodes()
		c.in.AKS = c.IntN(2) == 0
		rows, score := scorecard.Rows(c.in)
		for i := range rows {
			r := &rows[i]
			if r.Status == "" {
				t.Fatalf("seed %d: %s has no status", seed, r.ID)
			}
			if r.Status != string(control.Pass) {
				continue
			}
			passes++
			id := control.ID(r.Control)
			k, _ := control.Get(id)
			switch {
			case k.Face == control.ControlPlane, id == "system-masters":
				t.Fatalf("seed %d: %s passes: %+v", seed, id, r)
			case k.Face == control.Node && !c.fine[id], k.Face != control.Node && !c.complete[id]:
				t.Fatalf("seed %d: %s passes and was not seen to: %+v", seed, id, r)
			}
		}
		total := int32(0)
		for _, n := range score.Statuses {
			total += n
		}
		if total != 168 || score.Passed+score.Attested > score.Scored {
			t.Fatalf("seed %d: the score is %+v", seed, score)
		}
	}
	if passes == 0 {
		t.Error("nothing has passed: the property has not been tried")
	}
}

func (c *chance) audit() {
	if c.rarely() {
		return
	}
	r := &audit.Result{Namespaces: map[string]*audit.Summary{}}
	off := map[string]bool{}
	if !c.rarely() {
		c.in.Judged = func(ns string, id control.ID) bool { return !off[ns+"/"+string(id)] }
	}
	whole := true
	if !c.rarely() {
		r.Finished = time.Unix(2, 0)
	}
	if c.rarely() {
		r.Missed = []audit.Miss{{Resource: "pods", Err: errors.New("forbidden")}}
	}
	whole = whole && len(r.Missed) == 0 && !r.Finished.IsZero()
	var names []string
	for i := range c.IntN(4) {
		names = append(names, []string{"", "a", "b", "c"}[i])
	}
	for _, ns := range names {
		r.Namespaces[ns] = &audit.Summary{Controls: map[control.ID]*audit.Tally{}}
	}
	for _, k := range control.All() {
		if k.Face != control.Admission && k.Face != control.Cluster {
			continue
		}
		seen, judged := whole && c.in.Judged != nil && len(names) > 0, false
		for _, ns := range names {
			reached := k.Face == control.Cluster || k.Scope.Reaches(ns)
			if c.rarely() {
				off[ns+"/"+string(k.ID)] = true
				seen = seen && !reached
				continue
			}
			if !reached {
				continue
			}
			if c.rarely() {
				continue
			}
			t := &audit.Tally{Judged: 1 + c.IntN(3)}
			if c.rarely() {
				*[]*int{&t.Objects, &t.Failing, &t.Exempt, &t.Manual}[c.IntN(4)] = 1
				seen = false
			}
			judged = true
			r.Namespaces[ns].Controls[k.ID] = t
		}
		c.complete[k.ID] = seen && judged
		if c.rarely() {
			s := []control.Status{control.Pass, control.Fail, control.ByHand, control.Unknown, control.Exempt, "", "pass"}[c.IntN(7)]
			r.Clusterwide = append(r.Clusterwide, audit.Clusterwide{Control: k.ID, Status: s})
			// It is a verdict on the whole, wherever objects are judged.
			c.complete[k.ID] = s == control.Pass && whole && len(names) > 0
			for _, ns := range names {
				if t := r.Namespaces[ns].Controls[k.ID]; t != nil && t.Objects+t.Failing+t.Exempt+t.Manual > 0 {
					c.complete[k.ID] = false
				}
			}
		}
	}
	c.in.Audit = r
}

func (c *chance) nodes() {
	if c.rarely() {
		return
	}
	n := &scorecard.Nodes{}
	count := c.IntN(5)
	for _, k := range control.All() {
		c.fine[k.ID] = count > 0
	}
	for i := range count {
		name := fmt.Sprintf("n%d", i)
		n.Node(name, nil, "")
		r := report(name, control.Pass)
		fresh := !c.rarely()
		for j := range r.Status.Results {
			result := &r.Status.Results[j]
			switch c.IntN(12) {
			case 0:
				result.Status = string([]control.Status{control.Fail, control.Unknown, control.Exempt, control.ByHand, "", "pass", control.AttestedBy}[c.IntN(7)])
				c.fine[control.ID(result.Control)] = false
			case 1:
				result.Status = string(control.NotApplicable)
			case 2:
				c.fine[control.ID(result.Control)] = false
				result.Control = "another"
			}
		}
		added := !c.rarely()
		if added {
			n.Add(r, fresh)
		}
		if !added || !fresh {
			clear(c.fine)
			count = 0 // the others change nothing
		}
	}
	if count == 0 {
		clear(c.fine)
	}
	c.in.Nodes = n
}
