package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/spf13/cobra"
	"go.uber.org/zap/zapcore"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/klog/v2"
	logf "sigs.k8s.io/controller-runtime/pkg/log"
	logzap "sigs.k8s.io/controller-runtime/pkg/log/zap"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/metrics"

	auditing "github.com/hardgate-dev/hardgate/audit/controller"
	"github.com/hardgate-dev/hardgate/listen"
	"github.com/hardgate-dev/hardgate/taint/controller"
	"github.com/hardgate-dev/hardgate/taint/key"
	"github.com/hardgate-dev/hardgate/version"
)

// What manifests/controller calls the namespaces and the Lease.
const (
	defaultNamespace = "hardgate-system"
	leaderNamespace  = "hardgate-leader"
	leaderName       = "hardgate-controller"
)

// minLease is what a leader can renew in time on a machine that does something else as well.
const minLease = 3 * time.Second

// poolLabels are how providers call a node's pool.
var poolLabels = []string{
	"kubernetes.azure.com/agentpool", "agentpool", "eks.amazonaws.com/nodegroup", "cloud.google.com/gke-nodepool", "karpenter.sh/nodepool",
}

type options struct {
	controller.Options

	kubeconfig  string
	development bool
	audit       auditing.Options
	certs       certificates
}

func command() *cobra.Command {
	var o options
	c := &cobra.Command{
		Use:   "controller",
		Short: "Taint nodes that fail, audit what is there, and lead rollouts on",
		Long: `Taint nodes that fail what their NodePolicies enforce, and free them when they are mended.

The agents' NodeReports say what fails, NodePolicies say what follows, and budgets bound how many nodes are tainted at the
same time. Without a NodePolicy that warns or enforces, nothing is written on any Node.

What stands in the cluster is judged by the WorkloadPolicies from time to time. NamespaceReports sum up what was found, and
hold how far the rollouts of WorkloadPolicies have come; the webhook goes by them.

To stop it where it stands: kubectl annotate namespace hardgate-system hardgate.dev/pause="why"`,
		Example: `  # In a cluster; the pod's namespace is in POD_NAMESPACE
  controller

  # Outside, against the cluster of a kubeconfig, as the only one
  controller --kubeconfig ~/.kube/config --leader-elect=false --metrics-listen 127.0.0.1:8080 --health-listen 127.0.0.1:8081

  # With keys that the cluster-autoscaler knows how to treat
  controller \
    --drifted-taint-key status-taint.cluster-autoscaler.kubernetes.io/hardgate-drifted \
    --unverified-taint-key startup-taint.cluster-autoscaler.kubernetes.io/hardgate-unverified`,
		Args:          cobra.NoArgs,
		Version:       version.Line(),
		SilenceUsage:  true,
		SilenceErrors: true,
		RunE:          func(cmd *cobra.Command, _ []string) error { return run(cmd.Context(), o) },
	}
	f := c.Flags()
	f.StringVar(&o.kubeconfig, "kubeconfig", "", "kubeconfig `file`; in a cluster the pod's own account is used without it")
	f.StringVar(&o.Namespace, "namespace", cmp.Or(os.Getenv("POD_NAMESPACE"), defaultNamespace),
		"`namespace` of hardgate, where the agents' Leases are; POD_NAMESPACE sets it too")
	f.StringVar(&o.DriftedKey, "drifted-taint-key", key.Drifted, "`key` of the taint of nodes that fail")
	f.StringVar(&o.UnverifiedKey, "unverified-taint-key", key.Unverified, "`key` of the taint of nodes that have not been checked; the webhook's must be the same")
	f.StringSliceVar(&o.PoolLabels, "pool-labels", poolLabels, "`labels` of nodes: the first that a node has names its pool")
	f.BoolVar(&o.LeaderElect, "leader-elect", true, "elect a leader among the replicas; turn it off only where there is one")
	f.StringVar(&o.LeaderNamespace, "leader-namespace", leaderNamespace, "`namespace` of the leader's Lease, in which agents have no rights")
	f.DurationVar(&o.LeaseDuration, "lease-duration", controller.LeaseDuration,
		"how long the others wait for a leader that is not heard of; it stops by itself after two thirds. The same for all replicas")
	f.StringVar(&o.MetricsAddress, "metrics-listen", ":8080", "`host:port` of /metrics; 0 turns it off")
	f.StringVar(&o.HealthAddress, "health-listen", ":8081", "`host:port` of /healthz and /readyz; 0 turns it off")
	f.StringVar(&o.PprofAddress, "pprof-listen", "", "`host:port` of /debug/pprof, of loopback only, such as 127.0.0.1:6060 with kubectl port-forward: profiles are for everybody who can reach it; off unless given")
	f.DurationVar(&o.audit.Interval, "audit-interval", 15*time.Minute, "how long from one audit of all that is there to the next")
	f.DurationVar(&o.audit.Tick, "audit-tick", 10*time.Second, "how often policies, exemptions and reports are looked at in between")
	f.StringVar(&o.audit.Provider, "provider", "auto", "who answers for the control plane: `aks`, none, or auto to tell by the nodes")
	o.certs.flags(f)
	f.BoolVar(&o.development, "development", false, "log readable lines at debug level instead of JSON")
	o.LeaderName = leaderName
	return c
}

func run(ctx context.Context, o options) error {
	if err := o.check(); err != nil {
		return err
	}
	log := logzap.New(logzap.UseDevMode(o.development), func(z *logzap.Options) {
		z.TimeEncoder = zapcore.RFC3339NanoTimeEncoder
		z.StacktraceLevel = zapcore.DPanicLevel // errors here are the cluster's, not the program's
	})
	logf.SetLogger(log)
	klog.SetLogger(log.WithName("client-go")) // the informers' own
	log.Info("starting", "version", version.String())
	config, err := restConfig(o.kubeconfig)
	if err != nil {
		return err
	}
	metrics.Registry.MustRegister(collectors.NewBuildInfoCollector())
	o.Registry = metrics.Registry
	o.audit.Namespaces = []string{o.Namespace, o.LeaderNamespace}
	o.Beside = o.beside
	ctx = logf.IntoContext(ctx, logf.Log)
	go tellOfVersion(ctx, config)
	return controller.Run(ctx, config, o.Options)
}

// beside is what the leader runs besides tainting.
func (o *options) beside(l controller.Leader) (manager.Runnable, error) {
	audit, err := auditing.New(l, metrics.Registry, o.audit)
	if err != nil {
		return nil, err
	}
	certs, err := o.certs.runnable(l, metrics.Registry, o.Namespace)
	if err != nil {
		return nil, err
	}
	return together{audit, certs}, nil
}

// check finds what is wrong with the flags, all of it.
func (o *options) check() error {
	var errs []error
	flag := func(name string, err error) {
		if err != nil {
			errs = append(errs, fmt.Errorf("--%s: %w", name, err))
		}
	}
	if o.audit.Interval < time.Second || o.audit.Tick < 100*time.Millisecond {
		errs = append(errs, errors.New("--audit-interval is less than 1s, or --audit-tick less than 100ms"))
	}
	if o.LeaseDuration < minLease {
		errs = append(errs, fmt.Errorf("--lease-duration is %s, and at least %s is possible: a leader would end whenever the API server is slow", o.LeaseDuration, minLease))
	}
	if !slices.Contains([]string{"auto", "aks", "none"}, o.audit.Provider) {
		errs = append(errs, fmt.Errorf("--provider: %q is none of auto, aks and none", o.audit.Provider))
	}
	errs = append(errs, o.certs.check(), listen.Distinct(
		listen.Flag{Name: "metrics-listen", Address: o.MetricsAddress}, listen.Flag{Name: "health-listen", Address: o.HealthAddress},
		listen.Flag{Name: "pprof-listen", Address: o.PprofAddress},
	))
	flag("drifted-taint-key", key.CheckDrifted(o.DriftedKey))
	flag("unverified-taint-key", key.CheckUnverified(o.UnverifiedKey))
	flag("namespace", checkNamespace(o.Namespace))
	flag("leader-namespace", checkNamespace(o.LeaderNamespace))
	for _, l := range o.PoolLabels {
		flag("pool-labels", checkLabel(l))
	}
	return errors.Join(errs...)
}

func checkNamespace(name string) error {
	if wrong := validation.IsDNS1123Label(name); len(wrong) > 0 {
		return fmt.Errorf("%q is no name of a namespace: %s", name, strings.Join(wrong, "; "))
	}
	return nil
}

func checkLabel(l string) error {
	if wrong := validation.IsQualifiedName(l); len(wrong) > 0 {
		return fmt.Errorf("%q is no key of a label: %s", l, strings.Join(wrong, "; "))
	}
	return nil
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
