package main

import (
	"bufio"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"

	"github.com/hardgate-dev/hardgate/audit"
	"github.com/hardgate-dev/hardgate/control"
	"github.com/hardgate-dev/hardgate/report"
	"github.com/hardgate-dev/hardgate/webhook/verdict"
)

// gathering makes a report of an audit. It keeps one group for all objects of an owner that
// have the same results, and the results of all groups that have the same once.
type gathering struct {
	lang     control.Lang
	cluster  string // its name, for what is about all of it
	controls []string
	all      bool

	objects, namespaces int
	statuses            map[control.Status]int

	groups  map[groupKey]*group
	results map[digest][]report.Result // of no object yet
	wide    []report.Result

	out   *bufio.Writer // for results as they come; nil where they are kept
	lines *json.Encoder
	stop  context.CancelCauseFunc
}

type (
	digest   [sha256.Size]byte
	groupKey struct {
		namespace, owner, kind string
		results                digest
	}
	group struct {
		object report.Object // the first by name
		alike  int           // how many others
	}
)

func newGathering(f *auditFlags, lang control.Lang, cluster string) *gathering {
	return &gathering{
		lang: lang, cluster: cluster, controls: f.controls, all: f.all, statuses: map[control.Status]int{},
		groups: map[groupKey]*group{}, results: map[digest][]report.Result{},
	}
}

// stream has results written as they come, and none kept. stop is called when that fails.
func (g *gathering) stream(w io.Writer, stop context.CancelCauseFunc) {
	g.out, g.stop = bufio.NewWriter(w), stop
	g.lines = json.NewEncoder(g.out)
	g.lines.SetEscapeHTML(false)
}

func (g *gathering) flush() error {
	if err := g.out.Flush(); err != nil {
		return fmt.Errorf("writing jsonl: %w", err)
	}
	return nil
}

// see takes the decisions on one object.
func (g *gathering) see(s *audit.Seen) {
	g.objects++
	kept := make([]*verdict.Decision, 0, len(s.Decisions))
	for i := range s.Decisions {
		d := &s.Decisions[i]
		if !g.wants(d.ID) || d.Status == "" {
			continue
		}
		g.statuses[d.Status]++
		if g.keeps(d.Status) {
			kept = append(kept, d)
		}
	}
	if len(kept) == 0 {
		return
	}
	object := report.Object{APIVersion: s.Kind.APIVersion(), Kind: s.Kind.Kind, Namespace: s.Namespace, Name: s.Name, Source: g.cluster, Owner: s.Owner}
	if s.Kind.Group == "" && s.Kind.Kind == "Namespace" {
		object.Namespace = "" // it is counted in itself, and is in none
	}
	if s.Owner == s.Kind.Kind+"/"+s.Name {
		object.Owner = ""
	}
	if g.out != nil {
		for _, d := range kept {
			g.write(report.Of(object, d, g.lang))
		}
		return
	}
	g.keep(s, object, kept)
}

func (g *gathering) wants(id control.ID) bool {
	return len(g.controls) == 0 || slices.Contains(g.controls, string(id))
}

// keeps is whether results of a status are part of the report.
func (g *gathering) keeps(s control.Status) bool {
	return g.all || s == control.Fail || s == control.Exempt || s == control.Unknown
}

// keep keeps results once for all that have the same.
func (g *gathering) keep(s *audit.Seen, o report.Object, kept []*verdict.Decision) {
	key := groupKey{s.Namespace, s.Owner, s.Kind.Kind, sum(kept)}
	if e := g.groups[key]; e != nil {
		e.alike++
		if o.Name < e.object.Name {
			e.object = o
		}
		return
	}
	g.groups[key] = &group{object: o}
	if _, known := g.results[key.results]; known {
		return
	}
	results := make([]report.Result, 0, len(kept))
	for _, d := range kept {
		results = append(results, report.Of(report.Object{}, d, g.lang))
	}
	g.results[key.results] = results
}

// sum tells decisions apart by all that a report says of them.
func sum(decisions []*verdict.Decision) (d digest) {
	h := sha256.New()
	for _, d := range decisions {
		fmt.Fprintf(h, "%s\x00%s\x00%d\x00%d\x00", d.ID, d.Status, d.Mode, len(d.Violations))
		for i := range d.Violations {
			v := &d.Violations[i]
			fmt.Fprintf(h, "%s\x00%s\x00%s\x00%t\x00", v.Path, v.Detail, v.Exemption, v.Mended)
		}
	}
	h.Sum(d[:0])
	return d
}

// write writes a line.
func (g *gathering) write(r report.Result) {
	if err := g.lines.Encode(r); err != nil {
		g.stop(fmt.Errorf("writing jsonl: %w", err))
	}
}

// whole takes what is about the cluster as a whole.
func (g *gathering) whole(r *audit.Result) {
	g.namespaces = len(r.Namespaces) - 1 // "" is none
	for _, c := range r.Clusterwide {
		if !g.wants(c.Control) {
			continue
		}
		g.statuses[c.Status]++
		if !g.keeps(c.Status) && c.Status != control.ByHand { // they are few, and have evidence
			continue
		}
		result := report.Result{
			Object:  report.Object{Kind: "Cluster", Name: g.cluster, Source: g.cluster},
			Control: c.Control, Rows: control.Rows(c.Control), Status: c.Status, Findings: []report.Finding{},
		}
		for _, line := range c.Evidence {
			result.Findings = append(result.Findings, report.Finding{Detail: line})
		}
		if known, ok := control.Get(c.Control); ok && c.Status == control.Fail {
			result.Remedy = known.Remedy.In(g.lang)
		}
		if g.out != nil {
			g.write(result)
			continue
		}
		g.wide = append(g.wide, result)
	}
}

// report is what has been gathered, by namespace, owner and object.
func (g *gathering) report(errs []error) *report.Stream {
	keys := slices.SortedFunc(maps.Keys(g.groups), func(a, b groupKey) int {
		return cmp.Or(cmp.Compare(a.namespace, b.namespace), cmp.Compare(a.owner, b.owner), g.groups[a].compare(g.groups[b]))
	})
	r := report.New(g.wide, report.Summary{Objects: g.objects, Namespaces: g.namespaces}, errs)
	maps.Copy(r.Summary.Statuses, g.statuses) // of the objects that are not in the report, too
	wide := r.Stream()
	wide.Results = func(yield func(report.Result) bool) {
		for _, w := range r.Results {
			if !yield(w) {
				return
			}
		}
		for _, key := range keys {
			group := g.groups[key]
			for _, result := range g.results[key.results] {
				result.Object = group.object
				result.Object.Alike = group.alike
				if !yield(result) {
					return
				}
			}
		}
	}
	return wide
}

// compare puts what owns before what is owned.
func (e *group) compare(o *group) int {
	owned := func(e *group) int { return min(len(e.object.Owner), 1) }
	return cmp.Or(cmp.Compare(owned(e), owned(o)), -cmp.Compare(e.object.Kind, o.object.Kind), cmp.Compare(e.object.Name, o.object.Name))
}
