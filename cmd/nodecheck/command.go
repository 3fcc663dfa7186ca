//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/spf13/cobra"
	"go.uber.org/zap/zapcore"
	"golang.org/x/sync/errgroup"
	logf "sigs.k8s.io/controller-runtime/pkg/log"
	logzap "sigs.k8s.io/controller-runtime/pkg/log/zap"

	"github.com/hardgate-dev/hardgate/listen"
	"github.com/hardgate-dev/hardgate/nodecheck"
	"github.com/hardgate-dev/hardgate/nodecheck/configz"
	"github.com/hardgate-dev/hardgate/nodecheck/confine"
	"github.com/hardgate-dev/hardgate/nodecheck/delivery"
	"github.com/hardgate-dev/hardgate/nodecheck/host"
	"github.com/hardgate-dev/hardgate/nodecheck/sockets"
	"github.com/hardgate-dev/hardgate/nodecheck/synopsis"
	"github.com/hardgate-dev/hardgate/nodecheck/watch"
	"github.com/hardgate-dev/hardgate/version"
)

type options struct {
	root          string
	parts         bool
	nodeName      string
	namespace     string
	access        access
	rules         rules
	interval      time.Duration
	poll          time.Duration
	heartbeat     time.Duration
	specInterval  time.Duration
	configzPort   int
	metricsListen string
	healthListen  string
	pprofListen   string
	development   bool
}

// patience is how long one check may take: a thousand times what they do, and less
// than a person waits for a report.
const patience = 10 * time.Second

func command() *cobra.Command {
	var o options
	c := &cobra.Command{
		Use:   "nodecheck",
		Short: "Verify this node's hardening and its kubelet, and write its NodeReport",
		Long: `nodecheck verifies the hardening of the node that it runs on, and its kubelet. What it
finds is in the NodeReport of the node's name:

  kubectl get nodereports
  kubectl get nodereport NODE -o yaml

It looks at once when a file has changed, every few seconds at the kernel's values, and
at everything from time to time.

The flags --benchmark and --module hold as long as no NodePolicy selects the node. Where
one does, the spec of the report says by which rules all controls are judged.`,
		Example: `  # In a DaemonSet, with the node's root directory mounted at /host
  nodecheck

  # On a node outside of any pod, against the API server of a test
  nodecheck --root / --node-name node-1 --namespace hardgate \
    --api-server https://127.0.0.1:6443 --ca-file ca.crt --token-file token`,
		Args:          cobra.NoArgs,
		Version:       version.Line(),
		SilenceUsage:  true,
		SilenceErrors: true,
		RunE:          func(cmd *cobra.Command, _ []string) error { return run(cmd.Context(), o) },
	}
	f := c.Flags()
	f.StringVar(&o.root, "root", "/host", "`directory` where the node's root is mounted")
	f.BoolVar(&o.parts, "root-in-parts", false, "below --root, single directories of the node are mounted and not its whole root: what is outside of them is unknown, and not missing")
	f.StringVar(&o.nodeName, "node-name", os.Getenv("NODE_NAME"), "`name` of the node; NODE_NAME, or else what the token says")
	f.StringVar(&o.namespace, "namespace", os.Getenv("POD_NAMESPACE"), "`namespace` of the lease; POD_NAMESPACE, or else what the token says")
	f.StringVar(&o.access.server, "api-server", "", "`URL` of the API server; the cluster's own without it")
	f.StringVar(&o.access.tokenFile, "token-file", serviceAccount+"/token", "`file` of the token")
	f.StringVar(&o.access.caFile, "ca-file", serviceAccount+"/ca.crt", "`file` of the API server's authorities")
	f.StringArrayVar(&o.rules.benchmarks, "benchmark", nil, "judge the controls of this `benchmark`, by its rules, unless the report's spec says otherwise; repeatable; all by those of the source documents without it")
	f.StringArrayVar(&o.rules.modules, "module", nil, "kernel `module` that is not needed here either, unless the report's spec says otherwise; repeatable")
	f.StringArrayVar(&o.rules.exempt, "exempt", nil, "`control=reason`: it may fail on this node, whatever the report's spec says; repeatable")
	f.DurationVar(&o.interval, "interval", 10*time.Minute, "how often everything is looked at")
	f.DurationVar(&o.poll, "poll", 2*time.Second, "how often the values of /proc and /sys are looked at")
	f.DurationVar(&o.heartbeat, "heartbeat", 5*time.Minute, "how often the lease is renewed and the report looked after")
	f.DurationVar(&o.specInterval, "spec-interval", time.Minute, "how often it is asked whether the report's spec wants other rules")
	f.IntVar(&o.configzPort, "configz-port", 10250, "`port` of the kubelet, which is asked for its configuration; 0 judges its files alone")
	f.StringVar(&o.metricsListen, "metrics-listen", "127.0.0.1:9257", "`host:port` of /metrics; 0 turns it off. The pod is in the node's network: another address is open to it")
	f.StringVar(&o.healthListen, "health-listen", "127.0.0.1:9258", "`host:port` of /healthz and /readyz; 0 turns it off")
	f.StringVar(&o.pprofListen, "pprof-listen", "", "`host:port` of /debug/pprof, of loopback only, such as 127.0.0.1:9259: profiles are for everybody who can reach it; off unless given")
	f.BoolVar(&o.development, "development", false, "log readable lines at debug level instead of JSON")
	return c
}

// minInterval keeps a slip of the hand from making agents burn CPU.
const minInterval = time.Second

func (o *options) check() error {
	for name, d := range map[string]time.Duration{"interval": o.interval, "poll": o.poll, "heartbeat": o.heartbeat, "spec-interval": o.specInterval} {
		if d < minInterval {
			return fmt.Errorf("--%s is %s, at least %s is possible", name, d, minInterval)
		}
	}
	if o.configzPort < 0 || o.configzPort > 65535 {
		return fmt.Errorf("--configz-port is %d, which is no port", o.configzPort)
	}
	return listen.Distinct(
		listen.Flag{Name: "metrics-listen", Address: o.metricsListen}, listen.Flag{Name: "health-listen", Address: o.healthListen},
		listen.Flag{Name: "pprof-listen", Address: o.pprofListen},
	)
}

func run(ctx context.Context, o options) (err error) {
	log := logzap.New(logzap.UseDevMode(o.development), func(z *logzap.Options) {
		z.TimeEncoder = zapcore.RFC3339NanoTimeEncoder
		z.StacktraceLevel = zapcore.DPanicLevel // errors here are the node's or the cluster's
	})
	logf.SetLogger(log)
	ctx = logf.IntoContext(ctx, log)
	if err := o.check(); err != nil {
		return err
	}
	checks, rules, benchmarks, err := o.rules.read()
	if err != nil {
		return err
	}
	ruleSet, err := synopsis.RuleSet(checks, rules)
	if err != nil {
		return err
	}
	who, err := o.access.identify(o.nodeName, o.namespace)
	if err != nil {
		return err
	}
	log = log.WithValues("node", who.node)
	ctx = logf.IntoContext(ctx, log)
	open := host.Open
	if o.parts {
		open = host.OpenParts
	}
	root, err := open(o.root)
	if err != nil {
		return fmt.Errorf("--root: %w", err)
	}
	watcher := watch.New(ctx, root)
	defer func() { err = errors.Join(err, watcher.Close(), root.Close()) }()
	if o.parts {
		log.Info("directories of the node are seen, and not its whole root", "mounted", root.Parts())
	}
	if os.Geteuid() != 0 {
		log.Info("not running as root: controls whose files only root may read will be Unknown", "uid", os.Geteuid())
	}
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}), collectors.NewBuildInfoCollector())
	orders := make(chan delivery.Order, 1)
	sender := &delivery.Sender{
		Client: o.access.client("hardgate-nodecheck/" + version.String()), Node: who.node, Namespace: who.namespace,
		Heartbeat: o.heartbeat, SpecInterval: o.specInterval, Orders: orders, Metrics: delivery.NewMetrics(registry),
	}
	seen := nodecheck.NewMetrics(registry)
	agent := &nodecheck.Agent{
		Scanner: &nodecheck.Scanner{Files: root, Checks: checks, Rules: rules, Patience: patience},
		Watcher: watcher, Deliver: sender.Offer, Orders: orders, Metrics: seen, Listeners: sockets.Listening,
		Self:     synopsis.Agent{Version: version.String(), RuleSet: ruleSet, Benchmarks: benchmarks},
		Interval: o.interval, Poll: o.poll,
	}
	if o.parts {
		agent.Parts = root
	}
	if o.configzPort != 0 {
		agent.Kubelet = &configz.Client{Port: o.configzPort, Token: o.access.token, Files: root}
	}
	sender.Alive = agent.Alive
	// Before anything of the node is read, which may be somebody else's.
	landlock, err := confine.Process()
	seen.Confined(err == nil)
	if err != nil {
		log.Info("the kernel does not keep this process from writing files", "cause", err.Error())
	} else {
		log.Info("this process can write and execute no file", "landlock", landlock)
	}
	log.Info("starting", "version", version.String(), "ruleSet", ruleSet, "controls", len(checks))
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return agent.Run(ctx) })
	group.Go(func() error {
		sender.Run(ctx)
		return nil
	})
	group.Go(func() error { return serve(ctx, "health", o.healthListen, health(agent.Alive)) })
	group.Go(func() error { return serve(ctx, "pprof", o.pprofListen, profiles()) })
	group.Go(func() error {
		return serve(ctx, "metrics", o.metricsListen, metrics(promhttp.HandlerFor(registry, promhttp.HandlerOpts{})))
	})
	return group.Wait()
}
