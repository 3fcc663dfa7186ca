package monitoring_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/template"
	"github.com/prometheus/prometheus/tsdb/chunkenc"
	"github.com/prometheus/prometheus/tsdb/chunks"
	"github.com/prometheus/prometheus/util/annotations"
)

const (
	scrape   = time.Minute      // from one value of a series to the next
	evaluate = 30 * time.Second // how often rules are evaluated
)

// replay evaluates rules against series that are in memory.
type replay struct {
	engine *promql.Engine
	parser parser.Parser
}

func newReplay(t *testing.T) *replay {
	t.Helper()
	p := parser.NewParser(parser.Options{})
	e := promql.NewEngine(promql.EngineOpts{MaxSamples: 1e6, Timeout: time.Minute, Parser: p})
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	return &replay{engine: e, parser: p}
}

// fires are the summaries that a rule tells at a time, sorted. What is told has been so
// at every evaluation for as long as the rule wants it.
func (r *replay) fires(ctx context.Context, rule *rulefmt.Rule, series memory, at time.Duration) ([]string, error) {
	since := map[string]time.Time{}
	var told []string
	for now := time.Unix(0, 0); !now.After(time.Unix(0, 0).Add(at)); now = now.Add(evaluate) {
		query, err := r.engine.NewInstantQuery(ctx, series, nil, rule.Expr, now)
		if err != nil {
			return nil, err
		}
		vector, err := query.Exec(ctx).Vector()
		if err != nil {
			return nil, err
		}
		before := since
		since, told = map[string]time.Time{}, nil
		for _, sample := range vector {
			key := sample.Metric.String()
			began, ok := before[key]
			if !ok {
				began = now
			}
			since[key] = began
			if now.Sub(began) < time.Duration(rule.For) {
				continue
			}
			for name, text := range rule.Annotations {
				said, err := expand(ctx, text, sample, now)
				if err != nil {
					return nil, fmt.Errorf("%s: %w", name, err)
				}
				if name == "summary" {
					told = append(told, said)
				}
			}
		}
		query.Close()
	}
	slices.Sort(told)
	return told, nil
}

func expand(ctx context.Context, text string, sample promql.Sample, now time.Time) (string, error) {
	text = "{{$labels := .Labels}}{{$value := .Value}}" + text
	data := template.AlertTemplateData(sample.Metric.Map(), nil, "", sample)
	none := func(context.Context, string, time.Time) (promql.Vector, error) { return nil, nil }
	return template.NewTemplateExpander(ctx, text, "annotation", data, model.TimeFromUnixNano(now.UnixNano()), none, nil, []string{"missingkey=error"}).Expand()
}

// memory is a storage of few series.
type memory []storage.Series

func (r *replay) load(series map[string]string) (memory, error) {
	var m memory
	for name, values := range series {
		lset, sequence, err := r.parser.ParseSeriesDesc(name + " " + values)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		var list []chunks.Sample
		for i, v := range sequence {
			if !v.Omitted {
				list = append(list, sample{at: (time.Duration(i) * scrape).Milliseconds(), value: v.Value})
			}
		}
		m = append(m, storage.NewListSeries(lset, list))
	}
	return m, nil
}

// Querier implements storage.Queryable.
func (m memory) Querier(int64, int64) (storage.Querier, error) {
	return &storage.MockQuerier{SelectMockFunction: func(_ bool, _ *storage.SelectHints, matchers ...*labels.Matcher) storage.SeriesSet {
		return &set{rest: slices.DeleteFunc(slices.Clone(m), func(s storage.Series) bool {
			return slices.ContainsFunc(matchers, func(match *labels.Matcher) bool { return !match.Matches(s.Labels().Get(match.Name)) })
		})}
	}}, nil
}

type set struct {
	rest    memory
	current storage.Series
}

func (s *set) Next() bool {
	if len(s.rest) == 0 {
		return false
	}
	s.current, s.rest = s.rest[0], s.rest[1:]
	return true
}

func (s *set) At() storage.Series                { return s.current }
func (s *set) Err() error                        { return nil }
func (s *set) Warnings() annotations.Annotations { return nil }

type sample struct {
	chunks.Sample // nothing of it is asked for but what follows

	at    int64
	value float64
}

func (s sample) T() int64                 { return s.at }
func (s sample) ST() int64                { return 0 }
func (s sample) F() float64               { return s.value }
func (s sample) Type() chunkenc.ValueType { return chunkenc.ValFloat }
