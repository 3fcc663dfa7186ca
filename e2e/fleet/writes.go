package fleet

import (
	"bytes"
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/hardgate-dev/hardgate/e2e/process"
)

// steady measures what all clients write and what a process takes for so long.
func steady(ctx context.Context, cfg *rest.Config, p process.Identity, window time.Duration) (writes, cpu float64, err error) {
	before, err := written(ctx, cfg)
	if err != nil {
		return 0, 0, err
	}
	began, err := p.Usage()
	if err != nil {
		return 0, 0, err
	}
	if err := pause(ctx, window); err != nil {
		return 0, 0, err
	}
	after, err := written(ctx, cfg)
	if err != nil {
		return 0, 0, err
	}
	ended, err := p.Usage()
	return (after - before) / window.Seconds(), (ended.CPU - began.CPU).Seconds() / window.Seconds(), err
}

// written is how many writes the API server has answered, by its own count.
func written(ctx context.Context, cfg *rest.Config) (sum float64, err error) {
	client, err := kubernetes.NewForConfig(cfg)
	if err != nil {
		return 0, err
	}
	text, err := client.RESTClient().Get().AbsPath("/metrics").Do(ctx).Raw()
	if err != nil {
		return 0, fmt.Errorf("reading the API server's metrics: %w", err)
	}
	for line := range bytes.Lines(text) {
		series, value, found := strings.Cut(strings.TrimSpace(string(line)), "} ")
		if !found || !strings.HasPrefix(series, "apiserver_request_total{") {
			continue
		}
		for _, verb := range []string{"POST", "PUT", "PATCH", "APPLY", "DELETE"} {
			if strings.Contains(series, `verb="`+verb+`"`) {
				n, err := strconv.ParseFloat(value, 64)
				if err != nil {
					return 0, fmt.Errorf("reading the API server's metrics: %w", err)
				}
				sum += n
			}
		}
	}
	return sum, nil
}
