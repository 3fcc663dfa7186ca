package kubelet_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"

	"github.com/hardgate-dev/hardgate/nodecheck/host/kubelet"
)

// maker makes up configurations.
type maker struct{ *rand.Rand }

func (m *maker) pick(list ...string) string { return list[m.IntN(len(list))] }

func (m *maker) one(in int) bool { return m.IntN(in) == 0 }

// node makes up the flags and the files of one kubelet.
func (m *maker) node(dir string) (args []string, files map[string]string) {
	files = map[string]string{}
	if !m.one(5) {
		args = append(args, m.pick("--config="+filepath.Join(dir, "a"), "--config=a", "--config=./a"))
		files["a"] = m.file(true)
	}
	if m.one(2) {
		args = append(args, "--config-dir="+filepath.Join(dir, "d"))
		for range m.IntN(4) {
			files[filepath.Join("d", m.pick("10.conf", "9.conf", "a/b.conf", "x.yaml", "B.conf", "20.conf"))] = m.file(false)
		}
	}
	for range m.IntN(4) {
		args = append(args, m.flag()...)
	}
	m.Shuffle(len(args), func(i, j int) {
		if strings.HasPrefix(args[i], "--") && strings.HasPrefix(args[j], "--") && m.one(2) && !apart(args, i) && !apart(args, j) {
			args[i], args[j] = args[j], args[i]
		}
	})
	return args, files
}

// apart is whether an argument goes with the one before or after it.
func apart(args []string, i int) bool {
	return (i+1 < len(args) && !strings.HasPrefix(args[i+1], "--")) || !strings.Contains(args[i], "=")
}

// values are what is written for each field, as YAML and as flags.
var values = map[string]struct{ yaml, flag []string }{
	"authentication.anonymous.enabled": {[]string{"true", "false", "yes", "Off", "null", "y"}, []string{"=true", "=0", "", "=F"}},
	"authentication.webhook.enabled":   {[]string{"true", "no", "~"}, []string{"=false", ""}},
	"authentication.x509.clientCAFile": {[]string{"/ca", "ca.crt", `""`, "../ca", "'~'"}, []string{"=/ca", "=ca", "= ", "="}},
	"authorization.mode":               {[]string{"Webhook", "AlwaysAllow", `""`, "null"}, []string{"=Webhook", "=AlwaysAllow", " AlwaysAllow"}},
	"readOnlyPort":                     {[]string{"0", "10255", "10_255", "0x10", "010", "null", "0o17", "+7"}, []string{"=0", "=0x20", " 10255"}},
	"streamingConnectionIdleTimeout":   {[]string{"0s", "5m", "1h30m", "\"0\"", "null", "4h0m0s"}, []string{"=0", "=5m", " 1h"}},
	"protectKernelDefaults":            {[]string{"true", "false", "on", "OFF"}, []string{"", "=false", "=T"}},
	"makeIPTablesUtilChains":           {[]string{"true", "false", "n"}, []string{"=false", "=1"}},
	"eventRecordQPS":                   {[]string{"0", "5", "1_0", "0b11"}, []string{"=0", " 7"}},
	"tlsCertFile":                      {[]string{"/c.crt", "c.crt", `""`}, []string{"=/d.crt", "=d"}},
	"tlsPrivateKeyFile":                {[]string{"/c.key", "c.key"}, []string{"=/d.key"}},
	"tlsCipherSuites": {
		[]string{"[TLS_AES_128_GCM_SHA256]", "[]", "null", "[TLS_RSA_WITH_AES_128_GCM_SHA256, TLS_AES_128_GCM_SHA256]"},
		[]string{"=TLS_AES_256_GCM_SHA384", "=TLS_AES_256_GCM_SHA384,TLS_AES_128_GCM_SHA256", "="},
	},
	"tlsMinVersion":      {[]string{"VersionTLS12", "VersionTLS13", `""`}, []string{"=VersionTLS12"}},
	"rotateCertificates": {[]string{"true", "false", "YES"}, []string{"", "=false"}},
	"serverTLSBootstrap": {[]string{"true", "No"}, []string{"", "=false"}},
	"podPidsLimit":       {[]string{"-1", "4096", "-7", "0", "null"}, []string{" -1", "=100", "=-9"}},
	"seccompDefault":     {[]string{"true", "false", "null"}, nil},
}

// odd is what no kubelet starts with.
var odd = []string{`"true"`, "1.5", "[1]", "{a: b}", "text", "12", "2001-01-01", "!!str 1"}

func (m *maker) flag() []string {
	if m.one(6) {
		gate := m.pick("RotateKubeletServerCertificate", "MemoryQoS", " RotateKubeletServerCertificate")
		return []string{"--feature-gates=" + gate + "=" + m.pick("true", "false", "1") + m.pick("", ",", ",MemoryQoS=false")}
	}
	for {
		f := kubelet.Fields[m.IntN(len(kubelet.Fields))]
		given := values[f.Path].flag
		if len(given) == 0 {
			continue
		}
		name := "--" + f.Flag
		if m.one(5) {
			name = "--" + strings.ReplaceAll(f.Flag, "-", "_")
		}
		switch v := m.pick(given...); {
		case v == "= ":
			return []string{name + "="}
		case strings.HasPrefix(v, " "):
			return []string{name, v[1:]}
		case m.one(40):
			return []string{name + "=?"}
		default:
			return []string{name + v}
		}
	}
}

// file makes up a configuration file, as YAML or as JSON.
func (m *maker) file(base bool) string {
	tree := map[string]any{}
	for range m.IntN(6) {
		f := kubelet.Fields[m.IntN(len(kubelet.Fields))]
		v := m.pick(values[f.Path].yaml...)
		if m.one(60) {
			v = m.pick(odd...)
		}
		path := strings.Split(f.Path, ".")
		if !base && m.one(15) {
			path = path[:1+m.IntN(len(path))]
			v = "null"
		}
		if m.one(30) {
			path[len(path)-1] = strings.ToUpper(path[len(path)-1])
		}
		put(tree, path, v)
	}
	if m.one(3) {
		put(tree, []string{"featureGates", m.pick("RotateKubeletServerCertificate", "MemoryQoS")}, m.pick("true", "false", "on"))
	}
	if m.one(8) {
		put(tree, []string{"unknownField"}, "1")
	}
	s := "apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\n" + text(tree, "")
	if m.one(50) {
		s = strings.Replace(s, "v1beta1", "v1", 1)
	}
	return s
}

// put sets a value at a path, whatever was there.
func put(tree map[string]any, path []string, value string) {
	for _, name := range path[:len(path)-1] {
		next, ok := tree[name].(map[string]any)
		if !ok {
			next = map[string]any{}
			tree[name] = next
		}
		tree = next
	}
	tree[path[len(path)-1]] = value
}

// text writes a tree as YAML.
func text(tree map[string]any, indent string) (s string) {
	for _, name := range slices.Sorted(maps.Keys(tree)) {
		value := tree[name]
		if sub, ok := value.(map[string]any); ok {
			s += indent + name + ":\n" + text(sub, indent+"  ")
		} else {
			s += indent + name + ": " + fmt.Sprint(value) + "\n"
		}
	}
	return s
}
