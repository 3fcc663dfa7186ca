package process

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"path/filepath"
)

// Ports are the loopback ports of a state directory's programs, by purpose. They
// are chosen free and then remembered, so that what was told to people and
// written to a kubeconfig stays good when a program is started anew.
type Ports struct {
	path string
	of   map[string]int
}

// OpenPorts reads the ports of a state directory, which may have none yet.
func OpenPorts(dir string) (*Ports, error) {
	p := &Ports{path: filepath.Join(dir, "ports.json"), of: map[string]int{}}
	text, err := os.ReadFile(p.path)
	if errors.Is(err, fs.ErrNotExist) {
		return p, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading the ports: %w", err)
	}
	if err := json.Unmarshal(text, &p.of); err != nil {
		return nil, fmt.Errorf("reading the ports from %s: %w", p.path, err)
	}
	return p, nil
}

// Of returns the port of a purpose, zero when none has been chosen yet.
func (p *Ports) Of(purpose string) int { return p.of[purpose] }

// Choose gives a free port to each purpose that has none or whose port somebody
// listens on, and remembers it.
func (p *Ports) Choose(purposes []string) error {
	for _, purpose := range purposes {
		port, err := freePort(p.of[purpose])
		if err != nil {
			return err
		}
		p.of[purpose] = port
	}
	text, err := json.MarshalIndent(p.of, "", "  ")
	if err != nil {
		return fmt.Errorf("writing the ports: %w", err)
	}
	if err := os.WriteFile(p.path, append(text, '\n'), 0o600); err != nil {
		return fmt.Errorf("writing the ports: %w", err)
	}
	return nil
}

func (p *Ports) forget(purposes []string) {
	for _, purpose := range purposes {
		delete(p.of, purpose)
	}
}

// freePort returns the wanted port if nobody listens on it, otherwise another
// one. Zero wants none in particular.
func freePort(want int) (int, error) {
	l, err := net.ListenTCP("tcp4", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: want})
	if err != nil && want != 0 {
		return freePort(0)
	}
	if err != nil {
		return 0, fmt.Errorf("choosing a free port: %w", err)
	}
	addr, err := netip.ParseAddrPort(l.Addr().String())
	if err := errors.Join(err, l.Close()); err != nil {
		return 0, fmt.Errorf("choosing a free port: %w", err)
	}
	return int(addr.Port()), nil
}
