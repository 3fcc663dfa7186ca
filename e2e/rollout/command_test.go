package rollout

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"k8s.io/client-go/tools/clientcmd"

	"github.com/hardgate-dev/hardgate/e2e/gate"
)

var buildCommand = sync.OnceValues(func() (string, error) {
	binary := filepath.Join(lab.cluster.Config().Dir, "bin", "hardgate")
	return binary, gate.Build(context.Background(), lab.repo, "./cmd/hardgate", binary)
})

// hardgate runs the command line; as is whom it impersonates, empty for nobody.
func hardgate(t *testing.T, as string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	binary, err := buildCommand()
	if err != nil {
		t.Fatal(err)
	}
	kubeconfig := lab.cluster.Kubeconfig("admin")
	if as != "" {
		config, err := clientcmd.LoadFromFile(kubeconfig)
		if err != nil {
			t.Fatal(err)
		}
		for _, info := range config.AuthInfos {
			info.Impersonate = as
		}
		kubeconfig = filepath.Join(t.TempDir(), "kubeconfig")
		if err := clientcmd.WriteToFile(*config, kubeconfig); err != nil {
			t.Fatal(err)
		}
	}
	var out, errs bytes.Buffer
	cmd := exec.CommandContext(t.Context(), binary, append(args, "--kubeconfig", kubeconfig)...)
	cmd.Stdout, cmd.Stderr = &out, &errs
	var exit *exec.ExitError
	if err := cmd.Run(); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), out.String(), errs.String()
}

// found is a result of an audit.
type found struct {
	Object struct {
		Kind      string `json:"kind"`
		Namespace string `json:"namespace"`
		Name      string `json:"name"`
		Owner     string `json:"owner"`
		Alike     int    `json:"alike"`
	} `json:"object"`
	Status    string `json:"status"`
	Mode      string `json:"mode"`
	Exemption string `json:"exemption"`
	Findings  []struct {
		Path   string `json:"path"`
		Detail string `json:"detail"`
	} `json:"findings"`
}

// about are the results for a namespace, "Kind/name status mode".
func about(t *testing.T, ns, stdout string) (lines []string) {
	t.Helper()
	var r struct {
		Results []found  `json:"results"`
		Errors  []string `json:"errors"`
	}
	if err := json.Unmarshal([]byte(stdout), &r); err != nil || len(r.Errors) > 0 {
		t.Fatalf("%v, errors %q in %s", err, r.Errors, stdout)
	}
	for _, f := range r.Results {
		if f.Object.Namespace == ns {
			lines = append(lines, strings.TrimSpace(f.Object.Kind+"/"+f.Object.Name+" "+f.Status+" "+f.Mode+" "+f.Exemption))
		}
	}
	return lines
}

// TestCommand: the command line says of what stands what the policy of the moment makes of
// it, and leaves namespaces out of a rollout.
func TestCommand(t *testing.T) {
	clean, dirty := namespace(t, "tidy"), namespace(t, "untidy")
	mustCreate(t, deployment(clean, "api", false))
	mustCreate(t, deployment(dirty, "collector", true))
	start(t)
	spec := func(mode string) map[string]any {
		return map[string]any{
			"namespaceSelector": map[string]any{"matchExpressions": []any{map[string]any{
				"key": "kubernetes.io/metadata.name", "operator": "In", "values": []any{clean, dirty},
			}}},
			"controls": []any{map[string]any{"id": "privileged", "mode": mode}},
			"rollout":  map[string]any{"cleanWindow": "2s", "exclude": []any{map[string]any{"namespaces": []any{clean}}}},
		}
	}
	put(t, spec("Audit"))
	await(t, "the controller has seen the policy", func() bool { return mode(t, clean) == "Audit" })

	if code, stdout, stderr := hardgate(t, "", "rollout", "exclude", clean, "--policy", "teams"); code != 0 || stdout != "teams: all controls in "+clean+" excluded already\n" || stderr != "" {
		t.Errorf("exit %d, %q, %q", code, stdout, stderr)
	}
	if code, stdout, stderr := hardgate(t, "", "rollout", "exclude", "no-such", dirty, "--policy", "teams"); code != 0 || stdout != "teams: all controls in no-such, "+dirty+" excluded\n" || !strings.Contains(stderr, `there is no namespace "no-such"`) {
		t.Errorf("exit %d, %q, %q", code, stdout, stderr)
	}
	if e := policy(t).Spec.Rollout.Exclude; len(e) != 1 || !slices.Equal(e[0].Namespaces, []string{clean, "no-such", dirty}) {
		t.Errorf("excluded are %+v", e)
	}
	if code, stdout, stderr := hardgate(t, "", "rollout", "include", clean, dirty, "no-such", "--policy", "teams", "--dry-run"); code != 0 || !strings.HasSuffix(stdout, " included (dry run)\n") {
		t.Errorf("exit %d, %q, %q", code, stdout, stderr)
	}
	if m := mode(t, clean); m != "Audit" {
		t.Errorf("what is excluded is in mode %s", m)
	}
	if code, stdout, stderr := hardgate(t, "", "rollout", "include", clean, dirty, "no-such", "--policy", "teams"); code != 0 {
		t.Errorf("exit %d, %q, %q", code, stdout, stderr)
	}
	if e := policy(t).Spec.Rollout.Exclude; e != nil {
		t.Errorf("excluded are %+v", e)
	}
	await(t, "what is included goes on", func() bool { return mode(t, clean) == "Enforce" && mode(t, dirty) == "Audit" })

	fails := []string{"Deployment/collector Fail Audit"}
	for _, args := range [][]string{{"-n", dirty}, nil} {
		code, stdout, stderr := hardgate(t, "", append([]string{"audit", "--control", "privileged", "-o", "json"}, args...)...)
		if got := about(t, dirty, stdout); code != 1 || !slices.Equal(got, fails) {
			t.Errorf("%q: exit %d, %q, stderr %s", args, code, got, stderr)
		}
	}
	if code, stdout, stderr := hardgate(t, "", "audit", "--control", "privileged", "-n", clean); code != 0 || stderr != "" {
		t.Errorf("the clean namespace: exit %d, %s%s", code, stdout, stderr)
	}
	_, stdout, stderr := hardgate(t, "", "audit", "--control", "privileged", "-o", "jsonl")
	lines := 0
	for line := range strings.Lines(stdout) {
		var f found
		if err := json.Unmarshal([]byte(line), &f); err != nil {
			t.Fatalf("%v in %s", err, line)
		}
		if f.Object.Namespace != dirty {
			continue
		}
		if lines++; len(f.Findings) != 1 || f.Findings[0].Path != "spec.template.spec.containers[0].securityContext.privileged" || f.Findings[0].Detail != "privileged is true" {
			t.Errorf("the line says %+v", f)
		}
	}
	if lines != 1 || !strings.Contains(stderr, " namespaces: ") {
		t.Errorf("%d lines, stderr %s", lines, stderr)
	}

	mustCreate(t, exemption(dirty, time.Hour))
	if code, stdout, stderr := hardgate(t, "", "audit", "--control", "privileged", "-o", "json", "-n", dirty); code != 0 ||
		!slices.Equal(about(t, dirty, stdout), []string{"Deployment/collector Exempt Audit exempt-" + dirty}) && !slices.Equal(about(t, dirty, stdout), []string{"Deployment/collector Exempt Enforce exempt-" + dirty}) {
		t.Errorf("exempt: exit %d, %s%s", code, stdout, stderr)
	}
	if code, stdout, stderr := hardgate(t, "nobody", "audit"); code != 2 || stdout != "" || !strings.Contains(stderr, "kubectl auth can-i list workloadpolicies.hardgate.dev") {
		t.Errorf("without rights: exit %d, %s%s", code, stdout, stderr)
	}
}
