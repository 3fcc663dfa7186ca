package fleet

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/hardgate-dev/hardgate/api/v1alpha1"
	"github.com/hardgate-dev/hardgate/control"
)

// PoolLabel names a node's pool.
const PoolLabel = "agentpool"

// poolSize is how many nodes a pool has.
const poolSize = 50

// newNode is what a kubelet registers, with as many images as a node keeps.
func newNode(i int) *corev1.Node {
	name := fmt.Sprintf("fleet-%04d", i)
	node := &corev1.Node{
		ObjectMeta: metav1.ObjectMeta{
			Name: name,
			Labels: map[string]string{
				PoolLabel: fmt.Sprintf("pool-%d", i/poolSize), corev1.LabelHostname: name, corev1.LabelOSStable: "linux", corev1.LabelArchStable: "amd64",
				corev1.LabelTopologyZone: fmt.Sprintf("zone-%d", i%3), corev1.LabelInstanceTypeStable: "Standard_D4s_v5",
			},
			Annotations: map[string]string{"volumes.kubernetes.io/controller-managed-attach-detach": "true"},
		},
		Status: corev1.NodeStatus{
			Capacity:    corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("4"), corev1.ResourceMemory: resource.MustParse("16Gi"), corev1.ResourcePods: resource.MustParse("110")},
			Allocatable: corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("3800m"), corev1.ResourceMemory: resource.MustParse("13Gi"), corev1.ResourcePods: resource.MustParse("110")},
			Addresses:   []corev1.NodeAddress{{Type: corev1.NodeInternalIP, Address: fmt.Sprintf("198.18.%d.%d", i/250, 1+i%250)}, {Type: corev1.NodeHostName, Address: name}},
			NodeInfo:    corev1.NodeSystemInfo{KubeletVersion: "v1.36.3", OSImage: "Ubuntu 22.04.5 LTS", OperatingSystem: "linux", Architecture: "amd64"},
		},
	}
	now := metav1.Now()
	for kind, status := range map[corev1.NodeConditionType]corev1.ConditionStatus{
		corev1.NodeReady: corev1.ConditionTrue, corev1.NodeMemoryPressure: corev1.ConditionFalse, corev1.NodeDiskPressure: corev1.ConditionFalse, corev1.NodePIDPressure: corev1.ConditionFalse,
	} {
		node.Status.Conditions = append(node.Status.Conditions, corev1.NodeCondition{
			Type: kind, Status: status, Reason: "Kubelet", Message: "as a kubelet writes it", LastHeartbeatTime: now, LastTransitionTime: now,
		})
	}
	for j := range 40 {
		image := fmt.Sprintf("registry.example.com/team-%d/service-%d", j%5, j)
		node.Status.Images = append(node.Status.Images, corev1.ContainerImage{
			Names: []string{fmt.Sprintf("%s@sha256:%064x", image, j), fmt.Sprintf("%s:v1.%d.0", image, j)}, SizeBytes: int64(j) << 20,
		})
	}
	return node
}

// Status is what an agent reports: every control of nodes, all of which pass but the
// given ones and a few that no policy of Policy enforces.
func Status(fails []string) *v1alpha1.NodeReportStatus {
	failing := map[string]bool{}
	for _, id := range append(fails, unenforced...) {
		failing[id] = true
	}
	s := &v1alpha1.NodeReportStatus{AgentVersion: "v1.0.0", RuleSet: "fleet", OS: "Ubuntu 22.04.5 LTS"}
	for _, c := range control.All() {
		if c.Face != control.Node || c.Kind != control.Measured {
			continue
		}
		r := v1alpha1.NodeResult{Control: string(c.ID), Status: string(control.Pass)}
		s.Summary.Pass++
		if failing[r.Control] {
			r.Status = string(control.Fail)
			r.Findings = []v1alpha1.NodeFinding{{Path: "/etc/example.conf:12", Expected: "a value that is right", Actual: "a value that is not", Detail: "as an agent says it, in about as many words"}}
			s.Summary.Pass--
			s.Summary.Fail++
		}
		s.Results = append(s.Results, r)
	}
	return s
}

// unenforced are controls that every node of the fleet fails.
var unenforced = []string{"banner-local", "banner-remote", "mod-sctp"}

// Failing is the control that the nodes fail which are to be tainted.
const Failing = "perm-crontab"

// Policy enforces all that the fleet passes, without any time to wait.
func Policy() *v1alpha1.NodePolicy {
	p := &v1alpha1.NodePolicy{
		TypeMeta:   metav1.TypeMeta{APIVersion: v1alpha1.GroupVersion.String(), Kind: "NodePolicy"},
		ObjectMeta: metav1.ObjectMeta{Name: "fleet"},
		Spec: v1alpha1.NodePolicySpec{
			Mode: "Enforce", GracePeriod: &metav1.Duration{}, ClearAfter: &metav1.Duration{}, MinimumDwell: &metav1.Duration{},
		},
	}
	for _, id := range unenforced {
		p.Spec.Controls = append(p.Spec.Controls, v1alpha1.NodeControlSetting{ID: id, Mode: "Audit"})
	}
	return p
}
