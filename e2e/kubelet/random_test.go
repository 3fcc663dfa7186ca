package kubelet

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"
)

// knob is a field with the values that a random configuration chooses from. The
// same value may stand for the default in one place and override it in another.
type knob struct {
	path, flag string
	values     []any
}

var knobs = []knob{
	{path: "authentication.anonymous.enabled", flag: "anonymous-auth", values: []any{true, false}},
	{path: "authentication.webhook.enabled", flag: "authentication-token-webhook", values: []any{true, true, false}},
	{path: "authentication.x509.clientCAFile", flag: "client-ca-file", values: []any{clientCAFile, "../../../etc/kubernetes/pki/ca.crt"}},
	{path: "authorization.mode", flag: "authorization-mode", values: []any{"Webhook", "AlwaysAllow"}},
	{path: "readOnlyPort", flag: "read-only-port", values: []any{0, 10255, 10256}},
	{path: "streamingConnectionIdleTimeout", flag: "streaming-connection-idle-timeout", values: []any{"0s", "5m", "4h0m0s", "90s"}},
	{path: "protectKernelDefaults", flag: "protect-kernel-defaults", values: []any{true, false}},
	{path: "makeIPTablesUtilChains", flag: "make-iptables-util-chains", values: []any{true, false}},
	{path: "eventRecordQPS", flag: "event-qps", values: []any{0, 5, 50}},
	{path: "tlsMinVersion", flag: "tls-min-version", values: []any{"VersionTLS12", "VersionTLS13"}},
	{path: "podPidsLimit", flag: "pod-max-pids", values: []any{-1, 0, 100, 4096}},
	{path: "seccompDefault", flag: "seccomp-default", values: []any{true, false}},
	{path: "serverTLSBootstrap", flag: "rotate-server-certificates", values: []any{false}},
	{path: "rotateCertificates", flag: "rotate-certificates", values: []any{false, false, false, false, false, false, true}},
	{path: "tlsCipherSuites", flag: "tls-cipher-suites", values: []any{
		[]string{"TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"},
		[]string{"TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", "TLS_RSA_WITH_AES_128_GCM_SHA256"},
		[]string{"TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"},
	}},
	{path: "featureGates.ComponentStatusz", values: []any{true, false}},
	{path: "featureGates.RotateKubeletServerCertificate", values: []any{true, false}},
}

// random makes a configuration.
func random(r *rand.Rand) setting {
	s := setting{files: map[string]string{}}
	chance := func(percent int) bool { return r.IntN(100) < percent }
	file := func(nulls bool) string {
		object := map[string]any{"apiVersion": "kubelet.config.k8s.io/v1beta1", "kind": "KubeletConfiguration"}
		for _, k := range knobs {
			if !chance(25) {
				continue
			}
			var v any
			if !nulls || !chance(15) {
				v = k.values[r.IntN(len(k.values))]
			}
			put(object, strings.Split(k.path, "."), v)
		}
		for _, path := range []string{"authentication", "authentication.anonymous", "authentication.x509", "authorization", "featureGates"} {
			if chance(5) {
				put(object, strings.Split(path, "."), nil)
			}
		}
		format := yaml.Marshal
		if chance(30) {
			format = json.Marshal
		}
		text, _ := format(object) // of maps, lists and scalars: cannot go wrong
		return string(text)
	}
	if chance(85) {
		s.files[configFile] = file(false)
		s.args = append(s.args, "--config="+configFile)
	}
	if chance(60) {
		for range 1 + r.IntN(3) {
			name := []string{"10.conf", "20.conf", "30/1.conf", "5.conf", "15.conf.d/0.conf", "not.yaml"}[r.IntN(6)]
			s.files[dropInDir+"/"+name] = file(true)
		}
		s.args = append(s.args, "--config-dir="+dropInDir)
	}
	if chance(50) { // or it often is one that lets nobody in
		s.args = append(s.args, "--client-ca-file="+clientCAFile)
	}
	for _, k := range knobs {
		for range 2 {
			if chance(12) {
				s.args = append(s.args, k.asFlag(r)...)
			}
		}
	}
	r.Shuffle(len(s.args), func(i, j int) {
		// A flag and its value in two words stay together.
		if !slices.ContainsFunc(s.args, func(a string) bool { return !strings.HasPrefix(a, "--") }) {
			s.args[i], s.args[j] = s.args[j], s.args[i]
		}
	})
	return s
}

// asFlag writes a value as a flag, in one of the ways that there are.
func (k knob) asFlag(r *rand.Rand) []string {
	v := k.values[r.IntN(len(k.values))]
	name, value := "--"+k.flag, fmt.Sprint(v)
	if list, ok := v.([]string); ok {
		value = strings.Join(list, ",")
	}
	if k.flag == "" {
		name, value = "--feature-gates", strings.TrimPrefix(k.path, "featureGates.")+"="+value
	}
	if r.IntN(4) == 0 {
		name = "--" + strings.ReplaceAll(name[2:], "-", "_")
	}
	on, isBool := v.(bool)
	switch {
	case isBool && on && k.flag != "" && r.IntN(2) == 0:
		return []string{name}
	case isBool || r.IntN(2) == 0:
		return []string{name + "=" + value}
	}
	return []string{name, value}
}

func put(object map[string]any, path []string, v any) {
	for _, name := range path[:len(path)-1] {
		inner, ok := object[name].(map[string]any)
		if !ok {
			inner = map[string]any{}
			object[name] = inner
		}
		object = inner
	}
	object[path[len(path)-1]] = v
}

// TestRandomConfigurations does what TestConfiguration does with configurations
// that nobody thought of. HARDGATE_ROUNDS asks for more of them, HARDGATE_SEED for
// others.
func TestRandomConfigurations(t *testing.T) {
	needLab(t)
	rounds, seed := number(t, "HARDGATE_ROUNDS", 25), number(t, "HARDGATE_SEED", 1)
	r := rand.New(rand.NewPCG(uint64(seed), 0))
	compared := 0
	for i := range rounds {
		s := random(r)
		t.Run(strconv.Itoa(i), func(t *testing.T) {
			write(t, s.files)
			write(t, unit(s.args...))
			configz, err := ask(t, launch(t, s.args...))
			if err != nil {
				t.Skipf("the kubelet refuses it, or us: %v", err)
			}
			compared++
			if compare(t, s.args, configz); t.Failed() {
				t.Logf("seed %d: %q", seed, s.args)
				for _, name := range slices.Sorted(maps.Keys(s.files)) {
					t.Logf("%s:\n%s", name, s.files[name])
				}
			}
		})
	}
	if compared < rounds/2 {
		t.Errorf("only %d of %d kubelets could be asked", compared, rounds)
	}
}

func number(t *testing.T, variable string, standard int) int {
	t.Helper()
	text := os.Getenv(variable)
	if text == "" {
		return standard
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatal(err)
	}
	return n
}
