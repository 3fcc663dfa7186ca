package record

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// The size of the large pods: that of a service with its proxies and agents, as
// charts and injectors render them.
const (
	containers = 5
	variables  = 40
)

// large returns pods whose AdmissionReview is about 60 kB.
func large() []Pod {
	compliant := func() *corev1.Pod { return largePod("checkout") }

	// The only fault is in the container that is read last.
	last := compliant()
	last.Spec.Containers[containers-1].SecurityContext.Privileged = new(true)
	last.Spec.Containers[containers-1].SecurityContext.AllowPrivilegeEscalation = nil

	mounts := compliant()
	mounts.Spec.Volumes = append(mounts.Spec.Volumes, corev1.Volume{
		Name:         "host",
		VolumeSource: corev1.VolumeSource{HostPath: &corev1.HostPathVolumeSource{Path: "/var/lib/kubelet"}},
	})
	for i := range mounts.Spec.Containers {
		c := &mounts.Spec.Containers[i]
		c.VolumeMounts = append(c.VolumeMounts, corev1.VolumeMount{Name: "host", MountPath: "/host"})
		c.Ports[0].HostPort = c.Ports[0].ContainerPort
	}

	// No security context at all: every container has several faults.
	plain := compliant()
	plain.Spec.SecurityContext = nil
	plain.Spec.AutomountServiceAccountToken = nil
	for i := range plain.Spec.Containers {
		plain.Spec.Containers[i].SecurityContext = nil
		plain.Spec.Containers[i].Image = fmt.Sprintf("registry.example.com/shop/checkout-%d:latest", i)
	}
	return []Pod{{"compliant", compliant()}, {"last-privileged", last}, {"host-mounts", mounts}, {"plain", plain}}
}

func largePod(name string) *corev1.Pod {
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{
			Name: name,
			Labels: map[string]string{
				"app.kubernetes.io/name": name, "app.kubernetes.io/part-of": "shop", "app.kubernetes.io/component": "backend",
			},
			Annotations: map[string]string{
				"prometheus.io/scrape": "true", "prometheus.io/port": "9090",
				"checksum/config": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
			},
		},
		Spec: corev1.PodSpec{
			ServiceAccountName:            "web",
			AutomountServiceAccountToken:  new(false),
			TerminationGracePeriodSeconds: new(int64(60)),
			SecurityContext: &corev1.PodSecurityContext{
				RunAsNonRoot: new(true), RunAsUser: new(int64(10001)), FSGroup: new(int64(10001)),
				SeccompProfile: &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeRuntimeDefault},
			},
			TopologySpreadConstraints: []corev1.TopologySpreadConstraint{{
				MaxSkew: 1, TopologyKey: "topology.kubernetes.io/zone", WhenUnsatisfiable: corev1.ScheduleAnyway,
				LabelSelector: &metav1.LabelSelector{MatchLabels: map[string]string{"app.kubernetes.io/name": name}},
			}},
		},
	}
	for i := range containers {
		pod.Spec.Containers = append(pod.Spec.Containers, largeContainer(name, i))
	}
	for _, volume := range []string{"config", "features", "certificates"} {
		pod.Spec.Volumes = append(pod.Spec.Volumes, corev1.Volume{Name: volume, VolumeSource: corev1.VolumeSource{
			ConfigMap: &corev1.ConfigMapVolumeSource{LocalObjectReference: corev1.LocalObjectReference{Name: name + "-" + volume}},
		}})
	}
	pod.Spec.Volumes = append(pod.Spec.Volumes, corev1.Volume{Name: "scratch", VolumeSource: corev1.VolumeSource{
		EmptyDir: &corev1.EmptyDirVolumeSource{SizeLimit: resource.NewQuantity(256<<20, resource.BinarySI)},
	}})
	return pod
}

func largeContainer(pod string, i int) corev1.Container {
	port := int32(8080 + i)
	c := corev1.Container{
		Name:  fmt.Sprintf("%s-%d", pod, i),
		Image: fmt.Sprintf("registry.example.com/shop/%s-%d@sha256:%064x", pod, i, 0xc0ffee+i),
		Args:  []string{fmt.Sprintf("--listen=:%d", port), "--log-format=json", "--shutdown-timeout=45s"},
		Ports: []corev1.ContainerPort{
			{Name: fmt.Sprintf("http-%d", i), ContainerPort: port},
			{Name: fmt.Sprintf("metrics-%d", i), ContainerPort: 9090 + int32(i)},
		},
		Resources: corev1.ResourceRequirements{
			Requests: corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("100m"), corev1.ResourceMemory: resource.MustParse("128Mi")},
			Limits:   corev1.ResourceList{corev1.ResourceMemory: resource.MustParse("512Mi")},
		},
		SecurityContext: &corev1.SecurityContext{
			AllowPrivilegeEscalation: new(false), ReadOnlyRootFilesystem: new(true),
			Capabilities: &corev1.Capabilities{Drop: []corev1.Capability{"ALL"}},
		},
		LivenessProbe:  probe("/healthz", port),
		ReadinessProbe: probe("/readyz", port),
		StartupProbe:   probe("/startupz", port),
		VolumeMounts: []corev1.VolumeMount{
			{Name: "config", MountPath: "/etc/" + pod, ReadOnly: true},
			{Name: "features", MountPath: "/etc/features", ReadOnly: true},
			{Name: "certificates", MountPath: "/etc/ssl/certs", ReadOnly: true},
			{Name: "scratch", MountPath: "/tmp", SubPath: fmt.Sprintf("container-%d", i)},
		},
	}
	for v := range variables {
		c.Env = append(c.Env, variable(v))
	}
	return c
}

// variable alternates between what charts write: addresses, switches, fields of
// the pod and keys of a ConfigMap.
func variable(v int) corev1.EnvVar {
	switch v % 4 {
	case 0:
		return corev1.EnvVar{Name: fmt.Sprintf("UPSTREAM_%02d_URL", v), Value: fmt.Sprintf("http://backend-%02d.shop.svc.cluster.local:8080/api/v1?timeout=2s&retries=3", v)}
	case 1:
		return corev1.EnvVar{Name: fmt.Sprintf("CHECKOUT_FEATURE_%02d_ROLLOUT", v), Value: "share=25,regions=eu-1;eu-2;ap-1,cohort=beta"}
	case 2:
		return corev1.EnvVar{Name: fmt.Sprintf("POD_FIELD_%02d", v), ValueFrom: &corev1.EnvVarSource{
			FieldRef: &corev1.ObjectFieldSelector{FieldPath: "metadata.annotations['checksum/config']"},
		}}
	default:
		return corev1.EnvVar{Name: fmt.Sprintf("CHECKOUT_BACKEND_SETTING_%02d", v), ValueFrom: &corev1.EnvVarSource{
			ConfigMapKeyRef: &corev1.ConfigMapKeySelector{
				LocalObjectReference: corev1.LocalObjectReference{Name: "checkout-config"}, Key: fmt.Sprintf("checkout.backend.setting-%02d", v),
			},
		}}
	}
}

func probe(path string, port int32) *corev1.Probe {
	return &corev1.Probe{
		ProbeHandler:     corev1.ProbeHandler{HTTPGet: &corev1.HTTPGetAction{Path: path, Port: intstr.FromInt32(port)}},
		TimeoutSeconds:   2,
		PeriodSeconds:    15,
		FailureThreshold: 4,
	}
}
