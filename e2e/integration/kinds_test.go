package integration

import (
	"fmt"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// kinds builds an object of every kind that carries a pod around a pod spec, and
// says where the spec then stands.
var kinds = map[string]struct {
	spec  string
	build func(metav1.ObjectMeta, corev1.PodSpec) any
}{
	"Pod": {"spec", func(m metav1.ObjectMeta, s corev1.PodSpec) any {
		return &corev1.Pod{TypeMeta: typeOf("v1", "Pod"), ObjectMeta: m, Spec: s}
	}},
	"PodTemplate": {"template.spec", func(m metav1.ObjectMeta, s corev1.PodSpec) any {
		return &corev1.PodTemplate{TypeMeta: typeOf("v1", "PodTemplate"), ObjectMeta: m, Template: template(s)}
	}},
	"ReplicationController": {"spec.template.spec", func(m metav1.ObjectMeta, s corev1.PodSpec) any {
		t := template(s)
		return &corev1.ReplicationController{TypeMeta: typeOf("v1", "ReplicationController"), ObjectMeta: m, Spec: corev1.ReplicationControllerSpec{Selector: labelled, Template: &t}}
	}},
	"Deployment": {"spec.template.spec", func(m metav1.ObjectMeta, s corev1.PodSpec) any {
		return &appsv1.Deployment{TypeMeta: typeOf("apps/v1", "Deployment"), ObjectMeta: m, Spec: appsv1.DeploymentSpec{Selector: selector(), Template: template(s)}}
	}},
	"ReplicaSet": {"spec.template.spec", func(m metav1.ObjectMeta, s corev1.PodSpec) any {
		return &appsv1.ReplicaSet{TypeMeta: typeOf("apps/v1", "ReplicaSet"), ObjectMeta: m, Spec: appsv1.ReplicaSetSpec{Selector: selector(), Template: template(s)}}
	}},
	"StatefulSet": {"spec.template.spec", func(m metav1.ObjectMeta, s corev1.PodSpec) any {
		return &appsv1.StatefulSet{TypeMeta: typeOf("apps/v1", "StatefulSet"), ObjectMeta: m, Spec: appsv1.StatefulSetSpec{Selector: selector(), Template: template(s)}}
	}},
	"DaemonSet": {"spec.template.spec", func(m metav1.ObjectMeta, s corev1.PodSpec) any {
		return &appsv1.DaemonSet{TypeMeta: typeOf("apps/v1", "DaemonSet"), ObjectMeta: m, Spec: appsv1.DaemonSetSpec{Selector: selector(), Template: template(s)}}
	}},
	"Job": {"spec.template.spec", func(m metav1.ObjectMeta, s corev1.PodSpec) any {
		return &batchv1.Job{TypeMeta: typeOf("batch/v1", "Job"), ObjectMeta: m, Spec: job(s)}
	}},
	"CronJob": {"spec.jobTemplate.spec.template.spec", func(m metav1.ObjectMeta, s corev1.PodSpec) any {
		return &batchv1.CronJob{TypeMeta: typeOf("batch/v1", "CronJob"), ObjectMeta: m, Spec: batchv1.CronJobSpec{
			Schedule: "0 0 1 1 *", JobTemplate: batchv1.JobTemplateSpec{Spec: job(s)},
		}}
	}},
}

var labelled = map[string]string{"app": "test"}

func typeOf(apiVersion, kind string) metav1.TypeMeta {
	return metav1.TypeMeta{APIVersion: apiVersion, Kind: kind}
}

func selector() *metav1.LabelSelector { return &metav1.LabelSelector{MatchLabels: labelled} }

func template(s corev1.PodSpec) corev1.PodTemplateSpec {
	return corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: labelled}, Spec: s}
}

func job(s corev1.PodSpec) batchv1.JobSpec {
	s.RestartPolicy = corev1.RestartPolicyNever
	t := template(s)
	t.Labels = nil // a Job chooses its own
	return batchv1.JobSpec{Template: t}
}

// workload is a new object of the kind in the namespace around the spec.
func workload(t *testing.T, kind, namespace string, spec corev1.PodSpec) *unstructured.Unstructured {
	t.Helper()
	meta := metav1.ObjectMeta{Namespace: namespace, Name: fmt.Sprintf("w-%d", serial.Add(1))}
	return object(t, kinds[kind].build(meta, spec))
}
