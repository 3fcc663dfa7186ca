package main

import (
	"context"
	"fmt"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/spf13/cobra"
	"go.uber.org/zap/zapcore"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/klog/v2"
	logf "sigs.k8s.io/controller-runtime/pkg/log"
	logzap "sigs.k8s.io/controller-runtime/pkg/log/zap"

	"github.com/hardgate-dev/hardgate/audit"
	"github.com/hardgate-dev/hardgate/clock"
	"github.com/hardgate-dev/hardgate/control"
	"github.com/hardgate-dev/hardgate/exemption"
	"github.com/hardgate-dev/hardgate/listen"
	"github.com/hardgate-dev/hardgate/taint/key"
	"github.com/hardgate-dev/hardgate/version"
	"github.com/hardgate-dev/hardgate/webhook"
	"github.com/hardgate-dev/hardgate/webhook/ruling"
	"github.com/hardgate-dev/hardgate/webhook/serving"
)

type options struct {
	kubeconfig    string
	listen        string
	certDir       string
	metricsListen string
	healthListen  string
	pprofListen   string
	drain         time.Duration
	development   bool
	unverifiedKey string
	controller    string
	excluded      []string
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
		Version:       version.Line(),
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
	f.StringVar(&o.pprofListen, "pprof-listen", "", "`host:port` of /debug/pprof, of loopback only, such as 127.0.0.1:6060 with kubectl port-forward: profiles are for everybody who can reach it; off unless given")
	f.DurationVar(&o.drain, "drain", 10*time.Second, "how long to go on serving after SIGTERM: the cluster notices in the first half, connections end in the second")
	f.StringVar(&o.unverifiedKey, "unverified-taint-key", key.Unverified,
		"`key` of the taint of nodes that have not been checked; in another domain its name is hardgate-unverified")
	f.StringVar(&o.controller, "controller-namespace", webhook.ControllerNamespace,
		"`namespace` of the controller: while it is paused by its annotation, no node is tainted")
	f.StringSliceVar(&o.excluded, "excluded-namespaces", nil,
		"`names` of namespaces, besides kube-system and the controller's, in which images are let through when the API server's ImagePolicyWebhook asks: those that the webhook's registration excludes")
	f.BoolVar(&o.development, "development", false, "log readable lines at debug level instead of JSON")
	return c
}

func run(ctx context.Context, o options) error {
	log := logzap.New(logzap.UseDevMode(o.development), func(z *logzap.Options) {
		z.TimeEncoder = zapcore.RFC3339NanoTimeEncoder
		z.StacktraceLevel = zapcore.DPanicLevel // errors here are the cluster's, not the program's
	})
	logf.SetLogger(log)
	klog.SetLogger(log.WithName("client-go")) // the informers' own
	if err := listen.Distinct(
		listen.Flag{Name: "listen", Address: o.listen}, listen.Flag{Name: "metrics-listen", Address: o.metricsListen},
		listen.Flag{Name: "health-listen", Address: o.healthListen}, listen.Flag{Name: "pprof-listen", Address: o.pprofListen},
	); err != nil {
		return err
	}
	log.Info("starting", "version", version.String())
	config, err := restConfig(o.kubeconfig)
	if err != nil {
		return err
	}
	server := &clock.Server{}
	config.Wrap(server.Wrap)
	informers, err := webhook.NewInformers(config)
	if err != nil {
		return err
	}
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}), collectors.NewBuildInfoCollector())
	gate := webhook.NewGate(informers, webhook.NewMetrics(registry))
	if err := gate.TaintNodes(o.unverifiedKey, o.controller); err != nil {
		return fmt.Errorf("--unverified-taint-key: %w", err)
	}
	gate.SetClock(server)
	gate.SetCensus(census(config, server.Now))
	gate.ExcludeImages(append(o.excluded, o.controller)...)
	door := &serving.Server{Handler: gate.Handler(), Address: o.listen, CertDir: o.certDir, Drain: o.drain}
	return webhook.Run(logf.IntoContext(ctx, logf.Log), gate, informers, door, &serving.Probes{
		HealthAddress: o.healthListen, MetricsAddress: o.metricsListen, PprofAddress: o.pprofListen,
		Ready:   door.Ready,
		Metrics: promhttp.HandlerFor(registry, promhttp.HandlerOpts{Registry: registry}),
	})
}

// census judges what runs by the audit's own means.
func census(config *rest.Config, now func() time.Time) webhook.Census {
	return func(ctx context.Context, book *ruling.Book, exemptions *exemption.Book, namespace string) (map[control.ID]webhook.Refused, error) {
		sum, err := audit.Namespace(ctx, config, namespace, audit.Options{Book: book, Exemptions: exemptions, Now: now, Running: true})
		if err != nil {
			return nil, err
		}
		all := make(map[control.ID]webhook.Refused, len(sum.Controls))
		for id, t := range sum.Controls {
			all[id] = webhook.Refused{Count: t.Failing, Owners: t.Owners}
		}
		return all, nil
	}
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
