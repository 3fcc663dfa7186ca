package audit

import (
	"cmp"
	"fmt"
	"hash/fnv"
	"slices"

	"github.com/hardgate-dev/hardgate/control"
	"github.com/hardgate-dev/hardgate/webhook/verdict"
)

// The bounds of a Summary.
const (
	maxFindings = 20
	maxOwners   = 5
	maxDetail   = 256
)

// count gathers the summary of one namespace. Beside what is kept it holds eight bytes
// for each owner that fails a control, and for each different finding.
type count struct {
	Summary

	failing map[control.ID]map[uint64]struct{}
	exempt  map[control.ID]map[uint64]struct{}
	seen    map[uint64]struct{}
	hash    uint64
}

func newCount() *count {
	return &count{
		Summary: Summary{Controls: map[control.ID]*Tally{}},
		failing: map[control.ID]map[uint64]struct{}{}, exempt: map[control.ID]map[uint64]struct{}{}, seen: map[uint64]struct{}{},
	}
}

// add counts the decisions on one object of an owner, "Deployment/web". One that is spent
// starts nothing any more.
func (c *count) add(owner string, decisions []verdict.Decision, spent func() bool) {
	c.Objects++
	fails, exempt := false, false
	for i := range decisions {
		d := &decisions[i]
		if d.Status == control.NotApplicable || d.Status == "" {
			continue
		}
		t := c.tally(d.ID)
		t.Judged++
		switch d.Status {
		case control.ByHand:
			t.Manual++
		case control.Exempt:
			exempt = true
			if note(c.exempt, d.ID, owner) {
				t.Exempt++
			}
		case control.Fail:
			fails = true
			t.Objects++
			if d.Denies() && !spent() && note(c.failing, d.ID, owner) {
				t.Failing++
				t.Owners = first(t.Owners, owner, maxOwners, cmp.Compare[string])
			}
		default: // passes, or could not be told
		}
		for j := range d.Violations {
			c.find(d, &d.Violations[j], owner)
		}
	}
	if fails {
		c.Failing++
	}
	if exempt {
		c.Exempt++
	}
}

func (c *count) tally(id control.ID) *Tally {
	t := c.Controls[id]
	if t == nil {
		t = &Tally{}
		c.Controls[id] = t
	}
	return t
}

// find keeps a finding if it is among the first, and makes it part of the hash. Pods of
// one owner that have the same fault have one finding.
func (c *count) find(d *verdict.Decision, v *verdict.Violation, owner string) {
	sum := digest(string(d.ID), owner, v.Path, v.Detail, v.Exemption)
	if _, known := c.seen[sum]; known {
		return
	}
	c.seen[sum] = struct{}{}
	c.hash += sum // in whatever order
	if v.Exemption == "" {
		f := Finding{Control: d.ID, Object: owner, Path: v.Path, Detail: cut(v.Detail)}
		c.Findings = first(c.Findings, f, maxFindings, compare)
	}
}

// sum is the summary. Nothing may be added any more.
func (c *count) sum() *Summary {
	c.Hash = fmt.Sprintf("%016x", digest(fmt.Sprint(c.hash, c.Objects, c.Failing, c.Exempt)))
	return &c.Summary
}

// note notes an owner and is whether it is new.
func note(of map[control.ID]map[uint64]struct{}, id control.ID, owner string) bool {
	owners := of[id]
	if owners == nil {
		owners = map[uint64]struct{}{}
		of[id] = owners
	}
	before := len(owners)
	owners[digest(owner)] = struct{}{}
	return len(owners) > before
}

func digest(parts ...string) uint64 {
	h := fnv.New64a()
	for _, p := range parts {
		_, _ = h.Write([]byte(p))
		_, _ = h.Write([]byte{0})
	}
	return h.Sum64()
}

// first keeps the least of all that is put into list, in order and each once.
func first[T any](list []T, value T, limit int, compare func(a, b T) int) []T {
	i, found := slices.BinarySearchFunc(list, value, compare)
	if found || i >= limit {
		return list
	}
	list = slices.Insert(list, i, value)
	return list[:min(len(list), limit)]
}

func compare(a, b Finding) int {
	return cmp.Or(cmp.Compare(a.Object, b.Object), cmp.Compare(a.Control, b.Control), cmp.Compare(a.Path, b.Path), cmp.Compare(a.Detail, b.Detail))
}

// cut bounds what is kept of a detail, which may quote what a user wrote.
func cut(s string) string {
	if len(s) <= maxDetail {
		return s
	}
	end := maxDetail
	for end > 0 && s[end]&0xC0 == 0x80 {
		end--
	}
	return s[:end] + "…"
}
