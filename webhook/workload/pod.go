package workload

import (
	"cmp"
	"iter"
	"slices"
)

// Pod is a pod's spec, or that of a pod template.
type Pod struct {
	// At is the field path of the spec in its object: "spec" for a Pod,
	// "spec.template.spec" for a Deployment.
	At string
	// Template is false for kind Pod only: the API server has filled in the
	// defaults of pods that reach a webhook, not those of templates.
	Template bool

	OS             string // spec.os.name: "linux", "windows" or ""
	NodeName       string
	HostPID        bool
	HostIPC        bool
	HostNetwork    bool
	ServiceAccount string // spec.serviceAccountName, or its deprecated twin where that is empty
	Automount      Optional[bool]
	Security       Security
	Volumes        []Volume
	// Tolerations are all but the two that the API server gives every pod.
	Tolerations []Toleration

	init, main, ephemeral []Container
}

// Containers yields every container of the pod: init containers (sidecars are
// among them), the main ones and the ephemeral ones. It is the only way to a
// container, so that no policy forgets one.
func (p *Pod) Containers() iter.Seq[*Container] {
	return func(yield func(*Container) bool) {
		for _, list := range [...][]Container{p.init, p.main, p.ephemeral} {
			for i := range list {
				if !yield(&list[i]) {
					return
				}
			}
		}
	}
}

// Clone is a copy whose containers can be changed. What they point to is shared.
func (p *Pod) Clone() *Pod {
	c := *p
	c.init, c.main, c.ephemeral = slices.Clone(p.init), slices.Clone(p.main), slices.Clone(p.ephemeral)
	return &c
}

// Windows is whether the pod says it is for Windows nodes. The API server then
// refuses the fields that exist on Linux only, and a Linux kubelet the pod.
func (p *Pod) Windows() bool { return p.OS == "windows" }

// Account is the name of the ServiceAccount that the pod runs under: unset is
// "default".
func (p *Pod) Account() string { return cmp.Or(p.ServiceAccount, "default") }

// Container is one container of any sort.
type Container struct {
	// List is the field that holds it: "initContainers", "containers" or
	// "ephemeralContainers".
	List  string
	Index int
	Name  string
	Image string

	Security Security
	Ports    []Port
	// Env holds the variables taken from a Secret, no others.
	Env []EnvVar
	// EnvFrom holds the sources that are Secrets, no others.
	EnvFrom []EnvFrom
	Mounts  []Mount
}

// Security is the securityContext of a pod or of a container; fields that only
// one of the two has are unset in the other.
type Security struct {
	// Fields counts the fields that say anything: not null, not {} and not [].
	Fields int

	Privileged               Optional[bool]
	AllowPrivilegeEscalation Optional[bool]
	RunAsNonRoot             Optional[bool]
	RunAsUser                Optional[int64]
	Add, Drop                []string // capabilities, as written
	Seccomp                  Seccomp
	HostProcess              Optional[bool] // windowsOptions.hostProcess
}

// Seccomp is a seccompProfile.
type Seccomp struct {
	Set              bool
	Type             string
	LocalhostProfile string
}

// Port is an entry of ports. Zero is unset, as in the API.
type Port struct {
	Index                   int
	HostPort, ContainerPort int64
	HostIP, Protocol        string
}

// EnvVar is a variable whose value is a key of a Secret. Values are never read.
type EnvVar struct {
	Index       int
	Name        string
	Secret, Key string
}

// EnvFrom is a Secret of which every key becomes a variable.
type EnvFrom struct {
	Index  int
	Secret string
}

// Mount is a volumeMount.
type Mount struct {
	Volume   string
	ReadOnly bool
}

// Volume is a volume with the sources that policies read.
type Volume struct {
	Index    int
	Name     string
	HostPath Optional[string] // hostPath.path
	Image    Optional[string] // image.reference
	Tokens   []TokenSource    // projected.sources[].serviceAccountToken
}

// Toleration is an entry of tolerations, as written. How long it lasts is not read:
// a pod is scheduled on a node that it tolerates for a second, too.
type Toleration struct {
	Index                        int
	Key, Operator, Value, Effect string
}

// TokenSource is a service account token projected into a volume.
type TokenSource struct {
	Index    int // of the source in projected.sources
	Audience string
	Path     string
}
