package serving

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/pprof"
	"time"

	"golang.org/x/sync/errgroup"
	logf "sigs.k8s.io/controller-runtime/pkg/log"
)

// Probes serves what the cluster's operators look at, in plain HTTP and apart from
// the webhook: health, metrics and, where asked, profiles. An empty address or "0"
// turns a server off.
type Probes struct {
	HealthAddress, MetricsAddress, PprofAddress string
	// Ready is an error while the webhook does not serve.
	Ready func() error
	// Metrics serves /metrics.
	Metrics http.Handler
}

// Run serves until ctx ends.
func (p *Probes) Run(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	for _, s := range []struct {
		name, address string
		handler       http.Handler
	}{
		{"health", p.HealthAddress, p.health()},
		{"metrics", p.MetricsAddress, p.metrics()},
		{"pprof", p.PprofAddress, profiles()},
	} {
		if s.address != "" && s.address != "0" {
			group.Go(func() error { return servePlain(ctx, s.name, s.address, s.handler) })
		}
	}
	return group.Wait()
}

func (p *Probes) health() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("ok\n")) })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		if err := p.Ready(); err != nil {
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
			return
		}
		_, _ = w.Write([]byte("ok\n"))
	})
	return mux
}

func (p *Probes) metrics() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", p.Metrics)
	return mux
}

func profiles() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/debug/pprof/", pprof.Index)
	mux.HandleFunc("/debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("/debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("/debug/pprof/trace", pprof.Trace)
	return mux
}

func servePlain(ctx context.Context, name, address string, handler http.Handler) error {
	var listen net.ListenConfig
	listener, err := listen.Listen(ctx, "tcp", address)
	if err != nil {
		return fmt.Errorf("listening for %s on %s: %w", name, address, err)
	}
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 5 * time.Second}
	logf.FromContext(ctx).Info("serving", "endpoint", name, "address", listener.Addr().String())
	go func() {
		<-ctx.Done()
		stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		_ = server.Shutdown(stop) // nothing there is worth more waiting
	}()
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serving %s: %w", name, err)
	}
	return nil
}
