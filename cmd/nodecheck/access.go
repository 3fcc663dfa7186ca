//go:build linux

package main

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"strings"

	"github.com/hardgate-dev/hardgate/nodecheck/delivery"
)

// serviceAccount is where a pod's own account is mounted.
const serviceAccount = "/var/run/secrets/kubernetes.io/serviceaccount"

// access is how the API server is reached.
type access struct {
	server, tokenFile, caFile string
}

// identity is whom the agent writes for.
type identity struct{ node, namespace string }

// identify finds the API server, and out which node this is.
func (a *access) identify(node, namespace string) (identity, error) {
	if err := a.find(); err != nil {
		return identity{}, err
	}
	if _, err := a.ca(); err != nil {
		return identity{}, fmt.Errorf("--ca-file: %w", err)
	}
	token, err := a.token()
	if err != nil {
		return identity{}, fmt.Errorf("--token-file: %w", err)
	}
	claims, err := delivery.ReadClaims(token)
	if err != nil {
		return identity{}, fmt.Errorf("--token-file: %w", err)
	}
	if node, err = delivery.NodeName(node, claims); err != nil {
		return identity{}, err
	}
	if namespace == "" {
		namespace = claims.Namespace
	}
	if namespace == "" {
		return identity{}, errors.New("the namespace of the lease is not known: give --namespace or POD_NAMESPACE, the token does not say it")
	}
	return identity{node: node, namespace: namespace}, nil
}

// find sets the server to the one that the cluster names to its pods.
func (a *access) find() error {
	if a.server != "" {
		if u, err := url.Parse(a.server); err != nil || u.Scheme != "https" || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
			return fmt.Errorf("--api-server is %q, want https://host:port and no more: a token is not sent in the clear", a.server)
		}
		a.server = strings.TrimSuffix(a.server, "/")
		return nil
	}
	name, port := os.Getenv("KUBERNETES_SERVICE_HOST"), os.Getenv("KUBERNETES_SERVICE_PORT")
	if name == "" || port == "" {
		return errors.New("no --api-server is given and this is no pod: KUBERNETES_SERVICE_HOST and _PORT are not set")
	}
	a.server = "https://" + net.JoinHostPort(name, port)
	return nil
}

func (a *access) token() (string, error) {
	data, err := read(a.tokenFile)
	if err != nil {
		return "", err
	}
	token := strings.TrimSpace(string(data))
	if token == "" {
		return "", fmt.Errorf("%s is empty", a.tokenFile)
	}
	return token, nil
}

func (a *access) ca() ([]byte, error) { return read(a.caFile) }

// read reads a regular file: a FIFO would be waited for without end.
func read(name string) ([]byte, error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is not a regular file", name)
	}
	return os.ReadFile(name)
}

func (a *access) client(agent string) *delivery.Client {
	return &delivery.Client{URL: a.server, CA: a.ca, Token: a.token, UserAgent: agent}
}
