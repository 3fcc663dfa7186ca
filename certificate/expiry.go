package certificate

import "time"

// Expiry are the ends of what is stored; zero of what cannot be read.
func (s State) Expiry() (authority, serving time.Time) {
	if certs := readAll(s.CA[CertKey]); len(certs) > 0 {
		authority = certs[0].NotAfter
	}
	if certs := readAll(s.Serving[CertKey]); len(certs) > 0 {
		serving = certs[0].NotAfter
	}
	return authority, serving
}
