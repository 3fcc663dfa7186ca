package integration

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"

	"github.com/hardgate-dev/hardgate/api/v1alpha1"
	"github.com/hardgate-dev/hardgate/e2e/agent"
	"github.com/hardgate-dev/hardgate/e2e/apply"
)

// graceTime is a control that a test can turn by one line of sshd_config.
const graceTime = "ssh-login-grace-time"

// nodeFiles is as much of a node as that control reads.
var nodeFiles = map[string]string{
	"etc/os-release":                       "PRETTY_NAME=\"Ubuntu 22.04.5 LTS\"\nID=ubuntu\n",
	"etc/ssh/sshd_config":                  sshd(30),
	"etc/crontab":                          "",
	"usr/sbin/sshd":                        "",
	"usr/lib/systemd/system/ssh.service":   "[Service]\nExecStart=/usr/sbin/sshd -D\n",
	"var/lib/dpkg/status":                  "Package: openssh-server\nStatus: install ok installed\nVersion: 1:8.9p1-3ubuntu0.10\n",
	"etc/systemd/system/other.wants/empty": "",
}

func sshd(seconds int) string { return fmt.Sprintf("LoginGraceTime %d\n", seconds) }

// machine is a directory that plays a node, and what the cluster knows of it.
type machine struct {
	t    *testing.T
	name string
	uid  types.UID
	root string
}

func newMachine(t *testing.T) *machine {
	t.Helper()
	m := &machine{t: t, name: fmt.Sprintf("node-%d", serial.Add(1)), root: t.TempDir()}
	for name, content := range nodeFiles {
		m.write(name, content)
	}
	wants := filepath.Join(m.root, "etc", "systemd", "system", "multi-user.target.wants")
	m.must(os.MkdirAll(wants, 0o755))
	m.must(os.Symlink("/usr/lib/systemd/system/ssh.service", filepath.Join(wants, "ssh.service")))
	if err := agent.Install(t.Context(), lab.cluster, lab.repo); err != nil {
		t.Fatal(err)
	}
	node, err := agent.Enlist(t.Context(), lab.admin, m.name)
	if err != nil {
		t.Fatal(err)
	}
	m.uid = node.UID
	return m
}

func (m *machine) must(err error) {
	m.t.Helper()
	if err != nil {
		m.t.Fatal(err)
	}
}

// write replaces a file as editors do: another takes its place.
func (m *machine) write(name, content string) {
	m.t.Helper()
	path := filepath.Join(m.root, name)
	m.must(os.MkdirAll(filepath.Dir(path), 0o755))
	m.must(os.WriteFile(path+"~", []byte(content), 0o600))
	m.must(os.Rename(path+"~", path))
}

func (m *machine) start(o agent.Options) *agent.Agent {
	m.t.Helper()
	o.Cluster, o.Admin, o.Repo, o.Node, o.Root = lab.cluster, lab.admin, lab.repo, m.name, m.root
	a, err := agent.Start(m.t.Context(), o)
	m.must(err)
	m.t.Cleanup(func() {
		if m.t.Failed() {
			m.t.Logf("the end of the agent's log:\n%s", a.Log())
		}
		if err := a.Stop(ctxOf(m.t)); err != nil {
			m.t.Error(err)
		}
	})
	return a
}

func (m *machine) reports() dynamic.ResourceInterface {
	m.t.Helper()
	client, err := dynamic.NewForConfig(lab.config)
	m.must(err)
	return client.Resource(v1alpha1.GroupVersion.WithResource("nodereports"))
}

// report reads the report; nil if there is none.
func (m *machine) report() *v1alpha1.NodeReport {
	m.t.Helper()
	stored, err := m.reports().Get(m.t.Context(), m.name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return nil
	}
	m.must(err)
	return m.typed(stored)
}

func (m *machine) typed(u *unstructured.Unstructured) *v1alpha1.NodeReport {
	m.t.Helper()
	data, err := u.MarshalJSON()
	m.must(err)
	var r v1alpha1.NodeReport
	m.must(json.Unmarshal(data, &r))
	return &r
}

func result(r *v1alpha1.NodeReport, control string) v1alpha1.NodeResult {
	if r == nil {
		return v1alpha1.NodeResult{}
	}
	i := slices.IndexFunc(r.Status.Results, func(x v1alpha1.NodeResult) bool { return x.Control == control })
	if i < 0 {
		return v1alpha1.NodeResult{}
	}
	return r.Status.Results[i]
}

// await waits until the report says what is wanted, and returns it.
func (m *machine) await(status string, limit time.Duration) *v1alpha1.NodeReport {
	m.t.Helper()
	for deadline := time.Now().Add(limit); ; time.Sleep(5 * time.Millisecond) {
		r := m.report()
		if result(r, graceTime).Status == status {
			return r
		}
		if time.Now().After(deadline) {
			m.t.Fatalf("%s is not %s after %s: %+v", graceTime, status, limit, result(r, graceTime))
		}
	}
}

const soon = 20 * time.Second

func TestNodeReport(t *testing.T) {
	m := newMachine(t)
	m.start(agent.Options{})
	r := m.await("Pass", soon)
	owner := metav1.OwnerReference{APIVersion: "v1", Kind: "Node", Name: m.name, UID: m.uid}
	if len(r.OwnerReferences) != 1 || r.OwnerReferences[0] != owner {
		t.Errorf("owners %+v, want %+v", r.OwnerReferences, owner)
	}
	if r.Status.OS != "Ubuntu 22.04.5 LTS" || r.Status.RuleSet == "" || r.Status.AgentVersion == "" {
		t.Errorf("status of %q by %q, rules %q", r.Status.OS, r.Status.AgentVersion, r.Status.RuleSet)
	}
	s := r.Status.Summary
	if sum := s.Pass + s.Fail + s.Unknown + s.Manual + s.NotApplicable + s.Exempt; int(sum) != len(r.Status.Results) || s.Pass == 0 {
		t.Errorf("summary %+v of %d results", s, len(r.Status.Results))
	}
	for _, f := range r.ManagedFields {
		if f.Manager != "hardgate-nodecheck" || f.Operation != metav1.ManagedFieldsOperationApply {
			t.Errorf("fields are managed by %s, operation %s", f.Manager, f.Operation)
		}
	}
	lease, err := lab.admin.CoordinationV1().Leases(agent.Namespace).Get(t.Context(), m.name, metav1.GetOptions{})
	for deadline := time.Now().Add(soon); apierrors.IsNotFound(err) && time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		lease, err = lab.admin.CoordinationV1().Leases(agent.Namespace).Get(t.Context(), m.name, metav1.GetOptions{})
	}
	if err != nil {
		t.Fatal(err)
	}
	if len(lease.OwnerReferences) != 1 || lease.OwnerReferences[0] != owner || lease.Spec.RenewTime == nil || *lease.Spec.LeaseDurationSeconds != 900 {
		t.Errorf("lease %+v of %+v", lease.Spec, lease.OwnerReferences)
	}
}

// An edit is in the report in under a second; what it takes on this machine is logged.
func TestNodeReportFollowsEdits(t *testing.T) {
	m := newMachine(t)
	m.start(agent.Options{})
	m.await("Pass", soon)
	var took []time.Duration
	for i := range 6 {
		seconds, want := 300, "Fail"
		if i%2 == 1 {
			seconds, want = 30, "Pass"
		}
		begin := time.Now()
		m.write("etc/ssh/sshd_config", sshd(seconds))
		m.await(want, soon)
		took = append(took, time.Since(begin))
	}
	slices.Sort(took)
	t.Logf("an edit of sshd_config is in the report after %s, of %s to %s", took[len(took)/2], took[0], took[len(took)-1])
	if median := took[len(took)/2]; median > 5*time.Second {
		t.Errorf("the median of %v is above 5 s", took)
	}
	f := result(m.report(), graceTime)
	if len(f.Findings) != 0 {
		t.Errorf("a pass has findings: %+v", f.Findings)
	}
	m.write("etc/ssh/sshd_config", "X11Forwarding no\n"+sshd(300))
	if f = result(m.await("Fail", soon), graceTime); len(f.Findings) != 1 || f.Findings[0].Path != "/etc/ssh/sshd_config:2" {
		t.Errorf("findings %+v", f.Findings)
	}
}

// What says the same as before is not written again: not when a file is, not when the
// agent is started anew.
func TestNodeReportIsWrittenOnChangeOnly(t *testing.T) {
	m := newMachine(t)
	a := m.start(agent.Options{Flags: []string{"--heartbeat", "1s", "--interval", "1s"}})
	before := m.await("Pass", soon)
	m.write("etc/ssh/sshd_config", sshd(30))
	m.write("etc/ssh/sshd_config", sshd(31)) // another text, another evidence, the same verdict
	time.Sleep(3 * time.Second)              // full passes and heartbeats
	m.wantWrites(a, 1)
	if err := a.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	again := m.start(agent.Options{Flags: []string{"--heartbeat", "1s"}})
	time.Sleep(3 * time.Second)
	m.wantWrites(again, 0)
	if after := m.report(); after.ResourceVersion != before.ResourceVersion || after.UID != before.UID {
		t.Errorf("the report was written: version %s, then %s", before.ResourceVersion, after.ResourceVersion)
	}
}

// wantWrites asserts how often the agent wrote the report. The API server stores
// nothing where what is written is there already, so that a version does not tell.
func (m *machine) wantWrites(a *agent.Agent, want float64) {
	m.t.Helper()
	series, err := a.Metrics(m.t.Context())
	m.must(err)
	if got := series["hardgate_node_report_writes_total"]; got != want {
		m.t.Errorf("the agent wrote the report %v times, want %v", got, want)
	}
	if series["hardgate_node_lease_renewed_timestamp_seconds"] == 0 || series["hardgate_node_report_delivered"] != 1 {
		m.t.Error("the agent says that nothing is delivered")
	}
}

func TestNodeReportIsRestored(t *testing.T) {
	m := newMachine(t)
	m.start(agent.Options{Flags: []string{"--heartbeat", "1s"}})
	first := m.await("Pass", soon)
	if err := m.reports().Delete(t.Context(), m.name, metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	if r := m.await("Pass", soon); r.UID == first.UID {
		t.Error("the report was not deleted")
	}
	forged := []byte(`{"status":{"results":[{"control":"` + graceTime + `","status":"Exempt"}]}}`)
	if _, err := m.reports().Patch(t.Context(), m.name, types.MergePatchType, forged, metav1.PatchOptions{}, "status"); err != nil {
		t.Fatal(err)
	}
	r := m.await("Pass", soon)
	// What somebody else adds beside what the agent writes goes as well, though by the
	// rules of server-side apply it would be the other's.
	forged = []byte(`{"apiVersion":"` + r.APIVersion + `","kind":"NodeReport","metadata":{"name":"` + m.name + `"},"status":{"benchmarks":["forged"],` +
		`"results":[{"control":"forged","status":"Pass"},{"control":"` + graceTime + `","status":"Exempt"}],"summary":{"pass":0,"fail":0,"notApplicable":0,"manual":0,"unknown":0,"exempt":1}}}`)
	force := true
	if _, err := m.reports().Patch(t.Context(), m.name, types.ApplyPatchType, forged, metav1.PatchOptions{FieldManager: "forger", Force: &force}, "status"); err != nil {
		t.Fatal(err)
	}
	r = m.await("Pass", soon)
	if result(r, "forged").Status != "" || len(r.Status.Benchmarks) > 0 {
		t.Errorf("benchmarks %q, and of a forged control %+v", r.Status.Benchmarks, result(r, "forged"))
	}
}

// While the API server is away the agent goes on; when it is back, the latest is
// delivered, and nothing of what was meanwhile.
func TestNodeReportAfterTheServerWasAway(t *testing.T) {
	m := newMachine(t)
	door := newDoor(t, lab.config.Host)
	m.start(agent.Options{Server: door.url()})
	before := m.await("Pass", soon)
	door.shut()
	m.write("etc/ssh/sshd_config", sshd(300))
	time.Sleep(time.Second)
	m.write("etc/ssh/sshd_config", sshd(200))
	time.Sleep(time.Second)
	if r := m.report(); r.ResourceVersion != before.ResourceVersion {
		t.Fatal("the door is not shut")
	}
	door.open()
	r := m.await("Fail", time.Minute)
	if f := result(r, graceTime).Findings; len(f) == 0 || !strings.Contains(f[0].Actual, "200") {
		t.Errorf("findings %+v, want the latest", f)
	}
	if r.Generation != before.Generation {
		t.Errorf("generation %d, then %d", before.Generation, r.Generation)
	}
}

func TestAgentEnds(t *testing.T) {
	m := newMachine(t)
	a := m.start(agent.Options{})
	m.await("Pass", soon)
	begin := time.Now()
	if err := a.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(begin); took > 5*time.Second {
		t.Errorf("it took %s to end", took)
	}
	if log := a.Log(); strings.Contains(log, "error:") {
		t.Errorf("it ended with an error:\n%s", log)
	}
}

// The API server takes the manifests, without a word about a field.
func TestManifests(t *testing.T) {
	client := newClient(t)
	for _, dir := range []string{"nodecheck", "controller", "webhook", "namespace"} { // in this order, for the namespaces
		objects, err := apply.ReadDir(filepath.Join(lab.repo, "manifests", dir))
		if err != nil {
			t.Fatal(err)
		}
		if dir == "nodecheck" {
			if err := agent.Install(t.Context(), lab.cluster, lab.repo); err != nil {
				t.Fatal(err)
			}
		}
		for _, obj := range objects {
			if strings.HasSuffix(obj.GetKind(), "WebhookConfiguration") {
				continue // the lab has its own
			}
			warnings, err := client.Apply(t.Context(), obj)
			if err != nil {
				t.Errorf("%s %s: %v", obj.GetKind(), obj.GetName(), err)
			}
			for _, w := range warnings {
				if !strings.Contains(w, "hardgate: ") { // the gate's own: a root mount is what it warns of
					t.Errorf("%s %s: %s", obj.GetKind(), obj.GetName(), w)
				}
			}
		}
	}
}

// The agent has no right on what it does not write.
func TestAgentRights(t *testing.T) {
	m := newMachine(t)
	a := m.start(agent.Options{})
	m.await("Pass", soon)
	token, err := a.Token()
	m.must(err)
	cfg := rest.AnonymousClientConfig(lab.config)
	cfg.BearerToken = token
	client, err := dynamic.NewForConfig(cfg)
	m.must(err)
	reports := client.Resource(v1alpha1.GroupVersion.WithResource("nodereports"))
	core := func(resource string) dynamic.NamespaceableResourceInterface {
		return client.Resource(schema.GroupVersionResource{Version: "v1", Resource: resource})
	}
	ctx := t.Context()
	for name, ask := range map[string]func() error{
		"list reports":    func() error { _, err := reports.List(ctx, metav1.ListOptions{}); return err },
		"delete a report": func() error { return reports.Delete(ctx, m.name, metav1.DeleteOptions{}) },
		"read a node":     func() error { _, err := core("nodes").Get(ctx, m.name, metav1.GetOptions{}); return err },
		"change a node": func() error {
			_, err := core("nodes").Patch(ctx, m.name, types.MergePatchType, []byte(`{"spec":{"taints":null}}`), metav1.PatchOptions{})
			return err
		},
		"read secrets": func() error {
			_, err := core("secrets").Namespace(agent.Namespace).List(ctx, metav1.ListOptions{})
			return err
		},
		"read pods": func() error {
			_, err := core("pods").Namespace(agent.Namespace).List(ctx, metav1.ListOptions{})
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			if err := ask(); !apierrors.IsForbidden(err) {
				t.Errorf("error %v, want forbidden", err)
			}
		})
	}
}

func TestAgentRefusesAnotherNode(t *testing.T) {
	m := newMachine(t)
	o := agent.Options{Cluster: lab.cluster, Admin: lab.admin, Repo: lab.repo, Node: m.name, Root: m.root, Flags: []string{"--node-name", "another"}}
	a, err := agent.Start(t.Context(), o)
	if err == nil {
		_ = a.Stop(t.Context())
		t.Fatal("it writes the report of another node")
	}
	if !strings.Contains(err.Error(), "bound to the node") {
		t.Errorf("error %v", err)
	}
	missing := o
	missing.Root, missing.Flags = filepath.Join(m.root, "nowhere"), nil
	if _, err := agent.Start(t.Context(), missing); err == nil || !strings.Contains(err.Error(), "--root") || errors.Is(err, fs.ErrPermission) {
		t.Errorf("error %v, want one about --root", err)
	}
}
