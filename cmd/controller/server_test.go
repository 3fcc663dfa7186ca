package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/go-logr/logr/funcr"
	"k8s.io/client-go/rest"
	logf "sigs.k8s.io/controller-runtime/pkg/log"
)

// An API server that is too old is told of, and no other.
func TestTellOfVersion(t *testing.T) {
	for minor, old := range map[string]bool{"31": true, "31+": true, "9": true, "32": false, "32+": false, "37": false, "x": false} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			_, _ = fmt.Fprintf(w, `{"major": "1", "minor": %q, "gitVersion": "v1.%s.0"}`, minor, minor)
		}))
		var said []string
		log := funcr.New(func(_, line string) { said = append(said, line) }, funcr.Options{})
		tellOfVersion(logf.IntoContext(t.Context(), log), &rest.Config{Host: server.URL})
		server.Close()
		if told := len(said) == 1 && strings.Contains(said[0], "older than what is supported") && strings.Contains(said[0], "v1."+minor+".0"); told != old || !old && len(said) > 0 {
			t.Errorf("minor version %q: %q", minor, said)
		}
	}
}

// What is said here is what the chart refuses.
func TestOldestIsTheChartsOwn(t *testing.T) {
	text, err := os.ReadFile("../../charts/hardgate/Chart.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if want := fmt.Sprintf("kubeVersion: \">=1.%d.0-0\"", oldest); !strings.Contains(string(text), want) {
		t.Errorf("Chart.yaml does not say %s", want)
	}
}
