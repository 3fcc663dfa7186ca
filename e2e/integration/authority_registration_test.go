package integration

import (
	"fmt"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/hardgate-dev/hardgate/api/v1alpha1"
	"github.com/hardgate-dev/hardgate/taint"
	"github.com/hardgate-dev/hardgate/taint/key"
)

// A kubelet that registers brings taints and a status of its own, but none of what is
// the controller's to say.
func TestAuthorityOverRegistration(t *testing.T) {
	installKubeletPolicy(t)
	next := func() (*corev1.Node, actor) {
		name := fmt.Sprintf("authority-%d", serial.Add(1))
		return &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: name}}, kubeletOf(t, name)
	}
	for what, forge := range map[string]func(*corev1.Node){
		"paused": func(n *corev1.Node) { n.Annotations = map[string]string{v1alpha1.PauseAnnotation: ""} },
		"passing": func(n *corev1.Node) {
			n.Status.Conditions = []corev1.NodeCondition{condition(taint.ConditionCompliant, "True", "Compliant")}
		},
		"fresh": func(n *corev1.Node) {
			n.Status.Conditions = []corev1.NodeCondition{condition(taint.ConditionStale, "False", "Fresh")}
		},
	} {
		t.Run(what, func(t *testing.T) {
			node, kubelet := next()
			forge(node)
			_, err := kubelet.typed.CoreV1().Nodes().Create(t.Context(), node, metav1.CreateOptions{})
			wantRefused(t, err, kubeletsPolicy)
		})
	}
	for what, fill := range map[string]func(*corev1.Node){
		"bare": func(*corev1.Node) {},
		"unverified": func(n *corev1.Node) {
			n.Spec.Taints = []corev1.Taint{{Key: key.Unverified, Effect: corev1.TaintEffectNoSchedule}}
		},
		"full": func(n *corev1.Node) { beat(corev1.ConditionTrue)(n); n.Annotations = map[string]string{"a": "b"} },
	} {
		t.Run(what, func(t *testing.T) {
			node, kubelet := next()
			fill(node)
			if _, err := kubelet.typed.CoreV1().Nodes().Create(t.Context(), node, metav1.CreateOptions{}); err != nil {
				t.Fatal(err)
			}
			if _, err := kubelet.typed.CoreV1().Nodes().Create(t.Context(), node, metav1.CreateOptions{}); !apierrors.IsAlreadyExists(err) {
				t.Errorf("registering again gives %v", err)
			}
			if err := kubelet.typed.CoreV1().Nodes().Delete(t.Context(), node.Name, metav1.DeleteOptions{}); !apierrors.IsForbidden(err) {
				t.Errorf("a kubelet deletes its node, to come back without taints: %v", err)
			}
		})
	}
}
