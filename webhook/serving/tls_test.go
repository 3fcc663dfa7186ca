package serving

import (
	"crypto/tls"
	"net/http"
	"testing"
)

// Old versions and suites are refused, whoever asks; new ones are not.
func TestTLS(t *testing.T) {
	s := &Server{Handler: http.NotFoundHandler()}
	client, _, _ := serve(t, s)
	roots := client.Transport.(*http.Transport).TLSClientConfig.RootCAs
	for name, c := range map[string]struct {
		min, max uint16
		suites   []uint16
		good     bool
	}{
		"1.3":          {tls.VersionTLS13, tls.VersionTLS13, nil, true},
		"1.2":          {tls.VersionTLS12, tls.VersionTLS12, nil, true},
		"1.2, AES-GCM": {tls.VersionTLS12, tls.VersionTLS12, []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256}, true},
		"1.2, AES-CBC": {tls.VersionTLS12, tls.VersionTLS12, []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA}, false},
		"1.1":          {tls.VersionTLS10, tls.VersionTLS11, nil, false},
	} {
		t.Run(name, func(t *testing.T) {
			dialer := tls.Dialer{Config: &tls.Config{RootCAs: roots, ServerName: "localhost", MinVersion: c.min, MaxVersion: c.max, CipherSuites: c.suites}}
			conn, err := dialer.DialContext(t.Context(), "tcp", s.Address)
			if err == nil {
				_ = conn.Close()
			}
			if (err == nil) != c.good {
				t.Errorf("%v", err)
			}
		})
	}
}
