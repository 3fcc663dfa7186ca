package main

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/clientcmd/api"

	"github.com/hardgate-dev/hardgate/control"
)

// clusterFlags say which cluster is asked, as kubectl's flags do.
type clusterFlags struct {
	kubeconfig string
	context    string
	timeout    time.Duration
}

func (f *clusterFlags) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.kubeconfig, "kubeconfig", "", "kubeconfig `file`; otherwise those of KUBECONFIG, ~/.kube/config, or the account of the pod that this runs in")
	flags.StringVar(&f.context, "context", "", "context of the kubeconfig")
	flags.DurationVar(&f.timeout, "request-timeout", 30*time.Second, "how long to wait for each answer of the API server; 0 waits without end")
	complete(cmd, "context", func() []string {
		raw, err := f.loader().RawConfig()
		if err != nil {
			return nil
		}
		return contexts(raw)
	})
	complete(cmd, "request-timeout", fixed())
}

// check checks the flags before anything is read.
func (f *clusterFlags) check(cmd *cobra.Command) error {
	switch flags := cmd.Flags(); {
	case flags.Changed("kubeconfig") && f.kubeconfig == "": // empty would mean the usual ones
		return usagef(cmd, "--kubeconfig: no file is named")
	case flags.Changed("context") && f.context == "":
		return usagef(cmd, "--context: no context is named")
	case f.timeout < 0:
		return usagef(cmd, "--request-timeout: %s is less than nothing", f.timeout)
	}
	return nil
}

func (f *clusterFlags) loader() clientcmd.ClientConfig {
	rules := f.rules()
	return clientcmd.NewNonInteractiveDeferredLoadingClientConfig(rules, &clientcmd.ConfigOverrides{CurrentContext: f.context})
}

func (f *clusterFlags) rules() *clientcmd.ClientConfigLoadingRules {
	rules := clientcmd.NewDefaultClientConfigLoadingRules()
	rules.ExplicitPath = f.kubeconfig
	rules.MigrationRules = nil    // or it would write files
	rules.Warner = func(error) {} // what is missing is told in our words
	return rules
}

// config is what the flags and the environment say of the cluster, or an error that
// says what to give.
func (f *clusterFlags) config(cmd *cobra.Command) (*rest.Config, error) {
	loader := f.loader()
	raw, err := loader.RawConfig()
	if err != nil {
		return nil, fmt.Errorf("reading the kubeconfig: %w", err)
	}
	known := contexts(raw)
	switch missing := len(known) > 0 && !slices.Contains(known, cmp.Or(f.context, raw.CurrentContext)); {
	case missing && f.context != "":
		return nil, usagef(cmd, "--context: the kubeconfig has no context %q%s", f.context, control.Hint(f.context, known))
	case missing:
		return nil, usagef(cmd, "the kubeconfig has no current context, or one that it does not have: name one with --context, of %s", strings.Join(known, ", "))
	}
	config, err := loader.ClientConfig()
	switch {
	case err == nil:
		return config, nil
	case len(known) > 0 || raw.CurrentContext != "":
		return nil, fmt.Errorf("reading the kubeconfig: %w", err)
	case f.kubeconfig != "":
		return nil, usagef(cmd, "--kubeconfig: %s names no cluster", f.kubeconfig)
	}
	return nil, usagef(cmd, "no cluster is known: there is no kubeconfig with a context at %s, and this is no pod: name one with --kubeconfig FILE, or in KUBECONFIG",
		strings.Join(f.rules().GetLoadingPrecedence(), " or "))
}

func contexts(raw api.Config) []string { return slices.Sorted(maps.Keys(raw.Contexts)) }
