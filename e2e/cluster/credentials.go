package cluster

import (
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	"github.com/hardgate-dev/hardgate/e2e/pki"
)

// The users that every cluster has. The API server binds the latter two to their
// roles by name.
const (
	admin                 = "admin"
	controllerManagerUser = "system:kube-controller-manager"
	schedulerUser         = "system:kube-scheduler"
)

const tokensFile = "tokens.csv"

// credentials are what the components and this package prove themselves with.
type credentials struct {
	dir    string
	ca     []byte
	tokens map[string]string // by user
}

// ensureCredentials reads the credentials of a state directory and makes them on
// first use. The token file is written last: where it stands, all stand.
func ensureCredentials(stateDir string, users []string) (credentials, error) {
	dir := filepath.Join(stateDir, "pki")
	_, err := os.Stat(filepath.Join(dir, tokensFile))
	if errors.Is(err, fs.ErrNotExist) {
		err = makeCredentials(dir, users)
	}
	if err != nil {
		return credentials{}, fmt.Errorf("making the cluster's credentials: %w", err)
	}
	return readCredentials(dir, users)
}

func makeCredentials(dir string, users []string) error {
	ca, err := pki.NewAuthority("hardgate-lab")
	if err != nil {
		return err
	}
	pair, err := ca.Loopback("hardgate-lab-loopback", net.ParseIP(ServiceAddress))
	if err != nil {
		return err
	}
	if err := pki.WriteServing(dir, ca, pair); err != nil {
		return err
	}
	private, public, err := pki.SigningKey()
	if err != nil {
		return err
	}
	if err := pki.Write(dir, map[string][]byte{"sa.key": private, "sa.pub": public}); err != nil {
		return err
	}
	// The columns are token, user name, user id and groups.
	var csv strings.Builder
	for _, user := range users {
		fmt.Fprintf(&csv, "%s,%s,%[2]s", rand.Text(), user)
		switch {
		case user == admin:
			csv.WriteString(",system:masters")
		case strings.HasPrefix(user, "system:node:"):
			csv.WriteString(",system:nodes") // which the Node authorizer asks for
		}
		csv.WriteString("\n")
	}
	return pki.Write(dir, map[string][]byte{tokensFile: []byte(csv.String())})
}

func readCredentials(dir string, users []string) (credentials, error) {
	c := credentials{dir: dir, tokens: map[string]string{}}
	var err error
	if c.ca, err = os.ReadFile(filepath.Join(dir, "ca.crt")); err != nil {
		return credentials{}, fmt.Errorf("reading the cluster's credentials: %w", err)
	}
	csv, err := os.ReadFile(filepath.Join(dir, tokensFile))
	if err != nil {
		return credentials{}, fmt.Errorf("reading the cluster's credentials: %w", err)
	}
	for line := range strings.Lines(string(csv)) {
		if fields := strings.Split(strings.TrimSpace(line), ","); len(fields) >= 3 {
			c.tokens[fields[1]] = fields[0]
		}
	}
	for _, user := range users {
		if c.tokens[user] == "" {
			return credentials{}, fmt.Errorf("reading the cluster's credentials: no token for %s: take the lab down first", user)
		}
	}
	return c, nil
}

// client trusts the cluster's authority only, and presents the certificate that
// etcd asks for.
func (c credentials) client() (*http.Client, error) {
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(c.ca) {
		return nil, errors.New("reading the cluster's credentials: ca.crt holds no certificate")
	}
	cert, err := tls.LoadX509KeyPair(filepath.Join(c.dir, "tls.crt"), filepath.Join(c.dir, "tls.key"))
	if err != nil {
		return nil, fmt.Errorf("reading the cluster's credentials: %w", err)
	}
	return &http.Client{Transport: &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: roots, Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12},
		// Each question is a fresh one: the component may have been restarted.
		DisableKeepAlives: true,
	}}, nil
}
