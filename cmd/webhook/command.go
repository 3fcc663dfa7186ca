package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/spf13/cobra"
	"go.uber.org/zap/zapcore"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/healthz"
	logzap "sigs.k8s.io/controller-runtime/pkg/log/zap"
	"sigs.k8s.io/controller-runtime/pkg/metrics"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"github.com/hardgate-dev/hardgate/api/v1alpha1"
	"github.com/hardgate-dev/hardgate/webhook"
)

type options struct {
	kubeconfig    string
	listen        string
	certDir       string
	metricsListen string
	healthListen  string
	drain         time.Duration
	development   bool
}

func command() *cobra.Command {
	var o options
	c := &cobra.Command{
		Use:   "webhook",
		Short: "Judge workloads against the CIS Kubernetes Benchmark when they are deployed",
		Example: `  # In a cluster, with the certificate mounted from a Secret
  webhook --cert-dir /etc/hardgate/tls

  # Outside, against the cluster of a kubeconfig
  webhook --kubeconfig ~/.kube/config --listen 127.0.0.1:9443 --cert-dir ./certs`,
		Args:          cobra.NoArgs,
		SilenceUsage:  true,
		SilenceErrors: true,
		RunE:          func(cmd *cobra.Command, _ []string) error { return run(cmd.Context(), o) },
	}
	f := c.Flags()
	f.StringVar(&o.kubeconfig, "kubeconfig", "", "kubeconfig `file`; in a cluster the pod's own account is used without it")
	f.StringVar(&o.listen, "listen", ":9443", "`host:port` of the webhook")
	f.StringVar(&o.certDir, "cert-dir", "/etc/hardgate/tls", "`directory` of tls.crt and tls.key")
	f.StringVar(&o.metricsListen, "metrics-listen", ":8080", "`host:port` of /metrics; 0 turns it off")
	f.StringVar(&o.healthListen, "health-listen", ":8081", "`host:port` of /healthz and /readyz; 0 turns it off")
	f.DurationVar(&o.drain, "drain", 5*time.Second, "how long to go on serving after SIGTERM, until the cluster has noticed")
	f.BoolVar(&o.development, "development", false, "log readable lines at debug level instead of JSON")
	return c
}

func run(ctx context.Context, o options) error {
	ctrl.SetLogger(logzap.New(logzap.UseDevMode(o.development), func(z *logzap.Options) {
		z.TimeEncoder = zapcore.RFC3339NanoTimeEncoder
	}))
	config, err := restConfig(o.kubeconfig)
	if err != nil {
		return err
	}
	scheme := runtime.NewScheme()
	if err := errors.Join(corev1.AddToScheme(scheme), v1alpha1.AddToScheme(scheme)); err != nil {
		return fmt.Errorf("building the scheme: %w", err)
	}
	mgr, err := ctrl.NewManager(config, ctrl.Options{
		Scheme:                 scheme,
		Cache:                  webhook.CacheOptions(),
		Metrics:                metricsserver.Options{BindAddress: o.metricsListen},
		HealthProbeBindAddress: o.healthListen,
	})
	if err != nil {
		return fmt.Errorf("connecting to the cluster: %w", err)
	}
	gate := webhook.NewGate(
		webhook.CachedCluster{Cache: mgr.GetClient(), Live: mgr.GetAPIReader()},
		webhook.NewMetrics(metrics.Registry))
	server := &webhook.Server{Handler: gate.Handler(), Address: o.listen, CertDir: o.certDir, Drain: o.drain}
	ctx = ctrl.LoggerInto(ctx, ctrl.Log)
	if err := webhook.Setup(ctx, mgr, gate, server); err != nil {
		return err
	}
	if err := mgr.AddHealthzCheck("process", healthz.Ping); err != nil {
		return fmt.Errorf("adding the liveness probe: %w", err)
	}
	if err := mgr.AddReadyzCheck("webhook", func(r *http.Request) error { return server.Ready(r) }); err != nil {
		return fmt.Errorf("adding the readiness probe: %w", err)
	}
	return mgr.Start(ctx)
}

// restConfig reads the kubeconfig, or the pod's own account where none is given.
func restConfig(kubeconfig string) (*rest.Config, error) {
	if kubeconfig == "" {
		config, err := rest.InClusterConfig()
		if err != nil {
			return nil, fmt.Errorf("no --kubeconfig is given and this is no pod: %w", err)
		}
		return config, nil
	}
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", kubeconfig, err)
	}
	return config, nil
}
