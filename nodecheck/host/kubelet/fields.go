package kubelet

import (
	"strings"
	"time"
)

// Field is a field of KubeletConfiguration, and the flag of the same purpose.
type Field struct {
	// Path is its place in the configuration: "authentication.anonymous.enabled".
	Path string
	// Flag is the name of the flag, without dashes.
	Flag string

	kind kind
	// standard is the default under a configuration file or drop-ins, and bare that of
	// a kubelet that is given neither; nil is the same as standard.
	standard, bare any
	// zero is whether a file that writes the zero value leaves the default standing.
	zero bool
	// names is whether the value is the path of a file.
	names bool

	index int
	path  []string
}

// kind is the type of a field.
type kind int

const (
	boolean  kind = iota // bool
	integer              // int64
	text                 // string
	duration             // time.Duration
	list                 // []string
)

// The fields that are read. Defaults are those of
// k8s.io/kubernetes/pkg/kubelet/apis/config/v1beta1/defaults.go and, for a kubelet
// without a configuration, of applyLegacyDefaults in cmd/kubelet/app/options.
var (
	AnonymousAuth     = &Field{Path: "authentication.anonymous.enabled", Flag: "anonymous-auth", kind: boolean, standard: false, bare: true}
	WebhookAuth       = &Field{Path: "authentication.webhook.enabled", Flag: "authentication-token-webhook", kind: boolean, standard: true, bare: false}
	ClientCAFile      = &Field{Path: "authentication.x509.clientCAFile", Flag: "client-ca-file", kind: text, standard: "", names: true}
	AuthorizationMode = &Field{Path: "authorization.mode", Flag: "authorization-mode", kind: text, standard: "Webhook", bare: "AlwaysAllow", zero: true}
	ReadOnlyPort      = &Field{Path: "readOnlyPort", Flag: "read-only-port", kind: integer, standard: int64(0), bare: int64(10255)}
	StreamingIdle     = &Field{Path: "streamingConnectionIdleTimeout", Flag: "streaming-connection-idle-timeout", kind: duration, standard: 4 * time.Hour, zero: true}
	ProtectKernel     = &Field{Path: "protectKernelDefaults", Flag: "protect-kernel-defaults", kind: boolean, standard: false}
	IPTablesChains    = &Field{Path: "makeIPTablesUtilChains", Flag: "make-iptables-util-chains", kind: boolean, standard: true}
	EventQPS          = &Field{Path: "eventRecordQPS", Flag: "event-qps", kind: integer, standard: int64(50)}
	TLSCertFile       = &Field{Path: "tlsCertFile", Flag: "tls-cert-file", kind: text, standard: "", names: true}
	TLSPrivateKeyFile = &Field{Path: "tlsPrivateKeyFile", Flag: "tls-private-key-file", kind: text, standard: "", names: true}
	TLSCipherSuites   = &Field{Path: "tlsCipherSuites", Flag: "tls-cipher-suites", kind: list, standard: []string(nil)}
	TLSMinVersion     = &Field{Path: "tlsMinVersion", Flag: "tls-min-version", kind: text, standard: ""}
	RotateCerts       = &Field{Path: "rotateCertificates", Flag: "rotate-certificates", kind: boolean, standard: false}
	ServerBootstrap   = &Field{Path: "serverTLSBootstrap", Flag: "rotate-server-certificates", kind: boolean, standard: false}
	PodPidsLimit      = &Field{Path: "podPidsLimit", Flag: "pod-max-pids", kind: integer, standard: int64(-1)}
	// SeccompDefault: the flag is a setting of its own, and true in either is true.
	SeccompDefault = &Field{Path: "seccompDefault", Flag: "seccomp-default", kind: boolean, standard: false}
)

// Fields are all of them.
var Fields = index(
	AnonymousAuth, WebhookAuth, ClientCAFile, AuthorizationMode, ReadOnlyPort, StreamingIdle, ProtectKernel,
	IPTablesChains, EventQPS, TLSCertFile, TLSPrivateKeyFile, TLSCipherSuites, TLSMinVersion, RotateCerts,
	ServerBootstrap, PodPidsLimit, SeccompDefault,
)

// The flags that no field stands for and that are read all the same.
const (
	FlagConfig              = "config"
	FlagConfigDir           = "config-dir"
	FlagKubeconfig          = "kubeconfig"
	FlagBootstrapKubeconfig = "bootstrap-kubeconfig"
	FlagHostnameOverride    = "hostname-override"
	FlagCertDir             = "cert-dir"
	FlagRootDir             = "root-dir"
	flagFeatureGates        = "feature-gates"
)

// fieldOfFlag finds the field that a flag stands for.
var fieldOfFlag = func() map[string]*Field {
	m := make(map[string]*Field, len(Fields))
	for _, f := range Fields {
		m[f.Flag] = f
	}
	return m
}()

func index(fields ...*Field) []*Field {
	for i, f := range fields {
		f.index, f.path = i, strings.Split(f.Path, ".")
	}
	return fields
}
