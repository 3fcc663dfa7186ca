package kubelet

import (
	"strings"
	"testing"
)

// spellings are ways to write a configuration that hardly anybody uses. The checker
// need not understand them, and must not misunderstand them. Some of them the kubelet
// refuses.
var spellings = map[string]setting{
	"a byte order mark":       {args: withFile, files: map[string]string{configFile: "\ufeff" + head + "readOnlyPort: 10255\n"}},
	"carriage returns":        {args: withFile, files: map[string]string{configFile: strings.ReplaceAll(head+"readOnlyPort: 10255\nauthorization: {mode: AlwaysAllow}\n", "\n", "\r\n")}},
	"old line ends":           {args: withFile, files: map[string]string{configFile: strings.ReplaceAll(head+"readOnlyPort: 10255\n", "\n", "\r")}},
	"a marker before":         {args: withFile, files: map[string]string{configFile: "# ours\n---\n" + head + "readOnlyPort: 10255\n...\n"}},
	"an empty document first": {args: withFile, files: map[string]string{configFile: "---\n---\n" + head + "readOnlyPort: 10255\n"}},
	"a directive":             {args: withFile, files: map[string]string{configFile: "%YAML 1.1\n---\n" + head + "readOnlyPort: 10255\n"}},
	"a line separator":        {args: withFile, files: config("# \u2028readOnlyPort: 10255\n# \u0085podPidsLimit: 7\n")},
	"quoted keys":             {args: withFile, files: config("\"readOnlyPort\": 10255\n'authorization': {\"mode\": 'AlwaysAllow'}\n")},
	"an escaped key":          {args: withFile, files: config("\"read\\x4fnlyPort\": 10255\n")},
	"a complex key":           {args: withFile, files: config("? readOnlyPort\n: 10255\n")},
	"a key with a tag":        {args: withFile, files: config("!!str readOnlyPort: 10255\n")},
	"a list as a key":         {args: withFile, files: config("[readOnlyPort]: 10255\n")},
	"a number as a key":       {args: withFile, files: config("1: 2\ntrue: 3\nreadOnlyPort: 10255\n")},
	"an anchored key":         {args: withFile, files: config("&k readOnlyPort: 10255\n")},
	"an alias as a key":       {args: withFile, files: config("clusterDomain: &k readOnlyPort\n*k : 10255\n")},
	"a redefined anchor":      {args: withFile, files: config("featureGates: &a {ComponentStatusz: false}\nauthentication: {anonymous: &a {enabled: true}, webhook: *a}\n")},
	"merge keys":              {args: withFile, files: config("authentication: {<<: [{anonymous: {enabled: true}}, {anonymous: {enabled: false}}], webhook: {enabled: true}}\n")},
	"a merge key at the top":  {args: withFile, files: map[string]string{configFile: "<<: {readOnlyPort: 10255, authorization: {mode: AlwaysAllow}}\n" + head}},
	"a quoted merge key":      {args: withFile, files: config("\"<<\": {readOnlyPort: 10255}\n")},
	"a tag on a truth":        {args: withFile, files: config("seccompDefault: !!bool \"true\"\nauthentication: {anonymous: {enabled: !!bool yes}}\n")},
	"a tag on a number":       {args: withFile, files: config("readOnlyPort: !!int \"10255\"\n")},
	"a tag on text":           {args: withFile, files: config("authorization: {mode: !!str AlwaysAllow}\n")},
	"a tag of its own":        {args: withFile, files: config("readOnlyPort: !port 10255\n")},
	"a binary":                {args: withFile, files: config("authorization: {mode: !!binary QWx3YXlzQWxsb3c=}\n")},
	"block text":              {args: withFile, files: config("authorization:\n  mode: |-\n    AlwaysAllow\n")},
	"folded text":             {args: withFile, files: config("streamingConnectionIdleTimeout: >-\n  5m\n")},
	"text over lines":         {args: withFile, files: config("authentication: {x509: {clientCAFile: \"/etc/kubernetes\\\n  /pki/ca.crt\"}}\n")},
	"an underscore":           {args: withFile, files: config("readOnlyPort: 10_255\npodPidsLimit: 1_0\n")},
	"a plus":                  {args: withFile, files: config("readOnlyPort: +10255\n")},
	"an octal number":         {args: withFile, files: config("readOnlyPort: 024017\npodPidsLimit: 0o17\n")},
	"a binary number":         {args: withFile, files: config("podPidsLimit: 0b1010\neventRecordQPS: -0b1\n")},
	"a number of YAML 1.1":    {args: withFile, files: config("podPidsLimit: 1:30\n")},
	"a whole float":           {args: withFile, files: config("readOnlyPort: 10255.0\npodPidsLimit: 1.0e+2\n")},
	"a huge number":           {args: withFile, files: config("podPidsLimit: 9007199254740991\n")},
	"a huger number":          {args: withFile, files: config("podPidsLimit: 18446744073709551615\n")},
	"infinity":                {args: withFile, files: config("podPidsLimit: .inf\n")},
	"one letter":              {args: withFile, files: config("seccompDefault: y\nauthentication: {anonymous: {enabled: Y}}\n")},
	"mixed case":              {args: withFile, files: config("seccompDefault: tRue\n")},
	"a tilde":                 {args: withFile, files: config("readOnlyPort: ~\nauthorization: {mode: ~}\npodPidsLimit: Null\n")},
	"an equals sign":          {args: withFile, files: config("authorization: {mode: =}\n")},
	"empty text":              {args: withFile, files: config("authorization: {mode: \"\"}\ntlsMinVersion: \"\"\n")},
	"a time in parts":         {args: withFile, files: config("streamingConnectionIdleTimeout: 1h2m3.5s\n")},
	"a time below zero":       {args: withFile, files: config("streamingConnectionIdleTimeout: -5m\n")},
	"JSON with a key twice":   {args: withFile, files: map[string]string{configFile: `{"apiVersion": "kubelet.config.k8s.io/v1beta1", "kind": "KubeletConfiguration", "readOnlyPort": 10255, "readOnlyPort": 0}`}},
	"JSON with more after":    {args: withFile, files: map[string]string{configFile: `{"apiVersion": "kubelet.config.k8s.io/v1beta1", "kind": "KubeletConfiguration", "readOnlyPort": 10255} {"readOnlyPort": 0}`}},
	"JSON that is YAML":       {args: withFile, files: map[string]string{configFile: `{apiVersion: kubelet.config.k8s.io/v1beta1, kind: KubeletConfiguration, readOnlyPort: 10255,}`}},
	"JSON with escapes":       {args: withFile, files: map[string]string{configFile: `{"apiVersion": "kubelet.config.k8s.io/v1beta1", "kind": "KubeletConfiguration", "read\u004fnlyPort": 10255, "authorization": {"mode": "Always\u0041llow"}}`}},
	"JSON numbers":            {args: withFile, files: map[string]string{configFile: `{"apiVersion": "kubelet.config.k8s.io/v1beta1", "kind": "KubeletConfiguration", "readOnlyPort": 1.0255e4, "podPidsLimit": 1E2}`}},
	"JSON after a space":      {args: withFile, files: map[string]string{configFile: "\n\t " + `{"apiVersion": "kubelet.config.k8s.io/v1beta1", "kind": "KubeletConfiguration", "readOnlyPort": 10255}`}},

	"a drop-in in other case, deep":     setting{args: withFile, files: config("")}.dropIns(map[string]string{"1.conf": "authentication: {Anonymous: {enabled: true}}\nauthorization: {MODE: AlwaysAllow}\n"}),
	"a drop-in with a letter like one":  setting{args: withFile, files: config("")}.dropIns(map[string]string{"1.conf": "\"\u017feccompDefault\": true\n\"ma\u212aeIPTablesUtilChains\": false\n"}),
	"a null in other case in a drop-in": setting{args: withFile, files: config("readOnlyPort: 10255\n")}.dropIns(map[string]string{"1.conf": "ReadOnlyPort: null\n"}),
	"two documents in a drop-in":        setting{args: withFile, files: config("")}.dropIns(map[string]string{"1.conf": "readOnlyPort: 10255\n---\nreadOnlyPort: 0\n"}),
	"a key twice in a drop-in":          setting{args: withFile, files: config("")}.dropIns(map[string]string{"1.conf": "readOnlyPort: 0\nreadOnlyPort: 10255\n"}),
	"a merge key in a drop-in":          setting{args: withFile, files: config("")}.dropIns(map[string]string{"1.conf": "<<: {readOnlyPort: 10255}\n"}),
	"an object over a value":            setting{args: withFile, files: config("readOnlyPort: 10255\n")}.dropIns(map[string]string{"1.conf": "readOnlyPort: {}\n", "2.conf": "readOnlyPort: 10255\n"}),
	"a value over an object":            setting{args: withFile, files: config("authentication: {anonymous: {enabled: true}}\n")}.dropIns(map[string]string{"1.conf": "authentication: 1\n", "2.conf": "authentication: {webhook: {enabled: true}}\n"}),
	"a wrong value put right":           setting{args: withFile, files: config("")}.dropIns(map[string]string{"1.conf": "readOnlyPort: none\n", "2.conf": "readOnlyPort: 10255\n"}),
	"a null in a list":                  setting{args: withFile, files: config("")}.dropIns(map[string]string{"1.conf": "tlsCipherSuites: [TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, null]\n"}),
	"JSON in a drop-in":                 {args: append([]string{"--config-dir=" + dropInDir}, withFile...), files: map[string]string{configFile: head, dropInDir + "/1.conf": `{"apiVersion": "kubelet.config.k8s.io/v1beta1", "kind": "KubeletConfiguration", "readOnlyPort": 10255}`}},

	"flags of other people":     {args: append([]string{"-v=2", "-v", "2", "--v", "2", "--vmodule=a=1", "--read-only-port", "10255"}, withFile...), files: config("")},
	"an end of flags":           {args: append(append([]string{"--read-only-port=10255"}, withFile...), "--"), files: config("")},
	"relative files":            {args: []string{"--config=config.yaml", "--config-dir", "../../../etc/kubernetes/kubelet.conf.d"}, files: map[string]string{configFile: head, dropInDir + "/1.conf": head + "readOnlyPort: 10255\n"}},
	"no value for a file":       {args: []string{"--config=" + configFile, "--config="}, files: config("readOnlyPort: 0\n")},
	"no suites":                 {args: append([]string{"--tls-cipher-suites="}, withFile...), files: config("tlsCipherSuites: [TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256]\n")},
	"quoted suites":             {args: append([]string{`--tls-cipher-suites="TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256","TLS_RSA_WITH_AES_128_GCM_SHA256"`}, withFile...), files: config("")},
	"spaces in suites":          {args: append([]string{"--tls-cipher-suites=TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, TLS_RSA_WITH_AES_128_GCM_SHA256"}, withFile...), files: config("")},
	"spaces in gates":           {args: append([]string{"--feature-gates= ComponentStatusz = false , ,ComponentFlagz=f"}, withFile...), files: config("")},
	"a truth in capitals":       {args: append([]string{"--anonymous-auth=TRUE", "--seccomp-default=t"}, withFile...), files: config("")},
	"a value like a flag":       {args: append([]string{"--authorization-mode", "--anonymous-auth"}, withFile...), files: config("")},
	"a number with underscores": {args: append([]string{"--read-only-port=10_255", "--pod-max-pids=0b11", "--event-qps=0o17"}, withFile...), files: config("")},
	"a sign":                    {args: append([]string{"--read-only-port=+10255", "--event-qps=-0"}, withFile...), files: config("")},
	"an empty mode":             {args: append([]string{"--authorization-mode="}, withFile...), files: config("")},
	"an empty authority":        {args: append([]string{"--client-ca-file="}, withFile...), files: config(readable)},
	"underscores and dashes":    {args: append([]string{"--read_only-port=10255", "--__anonymous-auth"}, withFile...), files: config("")},
	"one name in two spellings": {args: append([]string{"--read_only_port=10255", "--read-only-port=0", "--anonymous-auth=false", "--anonymous_auth"}, withFile...), files: config("")},
}

// TestSpellings does what TestConfiguration does, where not knowing is right too.
func TestSpellings(t *testing.T) {
	needLab(t)
	compared := 0
	for name, s := range spellings {
		t.Run(name, func(t *testing.T) {
			write(t, s.files)
			write(t, unit(s.args...))
			configz, err := ask(t, launch(t, s.args...))
			if err != nil {
				t.Skipf("the kubelet refuses it, or us: %v", err)
			}
			compared++
			compare(t, s.args, configz, anything)
		})
	}
	if compared < len(spellings)/2 {
		t.Errorf("only %d of %d kubelets could be asked", compared, len(spellings))
	}
}
