package controller

import (
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/hardgate-dev/hardgate/api/v1alpha1"
	"github.com/hardgate-dev/hardgate/e2e/agent"
	"github.com/hardgate-dev/hardgate/e2e/apply"
	"github.com/hardgate-dev/hardgate/e2e/repo"
	"github.com/hardgate-dev/hardgate/taint"
	"github.com/hardgate-dev/hardgate/taint/key"
)

type manifests struct {
	policies []*admissionregistrationv1.ValidatingAdmissionPolicy
	bindings map[string]*admissionregistrationv1.ValidatingAdmissionPolicyBinding // by policy
	subjects []rbacv1.Subject
}

// readManifests reads what is about authority, and no field that is not known.
func readManifests(t *testing.T) manifests {
	t.Helper()
	root, err := repo.Root()
	if err != nil {
		t.Fatal(err)
	}
	m := manifests{bindings: map[string]*admissionregistrationv1.ValidatingAdmissionPolicyBinding{}}
	for _, dir := range []string{"nodecheck", "controller"} {
		objects, err := apply.ReadDir(filepath.Join(root, "manifests", dir))
		if err != nil {
			t.Fatal(err)
		}
		for _, o := range objects {
			into := func(typed any) {
				if err := runtime.DefaultUnstructuredConverter.FromUnstructuredWithValidation(o.Object, typed, true); err != nil {
					t.Fatalf("%s %s: %v", o.GetKind(), o.GetName(), err)
				}
			}
			switch o.GetKind() {
			case "ValidatingAdmissionPolicy":
				p := &admissionregistrationv1.ValidatingAdmissionPolicy{}
				into(p)
				m.policies = append(m.policies, p)
			case "ValidatingAdmissionPolicyBinding":
				b := &admissionregistrationv1.ValidatingAdmissionPolicyBinding{}
				into(b)
				m.bindings[b.Spec.PolicyName] = b
			case "ClusterRoleBinding", "RoleBinding":
				b := &rbacv1.ClusterRoleBinding{} // they differ in nothing that is looked at
				into(b)
				m.subjects = append(m.subjects, b.Subjects...)
			}
		}
	}
	if len(m.policies) == 0 || len(m.subjects) == 0 {
		t.Fatalf("%d policies, %d subjects", len(m.policies), len(m.subjects))
	}
	return m
}

// Where a policy cannot tell, it refuses; and it refuses in every version, of everything
// that it is about.
func TestPoliciesFailClosed(t *testing.T) {
	m := readManifests(t)
	for _, p := range m.policies {
		t.Run(p.Name, func(t *testing.T) {
			if f := p.Spec.FailurePolicy; f == nil || *f != admissionregistrationv1.Fail {
				t.Errorf("failure policy %v, and Ignore lets through what could not be told", f)
			}
			if c := p.Spec.MatchConstraints; c.NamespaceSelector != nil || c.ObjectSelector != nil || len(c.ExcludeResourceRules) > 0 {
				t.Errorf("it does not look at everything: %+v", c)
			}
			for _, r := range p.Spec.MatchConstraints.ResourceRules {
				if !slices.Equal(r.APIVersions, []string{"*"}) || len(r.ResourceNames) > 0 {
					t.Errorf("versions %q, names %q", r.APIVersions, r.ResourceNames)
				}
			}
			if len(p.Spec.Validations) == 0 {
				t.Error("it refuses nothing")
			}
			for _, v := range p.Spec.Validations {
				if v.Reason == nil || *v.Reason != metav1.StatusReasonForbidden || v.Message+v.MessageExpression == "" {
					t.Errorf("%s: reason %v, message %q", v.Expression, v.Reason, v.Message+v.MessageExpression)
				}
			}
			b := m.bindings[p.Name]
			if b == nil {
				t.Fatal("it is not bound")
			}
			if !slices.Equal(b.Spec.ValidationActions, []admissionregistrationv1.ValidationAction{admissionregistrationv1.Deny}) ||
				b.Spec.MatchResources != nil || b.Spec.ParamRef != nil {
				t.Errorf("it is bound by %+v", b.Spec)
			}
		})
		delete(m.bindings, p.Name)
	}
	if len(m.bindings) > 0 {
		t.Errorf("bindings of no policy: %v", m.bindings)
	}
}

// The policies name in their own language what the code calls by constants.
func TestPoliciesNameWhatTheCodeNames(t *testing.T) {
	m := readManifests(t)
	accounts := []string{"system:serviceaccount:" + agent.Namespace + ":" + agent.Account, "system:serviceaccount:" + Namespace + ":" + Account}
	found := map[string]int{}
	for _, p := range m.policies {
		var text strings.Builder
		for _, c := range p.Spec.MatchConditions {
			text.WriteString(c.Expression + "\n")
		}
		for _, v := range p.Spec.Variables {
			text.WriteString(v.Expression + "\n")
		}
		for _, v := range p.Spec.Validations {
			text.WriteString(v.Expression + "\n")
		}
		for _, match := range regexp.MustCompile(`matches\('([^']*)'\)`).FindAllStringSubmatch(text.String(), -1) {
			found["pattern"]++
			if match[1] != key.Pattern {
				t.Errorf("%s matches %s, the keys are %s", p.Name, match[1], key.Pattern)
			}
		}
		for _, account := range regexp.MustCompile(`'(system:serviceaccount:[^']*)'`).FindAllStringSubmatch(text.String(), -1) {
			found[account[1]]++
			if !slices.Contains(accounts, account[1]) {
				t.Errorf("%s is about the account %s", p.Name, account[1])
			}
		}
		found[v1alpha1.PauseAnnotation] += strings.Count(text.String(), "annotations[?'"+v1alpha1.PauseAnnotation+"']")
		found["conditions"] += strings.Count(text.String(), "['"+string(taint.ConditionCompliant)+"', '"+string(taint.ConditionStale)+"']")
	}
	for what, least := range map[string]int{"pattern": 2, accounts[0]: 2, accounts[1]: 2, v1alpha1.PauseAnnotation: 2, "conditions": 2} {
		if found[what] < least {
			t.Errorf("%s is named %d times, want %d", what, found[what], least)
		}
	}
	for _, s := range m.subjects {
		if s.Kind != rbacv1.ServiceAccountKind || !slices.Contains(accounts, "system:serviceaccount:"+s.Namespace+":"+s.Name) {
			t.Errorf("rights are bound to %+v", s)
		}
	}
}
