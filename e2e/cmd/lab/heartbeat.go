package main

import (
	"fmt"

	"github.com/spf13/cobra"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/hardgate-dev/hardgate/e2e/cluster"
	"github.com/hardgate-dev/hardgate/e2e/heartbeat"
)

// heartbeatCommand is what the lab runs: it is of no use by hand.
func heartbeatCommand(o *options) *cobra.Command {
	return &cobra.Command{
		Use: "heartbeat NODE", Short: "Keep a Node alive that no machine stands behind", Hidden: true,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			access, err := clientcmd.BuildConfigFromFlags("", cluster.Kubeconfig(o.dir))
			if err != nil {
				return fmt.Errorf("reading the cluster's kubeconfig: %w", err)
			}
			core, err := kubernetes.NewForConfig(access)
			if err != nil {
				return err
			}
			return heartbeat.Keep(cmd.Context(), core, args[0], o.log)
		},
	}
}
