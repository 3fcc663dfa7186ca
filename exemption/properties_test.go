package exemption

import (
	"fmt"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/hardgate-dev/hardgate/api/v1alpha1"
	"github.com/hardgate-dev/hardgate/control"
)

// What the values of random Exemptions and objects are drawn from: few, so that they meet.
var (
	someControls   = []string{"privileged", "host-pid", "host-path", "net-raw"}
	someNamespaces = []string{"shop", "shop-2", "mesh"}
	someNames      = []string{"web", "web-x1", "web-*", "*-x1", "w*b*1", "db", "*"}
	someAccounts   = []string{"web", "db", "shop/web", "mesh/web", "shop-2/db"}
	someKinds      = []string{"Pod", "Deployment", "Deployment.apps", "Deployment.extensions", "ClusterRole", "Namespace"}
	someImages     = []string{
		"r.example.com/shop/web", "r.example.com/shop/web:1", "r.example.com/shop/web@sha256:a", "r.example.com/shop/web:1@sha256:a",
		"r.example.com/shop/*", "r.example.com/*", "r.example.com:5000/web", "r.example.com/shop/web-2:1",
	}
	theirImages = []string{
		"r.example.com/shop/web", "r.example.com/shop/web:1", "r.example.com/shop/web:2@sha256:a", "r.example.com/shop/web@sha256:b",
		"r.example.com/shop-2/web:1", "r.example.com:5000/web:1", "r.example.com/shop/web-2:1",
	}
	someFields  = []string{"spec", "spec[*]", "spec.containers[*]", "spec.containers[1].securityContext", "spec.volumes[*]", "spec.containers[*].securityContext.privileged"}
	theirFields = []string{"spec.hostPID", "spec.containers[0].securityContext.privileged", "spec.containers[1].securityContext", "spec.initContainers[0].image", "spec.volumes[3].hostPath"}
)

// Whatever is exempt and asked for, the answer is that of a slow reading of the Exemptions,
// one by one.
func TestCoversAsReadOneByOne(t *testing.T) {
	const rounds, asked = 200, 60
	covered := 0
	for seed := range uint64(rounds) {
		r := rand.New(rand.NewPCG(seed, 5))
		exemptions := randomExemptions(r)
		book, errs := Compile(exemptions)
		if len(errs) > 0 {
			t.Fatal(errs)
		}
		for range asked {
			o, now := randomObject(r), expiry.Add(time.Duration(r.IntN(5)-2)*time.Second)
			scope := book.On(o, now)
			for range 4 {
				id, path, image := pick(r, someControls), pick(r, theirFields), ""
				if len(o.Images) > 0 && r.IntN(3) > 0 {
					image = pick(r, o.Images)
				}
				want := slowly(exemptions, &o, now, id, path, image)
				if got := scope.Covers(control.ID(id), path, image); got != want {
					t.Fatalf("seed %d: %q covers %s at %s, image %q, of %+v at %s; want %q of %s", seed, got, id, path, image, o, now, want, told(exemptions))
				}
				if want != "" {
					covered++
				}
			}
		}
	}
	if all := rounds * asked * 4; covered < all/20 || covered > all*19/20 {
		t.Errorf("%d of %d are exempt: the values meet too seldom or too often to tell anything", covered, all)
	}
}

// slowly names the first Exemption by its name of which all that is given holds.
func slowly(exemptions []v1alpha1.Exemption, o *Object, now time.Time, id, path, image string) string {
	var names []string
	for i := range exemptions {
		e, of := &exemptions[i], exemptions[i].Spec.Objects
		images := []string{image}
		if image == "" {
			images = o.Images
		}
		eachNamed := len(images) > 0
		for _, image := range images {
			eachNamed = eachNamed && slices.ContainsFunc(of.Images, func(named string) bool { return sameImage(named, image) })
		}
		holds := slices.Contains(e.Spec.Controls, id) && now.Before(e.Spec.Expires.Time) &&
			(of.Namespaces == nil || slices.Contains(of.Namespaces, o.Namespace)) &&
			(of.Kinds == nil || slices.Contains(of.Kinds, o.Kind) || slices.Contains(of.Kinds, o.Kind+"."+o.Group)) &&
			(of.Names == nil || slices.ContainsFunc(of.Names, func(p string) bool {
				return regexp.MustCompile("^" + strings.ReplaceAll(regexp.QuoteMeta(p), `\*`, ".*") + "$").MatchString(o.Name)
			})) &&
			(of.ServiceAccounts == nil || o.Account != "" && (slices.Contains(of.ServiceAccounts, o.Account) || slices.Contains(of.ServiceAccounts, o.Namespace+"/"+o.Account))) &&
			(of.Images == nil || eachNamed) &&
			(of.FieldPaths == nil || slices.ContainsFunc(of.FieldPaths, func(f string) bool {
				return regexp.MustCompile("^" + strings.ReplaceAll(regexp.QuoteMeta(f), `\[\*\]`, `\[[0-9]+\]`) + `($|[.\[])`).MatchString(path)
			}))
		if holds {
			names = append(names, e.Name)
		}
	}
	if len(names) == 0 {
		return ""
	}
	return slices.Min(names)
}

// reference takes an image apart: the repository, its tag and its digest.
var reference = regexp.MustCompile(`^(.*?)(?::([^/:@]*))?(?:@(.*))?$`)

func sameImage(named, image string) bool {
	if dir, all := strings.CutSuffix(named, "*"); all {
		return strings.HasPrefix(image, dir)
	}
	n, i := reference.FindStringSubmatch(named), reference.FindStringSubmatch(image)
	switch {
	case n[1] != i[1]:
		return false
	case n[3] != "":
		return n[3] == i[3]
	case n[2] != "":
		return n[2] == i[2] && i[3] == ""
	}
	return true
}

func pick(r *rand.Rand, list []string) string { return list[r.IntN(len(list))] }

// some is a part of a list, and often nothing.
func some(r *rand.Rand, list []string) (part []string) {
	for range max(0, r.IntN(5)-2) {
		part = append(part, pick(r, list))
	}
	return part
}

func randomExemptions(r *rand.Rand) (list []v1alpha1.Exemption) {
	for range r.IntN(12) {
		e := v1alpha1.Exemption{Spec: v1alpha1.ExemptionSpec{
			Controls: append(some(r, someControls), pick(r, someControls)), Reason: "r", Owner: "o",
			Expires: metav1.NewTime(expiry.Add(time.Duration(r.IntN(3)-1) * time.Second)),
			Objects: &v1alpha1.ExemptObjects{
				Namespaces: some(r, someNamespaces), Kinds: some(r, someKinds), Names: some(r, someNames),
				ServiceAccounts: some(r, someAccounts), Images: some(r, someImages), FieldPaths: some(r, someFields),
			},
		}}
		e.Name = fmt.Sprint("e", r.IntN(1000))
		if o := e.Spec.Objects; len(o.Namespaces)+len(o.Kinds)+len(o.Names)+len(o.ServiceAccounts)+len(o.Images) == 0 {
			o.Kinds = []string{"Pod"}
		}
		list = append(list, e)
	}
	return list
}

func randomObject(r *rand.Rand) Object {
	o := Object{Namespace: pick(r, append([]string{""}, someNamespaces...)), Name: pick(r, []string{"web", "web-x1", "db", "w1"})}
	o.Kind, o.Group, _ = strings.Cut(pick(r, []string{"Pod", "Deployment.apps", "ClusterRole.rbac.authorization.k8s.io", "Namespace"}), ".")
	if o.Kind == "Pod" || o.Kind == "Deployment" {
		o.Account = pick(r, []string{"web", "db", "default"})
		for range 1 + r.IntN(2) {
			o.Images = append(o.Images, pick(r, theirImages))
		}
	}
	return o
}

func told(exemptions []v1alpha1.Exemption) string {
	var b strings.Builder
	for i := range exemptions {
		fmt.Fprintf(&b, "\n%s: %v until %s: %+v", exemptions[i].Name, exemptions[i].Spec.Controls, exemptions[i].Spec.Expires, *exemptions[i].Spec.Objects)
	}
	return b.String()
}
