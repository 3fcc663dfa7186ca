package helm

import (
	"context"
	"errors"
	"fmt"
	"os"
	"regexp"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/hardgate-dev/hardgate/api/v1alpha1"
	"github.com/hardgate-dev/hardgate/e2e/node"
	"github.com/hardgate-dev/hardgate/taint"
	"github.com/hardgate-dev/hardgate/taint/key"
)

// control is the one that e2e/demo/node-policy.yaml enforces.
const control = "ssh-login-grace-time"

var graceTime = regexp.MustCompile(`(?m)^LoginGraceTime .*$`)

// drift loosens the node and mends it, as its agent's pod sees it and the controller's
// acts on it.
func drift(t *testing.T) {
	t.Helper()
	awaitReport(t)
	for _, o := range demoAll(t, "node-policy.yaml") {
		if _, err := lab.client.Apply(t.Context(), o); err != nil {
			t.Fatal(err)
		}
	}
	awaitNode(t, "is verified", corev1.ConditionTrue, taint.Compliant, false)
	loosen(t, "LoginGraceTime 300")
	begin := time.Now()
	awaitNode(t, "is tainted", corev1.ConditionFalse, taint.Drifted, true)
	logf("  tainted after %s", time.Since(begin).Round(100*time.Millisecond))
	report, err := nodeReport(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	failed := false
	for _, r := range report.Status.Results {
		failed = failed || r.Control == control && r.Status == "Fail"
	}
	if !failed {
		t.Errorf("the report does not name %s: %+v", control, report.Status)
	}
	loosen(t, "LoginGraceTime 30")
	awaitNode(t, "is trusted again", corev1.ConditionTrue, taint.Compliant, false)
}

// loosen replaces a file of the node, as editors do.
func loosen(t *testing.T, line string) {
	t.Helper()
	text, err := os.ReadFile(node.SSHConfig)
	if err != nil {
		t.Fatal(err)
	}
	edited := graceTime.ReplaceAll(text, []byte(line))
	if err := errors.Join(os.WriteFile(node.SSHConfig+"~", edited, 0o600), os.Rename(node.SSHConfig+"~", node.SSHConfig)); err != nil {
		t.Fatal(err)
	}
}

func awaitNode(t *testing.T, what string, status corev1.ConditionStatus, reason taint.Verdict, drifted bool) {
	t.Helper()
	await(t, 2*time.Minute, "the node "+what, func(ctx context.Context) error {
		n, err := lab.admin.CoreV1().Nodes().Get(ctx, node.Name, metav1.GetOptions{})
		if err != nil {
			return err
		}
		var ours []string
		for _, has := range n.Spec.Taints {
			if key.Ours(has.Key) {
				ours = append(ours, has.Key)
			}
		}
		if drifted != (len(ours) == 1 && ours[0] == key.Drifted) || !drifted && len(ours) > 0 {
			return fmt.Errorf("it has the taints %v", ours)
		}
		for _, c := range n.Status.Conditions {
			if c.Type == taint.ConditionCompliant && c.Status == status && c.Reason == string(reason) {
				return nil
			}
		}
		return fmt.Errorf("it has the conditions %+v", n.Status.Conditions)
	})
}

func nodeReport(ctx context.Context) (*v1alpha1.NodeReport, error) {
	stored, err := lab.objects.Resource(v1alpha1.GroupVersion.WithResource("nodereports")).Get(ctx, node.Name, metav1.GetOptions{})
	if err != nil {
		return nil, err
	}
	report := &v1alpha1.NodeReport{}
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(stored.Object, report); err != nil {
		return nil, err
	}
	if len(report.Status.Results) == 0 {
		return nil, errors.New("the report is empty")
	}
	return report, nil
}
