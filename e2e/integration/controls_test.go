package integration

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/hardgate-dev/hardgate/control"
	"github.com/hardgate-dev/hardgate/taint/key"
	"github.com/hardgate-dev/hardgate/webhook/policy"
)

// violations break one control each, in a pod that is compliant otherwise. path is
// below the pod's spec.
var violations = map[string]struct {
	parameters map[string]any
	path       string
	apply      func(*corev1.PodSpec)
	// good turns the compliant pod into another one that passes, where the
	// violation would not be comparable to it.
	good func(*corev1.PodSpec)
}{
	"default-service-account": {path: "serviceAccountName", apply: func(s *corev1.PodSpec) { s.ServiceAccountName = "" }},
	"service-account-token":   {path: "automountServiceAccountToken", apply: func(s *corev1.PodSpec) { s.AutomountServiceAccountToken = nil }},
	"privileged":              {path: "containers[0].securityContext.privileged", apply: func(s *corev1.PodSpec) { privilege(&s.Containers[0]) }},
	"host-pid":                {path: "hostPID", apply: func(s *corev1.PodSpec) { s.HostPID = true }},
	"host-ipc":                {path: "hostIPC", apply: func(s *corev1.PodSpec) { s.HostIPC = true }},
	"host-network":            {path: "hostNetwork", apply: func(s *corev1.PodSpec) { s.HostNetwork = true }},
	"privilege-escalation": {
		path:  "containers[0].securityContext.allowPrivilegeEscalation",
		apply: func(s *corev1.PodSpec) { s.Containers[0].SecurityContext.AllowPrivilegeEscalation = nil },
	},
	"run-as-root": {path: "securityContext.runAsUser", apply: func(s *corev1.PodSpec) {
		s.SecurityContext.RunAsNonRoot, s.SecurityContext.RunAsUser = nil, new(int64(0))
	}},
	"net-raw": {path: "containers[0].securityContext.capabilities.drop", apply: func(s *corev1.PodSpec) {
		s.Containers[0].SecurityContext.Capabilities.Drop = []corev1.Capability{"CAP_NET_RAW"}
	}},
	"added-capabilities": {path: "containers[0].securityContext.capabilities.add[0]", apply: func(s *corev1.PodSpec) {
		s.Containers[0].SecurityContext.Capabilities.Add = []corev1.Capability{"NET_BIND_SERVICE"}
	}},
	"assigned-capabilities": {path: "containers[0].securityContext.capabilities.drop", apply: func(s *corev1.PodSpec) {
		s.Containers[0].SecurityContext.Capabilities.Drop = []corev1.Capability{"NET_RAW"}
	}},
	"windows-host-process": {
		path: "securityContext.windowsOptions.hostProcess",
		good: windows,
		apply: func(s *corev1.PodSpec) {
			windows(s)
			s.HostNetwork = true
			s.SecurityContext.WindowsOptions = &corev1.WindowsSecurityContextOptions{HostProcess: new(true), RunAsUserName: new("NT AUTHORITY\\Local service")}
		},
	},
	"host-path": {path: "volumes[0].hostPath.path", apply: func(s *corev1.PodSpec) {
		s.Volumes = []corev1.Volume{{Name: "node", VolumeSource: corev1.VolumeSource{HostPath: &corev1.HostPathVolumeSource{Path: "/etc"}}}}
	}},
	"host-ports": {path: "containers[0].ports[0].hostPort", apply: func(s *corev1.PodSpec) {
		s.Containers[0].Ports = []corev1.ContainerPort{{ContainerPort: 8080, HostPort: 80}}
	}},
	"secrets-as-env": {path: "containers[0].envFrom[0].secretRef", apply: func(s *corev1.PodSpec) {
		s.Containers[0].EnvFrom = []corev1.EnvFromSource{{SecretRef: &corev1.SecretEnvSource{LocalObjectReference: corev1.LocalObjectReference{Name: "db"}}}}
	}},
	"image-provenance": {
		parameters: map[string]any{"allowedRegistries": []any{"registry.example.com"}},
		path:       "containers[0].image", apply: func(s *corev1.PodSpec) { s.Containers[0].Image = "registry.example.com.example.net/web:1" },
	},
	"seccomp":          {path: "containers[0].securityContext.seccompProfile", apply: func(s *corev1.PodSpec) { s.SecurityContext.SeccompProfile = nil }},
	"security-context": {path: "containers[0].securityContext", apply: func(s *corev1.PodSpec) { s.SecurityContext, s.Containers[0].SecurityContext = nil, nil }},
	"tainted-node-toleration": {path: "tolerations[1]", apply: func(s *corev1.PodSpec) {
		s.Tolerations = []corev1.Toleration{{Key: "gpu", Operator: corev1.TolerationOpExists}, {Key: key.Drifted, Operator: corev1.TolerationOpExists}}
	}},
}

// windows makes a pod for Windows nodes, without the fields that these refuse.
func windows(s *corev1.PodSpec) {
	s.OS = &corev1.PodOS{Name: corev1.Windows}
	s.SecurityContext = &corev1.PodSecurityContext{RunAsNonRoot: new(true)}
	s.Containers[0].SecurityContext = nil
}

// Every control denies its violation in every kind, and lets the same object
// without it pass.
func TestEveryControlInEveryKind(t *testing.T) {
	for _, p := range policy.All() {
		id := string(p.ID)
		if id == "default-namespace" {
			continue // where an object stands is no matter of its spec: TestDefaultNamespace
		}
		if c, _ := control.Get(p.ID); c.Scope != control.InNamespaces {
			continue // it is about roles and bindings: TestRolesAtTheDoor
		}
		v, ok := violations[id]
		if !ok {
			t.Errorf("no violation of %s is tested", id)
			continue
		}
		t.Run(id, func(t *testing.T) {
			namespace := newNamespace(t)
			enforceWith(t, namespace, map[string]any{"id": id, "mode": "Enforce", "parameters": v.parameters})
			client := newClient(t)
			for kind, k := range kinds {
				bad := compliantPod(namespace).Spec
				v.apply(&bad)
				_, err := client.Create(t.Context(), workload(t, kind, namespace, bad), metav1.CreateOptions{})
				title := id
				if control.Number(p.ID, control.DefaultBenchmark) != "" {
					title += " (CIS "
				}
				t.Run(kind, func(t *testing.T) { wantDenied(t, err, title, k.spec+"."+v.path+": ") })

				good := compliantPod(namespace).Spec
				if v.good != nil {
					v.good(&good)
				}
				if _, err := client.Create(t.Context(), workload(t, kind, namespace, good), metav1.CreateOptions{}); err != nil {
					t.Errorf("a good %s is refused: %v", kind, err)
				}
			}
		})
	}
}

// Init containers, sidecars and ephemeral containers count as any other.
func TestEveryListOfContainers(t *testing.T) {
	for _, id := range []string{"privileged", "privilege-escalation", "net-raw", "added-capabilities", "assigned-capabilities", "host-ports", "secrets-as-env", "image-provenance"} {
		v := violations[id]
		t.Run(id, func(t *testing.T) {
			namespace := newNamespace(t)
			enforceWith(t, namespace, map[string]any{"id": id, "mode": "Enforce", "parameters": v.parameters})
			pods := lab.admin.CoreV1().Pods(namespace)
			broken := compliantPod(namespace).Spec
			v.apply(&broken)
			offender := broken.Containers[0]
			offender.Name = "offender"
			path := v.path[len("containers[0]"):]

			initial := compliantPod(namespace)
			initial.Spec.InitContainers = []corev1.Container{offender}
			_, err := pods.Create(t.Context(), initial, metav1.CreateOptions{})
			wantDenied(t, err, id, "spec.initContainers[0]"+path)

			sidecar := compliantPod(namespace)
			offender.RestartPolicy = new(corev1.ContainerRestartPolicyAlways)
			sidecar.Spec.InitContainers = []corev1.Container{offender}
			_, err = pods.Create(t.Context(), sidecar, metav1.CreateOptions{})
			wantDenied(t, err, id, "spec.initContainers[0]"+path)
			offender.RestartPolicy = nil

			if id == "host-ports" {
				return // the API refuses ports of ephemeral containers by itself
			}
			pod, err := pods.Create(t.Context(), compliantPod(namespace), metav1.CreateOptions{})
			if err != nil {
				t.Fatal(err)
			}
			pod.Spec.EphemeralContainers = []corev1.EphemeralContainer{{EphemeralContainerCommon: corev1.EphemeralContainerCommon(offender)}}
			_, err = pods.UpdateEphemeralContainers(t.Context(), pod.Name, pod, metav1.UpdateOptions{})
			wantDenied(t, err, id, "spec.ephemeralContainers[0]"+path)
		})
	}
}
