package decoding

// review is the part of an AdmissionReview that policies read, for decoders that
// fill structs. It is not complete: what is missing here would only make them slower.
type review struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	Request    struct {
		UID       string `json:"uid"`
		Namespace string `json:"namespace"`
		Name      string `json:"name"`
		Operation string `json:"operation"`
		Kind      struct {
			Group, Version, Kind string
		} `json:"kind"`
		UserInfo struct {
			Username string   `json:"username"`
			Groups   []string `json:"groups"`
		} `json:"userInfo"`
		Object pod `json:"object"`
	} `json:"request"`
}

type pod struct {
	Metadata struct {
		Name      string `json:"name"`
		Namespace string `json:"namespace"`
	} `json:"metadata"`
	Spec struct {
		HostPID                      bool        `json:"hostPID"`
		HostIPC                      bool        `json:"hostIPC"`
		HostNetwork                  bool        `json:"hostNetwork"`
		ServiceAccountName           string      `json:"serviceAccountName"`
		AutomountServiceAccountToken *bool       `json:"automountServiceAccountToken"`
		SecurityContext              *security   `json:"securityContext"`
		InitContainers               []container `json:"initContainers"`
		Containers                   []container `json:"containers"`
		EphemeralContainers          []container `json:"ephemeralContainers"`
		Volumes                      []volume    `json:"volumes"`
	} `json:"spec"`
}

type security struct {
	Privileged               *bool  `json:"privileged"`
	AllowPrivilegeEscalation *bool  `json:"allowPrivilegeEscalation"`
	RunAsNonRoot             *bool  `json:"runAsNonRoot"`
	RunAsUser                *int64 `json:"runAsUser"`
	Capabilities             *struct {
		Add  []string `json:"add"`
		Drop []string `json:"drop"`
	} `json:"capabilities"`
	SeccompProfile *struct {
		Type             string `json:"type"`
		LocalhostProfile string `json:"localhostProfile"`
	} `json:"seccompProfile"`
}

type container struct {
	Name            string    `json:"name"`
	Image           string    `json:"image"`
	SecurityContext *security `json:"securityContext"`
	Ports           []struct {
		HostPort      int64 `json:"hostPort"`
		ContainerPort int64 `json:"containerPort"`
	} `json:"ports"`
	Env []struct {
		Name      string `json:"name"`
		ValueFrom *struct {
			SecretKeyRef *struct {
				Name string `json:"name"`
				Key  string `json:"key"`
			} `json:"secretKeyRef"`
		} `json:"valueFrom"`
	} `json:"env"`
	EnvFrom []struct {
		SecretRef *struct {
			Name string `json:"name"`
		} `json:"secretRef"`
	} `json:"envFrom"`
	VolumeMounts []struct {
		Name     string `json:"name"`
		ReadOnly bool   `json:"readOnly"`
	} `json:"volumeMounts"`
}

type volume struct {
	Name     string `json:"name"`
	HostPath *struct {
		Path string `json:"path"`
	} `json:"hostPath"`
	Projected *struct {
		Sources []struct {
			ServiceAccountToken *struct {
				Audience string `json:"audience"`
				Path     string `json:"path"`
			} `json:"serviceAccountToken"`
		} `json:"sources"`
	} `json:"projected"`
	Image *struct {
		Reference string `json:"reference"`
	} `json:"image"`
}
