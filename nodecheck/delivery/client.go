package delivery

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Client asks one API server.
type Client struct {
	// URL is the server's: "https://10.0.0.1:443".
	URL string
	// CA returns the authorities to trust, in PEM. It is asked for each connection, so
	// that new ones are noticed.
	CA func() ([]byte, error)
	// Token returns the token to prove oneself with. It is asked for each request:
	// tokens are replaced long before they end.
	Token func() (string, error)
	// UserAgent is what the server logs.
	UserAgent string

	http *http.Client
}

const (
	requestTimeout = 10 * time.Second
	dialTimeout    = 5 * time.Second
	// maxAnswer bounds what is read of an answer. A report with what the server notes
	// of its fields is smaller.
	maxAnswer = 1 << 20
)

// connect makes the HTTP client. Connections are not kept for long: there is a
// request about every minute, and one that every node holds open in between costs the
// server memory all the time. No proxy: the API server is next to the node.
func (c *Client) connect() *http.Client {
	dialer := &net.Dialer{Timeout: dialTimeout}
	return &http.Client{
		Timeout: requestTimeout,
		Transport: &http.Transport{
			DialTLSContext: func(ctx context.Context, network, address string) (net.Conn, error) {
				pem, err := c.CA()
				if err != nil {
					return nil, fmt.Errorf("reading the authorities of the API server: %w", err)
				}
				roots := x509.NewCertPool()
				if !roots.AppendCertsFromPEM(pem) {
					return nil, errors.New("reading the authorities of the API server: no certificate among them")
				}
				d := tls.Dialer{NetDialer: dialer, Config: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}}
				return d.DialContext(ctx, network, address)
			},
			MaxIdleConns: 1, IdleConnTimeout: 10 * time.Second, ResponseHeaderTimeout: requestTimeout,
		},
		// The API server sends nobody elsewhere, and the token is for it alone.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// answerError is an answer that is not 2xx.
type answerError struct {
	Code    int
	Message string
	// After is how long the server wants to be left alone.
	After time.Duration
}

func (e *answerError) Error() string {
	return fmt.Sprintf("the API server answers %d %s: %s", e.Code, http.StatusText(e.Code), e.Message)
}

func answered(err error, code int) bool {
	a, ok := errors.AsType[*answerError](err)
	return ok && a.Code == code
}

// The types of bodies.
const (
	jsonType  = "application/json"
	applyType = "application/apply-patch+yaml" // of which JSON is a part
	// metadataOnly keeps a status that is not looked at from being sent back.
	metadataOnly = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json"
)

// request sends one request and decodes the answer into out unless that is nil.
func (c *Client) request(ctx context.Context, method, path, accept string, body, out any) error {
	if c.http == nil {
		c.http = c.connect()
	}
	var reader io.Reader
	if body != nil {
		data, err := json.Marshal(body)
		if err != nil {
			return fmt.Errorf("writing the request: %w", err)
		}
		reader = bytes.NewReader(data)
	}
	req, err := http.NewRequestWithContext(ctx, method, c.URL+path, reader)
	if err != nil {
		return err
	}
	token, err := c.Token()
	if err != nil {
		return fmt.Errorf("reading the token: %w", err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	req.Header.Set("Accept", accept)
	req.Header.Set("User-Agent", c.UserAgent)
	if method == http.MethodPatch {
		req.Header.Set("Content-Type", applyType)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	data, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return fmt.Errorf("reading the answer: %w", err)
	}
	if resp.StatusCode/100 != 2 {
		return refusal(resp, data)
	}
	if out == nil {
		return nil
	}
	if err := json.Unmarshal(data, out); err != nil {
		return fmt.Errorf("reading the answer: %w", err)
	}
	return nil
}

func refusal(resp *http.Response, body []byte) error {
	e := &answerError{Code: resp.StatusCode}
	var s metav1.Status
	if err := json.Unmarshal(body, &s); err == nil && s.Message != "" {
		e.Message = s.Message
	} else {
		e.Message = strings.ToValidUTF8(string(body[:min(len(body), 200)]), "?")
	}
	if seconds, err := strconv.Atoi(resp.Header.Get("Retry-After")); err == nil && seconds > 0 {
		e.After = time.Duration(seconds) * time.Second
	}
	return e
}
