package kubelet

import (
	"testing"

	"github.com/hardgate-dev/hardgate/e2e/node"
)

const (
	head      = node.ConfigHead
	dropInDir = "/etc/kubernetes/kubelet.conf.d"
)

// setting is one way to configure a kubelet.
type setting struct {
	args  []string
	files map[string]string
	// unknown are fields of which the checker does not claim to know them.
	unknown []string
}

func config(text string) map[string]string { return map[string]string{configFile: head + text} }

// dropIns adds files to the directory of drop-ins. Their text needs no head.
func (s setting) dropIns(files map[string]string) setting {
	for name, text := range files {
		s.files[dropInDir+"/"+name] = head + text
	}
	s.args = append(s.args, "--config-dir="+dropInDir)
	return s
}

var withFile = []string{"--config=" + configFile}

// open is for kubelets that have no identity of their own yet, and cannot ask the API
// server about ours.
const open = "authentication: {anonymous: {enabled: true}, webhook: {enabled: false}}\nauthorization: {mode: AlwaysAllow}\n"

const readable = "authentication: {x509: {clientCAFile: " + clientCAFile + "}}\n"

var settings = map[string]setting{
	"nothing set in a file":   {args: withFile, files: config("")},
	"no file":                 {},
	"no file, all flags":      {args: []string{"--anonymous-auth=false", "--authorization-mode=Webhook", "--authentication-token-webhook", "--read-only-port=0", "--client-ca-file=" + clientCAFile}},
	"anonymous without value": {args: withFile, files: config("authentication: {anonymous: {}, webhook: {enabled: true}}\n")},
	"insecure file":           {args: withFile, files: config("authentication: {anonymous: {enabled: true}, webhook: {enabled: false}}\nauthorization: {mode: AlwaysAllow}\nreadOnlyPort: 10255\n")},
	"flags over a file": {
		args:  append([]string{"--anonymous-auth=true", "--authorization-mode=AlwaysAllow", "--read-only-port=10255", "--event-qps=7"}, withFile...),
		files: config("authentication: {anonymous: {enabled: false}}\nauthorization: {mode: Webhook}\nreadOnlyPort: 0\neventRecordQPS: 3\n"),
	},
	"a flag given twice":     {args: append([]string{"--read-only-port=0", "--read-only-port=10255", "--anonymous-auth", "--anonymous-auth=false"}, withFile...), files: config("")},
	"a file given twice":     {args: []string{"--config=/nowhere", "--config=" + configFile}, files: config("readOnlyPort: 10255\n")},
	"flags with underscores": {args: append([]string{"--read_only_port=10255", "--anonymous_auth=true", "--streaming_connection_idle_timeout=5m"}, withFile...), files: config("")},
	"flags in two words":     {args: []string{"--config", configFile, "--read-only-port", "10255", "--pod-max-pids", "100"}, files: config("")},
	"spellings of flags":     {args: append([]string{"--read-only-port=0x280f", "--anonymous-auth=T", "--make-iptables-util-chains=0", "--pod-max-pids=010"}, withFile...), files: config("")},

	"timeout of zero in a file": {args: withFile, files: config("streamingConnectionIdleTimeout: 0s\n")},
	"timeout of zero by flag":   {args: append([]string{"--streaming-connection-idle-timeout=0"}, withFile...), files: config("streamingConnectionIdleTimeout: 1h\n")},
	"events without limit":      {args: withFile, files: config("eventRecordQPS: 0\n")},
	"events by flag":            {args: append([]string{"--event-qps=0"}, withFile...), files: config("eventRecordQPS: 9\n")},
	"processes without limit":   {args: withFile, files: config("podPidsLimit: -1\n")},
	"processes limited":         {args: withFile, files: config("podPidsLimit: 4096\n")},
	"seccomp by default":        {args: withFile, files: config("seccompDefault: true\n")},
	"seccomp by flag":           {args: append([]string{"--seccomp-default"}, withFile...), files: config("seccompDefault: false\n")},
	"no seccomp by flag":        {args: append([]string{"--seccomp-default=false"}, withFile...), files: config("seccompDefault: true\n")},
	"kernel defaults":           {args: withFile, files: config("protectKernelDefaults: true\n")},
	"kernel defaults by flag":   {args: append([]string{"--protect-kernel-defaults"}, withFile...), files: config("")},
	"rotation by flag":          {args: append([]string{"--rotate-certificates"}, withFile...), files: config(open)},
	"no chains":                 {args: withFile, files: config("makeIPTablesUtilChains: false\n")},
	"ciphers":                   {args: withFile, files: config("tlsCipherSuites: [TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, TLS_RSA_WITH_AES_128_GCM_SHA256]\n")},
	"ciphers by two flags": {
		args:  append([]string{"--tls-cipher-suites=TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384", "--tls-cipher-suites=TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"}, withFile...),
		files: config("tlsCipherSuites: [TLS_RSA_WITH_AES_128_GCM_SHA256]\n"),
	},
	"TLS 1.3 only":                    {args: withFile, files: config("tlsMinVersion: VersionTLS13\n")},
	"certificate rotation":            {args: withFile, files: config(open + "rotateCertificates: true\n")},
	"serving certificates of its own": {args: withFile, files: config("tlsCertFile: " + pkiDir + "/tls.crt\ntlsPrivateKeyFile: " + pkiDir + "/tls.key\nserverTLSBootstrap: true\n")},
	"client authority":                {args: withFile, files: config(readable)},
	"client authority by flag":        {args: append([]string{"--client-ca-file=" + clientCAFile}, withFile...), files: config("authentication: {x509: {clientCAFile: /nowhere}}\n")},
	"client authority, relative":      {args: withFile, files: config("authentication: {x509: {clientCAFile: ../../../etc/kubernetes/pki/ca.crt}}\n")},

	"feature gates": {
		args:  append([]string{"--feature-gates=RotateKubeletServerCertificate=false,ComponentFlagz=false", "--feature-gates=ComponentFlagz=true"}, withFile...),
		files: config("featureGates: {RotateKubeletServerCertificate: true, ComponentStatusz: false}\n"),
	},
	"feature gate in a file": {args: withFile, files: config("featureGates: {RotateKubeletServerCertificate: false}\n")},

	"JSON":                 {args: withFile, files: map[string]string{configFile: `{"kind": "KubeletConfiguration", "apiVersion": "kubelet.config.k8s.io/v1beta1", "readOnlyPort": 10255, "authentication": {"anonymous": {"enabled": true}}}`}},
	"two documents":        {args: withFile, files: config("readOnlyPort: 10255\n---\n" + head + "readOnlyPort: 0\nauthentication: {anonymous: {enabled: true}}\n")},
	"unknown field":        {args: withFile, files: config("readOnlyPorts: 1\nreadOnlyPort: 10255\n")},
	"other case":           {args: withFile, files: config("ReadOnlyPort: 10255\nauthentication: {Anonymous: {enabled: true}}\n")},
	"a key given twice":    {args: withFile, files: config("readOnlyPort: 0\nreadOnlyPort: 10255\nauthentication: {anonymous: {enabled: true}, anonymous: {enabled: false}}\n"), unknown: []string{"readOnlyPort", "authentication.anonymous.enabled"}},
	"other words for true": {args: withFile, files: config("makeIPTablesUtilChains: off\nauthentication: {anonymous: {enabled: yes}}\nseccompDefault: On\nprotectKernelDefaults: no\n")},
	"other numbers":        {args: withFile, files: config("readOnlyPort: 0x280f\npodPidsLimit: 1e3\neventRecordQPS: 010\n"), unknown: []string{"podPidsLimit"}},
	"an anchor":            {args: withFile, files: config("memoryThrottlingFactor: 0.9\nfeatureGates: {ComponentStatusz: false}\nauthentication: {anonymous: &on {enabled: true}, webhook: *on}\n")},
	"a merge key":          {args: withFile, files: config("authentication: {anonymous: &on {enabled: true}, webhook: {<<: *on, cacheTTL: 1m}}\n"), unknown: []string{"authentication.webhook.enabled"}},
	"nulls in a file":      {args: withFile, files: config("authentication: {anonymous: {enabled: null}, webhook: null}\nauthorization: null\npodPidsLimit: ~\ntlsCipherSuites:\n")},

	"drop-ins in order": setting{args: withFile, files: config("readOnlyPort: 0\npodPidsLimit: 1\n")}.dropIns(map[string]string{
		"20-b.conf": "podPidsLimit: 20\n", "10-a.conf": "podPidsLimit: 10\nreadOnlyPort: 10255\n", "15/99.conf": "podPidsLimit: 15\neventRecordQPS: 15\n", "30.yaml": "podPidsLimit: 30\n", "40.conf.bak": "podPidsLimit: 40\n",
	}),
	"a list in a drop-in": setting{args: withFile, files: config("tlsCipherSuites: [TLS_RSA_WITH_AES_128_GCM_SHA256, TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256]\n")}.dropIns(map[string]string{
		"1.conf": "tlsCipherSuites: [TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256]\n",
	}),
	"an empty list in a drop-in": setting{args: withFile, files: config("tlsCipherSuites: [TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256]\n")}.dropIns(map[string]string{"1.conf": "tlsCipherSuites: []\n"}),
	"nulls in a drop-in": setting{args: withFile, files: config("readOnlyPort: 10255\npodPidsLimit: 5\nseccompDefault: true\nauthentication: {anonymous: {enabled: true}}\nauthorization: {mode: AlwaysAllow}\nstreamingConnectionIdleTimeout: 5m\n")}.dropIns(map[string]string{
		"1.conf": "readOnlyPort: null\npodPidsLimit: null\nseccompDefault: null\nauthentication: null\nauthorization: {mode: null}\nstreamingConnectionIdleTimeout: null\n",
	}),
	"nested in a drop-in": setting{args: withFile, files: config("authentication: {anonymous: {enabled: true}, webhook: {cacheTTL: 5m}}\n")}.dropIns(map[string]string{
		"1.conf": "authentication: {webhook: {enabled: true}}\n", "2.conf": "authentication: {x509: {clientCAFile: " + clientCAFile + "}}\n",
	}),
	"zeros in a drop-in":    setting{args: withFile, files: config("streamingConnectionIdleTimeout: 5m\neventRecordQPS: 9\npodPidsLimit: 9\nreadOnlyPort: 10255\n")}.dropIns(map[string]string{"1.conf": "streamingConnectionIdleTimeout: 0s\neventRecordQPS: 0\npodPidsLimit: 0\nreadOnlyPort: 0\n"}),
	"gates in a drop-in":    setting{args: append([]string{"--feature-gates=ComponentStatusz=true"}, withFile...), files: config("featureGates: {ComponentStatusz: false, RotateKubeletServerCertificate: true}\n")}.dropIns(map[string]string{"1.conf": "featureGates: {RotateKubeletServerCertificate: false, ComponentFlagz: true}\n"}),
	"flags over drop-ins":   setting{args: append([]string{"--read-only-port=0"}, withFile...), files: config("")}.dropIns(map[string]string{"1.conf": "readOnlyPort: 10255\n"}),
	"drop-ins without file": setting{files: map[string]string{}}.dropIns(map[string]string{"1.conf": "podPidsLimit: 7\n"}),
	"drop-ins close what has no file": setting{files: map[string]string{}}.dropIns(map[string]string{
		"1.conf": "authentication: {anonymous: {enabled: false}, webhook: {enabled: true}}\nauthorization: {mode: Webhook}\nreadOnlyPort: 0\n",
	}),
	"other case in a drop-in":         setting{unknown: []string{"readOnlyPort", "authentication.anonymous.enabled", "authentication.webhook.enabled", "authentication.x509.clientCAFile"}, args: withFile, files: config("")}.dropIns(map[string]string{"1.conf": "ReadOnlyPort: 10255\nAuthentication: {Anonymous: {Enabled: true}}\n"}),
	"other case beside the right one": setting{unknown: []string{"readOnlyPort", "podPidsLimit"}, args: withFile, files: config("readOnlyPort: 10255\npodPidsLimit: 3\n")}.dropIns(map[string]string{"1.conf": "ReadOnlyPort: 10250\nPodPidsLimit: 4\nzpodPidsLimit: 5\n"}),
	"unknown field in a drop-in":      setting{args: withFile, files: config("")}.dropIns(map[string]string{"1.conf": "nothing: 1\nreadOnlyPort: 10255\n"}),
	"a hidden drop-in":                setting{args: withFile, files: config("")}.dropIns(map[string]string{".conf": "readOnlyPort: 10255\n", ".a/b.conf": "podPidsLimit: 4\n"}),
	"a relative path in a drop-in":    setting{args: withFile, files: config("")}.dropIns(map[string]string{"1.conf": "staticPodPath: manifests\n"}),
	"no directory":                    {args: []string{"--config=" + configFile, "--config-dir="}, files: config("readOnlyPort: 10255\n")},
	"a directory that is a link": {
		args:  []string{"--config=" + configFile, "--config-dir=/etc/kubernetes/link.d"},
		files: map[string]string{configFile: head, "/etc/kubernetes/link.d": "-> kubelet.conf.d", dropInDir + "/1.conf": head + "readOnlyPort: 10255\n"},
	},
	"a directory that is a link, with a slash": {
		args:  []string{"--config=" + configFile, "--config-dir=/etc/kubernetes/link.d/"},
		files: map[string]string{configFile: head, "/etc/kubernetes/link.d": "-> kubelet.conf.d", dropInDir + "/1.conf": head + "readOnlyPort: 10255\n"},
	},
	"a drop-in that is a link": {
		args:  []string{"--config=" + configFile, "--config-dir=" + dropInDir},
		files: map[string]string{configFile: head, dropInDir + "/1.conf": "-> /etc/kubernetes/other", "/etc/kubernetes/other": head + "readOnlyPort: 10255\n"},
	},
	"a file that is a link": {args: withFile, files: map[string]string{configFile: "-> /etc/kubernetes/other", "/etc/kubernetes/other": head + "readOnlyPort: 10255\nauthentication: {x509: {clientCAFile: ../../../etc/kubernetes/pki/ca.crt}}\n"}},
}

// TestConfiguration compares what the node checker makes of files and command line
// with what the kubelet says it runs with.
func TestConfiguration(t *testing.T) {
	needLab(t)
	for name, s := range settings {
		t.Run(name, func(t *testing.T) {
			write(t, s.files)
			write(t, unit(s.args...))
			_, configz := start(t, s.args...)
			compare(t, s.args, configz, s.unknown...)
		})
	}
}
