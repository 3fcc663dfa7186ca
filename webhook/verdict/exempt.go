package verdict

import (
	"time"

	"github.com/hardgate-dev/hardgate/control"
	"github.com/hardgate-dev/hardgate/exemption"
	"github.com/hardgate-dev/hardgate/webhook/policy"
	"github.com/hardgate-dev/hardgate/webhook/workload"
)

// Exempting is what the Exemptions of a book cover of an object at a moment; nil for nothing.
// The object is looked at with the first finding: most have none. What it returns is not safe
// for concurrent use.
func Exempting(b *exemption.Book, o *workload.Object, now time.Time) Exempt {
	if b.Empty() { // most clusters have none, and this is on every request's way
		return nil
	}
	var scope *exemption.Scope
	return func(id control.ID, f *policy.Finding) string {
		if scope == nil {
			scope = b.On(asked(o), now)
		}
		image := ""
		if f.Container != nil {
			image = f.Container.Image
		}
		return scope.Covers(id, f.Path, image)
	}
}

// asked is what an Exemption asks of an object.
func asked(o *workload.Object) exemption.Object {
	object := exemption.Object{Group: o.Kind.Group, Kind: o.Kind.Kind, Namespace: o.Namespace, Name: o.DisplayName()}
	if o.Kind.Group == "" && o.Kind.Kind == "Namespace" {
		object.Namespace = o.Name // as it is placed in an audit, and named in a request
	}
	if o.Pod == nil {
		return object
	}
	object.Account = o.Pod.Account()
	for c := range o.Pod.Containers() {
		object.Images = append(object.Images, c.Image)
	}
	for i := range o.Pod.Volumes { // images that are mounted are images
		if v := &o.Pod.Volumes[i]; v.Image.Set {
			object.Images = append(object.Images, v.Image.Value)
		}
	}
	return object
}
