package drills

import (
	"context"
	"io"
	"net"
	"net/http"
	"sync"
	"time"
)

// service stands before the replicas where a Service does in a cluster. It hands each new
// connection to one of the endpoints that were ready when they were last looked at, and no
// other if that one does not answer; it looks into no connection, and ends none. An
// endpoint that is gone is found out by its probe, some moments later.
type service struct {
	listener net.Listener
	mu       sync.Mutex
	next     int
	all      []*endpoint
	under    sync.WaitGroup
}

// endpoint is a replica.
type endpoint struct {
	name, address, probe string
	ready                bool
	standing             int // connections
}

// probing is how often endpoints are looked at. In a cluster the kubelet says at once that
// a container has ended, and the change takes about as long to reach every node.
const probing = 500 * time.Millisecond

// serve begins to listen, until ctx ends.
func serve(ctx context.Context) (*service, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp4", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := &service{listener: l}
	context.AfterFunc(ctx, func() { _ = l.Close() })
	s.under.Go(func() {
		for ctx.Err() == nil {
			s.look(ctx)
			select {
			case <-ctx.Done():
			case <-time.After(probing):
			}
		}
	})
	s.under.Go(func() {
		for {
			from, err := l.Accept()
			if err != nil {
				return
			}
			s.under.Go(func() { s.carry(ctx, from.(*net.TCPConn)) })
		}
	})
	return s, nil
}

// url is where the API server finds it. The certificate is for that name.
func (s *service) url() string {
	_, port, _ := net.SplitHostPort(s.listener.Addr().String())
	return "https://localhost:" + port
}

// add adds an endpoint, or finds the one of that name at another address.
func (s *service) add(ctx context.Context, name, address, probe string) {
	s.mu.Lock()
	found := false
	for _, e := range s.all {
		if e.name == name {
			e.address, e.probe, found = address, probe, true
		}
	}
	if !found {
		s.all = append(s.all, &endpoint{name: name, address: address, probe: probe})
	}
	s.mu.Unlock()
	s.look(ctx)
}

// look asks every endpoint whether it is ready.
func (s *service) look(ctx context.Context) {
	s.mu.Lock()
	probes := make(map[*endpoint]string, len(s.all))
	for _, e := range s.all {
		probes[e] = e.probe
	}
	s.mu.Unlock()
	for e, probe := range probes {
		ready := answers(ctx, probe)
		s.mu.Lock()
		e.ready = ready
		s.mu.Unlock()
	}
}

func answers(ctx context.Context, url string) bool {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return false
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return false
	}
	_ = resp.Body.Close()
	return resp.StatusCode == http.StatusOK
}

// choose is the next endpoint that is ready; nil where none is.
func (s *service) choose() *endpoint {
	s.mu.Lock()
	defer s.mu.Unlock()
	for range s.all {
		e := s.all[s.next%len(s.all)]
		s.next++
		if e.ready {
			e.standing++
			return e
		}
	}
	return nil
}

// busiest is the endpoint with most connections.
func (s *service) busiest() (name string, connections int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range s.all {
		if e.standing > connections {
			name, connections = e.name, e.standing
		}
	}
	return name, connections
}

// carry carries one connection to an endpoint. Where there is none, it is reset: as good as
// refused.
func (s *service) carry(ctx context.Context, from *net.TCPConn) {
	e := s.choose()
	if e == nil {
		_ = from.SetLinger(0)
		_ = from.Close()
		return
	}
	defer func() {
		s.mu.Lock()
		e.standing--
		s.mu.Unlock()
	}()
	to, err := (&net.Dialer{}).DialContext(ctx, "tcp4", e.address)
	if err != nil {
		_ = from.SetLinger(0)
		_ = from.Close()
		return
	}
	pump(ctx, from, to.(*net.TCPConn), func(to, from *net.TCPConn) error {
		_, err := io.Copy(to, from)
		return err
	})
}
