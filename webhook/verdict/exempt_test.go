package verdict

import (
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/hardgate-dev/hardgate/api/v1alpha1"
	"github.com/hardgate-dev/hardgate/exemption"
	"github.com/hardgate-dev/hardgate/webhook/policy"
	"github.com/hardgate-dev/hardgate/webhook/workload"
)

var end = time.Date(2030, 1, 31, 12, 0, 0, 0, time.UTC)

func exempting(t *testing.T, objects *v1alpha1.ExemptObjects, raw string) Exempt {
	t.Helper()
	e := v1alpha1.Exemption{
		ObjectMeta: metav1.ObjectMeta{Name: "e"},
		Spec:       v1alpha1.ExemptionSpec{Controls: []string{"privileged"}, Objects: objects, Reason: "r", Owner: "o", Expires: metav1.NewTime(end)},
	}
	book, errs := exemption.Compile([]v1alpha1.Exemption{e})
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	o, err := workload.Decode([]byte(raw))
	if err != nil {
		t.Fatal(err)
	}
	return Exempting(book, &o, end.Add(-time.Second))
}

// What an Exemption is asked of an object as an audit reads it.
func TestExempting(t *testing.T) {
	const (
		namespace = `{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"shop"}}`
		role      = `{"apiVersion":"rbac.authorization.k8s.io/v1","kind":"ClusterRole","metadata":{"name":"shop"}}`
		pod       = `{"apiVersion":"v1","kind":"Pod","metadata":{"name":"web","namespace":"shop","generateName":"db-",
			"labels":{"app":"db"},"annotations":{"app":"db"},"ownerReferences":[{"apiVersion":"apps/v1","kind":"Deployment","name":"db","controller":true}]},
			"spec":{"containers":[{"name":"db","image":"r.example.com/web:1"}],"volumes":[{"name":"db","image":{"reference":"r.example.com/files:1"}}]}}`
	)
	tests := map[string]struct {
		object  string
		objects v1alpha1.ExemptObjects
		want    bool
	}{
		"a Namespace stands in itself":       {namespace, v1alpha1.ExemptObjects{Namespaces: []string{"shop"}}, true},
		"and in no other":                    {namespace, v1alpha1.ExemptObjects{Namespaces: []string{"default"}}, false},
		"a Namespace by its name":            {namespace, v1alpha1.ExemptObjects{Kinds: []string{"Namespace"}, Names: []string{"shop"}}, true},
		"another group's stands nowhere":     {`{"apiVersion":"example.com/v1","kind":"Namespace","metadata":{"name":"shop"}}`, v1alpha1.ExemptObjects{Namespaces: []string{"shop"}}, false},
		"a ClusterRole by its name":          {role, v1alpha1.ExemptObjects{Kinds: []string{"ClusterRole"}, Names: []string{"shop"}}, true},
		"a ClusterRole in a namespace":       {role, v1alpha1.ExemptObjects{Namespaces: []string{"shop"}, Kinds: []string{"ClusterRole"}, Names: []string{"shop"}}, false},
		"a pod by its name":                  {pod, v1alpha1.ExemptObjects{Names: []string{"web"}}, true},
		"by what it says of itself and more": {pod, v1alpha1.ExemptObjects{Names: []string{"db", "db-*"}}, false},
		"by its owner":                       {pod, v1alpha1.ExemptObjects{Namespaces: []string{"shop"}, Kinds: []string{"Deployment"}}, false},
		"by the account that it leaves out":  {pod, v1alpha1.ExemptObjects{ServiceAccounts: []string{"shop/default"}}, true},
		"by all images":                      {pod, v1alpha1.ExemptObjects{Images: []string{"r.example.com/web", "r.example.com/files"}}, true},
		"by all but one that is mounted":     {pod, v1alpha1.ExemptObjects{Images: []string{"r.example.com/web"}}, false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			covers := exempting(t, &tt.objects, tt.object)
			for range 2 {
				if got := covers("privileged", &policy.Finding{Path: "spec.x"}) == "e"; got != tt.want {
					t.Errorf("exempt: %t", got)
				}
			}
		})
	}
}

// A container is exempt by its own image, and by that alone.
func TestExemptingContainers(t *testing.T) {
	covers := exempting(t, &v1alpha1.ExemptObjects{Images: []string{"r.example.com/web"}}, `{"apiVersion":"v1","kind":"Pod","spec":{"containers":[
		{"name":"a","image":"r.example.com/web:1"},{"name":"b","image":"r.example.com/other:1"}]}}`)
	for image, want := range map[string]string{"r.example.com/web:1": "e", "r.example.com/other:1": ""} {
		if got := covers("privileged", &policy.Finding{Path: "spec.x", Container: &workload.Container{Image: image}}); got != want {
			t.Errorf("%s: %q", image, got)
		}
	}
}

// Without Exemptions nothing is asked.
func TestExemptingNothing(t *testing.T) {
	book, errs := exemption.Compile(nil)
	if len(errs) > 0 || Exempting(book, nil, end) != nil || Exempting(nil, nil, end) != nil {
		t.Errorf("%v", errs)
	}
}
