package kubelet_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hardgate-dev/hardgate/nodecheck/host"
	"github.com/hardgate-dev/hardgate/nodecheck/host/hosttest"
	"github.com/hardgate-dev/hardgate/nodecheck/host/kubelet"
)

const unit = "-- etc/systemd/system/kubelet.service --\n[Service]\nExecStart=/usr/bin/kubelet --config=/c/a $EXTRA\nEnvironmentFile=-/etc/default/kubelet\n"

const account = `{"kubeletconfig":{"authentication":{"x509":{"clientCAFile":"/ca"},"webhook":{"enabled":true},"anonymous":{"enabled":false}},` +
	`"authorization":{"mode":"Webhook"},"staticPodURLHeader":{"X":["secret"]},"readOnlyPort":1,"featureGates":{"G":false},"seccompDefault":false}}`

// started is a kubelet that has run for a while.
const started = "-- proc/stat --\nbtime 1790000000\n-- proc/812/stat --\n812 (kubelet) S 1 812 812 0 -1 4194560 0 0 0 0 0 0 0 0 20 0 9 0 100000 0 0\n"

// TestStates: what is in force and what is on disk are told apart where both are
// known.
func TestStates(t *testing.T) {
	port := kubelet.ReadOnlyPort
	tests := map[string]struct {
		field         *kubelet.Field
		args, archive string
		want          []string
	}{
		"the unit alone":    {port, "", unit + file("a", "readOnlyPort: 2\n"), []string{"2 <- readOnlyPort: 2 at /c/a:3"}},
		"the process alone": {port, "--config=/c/a", file("a", "readOnlyPort: 2\n"), []string{"2 <- readOnlyPort: 2 at /c/a:3"}},
		"both agree":        {port, "--config=/c/a --v=3", unit + file("a", "readOnlyPort: 2\n"), []string{"2 <- readOnlyPort: 2 at /c/a:3"}},
		"another unit by now": {port, "--config=/c/a", unit + file("a", "") + "-- etc/default/kubelet --\nEXTRA=--read-only-port=7\n", []string{
			"running 0 <- readOnlyPort: 0 at /c/a; not set, this is the default with a configuration file",
			"persisted 7 <- --read-only-port=7 at /etc/systemd/system/kubelet.service:2",
		}},
		"an account": {port, "--config=/c/a", unit + file("a", "readOnlyPort: 2\n") + "-- configz.json --\n" + account, []string{
			"running 1 <- readOnlyPort: 1 at /configz", "persisted 2 <- readOnlyPort: 2 at /c/a:3",
		}},
		"an account of k3s":     {port, "", "-- proc/5/cmdline nul --\n/usr/local/bin/k3s server\n-- configz.json --\n" + account, []string{"1 <- readOnlyPort: 1 at /configz"}},
		"k3s":                   {port, "", "-- proc/5/cmdline nul --\n/usr/local/bin/k3s server\n", []string{"error: /proc/5/cmdline: the kubelet is part of it and shows no flags"}},
		"k3s that does not run": {port, "", "-- etc/systemd/system/k3s.service --\n[Service]\nExecStart=/usr/local/bin/k3s server\n", []string{"error: /etc/systemd/system/k3s.service: the kubelet is part of it and shows no flags"}},
		"something else than an account": {port, "--config=/c/a", file("a", "") + "-- configz.json --\n{\"kubeletconfig\":{}}", []string{
			"running error: /configz: malformed: it is not the configuration of a kubelet",
			"persisted 0 <- readOnlyPort: 0 at /c/a; not set, this is the default with a configuration file",
		}},
		"an account does not tell the seccomp flag": {kubelet.SeccompDefault, "--config=/c/a --seccomp-default", file("a", "") + "-- configz.json --\n" + account, []string{
			"running true <- --seccomp-default=true at /proc/812/cmdline", "persisted true <- --seccomp-default=true at /proc/812/cmdline",
		}},
		"an account of k3s does not tell the seccomp flag": {kubelet.SeccompDefault, "", "-- proc/5/cmdline nul --\nk3s server\n-- configz.json --\n" + account, []string{
			"error: /configz: seccompDefault: its flag counts too, and /configz does not tell it",
		}},
		"an account with a path of where the kubelet runs": {kubelet.ClientCAFile, "--config=/c/a --client-ca-file=ca", file("a", "") +
			"-- proc/812/cwd -> /c --\n-- configz.json --\n" + strings.Replace(account, "/ca", "ca", 1), []string{
			"running /c/ca <- authentication.x509.clientCAFile: ca at /configz", "persisted /c/ca <- --client-ca-file=ca at /proc/812/cmdline",
		}},
		"an account with a path of nobody knows where": {kubelet.ClientCAFile, "--config=/c/a", file("a", "") +
			"-- configz.json --\n" + strings.Replace(account, "/ca", "ca", 1), []string{
			`running error: /configz: "ca": a relative path, and the kubelet's working directory is not known`,
			`persisted  <- authentication.x509.clientCAFile: "" at /c/a; not set, this is the default`,
		}},
		"unreadable environment": {port, "--config=/c/a", unit + file("a", "") + "-- etc/default/kubelet unreadable --\n", []string{
			"running 0 <- readOnlyPort: 0 at /c/a; not set, this is the default with a configuration file",
			"persisted error: /etc/default/kubelet: permission denied",
		}},
		"a unit that starts a shell": {port, "--config=/c/a", file("a", "") + "-- etc/systemd/system/kubelet.service --\n[Service]\nExecStart=/bin/sh /run.sh\n", []string{
			"0 <- readOnlyPort: 0 at /c/a; not set, this is the default with a configuration file",
		}},
		"a unit that starts a shell, and no process": {port, "", "-- etc/systemd/system/kubelet.service --\n[Service]\nExecStart=/bin/sh /run.sh\n", []string{
			"error: /etc/systemd/system/kubelet.service:2: the unit starts another program, which may start the kubelet",
		}},
		"a unit that starts a script of a similar name, and no process": {port, "", "-- etc/systemd/system/kubelet.service --\n[Service]\nExecStart=/opt/bin/kubelet-start.sh\n", []string{
			"error: /etc/systemd/system/kubelet.service:2: the unit starts another program, which may start the kubelet",
		}},
		"a unit that starts one of several versions": {port, "", "-- etc/systemd/system/kubelet.service --\n[Service]\nExecStart=/opt/bin/kubelet-1.30.2 --read-only-port=3\n", []string{
			"3 <- --read-only-port=3 at /etc/systemd/system/kubelet.service:2",
		}},
		"drop-ins of a kubelet that merges them otherwise": {kubelet.PodPidsLimit, "", file("a", "podPidsLimit: 4096\n") + file("d/1.conf", "maxPods: 9\n") +
			"-- etc/systemd/system/kubelet.service --\n[Service]\nExecStart=/opt/bin/kubelet-1.28.5 --config=/c/a --config-dir=/c/d\n", []string{
			"error: /c/d: the defaults of drop-ins replace what is set before them in version 1.28",
		}},
		"a link that was changed since the start": {port, "--config=/c/now", file("a mtime=2026-01-01T00:00:00Z", "") + started +
			"-- c/now mtime=2026-11-01T10:00:00Z -> a --\n", []string{
			"running error: /c/now: it changed after the kubelet started, so that what is in force is not known",
			"persisted 0 <- readOnlyPort: 0 at /c/now; not set, this is the default with a configuration file",
		}},
		"a kubelet that is asked for its version beside it": {port, "--config=/c/a", file("a", "") + "-- proc/99/cmdline nul --\nkubelet\n--version\n", []string{
			"0 <- readOnlyPort: 0 at /c/a; not set, this is the default with a configuration file",
		}},
		"a file that went from a directory of drop-ins": {port, "--config-dir=/c/d", "-- c/d/ mtime=2026-01-01T00:00:00Z --\n-- c/d/sub/ mtime=2026-11-01T10:00:00Z --\n" +
			file("d/a.conf mtime=2026-01-01T00:00:00Z", "readOnlyPort: 0\n") + started, []string{
			"running error: /c/d/sub: it changed after the kubelet started, so that what is in force is not known",
			"persisted 0 <- readOnlyPort: 0 at /c/d/a.conf:3",
		}},
		"a field of another type under a flag": {port, "--config=/c/a --read-only-port=0", file("a", "readOnlyPort: x\n"), []string{
			"error: /c/a:3: malformed: readOnlyPort: the value is of another type",
		}},
		"k3s in a pod": {port, "", "-- proc/5/cmdline nul --\nk3s server\n-- proc/5/cgroup --\n0::/kubepods/pod1\n", []string{
			"error: /proc/5/cmdline: it is the kubelet of a container, not of this machine",
		}},
		"two kubelets": {port, "--config=/c/a", file("a", "") + "-- proc/99/cmdline nul --\nkubelet\n", []string{"error: /proc/99/cmdline: more than one kubelet runs: 812 and 99"}},
		"a kubelet of a container beside it": {port, "--config=/c/a", file("a", "") + "-- proc/99/cmdline nul --\nkubelet\n-- proc/99/status --\nNSpid:\t99\t5\n", []string{
			"0 <- readOnlyPort: 0 at /c/a; not set, this is the default with a configuration file",
		}},
		"a kubelet of a container": {port, "", "-- proc/99/cmdline nul --\nkubelet\n-- proc/99/status --\nNSpid:\t99\t5\n", []string{
			"error: /proc/99/cmdline: it is the kubelet of a container, not of this machine",
		}},
		"a user's process of that name": {port, "", unit + file("a", "readOnlyPort: 2\n") + "-- proc/99/cmdline nul --\nkubelet\n--read-only-port=0\n-- proc/99/status --\nUid:\t5\t5\t5\t5\n", []string{"2 <- readOnlyPort: 2 at /c/a:3"}},
		"a program that nothing starts": {port, "", "-- usr/bin/kubelet --\n", []string{"error: /usr/bin/kubelet: a kubelet is or was installed, and what starts it is not known"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			k := read(t, test.args, test.archive)
			var got []string
			for _, r := range k.Field(test.field) {
				got = append(got, line(r))
			}
			if diff := cmp.Diff(test.want, got); diff != "" || k.Absent != "" {
				t.Errorf("absent: %q, -want +got:\n%s", k.Absent, diff)
			}
		})
	}
}

// TestGateSinceStart: a flag for all gates does not tell what a file said of one.
func TestGateSinceStart(t *testing.T) {
	const changed = "a mtime=2026-11-01T10:00:00Z"
	for flag, want := range map[string][]string{
		"AllBeta=true": {
			"running error: /c/a: it changed after the kubelet started, so that what is in force is not known",
			"persisted true <- --feature-gates=AllBeta=true at /proc/812/cmdline",
		},
		"G=true": {"true <- --feature-gates=G=true at /proc/812/cmdline"},
	} {
		var got []string
		for _, r := range read(t, "--config=/c/a --feature-gates="+flag, started+file(changed, "")).Gate("G", true) {
			got = append(got, line(r))
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: -want +got:\n%s", flag, diff)
		}
	}
}

func TestAbsent(t *testing.T) {
	tests := map[string]struct {
		archive string
		absent  bool
	}{
		"nothing":             {archive: "-- etc/passwd --\n", absent: true},
		"a masked unit":       {archive: "-- etc/systemd/system/kubelet.service -> /dev/null --\n", absent: true},
		"another user's":      {archive: "-- proc/9/cmdline nul --\nkubelet\n-- proc/9/status --\nUid:\t5\t5\t5\t5\n"},
		"what a kubelet left": {archive: "-- var/lib/kubelet/ --\n"},
		"an unreadable unit":  {archive: "-- etc/systemd/system/kubelet.service unreadable --\n"},
		"hidden processes":    {archive: "-- proc/9/cmdline unreadable --\n"},
		"an account suffices": {archive: "-- configz.json --\n" + account},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if k := read(t, "", test.archive); (k.Absent != "") != test.absent {
				t.Errorf("Absent is %q", k.Absent)
			}
		})
	}
}

func TestFlag(t *testing.T) {
	k := read(t, "--hostname_override=a --hostname-override= --kubeconfig=k", "-- proc/812/cwd -> /var --\n")
	if got := k.Flag(kubelet.FlagHostnameOverride, false); len(got) != 1 || got[0].V != "" || got[0].Given != "--hostname-override=" {
		t.Errorf("the flag is %+v", got)
	}
	if got := k.Flag(kubelet.FlagKubeconfig, true); len(got) != 1 || got[0].V != "/var/k" {
		t.Errorf("the flag is %+v", got)
	}
	if got := k.Flag(kubelet.FlagRootDir, true); len(got) != 1 || got[0].V != "" || got[0].Note != "not set" {
		t.Errorf("the flag is %+v", got)
	}
}

func TestVersion(t *testing.T) {
	tests := map[string]struct{ program, archive, want string }{
		"not known":          {program: "/usr/bin/kubelet"},
		"in the name":        {program: "/opt/bin/kubelet-1.29.2", want: "1.29"},
		"in a directory":     {program: "/opt/v1.34.1/bin/kubelet", want: "1.34"},
		"in the link":        {program: "/usr/local/bin/kubelet", archive: "-- usr/local/bin/kubelet -> /opt/kubernetes-1.33.0/kubelet --\n-- opt/kubernetes-1.33.0/kubelet --\n", want: "1.33"},
		"of the package":     {program: "/usr/bin/kubelet", archive: "-- usr/bin/kubelet --\n-- var/lib/dpkg/status --\nPackage: kubelet\nStatus: install ok installed\nVersion: 1.36.0-1.1\n", want: "1.36"},
		"of another package": {program: "/opt/kubelet", archive: "-- opt/kubelet --\n-- var/lib/dpkg/status --\nPackage: kubelet\nStatus: install ok installed\nVersion: 1.36.0-1.1\n"},
		"two that differ":    {program: "/opt/1.33/kubelet-1.34"},
		"no version":         {program: "/opt/1.x/kubelet"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			tree, err := hosttest.Text("-- proc/1/cmdline nul --\ninit\n-- proc/9/cmdline nul --\n" + test.program + "\n" + test.archive)
			if err != nil {
				t.Fatal(err)
			}
			k, err := kubelet.Read(host.New(tree))
			if err != nil {
				t.Fatal(err)
			}
			got := ""
			if k.Version.Where != "" {
				got = k.Version.String()
			}
			if got != test.want {
				t.Errorf("the version is %q, want %q", got, test.want)
			}
		})
	}
}

// TestEffective: the form in which two sources of a whole configuration are compared.
func TestEffective(t *testing.T) {
	k := read(t, "--config=/c/a --feature-gates=G=false",
		file("a", "readOnlyPort: 1\nauthentication: {x509: {clientCAFile: /ca}}\n")+"-- configz.json --\n"+account)
	disk, err := k.Effective()
	if err != nil {
		t.Fatal(err)
	}
	if disk["streamingConnectionIdleTimeout"] != (4 * time.Hour).String() {
		t.Errorf("the time is %v", disk["streamingConnectionIdleTimeout"])
	}
	force, err := k.Account()
	if err != nil {
		t.Fatal(err)
	}
	// The account of the test leaves out what a kubelet would not.
	for _, path := range []string{"streamingConnectionIdleTimeout", "makeIPTablesUtilChains", "eventRecordQPS", "podPidsLimit"} {
		delete(disk, path)
		delete(force, path)
	}
	if diff := cmp.Diff(disk, force); diff != "" {
		t.Errorf("-disk +force:\n%s", diff)
	}
}

func FuzzField(f *testing.F) {
	f.Add("authentication: {anonymous: {enabled: no}}\n", "authentication: null\n", account)
	f.Add("featureGates: {A: true}\ntlsCipherSuites: [A]\n", "featureGates: {A: null}\nreadOnlyPort: 0x10\n", "{}")
	f.Add("x: &a {y: *a}\n<<: *a\n", "? a\n: b\n", "")
	f.Add("authorization: &a\n  mode: *a\n", "!!map {readOnlyPort: !x 1}", `{"kubeletconfig":{"authentication":1}}`)
	f.Fuzz(func(t *testing.T, base, dropIn, configz string) {
		tree, err := hosttest.Text("-- proc/1/cmdline nul --\ninit\n-- proc/9/cmdline nul --\nkubelet\n--config=/c/a\n--config-dir=/c/d\n")
		if err != nil {
			t.Fatal(err)
		}
		tree.Write("c/a", head+base)
		tree.Write("c/d/1.conf", head+dropIn)
		tree.Write("c/d/2.conf", head+"readOnlyPort: 0\n")
		h := host.New(tree)
		host.Provide(h, kubelet.ConfigzBody(configz))
		k, err := kubelet.Read(h)
		if err != nil {
			t.Fatal(err)
		}
		for _, field := range kubelet.Fields {
			for _, r := range k.Field(field) {
				if r.Err == nil && (r.Where == "" || r.Given == "" || r.V == nil) {
					t.Errorf("%s: %+v", field.Path, r)
				}
			}
		}
		// The last drop-in counts, unless a file cannot be told.
		got := k.Field(kubelet.ReadOnlyPort)
		if r := got[len(got)-1]; r.Err == nil && r.Int() != 0 {
			t.Errorf("%+v", r)
		}
	})
}
