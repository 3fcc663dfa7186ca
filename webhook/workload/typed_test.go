package workload

import (
	"encoding/json"
	"io/fs"
	"maps"
	"math/rand"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	strict "sigs.k8s.io/json"
	"sigs.k8s.io/yaml"
)

// typed is the API's own decoding of an object, by which the decoder is measured.
type typed struct {
	object any
	meta   func() *metav1.ObjectMeta
	spec   func() *corev1.PodSpec
	at     string
}

// newTyped returns nil for kinds that the served API does not have.
func newTyped(k Kind) *typed {
	template := func(object any, meta *metav1.ObjectMeta, spec *corev1.PodSpec) *typed {
		return &typed{object, func() *metav1.ObjectMeta { return meta }, func() *corev1.PodSpec { return spec }, "spec.template.spec"}
	}
	switch k {
	case Kind{"", "v1", "Pod"}:
		o := &corev1.Pod{}
		return &typed{o, func() *metav1.ObjectMeta { return &o.ObjectMeta }, func() *corev1.PodSpec { return &o.Spec }, "spec"}
	case Kind{"", "v1", "PodTemplate"}:
		o := &corev1.PodTemplate{}
		return &typed{o, func() *metav1.ObjectMeta { return &o.ObjectMeta }, func() *corev1.PodSpec { return &o.Template.Spec }, "template.spec"}
	case Kind{"", "v1", "ReplicationController"}:
		o := &corev1.ReplicationController{}
		return &typed{o, func() *metav1.ObjectMeta { return &o.ObjectMeta }, func() *corev1.PodSpec {
			if o.Spec.Template == nil {
				return nil
			}
			return &o.Spec.Template.Spec
		}, "spec.template.spec"}
	case Kind{"apps", "v1", "Deployment"}:
		o := &appsv1.Deployment{}
		return template(o, &o.ObjectMeta, &o.Spec.Template.Spec)
	case Kind{"apps", "v1", "ReplicaSet"}:
		o := &appsv1.ReplicaSet{}
		return template(o, &o.ObjectMeta, &o.Spec.Template.Spec)
	case Kind{"apps", "v1", "StatefulSet"}:
		o := &appsv1.StatefulSet{}
		return template(o, &o.ObjectMeta, &o.Spec.Template.Spec)
	case Kind{"apps", "v1", "DaemonSet"}:
		o := &appsv1.DaemonSet{}
		return template(o, &o.ObjectMeta, &o.Spec.Template.Spec)
	case Kind{"batch", "v1", "Job"}:
		o := &batchv1.Job{}
		return template(o, &o.ObjectMeta, &o.Spec.Template.Spec)
	case Kind{"batch", "v1", "CronJob"}:
		o := &batchv1.CronJob{}
		t := template(o, &o.ObjectMeta, &o.Spec.JobTemplate.Spec.Template.Spec)
		t.at = "spec.jobTemplate.spec.template.spec"
		return t
	}
	return nil
}

// want is the Object that a typed object should be decoded to.
func (t *typed) want(k Kind) Object {
	meta := t.meta()
	_, mirror := meta.Annotations[mirrorAnnotation]
	o := Object{Kind: k, Name: meta.Name, Namespace: meta.Namespace, GenerateName: meta.GenerateName, Mirror: mirror}
	for _, owner := range meta.OwnerReferences {
		controls := owner.Controller != nil && *owner.Controller
		if controls {
			o.Controller = Owner{owner.Kind, owner.Name}
		}
		if by := ParseKind(owner.APIVersion, owner.Kind); controls && by.Group == "apps" && by.Kind == "DaemonSet" {
			o.OfDaemonSet = true
		}
	}
	if spec := t.spec(); spec != nil {
		o.Pod = wantPod(spec, t.at)
	}
	return o
}

func wantPod(s *corev1.PodSpec, at string) *Pod {
	p := &Pod{
		At: at, Template: at != "spec",
		NodeName: s.NodeName, HostPID: s.HostPID, HostIPC: s.HostIPC, HostNetwork: s.HostNetwork,
		ServiceAccount: s.ServiceAccountName, Automount: optional(s.AutomountServiceAccountToken),
	}
	if s.OS != nil {
		p.OS = string(s.OS.Name)
	}
	if p.ServiceAccount == "" {
		p.ServiceAccount = s.DeprecatedServiceAccount
	}
	if sc := s.SecurityContext; sc != nil {
		p.Security = Security{Fields: says(sc), RunAsNonRoot: optional(sc.RunAsNonRoot), RunAsUser: optional(sc.RunAsUser)}
		p.Security.Seccomp = wantSeccomp(sc.SeccompProfile)
		if sc.WindowsOptions != nil {
			p.Security.HostProcess = optional(sc.WindowsOptions.HostProcess)
		}
	}
	for i, t := range s.Tolerations {
		if t.Key != corev1.TaintNodeNotReady && t.Key != corev1.TaintNodeUnreachable {
			p.Tolerations = append(p.Tolerations, Toleration{i, t.Key, string(t.Operator), t.Value, string(t.Effect)})
		}
	}
	for i, v := range s.Volumes {
		p.Volumes = append(p.Volumes, wantVolume(v, i))
	}
	for i := range s.InitContainers {
		p.init = append(p.init, wantContainer(&s.InitContainers[i], "initContainers", i))
	}
	for i := range s.Containers {
		p.main = append(p.main, wantContainer(&s.Containers[i], "containers", i))
	}
	for i := range s.EphemeralContainers {
		c := corev1.Container(s.EphemeralContainers[i].EphemeralContainerCommon)
		p.ephemeral = append(p.ephemeral, wantContainer(&c, "ephemeralContainers", i))
	}
	return p
}

func wantVolume(v corev1.Volume, i int) Volume {
	w := Volume{Index: i, Name: v.Name}
	if v.HostPath != nil {
		w.HostPath = Optional[string]{v.HostPath.Path, true}
	}
	if v.Image != nil {
		w.Image = Optional[string]{v.Image.Reference, true}
	}
	if v.Projected != nil {
		for i, source := range v.Projected.Sources {
			if token := source.ServiceAccountToken; token != nil {
				w.Tokens = append(w.Tokens, TokenSource{i, token.Audience, token.Path})
			}
		}
	}
	return w
}

func wantContainer(c *corev1.Container, list string, i int) Container {
	w := Container{List: list, Index: i, Name: c.Name, Image: c.Image}
	if sc := c.SecurityContext; sc != nil {
		w.Security = Security{
			Fields: says(sc), Privileged: optional(sc.Privileged), AllowPrivilegeEscalation: optional(sc.AllowPrivilegeEscalation),
			RunAsNonRoot: optional(sc.RunAsNonRoot), RunAsUser: optional(sc.RunAsUser), Seccomp: wantSeccomp(sc.SeccompProfile),
		}
		if sc.Capabilities != nil {
			for _, name := range sc.Capabilities.Add {
				w.Security.Add = append(w.Security.Add, string(name))
			}
			for _, name := range sc.Capabilities.Drop {
				w.Security.Drop = append(w.Security.Drop, string(name))
			}
		}
		if sc.WindowsOptions != nil {
			w.Security.HostProcess = optional(sc.WindowsOptions.HostProcess)
		}
	}
	for i, p := range c.Ports {
		w.Ports = append(w.Ports, Port{i, int64(p.HostPort), int64(p.ContainerPort), p.HostIP, string(p.Protocol)})
	}
	for i, e := range c.Env {
		if e.ValueFrom != nil && e.ValueFrom.SecretKeyRef != nil {
			w.Env = append(w.Env, EnvVar{i, e.Name, e.ValueFrom.SecretKeyRef.Name, e.ValueFrom.SecretKeyRef.Key})
		}
	}
	for i, e := range c.EnvFrom {
		if e.SecretRef != nil {
			w.EnvFrom = append(w.EnvFrom, EnvFrom{i, e.SecretRef.Name})
		}
	}
	for _, m := range c.VolumeMounts {
		w.Mounts = append(w.Mounts, Mount{m.Name, m.ReadOnly})
	}
	return w
}

func wantSeccomp(p *corev1.SeccompProfile) Seccomp {
	if p == nil {
		return Seccomp{}
	}
	s := Seccomp{Set: true, Type: string(p.Type)}
	if p.LocalhostProfile != nil {
		s.LocalhostProfile = *p.LocalhostProfile
	}
	return s
}

func optional[T any](v *T) Optional[T] {
	if v == nil {
		return Optional[T]{}
	}
	return Optional[T]{*v, true}
}

// says counts the fields of a security context that are neither absent nor empty
// themselves.
func says(securityContext any) (fields int) {
	for _, v := range reflect.ValueOf(securityContext).Elem().Fields() {
		empty := v.IsZero() || v.Kind() == reflect.Slice && v.Len() == 0
		if v.Kind() == reflect.Pointer && !v.IsNil() && v.Elem().Kind() == reflect.Struct {
			empty = true
			for _, inner := range v.Elem().Fields() {
				empty = empty && (inner.IsZero() || inner.Kind() == reflect.Slice && inner.Len() == 0)
			}
		}
		if !empty {
			fields++
		}
	}
	return fields
}

var (
	withPods   = cmp.AllowUnexported(Pod{})
	anyFields  = cmpopts.IgnoreFields(Security{}, "Fields")
	nilIsEmpty = cmpopts.EquateEmpty()
)

// fixtures are the objects of every policy's fixtures, in JSON, by file.
func fixtures(tb testing.TB) map[string][]byte {
	tb.Helper()
	all := map[string][]byte{}
	folder := os.DirFS("../policy/testdata")
	files, err := fs.Glob(folder, "*/*.yaml")
	if err != nil {
		tb.Fatal(err)
	}
	for _, file := range files {
		text, err := fs.ReadFile(folder, file)
		if err != nil {
			tb.Fatal(err)
		}
		if all[file], err = yaml.YAMLToJSON(text); err != nil {
			tb.Fatalf("%s: %v", file, err)
		}
	}
	if len(all) < 300 {
		tb.Errorf("%d fixtures", len(all))
	}
	return all
}

// Every fixture is decoded to what the API's own types say.
func TestDecodeLikeTheTypes(t *testing.T) {
	compared := 0
	for file, text := range fixtures(t) {
		got, err := Decode(text)
		if err != nil {
			t.Errorf("%s: %v", file, err)
			continue
		}
		api := newTyped(got.Kind)
		if api == nil {
			continue
		}
		compared++
		if err := json.Unmarshal(text, api.object); err != nil {
			t.Errorf("%s: %v", file, err)
		}
		if diff := cmp.Diff(api.want(got.Kind), got, withPods, nilIsEmpty); diff != "" {
			t.Errorf("%s (-typed +decoded):\n%s", file, diff)
		}
	}
	if compared < 300 {
		t.Errorf("%d objects were compared", compared)
	}
}

// The fields that only one of the two security contexts has are those of the API.
func TestFieldsOfOneSecurityContext(t *testing.T) {
	pod, container := jsonNames(reflect.TypeFor[corev1.PodSecurityContext]()), jsonNames(reflect.TypeFor[corev1.SecurityContext]())
	without := func(all, some []string) []string {
		return slices.DeleteFunc(slices.Clone(all), func(name string) bool { return slices.Contains(some, name) })
	}
	if diff := cmp.Diff(without(container, pod), containersOnly); diff != "" {
		t.Errorf("fields of containers only (-API +decoder):\n%s", diff)
	}
	if diff := cmp.Diff(without(pod, container), podsOnly); diff != "" {
		t.Errorf("fields of pods only (-API +decoder):\n%s", diff)
	}
}

func jsonNames(t reflect.Type) (names []string) {
	for f := range t.Fields() {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// Objects with random values in all fields of the API, those that no policy reads
// among them, are decoded to what the types say.
func TestDecodeRandomObjects(t *testing.T) {
	random := rand.New(rand.NewSource(1)) // the same objects in every run
	kinds := slices.SortedFunc(maps.Keys(locations), func(a, b Kind) int { return strings.Compare(a.String(), b.String()) })
	secrets := 0
	for range 60 {
		for _, k := range kinds {
			k.Version = "v1"
			api := newTyped(k)
			if api == nil {
				continue
			}
			fill(random, reflect.ValueOf(api.object).Elem())
			set(api.object, k)
			if api.spec() == nil {
				continue
			}
			text, err := json.Marshal(api.object)
			if err != nil {
				t.Fatal(err)
			}
			got, err := Decode(text)
			if err != nil {
				t.Fatalf("%v\n%s", err, text)
			}
			if diff := cmp.Diff(api.want(k), got, withPods, nilIsEmpty); diff != "" {
				t.Fatalf("(-typed +decoded):\n%s\n%s", diff, text)
			}
			for c := range got.Pod.Containers() {
				secrets += len(c.Env)
			}
		}
	}
	if secrets < 100 {
		t.Errorf("%d variables from Secrets: the objects are too poor", secrets)
	}
}

func set(object any, k Kind) {
	v := reflect.ValueOf(object).Elem()
	v.FieldByName("APIVersion").SetString(k.APIVersion())
	v.FieldByName("Kind").SetString(k.Kind)
}

// fill gives a value to about half of what may be absent. Types that write
// themselves are left alone.
func fill(random *rand.Rand, v reflect.Value) {
	if _, own := reflect.TypeAssert[json.Marshaler](v.Addr()); own {
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		for f, inner := range v.Fields() {
			if f.IsExported() {
				fill(random, inner)
			}
		}
	case reflect.Pointer:
		if random.Intn(2) == 0 {
			v.Set(reflect.New(v.Type().Elem()))
			fill(random, v.Elem())
		}
	case reflect.Slice:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			return
		}
		v.Set(reflect.MakeSlice(v.Type(), random.Intn(3), 3))
		for i := range v.Len() {
			fill(random, v.Index(i))
		}
	case reflect.Map:
		if v.Type() == reflect.TypeFor[map[string]string]() && random.Intn(2) == 0 {
			v.Set(reflect.ValueOf(map[string]string{text(random): text(random)}))
		}
	case reflect.String:
		v.SetString(text(random))
	case reflect.Bool:
		v.SetBool(random.Intn(2) == 0)
	case reflect.Int32, reflect.Int64:
		v.SetInt(int64(random.Intn(3)) - 1)
	default: // numbers that nothing reads
	}
}

// text is never empty: the types cannot tell that from absent.
func text(random *rand.Rand) string {
	texts := []string{"a", "apps/v1", "DaemonSet", "kube-api-access-x", "windows", "NET_RAW", "RuntimeDefault", "\"\\\n\u2028é😀", mirrorAnnotation, corev1.TaintNodeNotReady}
	return texts[random.Intn(len(texts))]
}

// FuzzDecode holds the decoder against the decoding that the API server uses: what
// both take, both read alike.
func FuzzDecode(f *testing.F) {
	for _, text := range fixtures(f) {
		f.Add(text)
	}
	f.Add(full(f))
	f.Fuzz(func(t *testing.T, text []byte) {
		got, err := Decode(text)
		again, errAgain := Decode(text)
		if !cmp.Equal(got, again, withPods) || (err == nil) != (errAgain == nil) || err != nil && err.Error() != errAgain.Error() {
			t.Fatalf("%v, %v; and again: %v, %v", got, err, again, errAgain)
		}
		if err != nil {
			return
		}
		if !json.Valid(text) {
			t.Fatal("taken, and not JSON")
		}
		api := newTyped(got.Kind)
		if api == nil {
			return
		}
		if lax, err := strict.UnmarshalStrict(text, api.object); err != nil || len(lax) > 0 {
			return
		}
		if diff := cmp.Diff(api.want(got.Kind), got, withPods, nilIsEmpty, anyFields); diff != "" {
			t.Errorf("(-typed +decoded):\n%s", diff)
		}
	})
}
