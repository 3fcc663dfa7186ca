package serving

import (
	"bytes"
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// answering reads a request and answers it.
var answering = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	_, _ = w.Write([]byte("ok"))
})

// An API server is told in answers that they are the last on their connections, and not
// before the cluster has noticed that the replica is going: it would come back.
func TestLastAnswers(t *testing.T) {
	s := &Server{Drain: 2 * time.Second, Handler: answering}
	client, stop, ended := serve(t, s)
	transport := client.Transport.(*http.Transport)
	transport.ForceAttemptHTTP2, transport.TLSClientConfig.NextProtos = false, []string{"http/1.1"}
	if isLast(t, client, s.Address) {
		t.Error("an answer is the last before the end")
	}
	stop()
	for s.Ready() == nil {
		time.Sleep(time.Millisecond)
	}
	if isLast(t, client, s.Address) {
		t.Error("an answer is the last as soon as the drain begins")
	}
	time.Sleep(s.Drain/2 + 100*time.Millisecond)
	if !isLast(t, client, s.Address) {
		t.Error("no answer is the last")
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// isLast posts something and tells whether the answer says that it is the last.
func isLast(t *testing.T, client *http.Client, address string) bool {
	t.Helper()
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "https://localhost:"+port+"/", strings.NewReader("a review"))
	if err != nil {
		t.Fatal(err)
	}
	answer, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, answer.Body)
	_ = answer.Body.Close()
	return answer.Close
}

// Replicas end one after the other under load, each when the next one is there. The
// requests are larger than what a client writes at once, as reviews are: the second
// part of one that meets a closed connection is lost.
func TestEndsLoseNoRequest(t *testing.T) {
	const clients, ends = 16, 8
	dir := t.TempDir()
	pool := writeCertificate(t, dir, "replicas")
	var current atomic.Pointer[string]
	begin := func() (end func()) {
		s := &Server{Address: freeAddress(t), CertDir: dir, Drain: 400 * time.Millisecond, Handler: answering}
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- s.Run(ctx) }()
		for s.Ready() != nil {
			time.Sleep(time.Millisecond)
		}
		current.Store(&s.Address)
		return func() {
			cancel()
			if err := <-ended; err != nil {
				t.Error(err)
			}
		}
	}
	end := begin()
	ctx, stop := context.WithCancel(t.Context())
	var all sync.WaitGroup
	var right atomic.Int64
	review := bytes.Repeat([]byte("x"), 40_000)
	for range clients {
		transport := &http.Transport{
			TLSClientConfig: &tls.Config{RootCAs: pool, ServerName: "localhost", NextProtos: []string{"http/1.1"}},
			DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
				return (&net.Dialer{}).DialContext(ctx, network, *current.Load())
			},
		}
		all.Go(func() {
			defer transport.CloseIdleConnections()
			client := &http.Client{Transport: transport}
			for ctx.Err() == nil {
				r, err := http.NewRequestWithContext(context.WithoutCancel(ctx), http.MethodPost, "https://localhost/", bytes.NewReader(review))
				if err != nil {
					t.Error(err)
					return
				}
				answer, err := client.Do(r)
				if err != nil {
					t.Error(err)
					continue
				}
				_, _ = io.Copy(io.Discard, answer.Body)
				_ = answer.Body.Close()
				right.Add(1)
				time.Sleep(time.Millisecond)
			}
		})
	}
	for range ends {
		before := end
		end = begin()
		before()
	}
	stop()
	all.Wait()
	end()
	if right.Load() < clients*ends {
		t.Errorf("only %d requests", right.Load())
	}
	t.Logf("%d requests", right.Load())
}
