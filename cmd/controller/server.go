package main

import (
	"context"
	"strconv"
	"strings"
	"time"

	"k8s.io/client-go/discovery"
	"k8s.io/client-go/rest"
	logf "sigs.k8s.io/controller-runtime/pkg/log"
)

// oldest is the oldest minor version of Kubernetes that is supported, as the chart has it.
const oldest = 32

// tellOfVersion says once that the API server is older than what is supported: who installs
// without the chart is not asked for its version. A server that does not answer yet is asked
// again. Nothing depends on it.
func tellOfVersion(ctx context.Context, config *rest.Config) {
	config = rest.CopyConfig(config)
	config.Timeout = 10 * time.Second
	client, err := discovery.NewDiscoveryClientForConfig(config)
	if err != nil {
		return
	}
	for {
		v, err := client.ServerVersion()
		if err == nil {
			minor, err := strconv.Atoi(strings.TrimSuffix(v.Minor, "+"))
			if err == nil && v.Major == "1" && minor < oldest {
				logf.FromContext(ctx).Info("the API server is older than what is supported; docs/supported-versions.md says what it lacks",
					"version", v.GitVersion, "oldest", "1."+strconv.Itoa(oldest))
			}
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(10 * time.Second):
		}
	}
}
