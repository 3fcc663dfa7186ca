package integration

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/hardgate-dev/hardgate/api/v1alpha1"
	"github.com/hardgate-dev/hardgate/e2e/gate"
)

// preflight runs the command as a user.
type preflight struct {
	t          *testing.T
	binary     string
	kubeconfig string
}

var buildCommand = sync.OnceValues(func() (string, error) {
	binary := filepath.Join(lab.cluster.Config().Dir, "bin", "hardgate")
	return binary, gate.Build(context.Background(), lab.repo, "./cmd/hardgate", binary)
})

// newPreflight is for a user who has no rights yet.
func newPreflight(t *testing.T, user string) *preflight {
	t.Helper()
	binary, err := buildCommand()
	if err != nil {
		t.Fatal(err)
	}
	config, err := clientcmd.LoadFromFile(lab.cluster.Kubeconfig("admin"))
	if err != nil {
		t.Fatal(err)
	}
	for _, info := range config.AuthInfos {
		info.Impersonate = user
	}
	p := &preflight{t: t, binary: binary, kubeconfig: filepath.Join(t.TempDir(), "kubeconfig")}
	if err := clientcmd.WriteToFile(*config, p.kubeconfig); err != nil {
		t.Fatal(err)
	}
	return p
}

func (p *preflight) run(args ...string) (code int, stdout, stderr string) {
	p.t.Helper()
	var out, errs bytes.Buffer
	cmd := exec.CommandContext(p.t.Context(), p.binary, append([]string{"nodes", "preflight", "--kubeconfig", p.kubeconfig}, args...)...)
	cmd.Stdout, cmd.Stderr = &out, &errs
	var exit *exec.ExitError
	if err := cmd.Run(); err != nil && !errors.As(err, &exit) {
		p.t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), out.String(), errs.String()
}

// answer is what is read of the JSON.
type answer struct {
	Taints     []corev1.Taint `json:"taints"`
	TaintsFrom string         `json:"taintsFrom"`
	DaemonSets []struct {
		Namespace    string `json:"namespace"`
		Name         string `json:"name"`
		Pods         int    `json:"pods"`
		NotTolerated []struct {
			Key          string `json:"key"`
			Effect       string `json:"effect"`
			Evicts       bool   `json:"evicts"`
			AfterSeconds *int64 `json:"afterSeconds"`
		} `json:"notTolerated"`
	} `json:"daemonSets"`
	Summary struct {
		DaemonSets    int `json:"daemonSets"`
		NotTolerating int `json:"notTolerating"`
	} `json:"summary"`
}

func (p *preflight) ask(wantCode int, args ...string) answer {
	p.t.Helper()
	code, stdout, stderr := p.run(append(args, "-o", "json")...)
	var a answer
	if err := json.Unmarshal([]byte(stdout), &a); code != wantCode || err != nil {
		p.t.Fatalf("exit %d, want %d, stderr %s, output %s: %v", code, wantCode, stderr, stdout, err)
	}
	return a
}

// in is what is said of a namespace: a line for each taint of each DaemonSet.
func (a answer) in(namespace string) (lines []string) {
	for _, d := range a.DaemonSets {
		if d.Namespace != namespace {
			continue
		}
		for _, u := range d.NotTolerated {
			line := fmt.Sprintf("%s %d %s:%s evicts=%t", d.Name, d.Pods, strings.TrimPrefix(u.Key, "hardgate.dev/"), u.Effect, u.Evicts)
			if u.AfterSeconds != nil {
				line += fmt.Sprintf(" after %d", *u.AfterSeconds)
			}
			lines = append(lines, line)
		}
	}
	return lines
}

// grant gives a user the right to list resources of a group: of a namespace, or of all
// where it is empty.
func grant(t *testing.T, user, namespace, group, resource string) {
	t.Helper()
	meta := metav1.ObjectMeta{GenerateName: "preflight-", Namespace: namespace}
	rbac := lab.admin.RbacV1()
	role, err := rbac.ClusterRoles().Create(t.Context(), &rbacv1.ClusterRole{
		ObjectMeta: metav1.ObjectMeta{GenerateName: "preflight-"},
		Rules:      []rbacv1.PolicyRule{{APIGroups: []string{group}, Resources: []string{resource}, Verbs: []string{"list"}}},
	}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	ref := rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: role.Name}
	subjects := []rbacv1.Subject{{Kind: rbacv1.UserKind, APIGroup: rbacv1.GroupName, Name: user}}
	if namespace != "" {
		binding := &rbacv1.RoleBinding{ObjectMeta: meta, RoleRef: ref, Subjects: subjects}
		_, err = rbac.RoleBindings(namespace).Create(t.Context(), binding, metav1.CreateOptions{})
	} else {
		binding := &rbacv1.ClusterRoleBinding{ObjectMeta: meta, RoleRef: ref, Subjects: subjects}
		_, err = rbac.ClusterRoleBindings().Create(t.Context(), binding, metav1.CreateOptions{})
	}
	if err != nil {
		t.Fatal(err)
	}
}

func daemonSet(namespace, name string, tolerations ...corev1.Toleration) *appsv1.DaemonSet {
	labels := map[string]string{"app": name}
	pod := compliantPod(namespace)
	pod.Spec.Tolerations = tolerations
	pod.Spec.RestartPolicy = corev1.RestartPolicyAlways
	return &appsv1.DaemonSet{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name},
		Spec: appsv1.DaemonSetSpec{
			Selector: &metav1.LabelSelector{MatchLabels: labels},
			Template: corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: labels}, Spec: pod.Spec},
		},
	}
}

func createSet(t *testing.T, set *appsv1.DaemonSet, pods int32) {
	t.Helper()
	sets := lab.admin.AppsV1().DaemonSets(set.Namespace)
	created, err := sets.Create(t.Context(), set, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	created.Status.DesiredNumberScheduled = pods
	if _, err := sets.UpdateStatus(t.Context(), created, metav1.UpdateOptions{}); err != nil {
		t.Fatal(err)
	}
}

// Everything as it is stored by the API server: DaemonSets, a NodePolicy, the rights of
// somebody who may list these two and nothing else.
func TestPreflight(t *testing.T) {
	namespace := newNamespace(t)
	createSet(t, daemonSet(namespace, "none"), 5)
	createSet(t, daemonSet(namespace, "all", corev1.Toleration{Operator: corev1.TolerationOpExists}), 3)
	createSet(t, daemonSet(namespace, "drifted", corev1.Toleration{Key: "hardgate.dev/drifted"}), 3)
	createSet(t, daemonSet(namespace, "minute",
		corev1.Toleration{Operator: corev1.TolerationOpExists, Effect: corev1.TaintEffectNoExecute, TolerationSeconds: new(int64(60))},
		corev1.Toleration{Operator: corev1.TolerationOpExists}), 0)
	user := "preflight-" + namespace
	p := newPreflight(t, user)
	evicting := []string{"--taint", "hardgate.dev/drifted:NoExecute"}

	// No right at all.
	code, stdout, stderr := p.run(evicting...)
	if want := "the right to list daemonsets is needed; test it with: kubectl auth can-i list daemonsets.apps -A\n"; code != 2 || stdout != "" ||
		!strings.HasSuffix(stderr, want) || !strings.Contains(stderr, user) {
		t.Errorf("without rights: exit %d, output %q, stderr %s", code, stdout, stderr)
	}

	// DaemonSets of this namespace only.
	grant(t, user, namespace, "apps", "daemonsets")
	want := []string{"drifted 3 unverified:NoSchedule evicts=false", "none 5 drifted:NoSchedule evicts=false", "none 5 unverified:NoSchedule evicts=false"}
	code, _, stderr = p.run("-n", namespace)
	if code != 1 || !strings.Contains(stderr, "hardgate: note: NodePolicies may not be read: ") {
		t.Errorf("in the namespace: exit %d, stderr %s", code, stderr)
	}
	a := p.ask(1, "-n", namespace)
	if got := a.in(namespace); a.TaintsFrom != "assumption" || a.Summary.DaemonSets != 4 || !slices.Equal(got, want) {
		t.Errorf("%+v: %q, want %q", a, got, want)
	}
	if code, _, stderr := p.run(evicting...); code != 2 {
		t.Errorf("in all namespaces: exit %d, stderr %s", code, stderr)
	}

	// DaemonSets everywhere; named taints.
	grant(t, user, "", "apps", "daemonsets")
	want = []string{"minute 0 drifted:NoExecute evicts=true after 60", "none 5 drifted:NoExecute evicts=true"}
	if got := p.ask(1, evicting...).in(namespace); !slices.Equal(got, want) {
		t.Errorf("with --taint: %q, want %q", got, want)
	}

	// Policies too. They are of the whole cluster: others may be there.
	grant(t, user, "", v1alpha1.GroupVersion.Group, "nodepolicies")
	policies := administrator(t).dynamic.Resource(v1alpha1.GroupVersion.WithResource("nodepolicies"))
	policy, err := policies.Create(t.Context(), &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": v1alpha1.GroupVersion.String(), "kind": "NodePolicy", "metadata": map[string]any{"generateName": "preflight-"},
		"spec": map[string]any{
			"mode": "Audit", "effect": "NoExecute", "untrustedUntilChecked": true,
			"nodeSelector": map[string]any{"matchLabels": map[string]any{"test": namespace}}, // none
		},
	}}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := policies.Delete(context.Background(), policy.GetName(), metav1.DeleteOptions{}); err != nil {
			t.Error(err)
		}
	})
	a = p.ask(1)
	want = append(want, "drifted 3 unverified:NoSchedule evicts=false", "none 5 unverified:NoSchedule evicts=false")
	got := slices.DeleteFunc(a.in(namespace), func(line string) bool { return strings.Contains(line, "drifted:NoSchedule") }) // of others
	slices.Sort(want)
	slices.Sort(got)
	if a.TaintsFrom != "nodePolicies" || !slices.Equal(got, want) {
		t.Errorf("taints %+v from %s: %q, want %q", a.Taints, a.TaintsFrom, got, want)
	}
}

// More than one page, by tokens of a real API server.
func TestPreflightPages(t *testing.T) {
	namespace := newNamespace(t)
	const count = 501
	sets := lab.admin.AppsV1().DaemonSets(namespace)
	t.Cleanup(func() {
		if err := sets.DeleteCollection(context.Background(), metav1.DeleteOptions{}, metav1.ListOptions{}); err != nil {
			t.Error(err)
		}
	})
	var group sync.WaitGroup
	for worker := range 8 {
		group.Go(func() {
			for i := worker; i < count; i += 8 {
				if _, err := sets.Create(t.Context(), daemonSet(namespace, fmt.Sprintf("set-%03d", i)), metav1.CreateOptions{}); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	group.Wait()
	if t.Failed() {
		return
	}
	p := newPreflight(t, "") // the administrator
	a := p.ask(1, "-n", namespace, "--taint", "hardgate.dev/drifted:NoSchedule")
	if a.Summary.DaemonSets != count || a.Summary.NotTolerating != count {
		t.Fatalf("%+v of %d", a.Summary, count)
	}
	for i, d := range a.DaemonSets {
		if want := fmt.Sprintf("set-%03d", i); d.Name != want {
			t.Fatalf("%s where %s should be", d.Name, want)
		}
	}
}

// What preflight takes for granted of tolerations that are stored: where the operators
// that compare numbers are not known, there are none, and none is without a key that
// does not say Exists.
func TestStoredTolerations(t *testing.T) {
	namespace := newNamespace(t)
	sets := lab.admin.AppsV1().DaemonSets(namespace)
	for name, toleration := range map[string]corev1.Toleration{
		"gt":      {Key: "hardgate.dev/drifted", Operator: corev1.TolerationOpGt, Value: "1"},
		"no-key":  {Operator: corev1.TolerationOpEqual},
		"nothing": {},
		"seconds": {Operator: corev1.TolerationOpExists, TolerationSeconds: new(int64(60))},
	} {
		_, err := sets.Create(t.Context(), daemonSet(namespace, name, toleration), metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}})
		if !apierrors.IsInvalid(err) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
