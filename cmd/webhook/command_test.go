package main

import (
	"io"
	"strings"
	"testing"
)

// What is wrong with the flags is said before anything is begun, and says which flags are
// meant.
func TestErrors(t *testing.T) {
	t.Setenv("KUBERNETES_SERVICE_HOST", "")
	for name, c := range map[string]struct {
		args []string
		want string
	}{
		"one port for two":          {[]string{"--metrics-listen", ":8081"}, "--metrics-listen is :8081 and --health-listen is :8081: give each a port of its own"},
		"the webhook's own":         {[]string{"--health-listen", "127.0.0.1:9443"}, "--listen is :9443 and --health-listen is 127.0.0.1:9443"},
		"no cluster, and two ports": {nil, "no --kubeconfig is given and this is no pod"},
	} {
		cmd := command()
		cmd.SetArgs(c.args)
		cmd.SetOut(io.Discard)
		if err := cmd.ExecuteContext(t.Context()); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}
