package exemption

import (
	"fmt"
	"testing"
	"time"

	"github.com/hardgate-dev/hardgate/api/v1alpha1"
	"github.com/hardgate-dev/hardgate/control"
)

// bookOf compiles n Exemptions, of the controls by turns.
func bookOf(b *testing.B, n int, objects func(i int) *v1alpha1.ExemptObjects, controls ...control.ID) *Book {
	b.Helper()
	var list []v1alpha1.Exemption
	for i := range n {
		e := v1alpha1.Exemption{Spec: v1alpha1.ExemptionSpec{
			Controls: []string{string(controls[i%len(controls)])}, Reason: "r", Owner: "o", Objects: objects(i),
		}}
		e.Name, e.Spec.Expires.Time = fmt.Sprint("e-", i), expiry
		list = append(list, e)
	}
	book, errs := Compile(list)
	if len(errs) > 0 {
		b.Fatal(errs)
	}
	return book
}

// Thousands of exemptions cost a request nothing to speak of, be they of other namespaces or
// of none.
func BenchmarkExemptions(b *testing.B) {
	var ids []control.ID
	for _, c := range control.All() {
		if c.Face == control.Admission && c.Kind == control.Measured {
			ids = append(ids, c.ID)
		}
	}
	elsewhere := bookOf(b, 5000, func(i int) *v1alpha1.ExemptObjects {
		return &v1alpha1.ExemptObjects{Namespaces: []string{fmt.Sprint("ns-", i)}}
	}, ids...)
	anywhere := bookOf(b, 5000, func(i int) *v1alpha1.ExemptObjects {
		return &v1alpha1.ExemptObjects{Kinds: []string{"DaemonSet", "Pod"}, Names: []string{fmt.Sprintf("agent-%d-*", i)}}
	}, ids...)
	web := Object{Kind: "Pod", Namespace: "ns-7", Name: "web"}
	for name, book := range map[string]*Book{"elsewhere": elsewhere, "anywhere": anywhere} {
		for _, findings := range []int{0, 1, 20} {
			b.Run(fmt.Sprintf("%s/findings=%d", name, findings), func(b *testing.B) {
				for b.Loop() {
					scope := book.On(web, expiry.Add(-time.Second))
					for range findings {
						scope.Covers("host-pid", "spec.hostPID", "")
					}
				}
			})
		}
	}
}
