// Package configz asks the node's own kubelet for the configuration that is in
// force. It proves itself with the pod's token, and therefore speaks to no one but
// the kubelet: the peer must present the very certificate that is on the node's disk,
// which takes the key beside it.
package configz

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/hardgate-dev/hardgate/nodecheck/host"
)

// Client asks the kubelet on this machine.
type Client struct {
	// Port is the kubelet's, 10250 nearly everywhere.
	Port int
	// Token returns the token, which needs the right to get nodes/configz.
	Token func() (string, error)
	// Files is the node, whose kubelet certificate is read.
	Files host.FS
}

// certificates are where the kubelet keeps its serving certificate: one that it
// signed itself, or one that the cluster signed.
var certificates = []string{"/var/lib/kubelet/pki/kubelet-server-current.pem", "/var/lib/kubelet/pki/kubelet.crt"}

const (
	timeout = 3 * time.Second
	// maxAnswer bounds the configuration. A large one has a few KiB.
	maxAnswer = 1 << 20
)

// Get returns the answer of /configz: a JSON object; a *Refused if that is not what the
// kubelet answers. more are further files that may
// hold the certificate, as the kubelet's tlsCertFile.
func (c *Client) Get(ctx context.Context, more ...string) ([]byte, error) {
	pins, err := c.pins(more)
	if err != nil {
		return nil, err
	}
	token, err := c.Token()
	if err != nil {
		return nil, fmt.Errorf("reading the token: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	url := "https://" + net.JoinHostPort("127.0.0.1", strconv.Itoa(c.Port)) + "/configz"
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Authorization", "Bearer "+token)
	resp, err := pinned(pins).Do(req)
	if err != nil {
		return nil, fmt.Errorf("asking the kubelet: %w", err)
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		return nil, &Refused{Status: resp.StatusCode}
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("asking the kubelet: %w", err)
	case len(body) > maxAnswer:
		return nil, fmt.Errorf("asking the kubelet: the answer has more than %d bytes", maxAnswer)
	case !json.Valid(body):
		return nil, errors.New("asking the kubelet: the answer is not JSON")
	}
	return body, nil
}

// pins reads the certificates that the kubelet may present.
func (c *Client) pins(more []string) ([][]byte, error) {
	h := host.New(c.Files)
	var pins [][]byte
	var errs []error
	for _, name := range slices.Concat(more, certificates) {
		f, err := h.File(name)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		if der := leaf(f.Data); der != nil {
			pins = append(pins, der)
		}
	}
	if len(pins) == 0 {
		return nil, fmt.Errorf("reading the kubelet's certificate: %w", errors.Join(append(errs, errors.New("none is found"))...))
	}
	return pins, nil
}

// leaf is the first certificate of a PEM file; those after it are authorities, and
// keys are passed over.
func leaf(data []byte) []byte {
	for {
		var block *pem.Block
		if block, data = pem.Decode(data); block == nil {
			return nil
		}
		if block.Type == "CERTIFICATE" {
			return block.Bytes
		}
	}
}

var errStranger = errors.New("the peer does not present the kubelet's certificate")

// pinned is a client for one request. The peer is verified within the handshake,
// before anything of the request is sent.
func pinned(pins [][]byte) *http.Client {
	return &http.Client{
		Transport: &http.Transport{
			DisableKeepAlives: true,
			TLSClientConfig: &tls.Config{
				MinVersion: tls.VersionTLS12,
				// No name and no authority can be asked for: the certificate is mostly the
				// kubelet's own making. It is compared as a whole instead.
				InsecureSkipVerify: true, //nolint:gosec // VerifyConnection does
				VerifyConnection:   func(s tls.ConnectionState) error { return known(s.PeerCertificates, pins) },
			},
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

func known(presented []*x509.Certificate, pins [][]byte) error {
	if len(presented) == 0 {
		return errStranger
	}
	for _, pin := range pins {
		if bytes.Equal(presented[0].Raw, pin) {
			return nil
		}
	}
	return errStranger
}
