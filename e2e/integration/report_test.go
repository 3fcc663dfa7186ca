package integration

import (
	"bytes"
	"errors"
	"os/exec"
	"strings"
	"testing"
	"time"

	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/hardgate-dev/hardgate/api/v1alpha1"
	"github.com/hardgate-dev/hardgate/e2e/agent"
	"github.com/hardgate-dev/hardgate/scorecard"
)

// The table as the API server stores it, read by somebody who may get it and nothing else.
func TestReport(t *testing.T) {
	if err := agent.Install(t.Context(), lab.cluster, lab.repo); err != nil {
		t.Fatal(err)
	}
	const user = "auditor"
	command := newPreflight(t, user)
	report := func(args ...string) (int, string, string) {
		var out, errs bytes.Buffer
		cmd := exec.CommandContext(t.Context(), command.binary, append([]string{"report", "--kubeconfig", command.kubeconfig}, args...)...)
		cmd.Stdout, cmd.Stderr = &out, &errs
		var exit *exec.ExitError
		if err := cmd.Run(); err != nil && !errors.As(err, &exit) {
			t.Fatal(err)
		}
		return cmd.ProcessState.ExitCode(), out.String(), errs.String()
	}
	expect := func(state string, wantCode int, wantOut, wantErr string, args ...string) {
		t.Helper()
		code, stdout, stderr := report(args...)
		if code != wantCode || !strings.Contains(stdout, wantOut) || (wantErr == "") != (stderr == "") || !strings.Contains(stderr, wantErr) {
			t.Errorf("%s: exit %d, want %d; %q is to be in the output and %q in %s", state, code, wantCode, wantOut, wantErr, stderr)
		}
	}

	expect("no right", 2, "", "kubectl auth can-i get clusterreports.hardgate.dev")
	role, err := lab.admin.RbacV1().ClusterRoles().Create(t.Context(), &rbacv1.ClusterRole{
		ObjectMeta: metav1.ObjectMeta{GenerateName: "report-"},
		Rules:      []rbacv1.PolicyRule{{APIGroups: []string{v1alpha1.GroupVersion.Group}, Resources: []string{"clusterreports"}, Verbs: []string{"get"}}},
	}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := lab.admin.RbacV1().ClusterRoleBindings().Create(t.Context(), &rbacv1.ClusterRoleBinding{
		ObjectMeta: metav1.ObjectMeta{GenerateName: "report-"},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: role.Name},
		Subjects:   []rbacv1.Subject{{Kind: rbacv1.UserKind, APIGroup: rbacv1.GroupName, Name: user}},
	}, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	expect("no report", 2, "", `has no ClusterReport "cluster"`)

	r := &v1alpha1.ClusterReport{}
	r.APIVersion, r.Kind, r.Name = v1alpha1.GroupVersion.String(), "ClusterReport", v1alpha1.ClusterReportName
	reports := administrator(t).dynamic.Resource(v1alpha1.GroupVersion.WithResource("clusterreports"))
	created, err := reports.Create(t.Context(), object(t, r), metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := reports.Delete(t.Context(), r.Name, metav1.DeleteOptions{}); err != nil {
			t.Error(err)
		}
	}()
	expect("no rows", 2, "", "has no rows yet")

	rows, score := scorecard.Rows(scorecard.In{AKS: true})
	old := metav1.NewTime(time.Now().Add(-50 * time.Hour))
	r.Status = v1alpha1.ClusterReportStatus{Rows: rows, Score: &score, Audit: &v1alpha1.AuditStatus{Started: old, Finished: old}}
	r.ResourceVersion = created.GetResourceVersion()
	if _, err := reports.UpdateStatus(t.Context(), object(t, r), metav1.UpdateOptions{}); err != nil {
		t.Fatal(err)
	}
	const stale = "hardgate: warning: the report is old: the last audit ended 2 days ago"
	expect("the table", 0, "168 rows: Unknown 95, Attested 73.", stale)
	expect("a pipeline", 1, `"summary": "0/69 (35 attested)"`, stale, "-o", "json", "--fail-on", "Unknown")
	if _, stdout, _ := report("-o", "csv"); strings.Count(stdout, "\n") != 1+132+36 {
		t.Errorf("%d lines of csv", strings.Count(stdout, "\n"))
	}
}
