package kubelet_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	"github.com/hardgate-dev/hardgate/nodecheck/host"
	"github.com/hardgate-dev/hardgate/nodecheck/host/hosttest"
	"github.com/hardgate-dev/hardgate/nodecheck/host/kubelet"
)

// read makes a node of an archive with process 1 and perhaps a kubelet's.
func read(t *testing.T, args, archive string) *kubelet.Kubelet {
	t.Helper()
	a := txtar.Parse([]byte("-- proc/1/cmdline nul --\ninit\n" + archive))
	if args != "" {
		a.Files = append(a.Files, txtar.File{Name: "proc/812/cmdline nul", Data: []byte("/usr/bin/kubelet\n" + strings.Join(strings.Fields(args), "\n") + "\n")})
	}
	tree, err := hosttest.Parse(a)
	if err != nil {
		t.Fatal(err)
	}
	h := host.New(tree)
	if body, err := h.File("/configz.json"); err == nil {
		host.Provide(h, kubelet.ConfigzBody(body.Data))
	}
	k, err := kubelet.Read(h)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// line is a reading in one line.
func line(r kubelet.Reading) string {
	if r.Err != nil {
		return strings.TrimSpace(fmt.Sprintf("%s error: %v", r.State, r.Err))
	}
	s := fmt.Sprintf("%s %v <- %s at %s", r.State, r.V, r.Given, r.Where)
	if r.Note != "" {
		s += "; " + r.Note
	}
	return strings.TrimSpace(s)
}

const head = "apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\n"

// file is a configuration file below /c; its first line of its own is the third.
func file(name, content string) string { return "-- c/" + name + " --\n" + head + content }

func TestField(t *testing.T) {
	tests := map[string]struct {
		field         *kubelet.Field
		args, archive string
		want          []string
	}{
		"default without a file": {
			field: kubelet.AnonymousAuth, args: "--v=2",
			want: []string{"true <- authentication.anonymous.enabled: true at /proc/812/cmdline; not set, this is the default without a configuration file"},
		},
		"default with a file": {
			field: kubelet.AnonymousAuth, args: "--config=/c/a", archive: file("a", ""),
			want: []string{"false <- authentication.anonymous.enabled: false at /c/a; not set, this is the default with a configuration file"},
		},
		"an empty object is the default": {
			field: kubelet.AnonymousAuth, args: "--config=/c/a",
			archive: "-- c/a --\n" + `{"apiVersion":"kubelet.config.k8s.io/v1beta1","kind":"KubeletConfiguration","authentication":{"anonymous":{}}}`,
			want:    []string{"false <- authentication.anonymous.enabled: false at /c/a; not set, this is the default with a configuration file"},
		},
		"default with drop-ins alone is that without a file": {
			field: kubelet.AuthorizationMode, args: "--config-dir=/c/d", archive: file("d/1.conf", ""),
			want: []string{"AlwaysAllow <- authorization.mode: AlwaysAllow at /c/d; not set, this is the default without a configuration file"},
		},
		"null in a drop-in is the default with a file": {
			field: kubelet.AuthorizationMode, args: "--config-dir=/c/d", archive: file("d/1.conf", "authorization:\n  mode: null\n"),
			want: []string{"Webhook <- authorization.mode: Webhook at /c/d/1.conf:4; removed, this is the default with a configuration file"},
		},
		"file": {
			field: kubelet.ReadOnlyPort, args: "--config=/c/a", archive: file("a", "readOnlyPort: 10_255\n"),
			want: []string{"10255 <- readOnlyPort: 10255 at /c/a:3"},
		},
		"flag over drop-in over file": {
			field: kubelet.ReadOnlyPort, args: "--read-only-port=1 --config=/c/a --config-dir=/c/d --read-only-port=4",
			archive: file("a", "readOnlyPort: 2\n") + file("d/1.conf", "readOnlyPort: 3\n"),
			want:    []string{"4 <- --read-only-port=4 at /proc/812/cmdline; overrides readOnlyPort: 3 of /c/d/1.conf:3"},
		},
		"drop-ins in the order of names, directories at their place": {
			field: kubelet.ReadOnlyPort, args: "--config=/c/a --config-dir=/c/d",
			archive: file("a", "readOnlyPort: 1\n") + file("d/10.conf", "readOnlyPort: 2\n") + file("d/20/99.conf", "readOnlyPort: 3\n") +
				file("d/15.yaml", "readOnlyPort: 9\n") + file("d/3.conf", "{}\n"+"") + file("d/30.conf~", "readOnlyPort: 9\n"),
			want: []string{"error: /c/d/3.conf: malformed: yaml: line 3: could not find expected ':'"},
		},
		"drop-ins of directories": {
			field: kubelet.ReadOnlyPort, args: "--config=/c/a --config-dir=/c/d",
			archive: file("a", "readOnlyPort: 1\n") + file("d/10.conf", "readOnlyPort: 2\n") + file("d/05/99.conf", "readOnlyPort: 3\n") + file("d/15.yaml", "readOnlyPort: 9\n"),
			want:    []string{"2 <- readOnlyPort: 2 at /c/d/10.conf:3; overrides readOnlyPort: 3 of /c/d/05/99.conf:3"},
		},
		"a link to the directory of drop-ins is not followed": {
			field: kubelet.ReadOnlyPort, args: "--config=/c/a --config-dir=/c/link",
			archive: file("a", "readOnlyPort: 1\n") + file("d/10.conf", "readOnlyPort: 0\n") + "-- c/link -> d --\n",
			want:    []string{"1 <- readOnlyPort: 1 at /c/a:3"},
		},
		"a link to the directory of drop-ins with a slash is": {
			field: kubelet.ReadOnlyPort, args: "--config=/c/a --config-dir=/c/link/",
			archive: file("a", "readOnlyPort: 1\n") + file("d/10.conf", "readOnlyPort: 0\n") + "-- c/link -> d --\n",
			want:    []string{"0 <- readOnlyPort: 0 at /c/link/10.conf:3; overrides readOnlyPort: 1 of /c/a:3"},
		},
		"a drop-in that is a link": {
			field: kubelet.ReadOnlyPort, args: "--config=/c/a --config-dir=/c/d",
			archive: file("a", "") + file("b", "readOnlyPort: 1\n") + "-- c/d/10.conf -> ../b --\n",
			want:    []string{"1 <- readOnlyPort: 1 at /c/d/10.conf:3"},
		},
		"a list is replaced whole": {
			field: kubelet.TLSCipherSuites, args: "--config=/c/a --config-dir=/c/d",
			archive: file("a", "tlsCipherSuites: [A, B]\n") + file("d/1.conf", "tlsCipherSuites:\n- C\n"),
			want:    []string{"[C] <- tlsCipherSuites: [C] at /c/d/1.conf:3; overrides tlsCipherSuites: [A, B] of /c/a:3"},
		},
		"null removes what is below": {
			field: kubelet.ClientCAFile, args: "--config=/c/a --config-dir=/c/d",
			archive: file("a", "authentication: {x509: {clientCAFile: /ca}}\n") + file("d/1.conf", "authentication: ~\n"),
			want:    []string{"<- authentication.x509.clientCAFile: \"\" at /c/d/1.conf:3; removed, this is the default; overrides authentication.x509.clientCAFile: /ca of /c/a:3"},
		},
		"zero in a file stands for the default": {
			field: kubelet.StreamingIdle, args: "--config=/c/a", archive: file("a", "streamingConnectionIdleTimeout: 0s\n"),
			want: []string{"4h0m0s <- streamingConnectionIdleTimeout: 0s at /c/a:3; stands for the default, streamingConnectionIdleTimeout: 4h0m0s"},
		},
		"zero in a flag is zero": {
			field: kubelet.StreamingIdle, args: "--config=/c/a --streaming-connection-idle-timeout=0", archive: file("a", ""),
			want: []string{"0s <- --streaming-connection-idle-timeout=0 at /proc/812/cmdline"},
		},
		"YAML 1.1": {
			field: kubelet.ProtectKernel, args: "--config=/c/a", archive: file("a", "protectKernelDefaults: yes\n"),
			want: []string{"true <- protectKernelDefaults: true at /c/a:3"},
		},
		"an alias": {
			field: kubelet.ProtectKernel, args: "--config=/c/a", archive: file("a", "x: &on true\nprotectKernelDefaults: *on\n"),
			want: []string{"true <- protectKernelDefaults: true at /c/a:4"},
		},
		"a path is relative to its file": {
			field: kubelet.ClientCAFile, args: "--config=/c/a", archive: file("a", "authentication: {x509: {clientCAFile: pki/ca}}\n"),
			want: []string{"/c/pki/ca <- authentication.x509.clientCAFile: pki/ca at /c/a:3"},
		},
		"a path in a drop-in is relative to where the kubelet runs": {
			field: kubelet.ClientCAFile, args: "--config=a --config-dir=/c/d",
			archive: file("a", "") + file("d/1.conf", "authentication: {x509: {clientCAFile: pki/ca}}\n") + "-- proc/812/cwd -> /c --\n",
			want:    []string{"/c/pki/ca <- authentication.x509.clientCAFile: pki/ca at /c/d/1.conf:3"},
		},
		"a path that is relative to what is not known": {
			field: kubelet.ReadOnlyPort, args: "--config=a",
			want: []string{`error: /proc/812/cmdline: "a": a relative path, and the kubelet's working directory is not known`},
		},
		"a flag counts where the files cannot be told": {
			field: kubelet.ReadOnlyPort, args: "--config=a --read-only-port=0",
			want: []string{"0 <- --read-only-port=0 at /proc/812/cmdline"},
		},
		"the seccomp flag is a setting of its own": {
			field: kubelet.SeccompDefault, args: "--config=/c/a --seccomp-default=false", archive: file("a", "seccompDefault: true\n"),
			want: []string{"true <- seccompDefault: true at /c/a:3"},
		},
		"the seccomp flag alone": {
			field: kubelet.SeccompDefault, args: "--config=/c/a --seccomp-default", archive: file("a", "seccompDefault: false\n"),
			want: []string{"true <- --seccomp-default=true at /proc/812/cmdline; overrides seccompDefault: false of /c/a:3"},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, r := range read(t, test.args, test.archive).Field(test.field) {
				got = append(got, line(r))
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

// TestRefused: what the kubelet refuses, or what two versions of it read in two ways,
// is not a value.
func TestRefused(t *testing.T) {
	huge := "x: &a [y, y, y, y, y, y, y, y, y]\n"
	for i := 'b'; i < 'j'; i++ {
		huge += fmt.Sprintf("x%c: &%c [*%c, *%c, *%c, *%c, *%c, *%c, *%c, *%c, *%c]\n", i, i, i-1, i-1, i-1, i-1, i-1, i-1, i-1, i-1, i-1)
	}
	tests := map[string]struct{ args, archive, want string }{
		"no file":                     {"--config=/c/a", "", "/c/a: file does not exist"},
		"empty file":                  {"--config=/c/a", "-- c/a --\n", "/c/a: malformed: the file is empty"},
		"another kind":                {"--config=/c/a", "-- c/a --\napiVersion: v1\nkind: Config\n", "/c/a:1: malformed: it is no KubeletConfiguration of kubelet.config.k8s.io/v1beta1"},
		"a list":                      {"--config=/c/a", "-- c/a --\n- a\n", "/c/a: malformed: it is no KubeletConfiguration of kubelet.config.k8s.io/v1beta1"},
		"no JSON":                     {"--config=/c/a", "-- c/a --\n{apiVersion: kubelet.config.k8s.io/v1beta1}", "/c/a: malformed: it begins like JSON and is not"},
		"no text":                     {"--config=/c/a", "-- c/a --\n\xff", "/c/a: malformed: not UTF-8"},
		"text for a port":             {"--config=/c/a", file("a", "readOnlyPort: \"0\"\n"), "/c/a:3: malformed: readOnlyPort: the value is of another type"},
		"a fraction":                  {"--config=/c/a", file("a", "readOnlyPort: 0.0\n"), "/c/a:3: malformed: readOnlyPort: the value is of another type"},
		"a tag":                       {"--config=/c/a", file("a", "readOnlyPort: !!int \"0\"\n"), "/c/a:3: malformed: readOnlyPort: the value has a tag"},
		"twice":                       {"--config=/c/a", file("a", "readOnlyPort: 0\nreadOnlyPort: 1\n"), "/c/a:4: malformed: readOnlyPort: the key is there twice"},
		"a merge key":                 {"--config=/c/a", file("a", "x: &x {readOnlyPort: 0}\n<<: *x\n"), `/c/a:4: malformed: apiVersion: the merge key "<<" is not followed`},
		"a drop-in in another case":   {"--config=/c/a --config-dir=/c/d", file("a", "") + file("d/1.conf", "ReadOnlyPort: 10255\n"), "/c/d/1.conf:3: malformed: readOnlyPort: the key is written in another case"},
		"a drop-in that mends a type": {"--config=/c/a --config-dir=/c/d", file("a", "readOnlyPort: x\n") + file("d/1.conf", "readOnlyPort: 0\n"), "/c/a:3: malformed: readOnlyPort: the value is of another type"},
		"a drop-in without a kind":    {"--config=/c/a --config-dir=/c/d", file("a", "") + "-- c/d/1.conf --\nreadOnlyPort: 0\n", "/c/d/1.conf: malformed: it is no KubeletConfiguration of kubelet.config.k8s.io/v1beta1"},
		"no directory":                {"--config=/c/a --config-dir=/c/d", file("a", ""), "/c/d: file does not exist"},
		"an unreadable directory":     {"--config=/c/a --config-dir=/c/d", file("a", "") + "-- c/d/ unreadable --\n", "/c/d: permission denied"},
		"a bad flag":                  {"--config=/c/a --read-only-port=x", file("a", ""), "/proc/812/cmdline: malformed: --read-only-port=x: the value is of another type"},
		"a word":                      {"--config=/c/a run", file("a", ""), `/proc/812/cmdline: malformed: argument 2 is no flag, and nothing starts with it`},
		"many aliases":                {"--config=/c/a", file("a", huge+"readOnlyPort: *i\n"), "/c/a:12: malformed: readOnlyPort: the value is of another type"},
		"an alias of itself":          {"--config=/c/a", file("a", "readOnlyPort: &a [*a]\n"), "/c/a:3: malformed: readOnlyPort: the value is of another type"},
		"large drop-ins":              {"--config=/c/a --config-dir=/c/d", file("a", "") + largeDropIns(), "/c/d: too large: more than 1048576 bytes of drop-ins"},
		"too large":                   {"--config=/c/a", "-- c/a size=10000000 --\n", "/c/a: too large"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got := read(t, test.args, test.archive).Field(kubelet.ReadOnlyPort)
			if len(got) != 1 || got[0].Err == nil || got[0].Err.Error() != test.want {
				t.Errorf("got %+v\nwant %s", got, test.want)
			}
		})
	}
	t.Run("the file decides case", func(t *testing.T) {
		got := read(t, "--config=/c/a", file("a", "ReadOnlyPort: 10255\n")).Field(kubelet.ReadOnlyPort)
		if len(got) != 1 || got[0].Err != nil || got[0].Int() != 0 {
			t.Errorf("got %+v, want 0: the kubelet does not know the key", got)
		}
	})
}

func TestGate(t *testing.T) {
	tests := map[string]struct {
		args, archive string
		want          []string
	}{
		"default": {"--config=/c/a", file("a", ""), []string{"true <- featureGates.G: true at /proc/812/cmdline; not set, this is the default"}},
		"merged one by one": {
			"--config=/c/a --config-dir=/c/d --feature-gates=H=true --feature-gates=,I=false",
			file("a", "featureGates: {G: false, H: false}\n") + file("d/1.conf", "featureGates:\n  H: true\n"),
			[]string{"false <- featureGates.G: false at /c/a:3"},
		},
		"the flag counts":  {"--config=/c/a --feature-gates=G=0", file("a", "featureGates: {G: true}\n"), []string{"false <- --feature-gates=G=0 at /proc/812/cmdline; overrides featureGates.G: true of /c/a:3"}},
		"all of its stage": {"--config=/c/a", file("a", "featureGates: {AllBeta: false}\n"), []string{"false <- featureGates.AllBeta: false at /c/a:3"}},
		"removed":          {"--config=/c/a --config-dir=/c/d", file("a", "featureGates: {G: false}\n") + file("d/1.conf", "featureGates:\n  G: null\n"), []string{"true <- featureGates.G: true at /proc/812/cmdline; not set, this is the default"}},
		"all removed":      {"--config=/c/a --config-dir=/c/d", file("a", "featureGates: {G: false}\n") + file("d/1.conf", "featureGates: null\n"), []string{"true <- featureGates.G: true at /proc/812/cmdline; not set, this is the default"}},
		"text":             {"--config=/c/a", file("a", "featureGates: {G: 'true'}\n"), []string{"error: /c/a:3: malformed: featureGates.G: the value is of another type"}},
		"twice":            {"--config=/c/a", file("a", "featureGates: {G: false, G: true}\n"), []string{"error: /c/a:3: malformed: featureGates.G: the key is there twice"}},
		"a list":           {"--config=/c/a", file("a", "featureGates: [G]\n"), []string{"error: /c/a:3: malformed: featureGates: the value is of another type"}},
		"a bad flag":       {"--config=/c/a --feature-gates=G", file("a", ""), []string{"error: /proc/812/cmdline: malformed: --feature-gates=G: the value is of another type"}},
		"no file":          {"--config=/c/a", "", []string{"error: /c/a: file does not exist"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, r := range read(t, test.args, test.archive).Gate("G", true) {
				got = append(got, line(r))
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

// largeDropIns are files that are not too large each.
func largeDropIns() (archive string) {
	for i := range 6 {
		archive += file(fmt.Sprintf("d/%d.conf", i), "# "+strings.Repeat("x", 200<<10)+"\n")
	}
	return archive
}
