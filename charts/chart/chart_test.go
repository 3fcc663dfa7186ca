package chart_test

import (
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"

	certmanagerv1 "github.com/cert-manager/cert-manager/pkg/apis/certmanager/v1"
	chartv2 "helm.sh/helm/v4/pkg/chart/v2"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/yaml"

	"github.com/hardgate-dev/hardgate/api/v1alpha1"
	"github.com/hardgate-dev/hardgate/charts/chart"
	"github.com/hardgate-dev/hardgate/manifest"
)

const dir = "../hardgate"

var loaded = sync.OnceValues(func() (*chartv2.Chart, error) { return chart.Load(dir) })

func load(t *testing.T) *chartv2.Chart {
	t.Helper()
	c, err := loaded()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// values reads values as a person writes them.
func values(t *testing.T, text string) map[string]any {
	t.Helper()
	var v map[string]any
	if err := yaml.Unmarshal([]byte(text), &v); err != nil {
		t.Fatal(err)
	}
	return v
}

func render(t *testing.T, o chart.Options) map[string]string {
	t.Helper()
	files, err := chart.Render(load(t), o)
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// decoder reads objects of the kinds that the chart makes, and no field that they do not
// have.
var decoder = sync.OnceValues(func() (runtime.Decoder, error) {
	s := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{scheme.AddToScheme, v1alpha1.AddToScheme, certmanagerv1.AddToScheme} {
		if err := add(s); err != nil {
			return nil, err
		}
	}
	return serializer.NewCodecFactory(s, serializer.EnableStrict).UniversalDeserializer(), nil
})

// objects decodes what was rendered, strictly.
func objects(t *testing.T, files map[string]string) []runtime.Object {
	t.Helper()
	d, err := decoder()
	if err != nil {
		t.Fatal(err)
	}
	var all []runtime.Object
	for _, o := range plain(t, files) {
		typed, _, err := d.Decode(o.JSON, nil, nil)
		if err != nil {
			t.Fatalf("%s: %v", o.Source, err)
		}
		all = append(all, typed)
	}
	return all
}

// plain reads what was rendered as a person's manifests are read: a key that is given
// twice is an error.
func plain(t *testing.T, files map[string]string) []manifest.Object {
	t.Helper()
	var all []manifest.Object
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if !strings.HasSuffix(name, ".yaml") {
			continue
		}
		set, errs := manifest.Read(strings.NewReader(files[name]), name)
		for _, err := range errs {
			t.Fatal(err)
		}
		if len(set.Objects) == 0 {
			t.Errorf("%s has no object and should not be rendered", name)
		}
		all = append(all, set.Objects...)
	}
	return all
}

// find returns the object of a type and name.
func find[T runtime.Object](t *testing.T, all []runtime.Object, name string) T {
	t.Helper()
	for _, o := range all {
		typed, ok := o.(T)
		if !ok {
			continue
		}
		if m, err := meta.Accessor(o); err == nil && m.GetName() == name {
			return typed
		}
	}
	var none T
	t.Fatalf("there is no %T %s", none, name)
	return none
}

// templates are the templates of all pods, by the name of what makes them.
func templates(t *testing.T, all []runtime.Object) map[string]*corev1.PodTemplateSpec {
	t.Helper()
	found := map[string]*corev1.PodTemplateSpec{}
	for _, o := range all {
		content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(o)
		if err != nil {
			t.Fatal(err)
		}
		var maker struct {
			Metadata struct{ Name string }
			Spec     struct{ Template *corev1.PodTemplateSpec }
		}
		text, err := yaml.Marshal(content)
		if err != nil {
			t.Fatal(err)
		}
		if err := yaml.Unmarshal(text, &maker); err == nil && maker.Spec.Template != nil {
			found[maker.Metadata.Name] = maker.Spec.Template
		}
	}
	if len(found) == 0 {
		t.Fatal("no pod is made by anything")
	}
	return found
}
