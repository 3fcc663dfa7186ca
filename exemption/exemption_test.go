package exemption

import (
	"testing"
	"time"

	"github.com/hardgate-dev/hardgate/api/v1alpha1"
	"github.com/hardgate-dev/hardgate/control"
)

func TestCovers(t *testing.T) {
	const privileged = "spec.containers[0].securityContext.privileged"
	web := Object{Kind: "Pod", Namespace: "shop", Name: "web-x1", Account: "web", Images: []string{"registry.example.com/shop/web:1", "registry.example.com/mesh/proxy:2"}}
	role := Object{Group: "rbac.authorization.k8s.io", Kind: "ClusterRole", Name: "web-x1"}
	before := expiry.Add(-time.Nanosecond)
	tests := map[string]struct {
		objects string
		object  Object
		id      control.ID
		path    string
		image   string
		at      time.Time
		want    bool
	}{
		"namespace":                   {"namespaces: [shop]", web, "privileged", privileged, web.Images[0], before, true},
		"the second itself":           {"namespaces: [shop]", web, "privileged", privileged, web.Images[0], expiry, false},
		"another namespace":           {"namespaces: [shop-2]", web, "privileged", privileged, web.Images[0], before, false},
		"no namespace":                {"namespaces: [shop]", role, "privileged", privileged, "", before, false},
		"no namespace is named":       {"kinds: [ClusterRole], names: ['web-*']", role, "privileged", "rules[0]", "", before, true},
		"another control":             {"namespaces: [shop]", web, "host-pid", "spec.hostPID", "", before, false},
		"kind":                        {"kinds: [Deployment, Pod]", web, "privileged", privileged, web.Images[0], before, true},
		"another kind":                {"kinds: [Deployment]", web, "privileged", privileged, web.Images[0], before, false},
		"kind with group":             {"kinds: [ClusterRole.rbac.authorization.k8s.io]", role, "privileged", "rules[0]", "", before, true},
		"kind of another group":       {"kinds: [ClusterRole.example.com]", role, "privileged", "rules[0]", "", before, false},
		"name":                        {"names: ['web-*']", web, "privileged", privileged, web.Images[0], before, true},
		"name as a whole":             {"names: ['eb-*', web, 'web-*2']", web, "privileged", privileged, web.Images[0], before, false},
		"account":                     {"serviceAccounts: [web]", web, "privileged", privileged, web.Images[0], before, true},
		"account of a namespace":      {"serviceAccounts: [shop/web]", web, "privileged", privileged, web.Images[0], before, true},
		"account of another":          {"serviceAccounts: [other/web]", web, "privileged", privileged, web.Images[0], before, false},
		"what has no account":         {"serviceAccounts: [web]", role, "privileged", "rules[0]", "", before, false},
		"image":                       {"images: ['registry.example.com/shop/*']", web, "privileged", privileged, web.Images[0], before, true},
		"the other container's":       {"images: ['registry.example.com/shop/*']", web, "privileged", privileged, web.Images[1], before, false},
		"whole pod, not all images":   {"images: ['registry.example.com/shop/*']", web, "privileged", "spec.hostPID", "", before, false},
		"whole pod, all images":       {"images: ['registry.example.com/*']", web, "privileged", "spec.hostPID", "", before, true},
		"what has no image":           {"images: ['registry.example.com/*']", role, "privileged", "rules[0]", "", before, false},
		"all must hold":               {"namespaces: [shop], names: [db]", web, "privileged", privileged, web.Images[0], before, false},
		"field":                       {"namespaces: [shop], fieldPaths: ['spec.containers[*].securityContext']", web, "privileged", privileged, web.Images[0], before, true},
		"field by index":              {"namespaces: [shop], fieldPaths: ['spec.containers[0]']", web, "privileged", privileged, web.Images[0], before, true},
		"another index":               {"namespaces: [shop], fieldPaths: ['spec.containers[1]']", web, "privileged", privileged, web.Images[0], before, false},
		"another list":                {"namespaces: [shop], fieldPaths: ['spec.containers[*]']", web, "privileged", "spec.initContainers[0].securityContext.privileged", web.Images[0], before, false},
		"fields by whole names":       {"namespaces: [shop], fieldPaths: ['spec.container']", web, "privileged", privileged, web.Images[0], before, false},
		"a field below what is found": {"namespaces: [shop], fieldPaths: ['" + privileged + ".more']", web, "privileged", privileged, web.Images[0], before, false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			book, errs := Compile([]v1alpha1.Exemption{*read(t, "{controls: [privileged], objects: {"+tt.objects+"}"+because)})
			if len(errs) > 0 {
				t.Fatal(errs)
			}
			if got := book.On(tt.object, tt.at).Covers(tt.id, tt.path, tt.image) == "e"; got != tt.want {
				t.Errorf("%t, want %t", got, tt.want)
			}
		})
	}
}

// What is not understood exempts nothing, and neither does nothing.
func TestNotUnderstood(t *testing.T) {
	e := read(t, "{controls: [privileged], objects: {namespaces: [shop]}"+because)
	e.Spec.Owner = " "
	book, errs := Compile([]v1alpha1.Exemption{*e})
	if len(errs) != 1 || book.On(Object{Namespace: "shop"}, time.Time{}) != nil {
		t.Errorf("%v", errs)
	}
	if (*Book)(nil).On(Object{}, time.Time{}).Covers("privileged", "spec", "") != "" {
		t.Error("nothing exempts something")
	}
}

// Of several that cover, all replicas and the audit name the same.
func TestFirstByName(t *testing.T) {
	everywhere := read(t, "{controls: [privileged], objects: {kinds: [Pod]}"+because)
	here := read(t, "{controls: [privileged, host-pid], objects: {namespaces: [shop]}"+because)
	other := read(t, "{controls: [host-pid], objects: {namespaces: [shop]}"+because)
	everywhere.Name, here.Name, other.Name = "b", "c", "a"
	pod := Object{Kind: "Pod", Namespace: "shop", Name: "web"}
	for _, order := range [][]v1alpha1.Exemption{{*everywhere, *here, *other}, {*other, *here, *everywhere}} {
		book, errs := Compile(order)
		if len(errs) > 0 {
			t.Fatal(errs)
		}
		scope := book.On(pod, expiry.Add(-time.Second))
		for range 2 { // it is asked again, in between for another control
			if got := scope.Covers("privileged", "spec.x", "") + scope.Covers("host-pid", "spec.y", ""); got != "ba" {
				t.Errorf("%q cover", got)
			}
		}
	}
}

func TestGlob(t *testing.T) {
	for pattern, cases := range map[string]map[string]bool{
		"a*c": {"abc": true, "ac": true, "abcd": false, "a*c": true, "": false},
		"*":   {"": true, "x": true}, "": {"": true, "a": false}, "a": {"a": true, "aa": false},
		"*a*b*": {"xaybz": true, "ba": false},
	} {
		for s, want := range cases {
			if glob(pattern, s) != want {
				t.Errorf("%q of %q is %t", pattern, s, !want)
			}
		}
	}
}

func TestImages(t *testing.T) {
	for named, cases := range map[string]map[string]bool{
		"registry.example.com/team/*": {
			"registry.example.com/team/web:1": true, "registry.example.com/team/a/b@sha256:0": true,
			"registry.example.com/team-evil/web": false, "registry.example.com/team": false, "evil.example.com/registry.example.com/team/web": false,
		},
		"registry.example.com/team/web": {
			"registry.example.com/team/web": true, "registry.example.com/team/web:1": true, "registry.example.com/team/web@sha256:0": true,
			"registry.example.com/team/web:1@sha256:0": true, "registry.example.com/team/web-evil": false, "registry.example.com/team/web/evil": false,
		},
		"registry.example.com/team/web:1": {
			"registry.example.com/team/web:1": true, "registry.example.com/team/web:1@sha256:0": false, "registry.example.com/team/web:12": false,
			"registry.example.com/team/web": false,
		},
		// A runtime goes by the digest, whatever the tag beside it.
		"registry.example.com/team/web@sha256:0": {
			"registry.example.com/team/web@sha256:0": true, "registry.example.com/team/web:1@sha256:0": true, "registry.example.com/team/web:2@sha256:0": true,
			"registry.example.com/team/web@sha256:1": false, "registry.example.com/team/web:1@sha256:1": false, "registry.example.com/team/web": false,
			"registry.example.com/team/other:1@sha256:0": false, "registry.example.com/team/web:1": false, "registry.example.com/team/web:1@sha256:0@sha256:1": false,
		},
		"registry.example.com/team/web:1@sha256:0": {
			"registry.example.com/team/web@sha256:0": true, "registry.example.com/team/web:1@sha256:0": true, "registry.example.com/team/web:2@sha256:0": true,
			"registry.example.com/team/web:1": false, "registry.example.com/team/web:1@sha256:1": false,
		},
		"registry:5000/web@sha256:0": {"registry:5000/web:1@sha256:0": true, "registry:5001/web@sha256:0": false, "registry@sha256:0": false},
		"web@":                       {"web": false, "web:1": false},
		"registry":                   {"registry:5000/evil": false, "registry:5000": true},
		"registry:5000/team":         {"registry:5000/team:1": true, "registry:5000/team@sha256:0": true},
	} {
		for image, want := range cases {
			if names(named, image) != want {
				t.Errorf("%s means %s: %t", named, image, !want)
			}
		}
	}
}
