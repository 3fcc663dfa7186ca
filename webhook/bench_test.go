package webhook

import (
	"bytes"
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/hardgate-dev/hardgate/webhook/registration"
	"github.com/hardgate-dev/hardgate/webhook/workload"
)

// still is a cluster without labels or accounts.
type still struct{}

func (still) Labels(context.Context, string) (labels.Set, error) { return labels.Set{}, nil }

func (still) Automount(context.Context, string, string) (workload.Optional[bool], error) {
	return workload.Optional[bool]{}, nil
}

// BenchmarkHandler answers reviews that a real API server sent, without the network.
func BenchmarkHandler(b *testing.B) {
	handler := NewGate(still{}, NewMetrics(prometheus.NewRegistry())).Handler()
	for _, set := range []string{"small", "large"} {
		files, err := filepath.Glob(filepath.Join("..", "e2e", "bench", "testdata", set, "*.json"))
		if err != nil || len(files) == 0 {
			b.Fatalf("no recorded reviews: %v", err)
		}
		var bodies [][]byte
		for _, f := range files {
			data, err := os.ReadFile(f)
			if err != nil {
				b.Fatal(err)
			}
			bodies = append(bodies, data)
		}
		b.Run(set, func(b *testing.B) {
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				req := httptest.NewRequestWithContext(b.Context(), http.MethodPost, registration.WorkloadPath, bytes.NewReader(bodies[i%len(bodies)]))
				req.Header.Set("Content-Type", "application/json")
				w := httptest.NewRecorder()
				handler.ServeHTTP(w, req)
				if w.Code != http.StatusOK {
					b.Fatal(w.Body.String())
				}
			}
		})
	}
}
