package main

import (
	"github.com/spf13/cobra"

	"github.com/hardgate-dev/hardgate/e2e/assets"
)

func assetsCommand(o *options) *cobra.Command {
	return &cobra.Command{
		Use:   "assets",
		Short: "Find the control plane's binaries, building those that are missing",
		Long: `assets prints where the binaries of the control plane are. They are taken from the
directory that KUBEBUILDER_ASSETS names, if it holds an etcd and a kube-apiserver,
otherwise from the cache (HARDGATE_CACHE, by default in the user's cache
directory). What is missing is built from e2e/controlplane.`,
		Example: "  lab assets\n  HARDGATE_CACHE=/var/cache/hardgate lab assets",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			paths, err := assets.Get(cmd.Context(), assets.Config{Repo: o.repo, Log: o.log}, assets.All())
			if err != nil {
				return err
			}
			for _, b := range assets.All() {
				cmd.Println(paths[b])
			}
			return nil
		},
	}
}
