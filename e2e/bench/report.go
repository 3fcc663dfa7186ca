package bench

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

// Ratio is the webhook's CPU time per request over the floor's: the median of the
// rounds' own ratios.
func (r Result) Ratio() float64 {
	ratios := make([]float64, 0, len(r.Floor))
	for i := range r.Floor {
		ratios = append(ratios, float64(r.Webhook[i].CPU)/float64(r.Floor[i].CPU))
	}
	return median(ratios)
}

// median of at least one value; of an even number, the mean of the middle two.
func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	middle := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[middle]
	}
	return (sorted[middle-1] + sorted[middle]) / 2
}

// Table shows the results: medians over the rounds, with the least and the most.
func Table(results []Result) string {
	rows := [][]string{{"SET", "SERVER", "CPU/REQUEST µs", "REQUESTS/s", "P50 ms", "P99 ms"}}
	for _, r := range results {
		rows = append(rows, row(r.Set, "floor", r.Floor), row(r.Set, "webhook", r.Webhook))
	}
	return table(rows)
}

func row(set, server string, samples []Sample) []string {
	ms := func(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
	return []string{
		set, server,
		spread(samples, "%.0f", func(s Sample) float64 { return float64(s.CPU) / float64(time.Microsecond) }),
		spread(samples, "%.0f", func(s Sample) float64 { return s.Rate }),
		spread(samples, "%.2f", func(s Sample) float64 { return ms(s.P50) }),
		spread(samples, "%.2f", func(s Sample) float64 { return ms(s.P99) }),
	}
}

// table aligns columns.
func table(rows [][]string) string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	for _, cells := range rows {
		_, _ = io.WriteString(w, strings.Join(cells, "\t")+"\n") // a Builder takes everything
	}
	_ = w.Flush()
	return b.String()
}

// spread is "median (min-max)".
func spread(samples []Sample, format string, of func(Sample) float64) string {
	values := make([]float64, 0, len(samples))
	for _, s := range samples {
		values = append(values, of(s))
	}
	return fmt.Sprintf(format+" ("+format+"-"+format+")", median(values), slices.Min(values), slices.Max(values))
}

// MemoryTable shows the memory of the servers as it is now.
func MemoryTable(servers ...Server) (string, error) {
	rows := [][]string{{"SERVER", "RSS NOW MiB", "RSS PEAK MiB", "CPU TOTAL s"}}
	for _, s := range servers {
		u, err := s.Process.Usage()
		if err != nil {
			return "", err
		}
		rows = append(rows, []string{
			s.Name, fmt.Sprintf("%.1f", mib(u.RSS)), fmt.Sprintf("%.1f", mib(u.PeakRSS)), fmt.Sprintf("%.1f", u.CPU.Seconds()),
		})
	}
	return table(rows), nil
}

func mib(bytes uint64) float64 { return float64(bytes) / (1 << 20) }

// RatioLine is the one line that others read.
func RatioLine(small, large Result) string {
	return fmt.Sprintf("ratio small=%.1f large=%.1f\n", small.Ratio(), large.Ratio())
}
