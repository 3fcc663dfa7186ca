package helm

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/hardgate-dev/hardgate/e2e/cluster"
	"github.com/hardgate-dev/hardgate/e2e/enclosure"
)

// system is where hardgate is.
const system = "hardgate-system"

// TestLife is the life of a release: each step begins with what the one before has left.
func TestLife(t *testing.T) {
	if lab.missing != nil {
		t.Skipf("no real node: %v", lab.missing)
	}
	t.Cleanup(func() { stopCertManager(t) })
	for _, step := range []struct {
		name string
		do   func(*testing.T)
	}{
		{"install", func(t *testing.T) { t.Helper(); install(t) }},
		{"nothing is blocked", nothingIsBlocked},
		{"a workload is denied", deny},
		{"the agent holds little", holdLittle},
		{"the node is verified, and tainted when it drifts", drift},
		{"upgrade under load", upgrade},
		{"uninstall under load", uninstall},
		{"install again with cert-manager", againWithCertManager},
		{"cert-manager renews under load", renew},
		{"change to the built-in issuer under load", change(builtin)},
		{"change to cert-manager under load", change(certManager)},
		{"uninstall once more", uninstall},
		{"what remains", remain},
	} {
		begin := time.Now()
		if !t.Run(step.name, step.do) {
			show(t)
			t.FailNow()
		}
		logf("%s: %s", step.name, time.Since(begin).Round(time.Second))
	}
}

// helm runs Helm as an administrator does.
func helm(ctx context.Context, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, helmProgram(), args...)
	cmd.Env = append(
		os.Environ(), "KUBECONFIG="+cluster.Kubeconfig(enclosure.Dir()),
		"HELM_CACHE_HOME="+filepath.Join(enclosure.Dir(), "helm"), "HELM_CONFIG_HOME="+filepath.Join(enclosure.Dir(), "helm"),
		"HELM_DATA_HOME="+filepath.Join(enclosure.Dir(), "helm"),
	)
	out, err := cmd.CombinedOutput()
	if err != nil {
		return string(out), fmt.Errorf("helm %s: %w\n%s", strings.Join(args, " "), err, out)
	}
	return string(out), nil
}

func chart() string { return filepath.Join(lab.repo, "charts", "hardgate") }

// values are those without which the chart is not for a lab: everything is on the one
// node that has a machine, and nobody waits for long.
const values = `
webhook: {nodeSelector: {kubernetes.io/hostname: lab-node}}
controller: {nodeSelector: {kubernetes.io/hostname: lab-node}, auditInterval: 5s}
nodecheck: {nodeSelector: {kubernetes.io/hostname: lab-node}}
`

func valuesFile(t *testing.T) string {
	t.Helper()
	name := filepath.Join(enclosure.Dir(), "values.yaml")
	if err := os.WriteFile(name, []byte(values), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func install(t *testing.T, more ...string) {
	t.Helper()
	out, err := helm(t.Context(), append([]string{
		"install", "hardgate", chart(), "--namespace", system, "--create-namespace",
		"--values", valuesFile(t), "--wait", "--timeout", "5m",
	}, more...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Log(out)
	version, err := appVersion()
	if err != nil {
		t.Fatal(err)
	}
	running(t, version)
}

// appVersion is what images are tagged with.
func appVersion() (string, error) {
	text, err := os.ReadFile(filepath.Join(chart(), "Chart.yaml"))
	if err != nil {
		return "", err
	}
	for line := range strings.Lines(string(text)) {
		if version, found := strings.CutPrefix(line, "appVersion:"); found {
			return strings.Trim(strings.TrimSpace(version), `"'`), nil
		}
	}
	return "", fmt.Errorf("no appVersion in %s", text)
}

// running asserts that the pods of all components run, and no others.
func running(t *testing.T, tag string) {
	t.Helper()
	want := map[string]int{"webhook": 2, "controller": 2, "nodecheck": 1}
	await(t, time.Minute, "all pods run, and none of an earlier release", func(ctx context.Context) error {
		pods, err := lab.admin.CoreV1().Pods(system).List(ctx, metav1.ListOptions{})
		if err != nil {
			return err
		}
		has := map[string]int{}
		for _, p := range pods.Items {
			if !ready(&p) || p.DeletionTimestamp != nil {
				return fmt.Errorf("%s is not ready", p.Name)
			}
			for _, c := range p.Status.ContainerStatuses {
				if c.RestartCount > 0 {
					return fmt.Errorf("%s was started again: %+v", p.Name, c.LastTerminationState)
				}
			}
			if image := p.Spec.Containers[0].Image; image != "hardgate/"+p.Spec.Containers[0].Name+":"+tag {
				return fmt.Errorf("%s has the image %s", p.Name, image)
			}
			has[p.Spec.Containers[0].Name]++
		}
		if fmt.Sprint(has) != fmt.Sprint(want) {
			return fmt.Errorf("pods: %v, want %v", has, want)
		}
		return nil
	})
}

func ready(p *corev1.Pod) bool {
	for _, c := range p.Status.Conditions {
		if c.Type == corev1.PodReady {
			return c.Status == corev1.ConditionTrue
		}
	}
	return false
}

// await asks until there is no error.
func await(t *testing.T, limit time.Duration, what string, check func(context.Context) error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	var last error
	for {
		err := check(ctx)
		if err == nil {
			return
		}
		if ctx.Err() == nil || last == nil {
			last = err
		}
		select {
		case <-time.After(100 * time.Millisecond):
		case <-ctx.Done():
			t.Fatalf("waiting until %s: %v", what, last)
		}
	}
}

// show logs what helps to see why a step failed.
func show(t *testing.T) {
	t.Helper()
	pods, err := lab.admin.CoreV1().Pods(system).List(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Log(err)
		return
	}
	for _, p := range pods.Items {
		t.Logf("%s on %q is %s, ready %t: %+v", p.Name, p.Spec.NodeName, p.Status.Phase, ready(&p), p.Status.ContainerStatuses)
		if p.Spec.NodeName == "" {
			t.Logf("%+v", p.Status.Conditions)
		}
	}
	events, err := lab.admin.CoreV1().Events(system).List(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Log(err)
		return
	}
	for _, e := range events.Items[max(0, len(events.Items)-30):] {
		t.Logf("%s %s: %s", e.InvolvedObject.Name, e.Reason, e.Message)
	}
	logs, err := filepath.Glob("/var/log/pods/" + system + "_*/*/*.log")
	if err != nil {
		t.Log(err)
	}
	for _, name := range logs {
		text, err := os.ReadFile(name)
		t.Logf("%s (%v):\n%s", name, err, text[max(0, len(text)-3<<10):])
	}
}
