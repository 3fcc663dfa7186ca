package gate

import (
	"path/filepath"
	"strconv"

	"github.com/hardgate-dev/hardgate/e2e/process"
)

// Ahead returns where the webhook of a cluster in dir will be, and the authority of its
// certificate, in PEM. It is for an API server that must know before it starts: neither
// the cluster nor the webhook runs yet.
func Ahead(dir string) (url string, ca []byte, err error) {
	ports, err := process.OpenPorts(dir)
	if err != nil {
		return "", nil, err
	}
	if err := ports.Choose([]string{name}); err != nil {
		return "", nil, err
	}
	if ca, err = ensureCertificate(certDir(dir)); err != nil {
		return "", nil, err
	}
	return baseURL(ports), ca, nil
}

func baseURL(ports *process.Ports) string { return "https://localhost:" + strconv.Itoa(ports.Of(name)) }

func certDir(dir string) string { return filepath.Join(dir, "webhook-certs") }
