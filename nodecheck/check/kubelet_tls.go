package check

import (
	"path"
	"slices"
	"strings"

	"github.com/hardgate-dev/hardgate/nodecheck/host"
	"github.com/hardgate-dev/hardgate/nodecheck/host/kubelet"
)

// kubeletClientCA: a file that is named and not there is worse than none, the
// kubelet does not start.
var kubeletClientCA = Check{
	ID: "kubelet-client-ca", Reads: kubeletReads,
	Run: withKubelet(func(h *host.Host, _ *Rules, k *kubelet.Kubelet) (Result, error) {
		var j judge
		list := k.Field(kubelet.ClientCAFile)
		for _, r := range list {
			if !j.told(r) {
				continue
			}
			f := setting(r, list, kubelet.ClientCAFile.Path+": a file", "")
			if r.Text() == "" {
				j.fault(f)
				continue
			}
			j.there(h, r.Text(), f)
		}
		return j.done()
	}),
}

// there adds f to the evidence if a file exists, else to the faults.
func (j *judge) there(h *host.Host, name string, f Finding) {
	ok, err := h.Exists(name)
	switch {
	case err != nil:
		j.unknown(err)
	case ok:
		j.hold(f)
	default:
		f.Detail = join(name+" does not exist", f.Detail)
		j.fault(f)
	}
}

const serverCertGate = "RotateKubeletServerCertificate"

// gateOn says that a feature gate is on, or that it is not.
func (j *judge) gateOn(r kubelet.Reading) {
	j.expect(r.Bool(), Finding{
		Where: r.Where, Expected: "featureGates." + serverCertGate + ": true", Actual: r.Given, State: State(r.State), Detail: r.Note,
	})
}

// kubeletRotateServerCert: the gate is on by itself, and alone it does nothing.
var kubeletRotateServerCert = Check{
	ID: "kubelet-rotate-server-cert", Reads: kubeletReads,
	Run: withKubelet(func(_ *host.Host, _ *Rules, k *kubelet.Kubelet) (Result, error) {
		var j judge
		boot := k.Field(kubelet.ServerBootstrap)
		j.readings(boot, kubelet.ServerBootstrap.Path+": true", isOn)
		for _, r := range k.Gate(serverCertGate, true) {
			if !j.told(r) {
				continue
			}
			j.gateOn(r)
		}
		return j.done()
	}),
}

// kubeletTLSCert: a certificate and its key are named, or the cluster issues them.
var kubeletTLSCert = Check{
	ID: "kubelet-tls-cert", Reads: kubeletReads,
	Run: withKubelet(func(h *host.Host, _ *Rules, k *kubelet.Kubelet) (Result, error) {
		var j judge
		certs, keys := k.Field(kubelet.TLSCertFile), k.Field(kubelet.TLSPrivateKeyFile)
		for _, row := range views(certs, keys, k.Field(kubelet.ServerBootstrap), k.Gate(serverCertGate, true)) {
			if j.known(row) {
				j.tlsCert(h, row, selfMade(k, certs))
			}
		}
		return j.done()
	}),
}

// tlsCert judges one state: the certificate, the key, serverTLSBootstrap and its gate.
func (j *judge) tlsCert(h *host.Host, row []kubelet.Reading, selfMade func(kubelet.Reading) bool) {
	cert, key, boot, gate := row[0], row[1], row[2], row[3]
	f := Finding{
		Where: cert.Where, State: State(cert.State), Detail: cert.Note,
		Expected: "tlsCertFile and tlsPrivateKeyFile, or serverTLSBootstrap: true", Actual: cert.Given + ", " + key.Given,
	}
	switch {
	case boot.Bool():
		f.Where, f.Actual, f.Detail = boot.Where, boot.Given, boot.Note
		j.hold(f)
		j.gateOn(gate)
	case cert.Text() == "" || key.Text() == "":
		f.Detail = join("the kubelet makes a certificate that nobody signs", f.Detail)
		j.fault(f)
	case selfMade(cert):
		f.Detail = join("this is the certificate that the kubelet makes where none is set, and nobody signs it", f.Detail)
		j.fault(f)
	default:
		f.Actual = cert.Given
		j.there(h, cert.Text(), f)
		f.Where, f.Actual, f.Detail = key.Where, key.Given, key.Note
		j.there(h, key.Text(), f)
	}
}

// selfMade tells a certificate that someone set from the one that the kubelet made:
// it adds the latter's path to its configuration, so that /configz shows both alike.
func selfMade(k *kubelet.Kubelet, certs []kubelet.Reading) func(kubelet.Reading) bool {
	dir := "/var/lib/kubelet/pki"
	if r := k.Flag(kubelet.FlagCertDir, true)[0]; r.Err == nil && r.Text() != "" {
		dir = r.Text()
	}
	return func(r kubelet.Reading) bool {
		if r.Origin != kubelet.Configz || r.Text() != path.Join(dir, "kubelet.crt") {
			return false
		}
		for _, other := range certs {
			if other.Origin != kubelet.Configz && other.Err == nil && other.Text() == r.Text() {
				return false
			}
		}
		return true
	}
}

// The suites that the editions accept. Those of TLS 1.3 cannot be chosen, and naming
// them changes nothing.
var (
	suitesECDHE = []string{
		"TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
		"TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384", "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
		"TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305", "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305",
		"TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256", "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
		"TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256",
	}
	suitesRSA = []string{"TLS_RSA_WITH_AES_256_GCM_SHA384", "TLS_RSA_WITH_AES_128_GCM_SHA256"}
)

// kubeletTLSCiphers: without a list, Go offers its own, with suites in CBC mode that
// no edition accepts; so not set is wrong unless TLS 1.3 is the oldest version.
var kubeletTLSCiphers = Check{
	ID: "kubelet-tls-ciphers", Reads: kubeletReads,
	Run: withKubelet(func(_ *host.Host, rules *Rules, k *kubelet.Kubelet) (Result, error) {
		accepted := suitesECDHE
		if rules.TLSRSASuites {
			accepted = slices.Concat(suitesECDHE, suitesRSA)
		}
		var j judge
		for _, row := range views(k.Field(kubelet.TLSCipherSuites), k.Field(kubelet.TLSMinVersion)) {
			if !j.known(row) {
				continue
			}
			suites, oldest := row[0], row[1]
			f := Finding{
				Where: suites.Where, State: State(suites.State), Detail: suites.Note,
				Expected: "ECDHE suites with AES-GCM or ChaCha20-Poly1305, or tlsMinVersion: VersionTLS13",
			}
			if rules.TLSRSASuites {
				f.Expected = "suites with AES-GCM or ChaCha20-Poly1305, or tlsMinVersion: VersionTLS13"
			}
			weak := without(suites.List(), accepted)
			switch {
			case oldest.Text() == "VersionTLS13":
				f.Where, f.Actual, f.Detail = oldest.Where, oldest.Given, oldest.Note
				j.hold(f)
			case len(suites.List()) == 0:
				f.Actual, f.Detail = suites.Given, "the defaults of Go have suites in CBC mode"
				j.fault(f)
			case len(weak) > 0:
				f.Actual = strings.Join(weak, ", ")
				j.fault(f)
			default:
				f.Actual = suites.Given
				j.hold(f)
			}
		}
		return j.done()
	}),
}

// without returns what of a list is not in another.
func without(list, other []string) (rest []string) {
	for _, s := range list {
		if !slices.Contains(other, s) {
			rest = append(rest, s)
		}
	}
	return rest
}
