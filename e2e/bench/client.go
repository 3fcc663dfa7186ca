package bench

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
	"sync/atomic"
	"time"
)

// Client sends requests to one server over one connection.
type Client struct {
	url      string
	http     *http.Client
	echoes   bool
	dials    atomic.Int32
	verdicts verdicts
}

// NewClient talks to url, whose certificate authority ca (PEM) vouches for.
// echoes says that the server is to answer with the UID of the request; the floor
// does not.
func NewClient(url string, ca []byte, echoes bool) (*Client, error) {
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(ca) {
		return nil, errors.New("making a client: no certificate authority")
	}
	c := &Client{url: url + "?timeout=10s", echoes: echoes}
	dialer := &net.Dialer{Timeout: 5 * time.Second}
	c.http = &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{
		TLSClientConfig:   &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12},
		ForceAttemptHTTP2: true,
		DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
			c.dials.Add(1)
			return dialer.DialContext(ctx, network, addr)
		},
	}}
	return c, nil
}

// Close drops the connection.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// answer is the part of an AdmissionReview that is checked.
type answer struct {
	Response *struct {
		UID     string `json:"uid"`
		Allowed bool   `json:"allowed"`
		Status  struct {
			Code    int32  `json:"code"`
			Message string `json:"message"`
		} `json:"status"`
	} `json:"response"`
}

// send sends one body and checks the answer. A denial is an answer; whatever else
// is not a verdict on this very request is an error.
func (c *Client) send(ctx context.Context, r Request, body []byte, uid string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.url, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", "application/json, */*")
	req.Header.Set("User-Agent", "kube-apiserver-admission")
	resp, err := c.http.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return fmt.Errorf("%s: %w", r.Name, err)
	}
	if resp.StatusCode != http.StatusOK || resp.ProtoMajor != 2 {
		return fmt.Errorf("%s: answered %s %s: %.200s", r.Name, resp.Proto, resp.Status, text)
	}
	var a answer
	if err := json.Unmarshal(text, &a); err != nil {
		return fmt.Errorf("%s: reading the answer: %w", r.Name, err)
	}
	switch {
	case a.Response == nil:
		return fmt.Errorf("%s: no response in %.200s", r.Name, text)
	case c.echoes && a.Response.UID != uid:
		return fmt.Errorf("%s: answer for %s, want %s", r.Name, a.Response.UID, uid)
	case !a.Response.Allowed && a.Response.Status.Code != http.StatusForbidden:
		return fmt.Errorf("%s: error %d: %s", r.Name, a.Response.Status.Code, a.Response.Status.Message)
	}
	return c.verdicts.note(r.Name, a.Response.Allowed)
}

// Denied says how many of the different requests sent so far are denied.
func (c *Client) Denied() (denied, all int) { return c.verdicts.denied() }

// alone fails when there was more than one connection.
func (c *Client) alone() error {
	if n := c.dials.Load(); n != 1 {
		return fmt.Errorf("%d connections to %s, want 1 as the API server has", n, c.url)
	}
	return nil
}
