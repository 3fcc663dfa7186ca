package integration

import (
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Size must be no way past the gate where its failurePolicy is Ignore: not by the
// time that an object takes to judge, nor by its length, which grows six times when
// the API server writes "<" in JSON.
func TestSizeIsNoWayIn(t *testing.T) {
	namespace := newNamespace(t)
	enforce(t, namespace, "added-capabilities", "secrets-as-env", "host-ports")
	tests := map[string]func(*corev1.Container){
		"100,000 capabilities": func(c *corev1.Container) {
			c.SecurityContext.Capabilities.Add = slices.Repeat([]corev1.Capability{"A"}, 100_000)
		},
		"20,000 variables": func(c *corev1.Container) {
			c.Env = slices.Repeat([]corev1.EnvVar{{Name: "A", ValueFrom: &corev1.EnvVarSource{SecretKeyRef: &corev1.SecretKeySelector{
				LocalObjectReference: corev1.LocalObjectReference{Name: "s"}, Key: "k",
			}}}}, 20_000)
		},
		"a long command of <": func(c *corev1.Container) { c.Command = []string{strings.Repeat("<", 1_250_000)} },
	}
	for name, grow := range tests {
		t.Run(name, func(t *testing.T) {
			pod := compliantPod(namespace)
			privilege(&pod.Spec.Containers[0])
			grow(&pod.Spec.Containers[0])
			_, err := lab.admin.CoreV1().Pods(namespace).Create(t.Context(), pod, metav1.CreateOptions{})
			wantDenied(t, err, "privileged", "spec.containers[0].securityContext.privileged")
		})
	}
}
