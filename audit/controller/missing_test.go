package controller

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"
)

// Where a CRD is missing, nothing is audited, promoted or written down, but nothing stays
// closed that no policy enforces. That a list is not answered otherwise is no such case.
func TestMissingCRDs(t *testing.T) {
	follows := []string{"PUT /apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/hardgate"}
	tests := map[string]struct {
		code    int
		lacking []string
		writes  []string
		fails   bool
	}{
		"all":                    {http.StatusNotFound, []string{"workloadpolicies", "exemptions", "namespacereports"}, follows, false},
		"policies":               {http.StatusNotFound, []string{"workloadpolicies"}, follows, false},
		"reports":                {http.StatusNotFound, []string{"namespacereports"}, follows, false},
		"one that is starting":   {http.StatusServiceUnavailable, []string{"workloadpolicies"}, nil, true},
		"one that is not ours":   {http.StatusForbidden, []string{"workloadpolicies"}, nil, true},
		"another one that fails": {http.StatusInternalServerError, []string{"namespacereports"}, nil, true},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			l := newLists(t, "gone")
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if kind, ours := strings.CutPrefix(r.URL.Path, hardgatePath); ours && slices.Contains(tt.lacking, kind) {
					http.Error(w, "no", tt.code)
					return
				}
				l.ServeHTTP(w, r)
			}))
			t.Cleanup(server.Close)
			l.server = server
			c := l.controller()
			wait, err := c.round(t.Context(), time.Now())
			if (err != nil) != tt.fails || wait != c.Options.Tick {
				t.Errorf("the round ends with %v, and the next is in %s", err, wait)
			}
			if !slices.Equal(l.writes, tt.writes) || l.promoted(c) {
				t.Errorf("written: %q, want %q; promoted: %t", l.writes, tt.writes, l.promoted(c))
			}
		})
	}
}
