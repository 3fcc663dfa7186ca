package certificate

import (
	"cmp"
	"net"
	"slices"
	"time"
)

// The keys of the Secrets.
const (
	CertKey    = "tls.crt"
	PrivateKey = "tls.key"
	// BundleKey, in the Secret of the serving certificate, is by which authorities it can
	// be checked.
	BundleKey = "ca.crt"
	// PreviousKey, in the Secret of the authority, are those that are trusted and do not
	// sign any more.
	PreviousKey = "previous.crt"
)

// State is what is stored. Nil is a Secret that is not there.
type State struct {
	CA, Serving map[string][]byte
	// Bundles are the caBundles of all our webhooks, in both configurations: none where
	// nothing is registered.
	Bundles [][]byte
}

// Seen is for how long what is stored has been as it is, by the clock of who looks: less
// than the truth after a new leader has begun, and never more.
type Seen struct {
	// Bundles have not changed for so long.
	Bundles time.Duration
	// Serving is for how long the serving certificate has not changed.
	Serving time.Duration
}

// Config is what is wanted.
type Config struct {
	Names Names
	// CALifetime and Lifetime are those of a new authority and of a new certificate.
	CALifetime, Lifetime time.Duration
	// Behind is how far the leader's own clock is behind now; less than zero where it is
	// ahead. Which of the two is right is not known, and the other API servers may go by either.
	Behind time.Duration
	// Settle is how long API servers may take until they go by a bundle that is stored.
	Settle time.Duration
	// Overlap is how long replicas may take until they serve a certificate that is stored:
	// the kubelet brings it into a pod within two minutes or so.
	Overlap time.Duration
}

// Names are those by which API servers reach the webhook: of hosts, or addresses.
type Names []string

// NewNames are names in their order, each once.
func NewNames(names ...string) Names {
	n := slices.Clone(names)
	slices.SortFunc(n, cmp.Compare[string])
	return slices.DeleteFunc(slices.Compact(n), func(s string) bool { return s == "" })
}

// ServiceName is the name by which API servers know a Service.
func ServiceName(namespace, name string) string { return name + "." + namespace + ".svc" }

// canonical is a name as a certificate has it.
func canonical(name string) string {
	if ip := net.ParseIP(name); ip != nil {
		return ip.String()
	}
	return name
}
