package kubelet

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/hardgate-dev/hardgate/nodecheck/host/kubelet"
)

// refusals are configurations with which no kubelet starts, and the field of which
// the checker must not claim to know what it is. A nil one is for all of them.
var refusals = map[string]struct {
	setting
	field *kubelet.Field
}{
	"text for a number":            {setting{args: withFile, files: config("readOnlyPort: \"0\"\n")}, kubelet.ReadOnlyPort},
	"text for a truth":             {setting{args: withFile, files: config("authentication: {anonymous: {enabled: \"false\"}}\n")}, kubelet.AnonymousAuth},
	"a number for a truth":         {setting{args: withFile, files: config("authentication: {anonymous: {enabled: 0}}\n")}, kubelet.AnonymousAuth},
	"a number for a time":          {setting{args: withFile, files: config("streamingConnectionIdleTimeout: 300\n")}, kubelet.StreamingIdle},
	"a time without unit":          {setting{args: withFile, files: config("streamingConnectionIdleTimeout: \"300\"\n")}, kubelet.StreamingIdle},
	"null for a time":              {setting{args: withFile, files: config("streamingConnectionIdleTimeout: null\n")}, kubelet.StreamingIdle},
	"a text for a list":            {setting{args: withFile, files: config("tlsCipherSuites: TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256\n")}, kubelet.TLSCipherSuites},
	"a fraction":                   {setting{args: withFile, files: config("podPidsLimit: 100.5\n")}, kubelet.PodPidsLimit},
	"a list for an object":         {setting{args: withFile, files: config("authentication: []\n")}, kubelet.AnonymousAuth},
	"no YAML":                      {setting{args: withFile, files: config("readOnlyPort: 0\n  authentication: {\n")}, nil},
	"an empty file":                {setting{args: withFile, files: map[string]string{configFile: ""}}, nil},
	"a file of another kind":       {setting{args: withFile, files: map[string]string{configFile: strings.Replace(head, "KubeletConfiguration", "KubeProxyConfiguration", 1)}}, nil},
	"a file of another version":    {setting{args: withFile, files: map[string]string{configFile: strings.Replace(head, "v1beta1", "v1", 1)}}, nil},
	"no such file":                 {setting{args: withFile}, nil},
	"no such directory":            {setting{args: []string{"--config=" + configFile, "--config-dir=/nowhere"}, files: config("")}, nil},
	"an empty drop-in":             {setting{args: []string{"--config=" + configFile, "--config-dir=" + dropInDir}, files: map[string]string{configFile: head, dropInDir + "/1.conf": ""}}, nil},
	"a drop-in without a kind":     {setting{args: []string{"--config=" + configFile, "--config-dir=" + dropInDir}, files: map[string]string{configFile: head, dropInDir + "/1.conf": "readOnlyPort: 0\n"}}, nil},
	"text for a number, a drop-in": {setting{args: withFile, files: config("")}.dropIns(map[string]string{"1.conf": "readOnlyPort: \"0\"\n"}), kubelet.ReadOnlyPort},
	"a flag of another type":       {setting{args: append([]string{"--read-only-port=none"}, withFile...), files: config("")}, kubelet.ReadOnlyPort},
	"an argument":                  {setting{args: append([]string{"--anonymous-auth", "false"}, withFile...), files: config("")}, nil},
	"a flag with one dash":         {setting{args: append([]string{"-read-only-port=0"}, withFile...), files: config("")}, nil},
	"a truth that is none":         {setting{args: append([]string{"--anonymous-auth=no"}, withFile...), files: config("")}, kubelet.AnonymousAuth},
}

// TestRefusals: a unit that would start such a kubelet tells nothing about it.
func TestRefusals(t *testing.T) {
	needLab(t)
	for name, r := range refusals {
		t.Run(name, func(t *testing.T) {
			write(t, r.files)
			write(t, unit(r.args...))
			k := launch(t, r.args...)
			err := k.Await(t.Context(), 10*time.Second, func(context.Context) error { return errors.New("it runs") })
			if err == nil || !strings.Contains(err.Error(), "ended while starting") {
				t.Fatalf("the kubelet did not refuse it: %v", err)
			}
			got, err := kubelet.Read(thisMachine(t))
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range kubelet.Fields {
				if r.field != nil && f != r.field {
					continue
				}
				for _, v := range got.Field(f) {
					if v.Err == nil {
						t.Errorf("%s is %v (%s, %s)", f.Path, v.V, v.Where, v.Given)
					}
				}
			}
		})
	}
}
