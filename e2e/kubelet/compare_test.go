package kubelet

import (
	"encoding/json"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/hardgate-dev/hardgate/nodecheck/host"
	"github.com/hardgate-dev/hardgate/nodecheck/host/kubelet"
)

// thisMachine is the machine itself, as the checker sees it.
func thisMachine(t *testing.T) *host.Host {
	t.Helper()
	root, err := host.Open("/")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := root.Close(); err != nil {
			t.Error(err)
		}
	})
	return host.New(root)
}

// compare holds the checker's configuration against the kubelet's own account. The
// checker may say of a field that it cannot tell, if it is one of unknown, or if
// anything may be unknown.
func compare(t *testing.T, args []string, configz map[string]any, unknown ...string) {
	t.Helper()
	k, err := kubelet.Read(thisMachine(t))
	if err != nil {
		t.Fatal(err)
	}
	if k.Process == nil {
		t.Fatal("the checker found no kubelet")
	}
	for _, name := range unknown {
		if name != anything && !slices.ContainsFunc(kubelet.Fields, func(f *kubelet.Field) bool { return f.Path == name && k.Field(f)[0].Err != nil }) {
			t.Errorf("%s can be told, or is no field: it is not unknown", name)
		}
	}
	for _, f := range kubelet.Fields {
		readings := k.Field(f)
		if len(readings) != 1 && readings[0].Err == nil {
			t.Errorf("%s has the values %+v, and the unit's are the process's", f.Path, readings)
		}
		for _, r := range readings {
			if r.Err == nil || !mayBeUnknown(f, unknown) {
				compareField(t, f, r, args, configz)
			}
		}
	}
	all, err := k.Effective()
	want, _ := configz["featureGates"].(map[string]any)
	got, _ := all["featureGates"].(map[string]any)
	if !maps.Equal(got, want) && (err == nil || !slices.Contains(unknown, anything)) {
		t.Errorf("feature gates are %v, the kubelet says %v", got, want)
	}
	compareAccount(t, args, configz, unknown)
}

// anything stands for every field.
const anything = "*"

func mayBeUnknown(f *kubelet.Field, unknown []string) bool {
	return slices.Contains(unknown, f.Path) || slices.Contains(unknown, anything)
}

// compareAccount hands the kubelet's account to the checker: it must read it as it
// is, and see no difference to the files where there is none.
func compareAccount(t *testing.T, args []string, configz map[string]any, unknown []string) {
	t.Helper()
	body, err := json.Marshal(map[string]any{"kubeletconfig": configz})
	if err != nil {
		t.Fatal(err)
	}
	h := thisMachine(t)
	host.Provide(h, kubelet.ConfigzBody(body))
	k, err := kubelet.Read(h)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range kubelet.Fields {
		readings := k.Field(f)
		if len(readings) != 2 || readings[0].State != kubelet.Running || readings[1].State != kubelet.Persisted {
			t.Errorf("%s has the values %+v, with an account and files", f.Path, readings)
			continue
		}
		for _, r := range readings {
			if r.Err == nil || r.State == kubelet.Running || !mayBeUnknown(f, unknown) {
				compareField(t, f, r, args, configz)
			}
		}
	}
}

// compareField holds one value against the kubelet's account.
func compareField(t *testing.T, f *kubelet.Field, r kubelet.Reading, args []string, configz map[string]any) {
	t.Helper()
	if r.Err != nil {
		t.Errorf("%s cannot be told: %v; the kubelet says %v", f.Path, r.Err, at(configz, f.Path))
		return
	}
	got, want := text(r.V), text(at(configz, f.Path))
	if want == "" {
		want = zero(got)
	}
	if got != want && !explained(f, args, got, want) {
		t.Errorf("%s is %s (%s %s, %s), the kubelet says %s", f.Path, got, r.State, r.Where, r.Given, want)
	}
}

// explained tells the differences that are none.
func explained(f *kubelet.Field, args []string, got, want string) bool {
	switch f {
	case kubelet.ClientCAFile:
		// The checker says where the path leads from the kubelet's working directory.
		path, err := strconv.Unquote(want)
		return err == nil && !filepath.IsAbs(path) && got == strconv.Quote(filepath.Join(filepath.Dir(configFile), path))
	case kubelet.TLSCertFile, kubelet.TLSPrivateKeyFile:
		// A kubelet that is given no certificate signs one, and says so here.
		return got == zero(want) && strings.HasPrefix(want, `"/var/lib/kubelet/pki/kubelet.`)
	case kubelet.SeccompDefault:
		// The flag is a setting of its own, beside the one that the kubelet tells.
		on := false
		for _, arg := range args {
			if name, value, given := strings.Cut(strings.ReplaceAll(arg, "_", "-"), "="); name == "--seccomp-default" {
				b, err := strconv.ParseBool(value)
				on = !given || err == nil && b
			}
		}
		return got == "true" && want == "false" && on
	}
	return false
}

// at finds a field of the kubelet's account; nil where it is left out.
func at(configz map[string]any, path string) any {
	var v any = configz
	for name := range strings.SplitSeq(path, ".") {
		object, ok := v.(map[string]any)
		if !ok {
			return nil
		}
		v = object[name]
	}
	return v
}

// text writes a value in one way, whichever side it comes from; what is left out is
// the empty string.
func text(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case float64:
		return strconv.FormatInt(int64(v), 10)
	case []any:
		return fmt.Sprint(v)
	case []string:
		return fmt.Sprint(v)
	case time.Duration:
		return strconv.Quote(v.String())
	case string:
		return strconv.Quote(v)
	}
	return fmt.Sprint(v)
}

// zero is the zero value of the type of a written value, in the same writing.
func zero(like string) string {
	switch {
	case like == "true" || like == "false":
		return "false"
	case strings.HasPrefix(like, `"`):
		return `""`
	case strings.HasPrefix(like, "["):
		return "[]"
	}
	return "0"
}
