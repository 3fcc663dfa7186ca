package main

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// What is wrong with the flags is said before anything is begun, and says which flag is
// meant.
func TestErrors(t *testing.T) {
	t.Setenv("KUBERNETES_SERVICE_HOST", "")
	broken := filepath.Join(t.TempDir(), "kubeconfig")
	if err := os.WriteFile(broken, []byte("apiVersion: ["), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		args []string
		want []string
	}{
		"a key like any other":       {[]string{"--drifted-taint-key", "example.com/drifted"}, []string{"--drifted-taint-key: ", "hardgate.dev/drifted"}},
		"the keys the wrong way":     {[]string{"--drifted-taint-key", "hardgate.dev/unverified", "--unverified-taint-key", "hardgate.dev/drifted"}, []string{"--drifted-taint-key: ", "--unverified-taint-key: "}},
		"no namespace":               {[]string{"--namespace", ""}, []string{`--namespace: "" is no name of a namespace`}},
		"two namespaces":             {[]string{"--namespace", "a,b"}, []string{"--namespace: "}},
		"no namespace of the leader": {[]string{"--leader-namespace", "A"}, []string{"--leader-namespace: "}},
		"a label with its value":     {[]string{"--pool-labels", "agentpool,a=b"}, []string{`--pool-labels: "a=b" is no key of a label`}},
		"no cluster":                 {nil, []string{"no --kubeconfig is given and this is no pod"}},
		"no kubeconfig":              {[]string{"--kubeconfig", broken + "x"}, []string{"reading " + broken + "x"}},
		"a broken kubeconfig":        {[]string{"--kubeconfig", broken}, []string{"reading " + broken}},
		"no time to renew the lease": {[]string{"--lease-duration", "1s"}, []string{"--lease-duration is 1s, and at least 3s is possible"}},
		"one port for two":           {[]string{"--metrics-listen", ":8081"}, []string{"--metrics-listen is :8081 and --health-listen is :8081: give each a port of its own"}},
		"and for profiles":           {[]string{"--pprof-listen", "127.0.0.1:8080"}, []string{"--metrics-listen is :8080 and --pprof-listen is 127.0.0.1:8080"}},
		"no issuer":                  {[]string{"--certificates", "letsencrypt"}, []string{`--certificates: "letsencrypt" is none of builtin, cert-manager and none`}},
		"no time to renew":           {[]string{"--certificates", "builtin", "--certificate-lifetime", "2h"}, []string{"--certificate-lifetime: it is less than 1m, less than three times the overlap"}},
		"no time to settle":          {[]string{"--certificates", "builtin", "--certificate-settle", "0s"}, []string{"--certificate-settle or --certificate-overlap is less than 1s"}},
		"no overlap":                 {[]string{"--certificates", "builtin", "--certificate-overlap", "0s"}, []string{"--certificate-settle or --certificate-overlap is less than 1s"}},
		"it expires while it waits":  {[]string{"--certificates", "builtin", "--certificate-settle", "721h"}, []string{"--certificate-lifetime: it is less than"}},
		"a storm of renewals":        {[]string{"--certificates", "builtin", "--certificate-lifetime", "4s", "--certificate-overlap", "1s", "--certificate-settle", "1s"}, []string{"--certificate-lifetime: it is less than 1m"}},
		"an authority of yesterday":  {[]string{"--certificates", "builtin", "--ca-lifetime", "-24h"}, []string{"more than --ca-lifetime"}},
		"a certificate of no name":   {[]string{"--certificates", "builtin", "--webhook-service", ""}, []string{"--webhook-service: "}},
		"arguments":                  {[]string{"now"}, []string{"unknown command"}},
	} {
		t.Run(name, func(t *testing.T) {
			cmd := command()
			cmd.SetArgs(c.args)
			cmd.SetOut(io.Discard)
			err := cmd.ExecuteContext(context.WithoutCancel(t.Context()))
			if err == nil {
				t.Fatal("no error")
			}
			for _, want := range c.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%q is not in: %v", want, err)
				}
			}
		})
	}
}

func TestNamespaceOfThePod(t *testing.T) {
	for set, want := range map[string]string{"": "hardgate-system", "elsewhere": "elsewhere"} {
		t.Setenv("POD_NAMESPACE", set)
		if got := command().Flags().Lookup("namespace").DefValue; got != want {
			t.Errorf("with POD_NAMESPACE=%q it is %q", set, got)
		}
	}
}
