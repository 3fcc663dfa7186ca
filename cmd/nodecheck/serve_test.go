//go:build linux

package main

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// Profiles are there where they are asked for, and nothing is where nobody asks.
func TestProfiles(t *testing.T) {
	for path, want := range map[string]int{
		"/debug/pprof/":                  http.StatusOK,
		"/debug/pprof/heap":              http.StatusOK,
		"/debug/pprof/profile?seconds=1": http.StatusOK,
		"/metrics":                       http.StatusNotFound,
	} {
		w := httptest.NewRecorder()
		profiles().ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, http.NoBody))
		if w.Code != want {
			t.Errorf("%s answers %d, want %d", path, w.Code, want)
		}
	}
	flag := command().Flags().Lookup("pprof-listen")
	if flag == nil || flag.DefValue != "" || !strings.Contains(flag.Usage, "loopback") {
		t.Errorf("the flag is %+v", flag)
	}
	if err := serve(t.Context(), "pprof", flag.DefValue, profiles()); err != nil {
		t.Error(err)
	}
}
