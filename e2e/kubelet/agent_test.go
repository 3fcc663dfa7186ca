package kubelet

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/hardgate-dev/hardgate/api/v1alpha1"
	"github.com/hardgate-dev/hardgate/control"
	"github.com/hardgate-dev/hardgate/e2e/apply"
	"github.com/hardgate-dev/hardgate/e2e/enclosure"
	"github.com/hardgate-dev/hardgate/e2e/gate"
	"github.com/hardgate-dev/hardgate/e2e/node"
	"github.com/hardgate-dev/hardgate/e2e/process"
)

const (
	agentNamespace = "hardgate-system"
	agentName      = "hardgate-nodecheck"
)

// TestAgent runs the pod of the agent's DaemonSet on the node. What it writes into
// its NodeReport, with its own token, is what hardgate node says on the node itself.
func TestAgent(t *testing.T) {
	needLab(t)
	a, onDisk := newAgent(t)
	// One of the directories is a mount of its own when the pod starts.
	release := mountOver(t, "/boot")
	start := time.Now()
	a.runPod(t, corev1.SeccompProfile{Type: corev1.SeccompProfileTypeRuntimeDefault})
	first := a.firstReport(t)
	t.Logf("the first report came %s after the pod was made", time.Since(start).Round(time.Millisecond))

	t.Run("the report is the node's", func(t *testing.T) {
		node, err := lab.admin.CoreV1().Nodes().Get(t.Context(), enclosure.Host, metav1.GetOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if o := first.OwnerReferences; len(o) != 1 || o[0].Kind != "Node" || o[0].UID != node.UID {
			t.Errorf("owned by %+v, want the node %s", o, node.UID)
		}
	})
	t.Run("it says what hardgate node says", func(t *testing.T) { a.agrees(t, &first) })
	t.Run("it reads what only root may", func(t *testing.T) {
		for _, id := range []string{"single-user-auth", "pw-max-age", "pw-inactive", "kubelet-kubeconfig-mode"} {
			if r := verdict(&first, id); r.Status == "" || r.Status == string(control.Unknown) {
				t.Errorf("%+v", r)
			}
		}
	})
	t.Run("it may do little", holdsLittle)
	t.Run("it notices a file", func(t *testing.T) {
		chmod(t, configFile, 0o644)
		a.notices(t, "kubelet-config-mode", configFile, "", true)
	})
	t.Run("it notices the network of the node", func(t *testing.T) {
		const martians = "/proc/sys/net/ipv4/conf/all/log_martians"
		for _, value := range []string{"0", "1", "0"} {
			if err := os.WriteFile(martians, []byte(value), 0o644); err != nil {
				t.Fatal(err)
			}
			a.notices(t, "sysctl-log-martians", martians, "", value == "0")
		}
	})
	if minor(t) < tells {
		t.Run("it goes by files, and says so", func(t *testing.T) { a.goesByFiles(t, onDisk) })
		t.Run("it ends when it is told to", a.ends)
		return
	}
	t.Run("it tells what is in force from what is on disk", func(t *testing.T) {
		for _, port := range []string{"10255", "0"} {
			text := head + strings.Replace(onDisk, "readOnlyPort: 0", "readOnlyPort: "+port, 1)
			if err := os.WriteFile(configFile, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			a.notices(t, "kubelet-read-only-port", configFile, "at-reboot", port != "0")
		}
	})
	t.Run("it notices another kubelet", func(t *testing.T) {
		if err := a.kubelet.Stop(t.Context(), 10*time.Second); err != nil {
			t.Fatal(err)
		}
		a.kubelet = a.startKubelet(t, "--anonymous-auth") // which ends with this part of the test
		a.notices(t, "kubelet-anonymous-auth", "/configz", "now", true)
	})
	t.Run("it writes with its own token, and seldom", writesSeldom)
	a.kubelet = a.startKubelet(t)
	t.Run("it starts again where a filesystem is taken off", func(t *testing.T) { a.startsAgain(t, release) })
	t.Run("it ends when it is told to", a.ends)
}

// TestAgentWithoutOpenat2 runs it where a profile from before Linux 5.6 refuses the
// call with which it opens the node's files.
func TestAgentWithoutOpenat2(t *testing.T) {
	needLab(t)
	a, _ := newAgent(t)
	write(t, map[string]string{"/var/lib/kubelet/seccomp/old.json": `{
		"defaultAction": "SCMP_ACT_ALLOW",
		"syscalls": [{"names": ["openat2"], "action": "SCMP_ACT_ERRNO", "errnoRet": 1}]
	}`})
	a.runPod(t, corev1.SeccompProfile{Type: corev1.SeccompProfileTypeLocalhost, LocalhostProfile: new("old.json")})
	first := a.firstReport(t)
	a.agrees(t, &first)
	a.ends(t)
}

// agent is the pod at work.
type agent struct {
	client   *apply.Client
	kubelet  *process.Running
	hardgate string // the command
}

// newAgent prepares a node with a kubelet for the agent's pod. onDisk is the kubelet's
// configuration.
func newAgent(t *testing.T) (a *agent, onDisk string) {
	t.Helper()
	nodecheck := filepath.Join(enclosure.Dir(), "nodecheck")
	a = &agent{client: newClient(t), hardgate: filepath.Join(enclosure.Dir(), "hardgate")}
	for pkg, binary := range map[string]string{"./cmd/nodecheck": nodecheck, "./cmd/hardgate": a.hardgate} {
		if err := gate.Build(t.Context(), lab.repo, pkg, binary); err != nil {
			t.Fatal(err)
		}
	}
	if err := lab.runtime.ImportCommand(t.Context(), nodecheck, node.AgentImage); err != nil {
		t.Fatal(err)
	}
	install(t, a.client)
	onDisk = node.Hardened
	write(t, units("IPAddressDeny=any\n", "--config="+configFile))
	write(t, config(onDisk))
	// No user may read it, as on Red Hat's systems, and root only by its capability.
	chmod(t, "/etc/shadow", 0)
	a.kubelet = a.startKubelet(t)
	return a, onDisk
}

// firstReport waits for the first report that has the kubelet's own account.
func (a *agent) firstReport(t *testing.T) v1alpha1.NodeReport {
	t.Helper()
	return a.await(t, "the first report", func(r *v1alpha1.NodeReport) error {
		if v := verdict(r, "kubelet-anonymous-auth"); v.Status != string(control.Pass) {
			return fmt.Errorf("kubelet-anonymous-auth: %+v", v)
		}
		return nil
	})
}

// agrees holds a report against what hardgate node says on the node itself.
func (a *agent) agrees(t *testing.T, r *v1alpha1.NodeReport) {
	t.Helper()
	here := judgeNode(t, a.hardgate)
	for _, got := range r.Status.Results {
		if want := here[control.ID(got.Control)]; string(want.Status) != got.Status {
			t.Errorf("%s is %s, on the node itself %s\nin the pod: %+v\nhere: %+v", got.Control, got.Status, want.Status, got.Findings, want.Findings)
		}
	}
	if len(here) != len(r.Status.Results) {
		t.Errorf("%d results, on the node itself %d", len(r.Status.Results), len(here))
	}
}

// startKubelet starts the kubelet of the unit, with more flags perhaps.
func (a *agent) startKubelet(t *testing.T, more ...string) *process.Running {
	t.Helper()
	k := run(t, process.Program{Name: "kubelet", Path: program, Args: append(append(needed(), "--config="+configFile), more...)})
	awaitPort(t, k, kubeletPort)
	return k
}

// verdict finds the result of a control; the zero value where there is none.
func verdict(r *v1alpha1.NodeReport, id string) v1alpha1.NodeResult {
	for _, result := range r.Status.Results {
		if result.Control == id {
			return result
		}
	}
	return v1alpha1.NodeResult{}
}

// notices waits until a control has a finding at a path, with a drift if that is not
// empty, or until it has none.
func (a *agent) notices(t *testing.T, id, path, drift string, wrong bool) {
	t.Helper()
	begin := time.Now()
	a.await(t, fmt.Sprintf("%s to have a finding at %s: %v", id, path, wrong), func(r *v1alpha1.NodeReport) error {
		result := verdict(r, id)
		if result.Status == "" || result.Status == string(control.Unknown) {
			return fmt.Errorf("%s cannot be told: %+v", id, result)
		}
		found := false
		for _, f := range result.Findings {
			found = found || strings.HasPrefix(f.Path, path) && (drift == "" || f.Drift == drift)
		}
		if found != wrong {
			return fmt.Errorf("%+v", result)
		}
		return nil
	})
	t.Logf("in the report %s after the change", time.Since(begin).Round(time.Millisecond))
}

// writesSeldom looks at what the API server has logged of the agent.
func writesSeldom(t *testing.T) {
	events, err := lab.cluster.AuditEvents()
	if err != nil {
		t.Fatal(err)
	}
	reports := 0
	for _, e := range events {
		if e.User.Username != "system:serviceaccount:"+agentNamespace+":"+agentName {
			continue
		}
		if node := e.User.Extra["authentication.kubernetes.io/node-name"]; len(node) != 1 || node[0] != enclosure.Host {
			t.Errorf("%s of %s with a token that is bound to the node %v", e.Verb, e.ObjectRef.Resource, node)
		}
		if e.ObjectRef.Subresource == "status" {
			reports++
		}
		if e.ResponseStatus.Code >= 400 {
			t.Errorf("%s of %s is answered %d", e.Verb, e.ObjectRef.Resource, e.ResponseStatus.Code)
		}
	}
	// The first one, one for each change above, and some for each kubelet that comes
	// and goes.
	if reports == 0 || reports > 25 {
		t.Errorf("%d writes of the report", reports)
	}
	t.Logf("%d writes of the report", reports)
}

// holdsLittle looks at what the kernel lets the agent's process do.
func holdsLittle(t *testing.T) {
	commands, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range commands {
		line, err := os.ReadFile(name)
		if err != nil || !strings.HasPrefix(string(line), "/nodecheck\x00") {
			continue
		}
		status, err := os.ReadFile(filepath.Join(filepath.Dir(name), "status"))
		if err != nil {
			t.Fatal(err)
		}
		fields := map[string]string{}
		for l := range strings.Lines(string(status)) {
			key, value, _ := strings.Cut(l, ":")
			fields[key] = strings.TrimSpace(value)
		}
		const dacReadSearch = 2 // linux/capability.h
		for key, want := range map[string]string{
			"CapEff": fmt.Sprintf("%016x", 1<<dacReadSearch), "CapPrm": fmt.Sprintf("%016x", 1<<dacReadSearch),
			"CapBnd": fmt.Sprintf("%016x", 1<<dacReadSearch), "NoNewPrivs": "1", "Seccomp": "2",
		} {
			if fields[key] != want {
				t.Errorf("%s is %s, want %s", key, fields[key], want)
			}
		}
		kb, err := strconv.Atoi(strings.TrimSuffix(fields["VmRSS"], " kB"))
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("the agent has %d KiB resident", kb)
		return
	}
	t.Error("no process of the agent is found")
}
