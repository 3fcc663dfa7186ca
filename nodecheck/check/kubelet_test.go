package check

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hardgate-dev/hardgate/control"
	"github.com/hardgate-dev/hardgate/nodecheck/host"
	"github.com/hardgate-dev/hardgate/nodecheck/host/hosttest"
	"github.com/hardgate-dev/hardgate/nodecheck/host/kubelet"
	"github.com/hardgate-dev/hardgate/nodecheck/host/process"
)

const kubeletNode = `
-- proc/1/cmdline nul --
/sbin/init
-- proc/812/cmdline nul --
/usr/bin/kubelet
--config=/var/lib/kubelet/config.yaml
--seccomp-default
-- etc/kubernetes/pki/ca.crt --
-- var/lib/kubelet/pki/kubelet.crt --
-- var/lib/kubelet/pki/kubelet.key --
-- var/lib/kubelet/config.yaml --
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
authentication:
  x509:
    clientCAFile: /etc/kubernetes/pki/ca.crt
podPidsLimit: 4096
rotateCertificates: true
readOnlyPort: 10255
`

const kubeletAccount = `{"kubeletconfig": {
  "authentication": {"x509": {"clientCAFile": "/etc/kubernetes/pki/ca.crt"}, "webhook": {"enabled": true}, "anonymous": {"enabled": false}},
  "authorization": {"mode": "Webhook"},
  "staticPodURLHeader": {"Authorization": ["example"]},
  "tlsCertFile": "/var/lib/kubelet/pki/kubelet.crt", "tlsPrivateKeyFile": "/var/lib/kubelet/pki/kubelet.key",
  "eventRecordQPS": 50, "streamingConnectionIdleTimeout": "4h0m0s", "podPidsLimit": 1024, "makeIPTablesUtilChains": true,
  "seccompDefault": false
}}`

// TestKubeletAccount: where the kubelet tells its configuration, that is what is in
// force, and the files are what it would come up with.
func TestKubeletAccount(t *testing.T) {
	tests := map[string]struct {
		id     control.ID
		tree   string
		status control.Status
		want   []string
	}{
		"both right": {"kubelet-anonymous-auth", kubeletNode, control.Pass, []string{
			"running /configz: authentication.anonymous.enabled: false, want authentication.anonymous.enabled: false",
			"persisted /var/lib/kubelet/config.yaml: authentication.anonymous.enabled: false, want authentication.anonymous.enabled: false; not set, this is the default with a configuration file",
		}},
		"both right and not the same": {"kubelet-pod-pids-limit", kubeletNode, control.Pass, []string{
			"running /configz: podPidsLimit: 1024, want podPidsLimit: above 0",
			"persisted /var/lib/kubelet/config.yaml:6: podPidsLimit: 4096, want podPidsLimit: above 0; on disk, not in force",
		}},
		"wrong on disk": {"kubelet-read-only-port", kubeletNode, control.Fail, []string{
			"persisted /var/lib/kubelet/config.yaml:8: will drift at reboot: readOnlyPort: 10255, want readOnlyPort: 0; on disk, not in force",
			"running /configz: readOnlyPort: 0, want readOnlyPort: 0",
		}},
		"wrong in force": {"kubelet-rotate-certificates", kubeletNode, control.Fail, []string{
			"running /configz: drifted now: rotateCertificates: false, want rotateCertificates: true",
			"persisted /var/lib/kubelet/config.yaml:7: rotateCertificates: true, want rotateCertificates: true; on disk, not in force",
		}},
		// The account shows the path of the certificate that the kubelet made for itself.
		"a certificate of the kubelet's own": {"kubelet-tls-cert", kubeletNode, control.Fail, []string{
			"running /configz: tlsCertFile: /var/lib/kubelet/pki/kubelet.crt, tlsPrivateKeyFile: /var/lib/kubelet/pki/kubelet.key, want tlsCertFile and tlsPrivateKeyFile, or serverTLSBootstrap: true; this is the certificate that the kubelet makes where none is set, and nobody signs it",
			`persisted /var/lib/kubelet/config.yaml: tlsCertFile: "", tlsPrivateKeyFile: "", want tlsCertFile and tlsPrivateKeyFile, or serverTLSBootstrap: true; the kubelet makes a certificate that nobody signs; not set, this is the default`,
		}},
		"a certificate at the same path that is set": {"kubelet-tls-cert", kubeletNode + "tlsCertFile: pki/kubelet.crt\ntlsPrivateKeyFile: pki/kubelet.key\n", control.Pass, []string{
			"running /configz: tlsCertFile: /var/lib/kubelet/pki/kubelet.crt, want tlsCertFile and tlsPrivateKeyFile, or serverTLSBootstrap: true",
			"running /configz: tlsPrivateKeyFile: /var/lib/kubelet/pki/kubelet.key, want tlsCertFile and tlsPrivateKeyFile, or serverTLSBootstrap: true",
			"persisted /var/lib/kubelet/config.yaml:9: tlsCertFile: pki/kubelet.crt, want tlsCertFile and tlsPrivateKeyFile, or serverTLSBootstrap: true",
			"persisted /var/lib/kubelet/config.yaml:10: tlsPrivateKeyFile: pki/kubelet.key, want tlsCertFile and tlsPrivateKeyFile, or serverTLSBootstrap: true",
		}},
		"the flag that the account leaves out": {"kubelet-seccomp-default", kubeletNode, control.Pass, []string{
			"running /proc/812/cmdline: --seccomp-default=true, want seccompDefault: true",
			"persisted /proc/812/cmdline: --seccomp-default=true, want seccompDefault: true",
		}},
		"a setting that the account leaves out": {"kubelet-hostname-override", kubeletNode, control.Pass, []string{
			"/proc/812/cmdline: want no --hostname-override; not set",
		}},
		// A kubelet that shows no flags has no state on disk to compare with.
		"k3s": {"kubelet-rotate-certificates", "-- proc/1/cmdline nul --\ninit\n-- proc/9/cmdline nul --\nk3s agent\n", control.Fail, []string{
			"/configz: rotateCertificates: false, want rotateCertificates: true",
		}},
		"files that cannot be read": {"kubelet-anonymous-auth", "-- proc/1/cmdline nul --\ninit\n-- proc/9/cmdline nul --\nkubelet\n--config=/c\n-- c unreadable --\n", control.Unknown, []string{
			"/c: could not tell: permission denied",
			"running /configz: authentication.anonymous.enabled: false, want authentication.anonymous.enabled: false",
		}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			i := slices.IndexFunc(kubeletChecks, func(c *Check) bool { return c.ID == test.id })
			tree, err := hosttest.Text(test.tree)
			if err != nil {
				t.Fatal(err)
			}
			h := host.New(tree)
			host.Provide(h, kubelet.ConfigzBody(kubeletAccount))
			got := Run(h, kubeletChecks[i:i+1], NewRules())[0]
			if got.Status != test.status {
				t.Errorf("status is %s, want %s", got.Status, test.status)
			}
			var text []string
			for _, f := range slices.Concat(got.Findings, got.Evidence) {
				text = append(text, strings.TrimSpace(string(f.State)+" "+f.String()))
			}
			if diff := cmp.Diff(test.want, text); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

// BenchmarkKubelet is one scan of a node by the family, processes known.
func BenchmarkKubelet(b *testing.B) {
	tree, err := hosttest.Text(kubeletNode)
	if err != nil {
		b.Fatal(err)
	}
	var known process.Known
	checks, rules := slices.Concat(kubeletFileChecks, kubeletChecks), NewRules()
	for b.Loop() {
		h := host.New(tree)
		host.Provide(h, known)
		host.Provide(h, kubelet.ConfigzBody(kubeletAccount))
		Run(h, checks, rules)
		if table, err := process.Read(h); err == nil {
			known = table.Next()
		}
	}
}
