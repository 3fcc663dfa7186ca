package record

import (
	"embed"
	"fmt"
	"io/fs"
	"path"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/yaml"
)

//go:embed pods/*.yaml
var smallPods embed.FS

// Pod is one to record, and what to call the recording.
type Pod struct {
	Name string
	Pod  *corev1.Pod
}

// Sets returns the pods of the sets small and large, in order.
func Sets() (map[string][]Pod, error) {
	small, err := small()
	if err != nil {
		return nil, err
	}
	sets := map[string][]Pod{"small": small, "large": large()}
	for _, pods := range sets {
		for _, pod := range pods {
			own(pod.Pod)
		}
	}
	return sets, nil
}

func small() ([]Pod, error) {
	paths, err := fs.Glob(smallPods, "pods/*.yaml")
	if err != nil {
		return nil, fmt.Errorf("listing the small pods: %w", err)
	}
	pods := make([]Pod, 0, len(paths))
	for _, p := range paths {
		text, err := smallPods.ReadFile(p)
		if err != nil {
			return nil, fmt.Errorf("reading a small pod: %w", err)
		}
		pod := &corev1.Pod{}
		if err := yaml.UnmarshalStrict(text, pod); err != nil {
			return nil, fmt.Errorf("reading the small pod %s: %w", p, err)
		}
		pods = append(pods, Pod{Name: strings.TrimSuffix(path.Base(p), ".yaml"), Pod: pod})
	}
	return pods, nil
}

// own makes the pod one of a ReplicaSet's, as in the controller's own requests.
func own(pod *corev1.Pod) {
	const hash = "6b7f8d9c54"
	name := pod.Name + "-" + hash
	pod.Name, pod.GenerateName = "", name+"-"
	if pod.Labels == nil {
		pod.Labels = map[string]string{}
	}
	pod.Labels["pod-template-hash"] = hash
	pod.OwnerReferences = []metav1.OwnerReference{{
		APIVersion: "apps/v1", Kind: "ReplicaSet", Name: name, UID: types.UID("8f9f5d0a-3c53-4e3a-a6d4-0d5a3e6f7b21"),
		Controller: new(true), BlockOwnerDeletion: new(true),
	}}
}
