package roster

import (
	"fmt"
	"maps"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/hardgate-dev/hardgate/api/v1alpha1"
	"github.com/hardgate-dev/hardgate/exemption"
	"github.com/hardgate-dev/hardgate/taint/ruling"
)

// trimPolicy keeps of a NodePolicy or an Exemption what it says. They are read as they
// are stored: decoded into their types they would lose the fields that are misspelt,
// and mean something else.
func trimPolicy(u *unstructured.Unstructured) *unstructured.Unstructured {
	u.SetManagedFields(nil)
	var kept map[string]string
	if why, paused := u.GetAnnotations()[v1alpha1.PauseAnnotation]; paused {
		kept = map[string]string{v1alpha1.PauseAnnotation: why}
	}
	u.SetAnnotations(kept)
	return u
}

// compiled is what all policies and exemptions say together.
type compiled struct {
	book          *ruling.Book
	exemptions    []ruling.Exemption
	misunderstood []error
}

func compile(policies, exemptions map[string]*unstructured.Unstructured) compiled {
	readPolicies, errs := readAll(policies, ruling.ReadPolicy, always)
	// One that is about objects alone must not keep nodes from being tainted: the webhook
	// and the audit say what is wrong with it.
	readExemptions, more := readAll(exemptions, exemption.Read, exemption.MayExemptNodes)
	book, wrong := ruling.Compile(readPolicies)
	list, alsoWrong := ruling.CompileExemptions(readExemptions)
	return compiled{book: book, exemptions: list, misunderstood: slices.Concat(errs, more, wrong, alsoWrong)}
}

// always is for kinds that are about nodes in all that they say.
func always([]byte) bool { return true }

// readAll reads what is stored. What is not understood is an error if it matters.
func readAll[T any](stored map[string]*unstructured.Unstructured, read func([]byte) (*T, error), matters func([]byte) bool) (list []T, errs []error) {
	for _, name := range slices.Sorted(maps.Keys(stored)) {
		u := stored[name]
		data, err := u.MarshalJSON()
		if err == nil {
			var r *T
			if r, err = read(data); err == nil {
				list = append(list, *r)
				continue
			}
			if !matters(data) {
				continue
			}
		}
		errs = append(errs, fmt.Errorf("%s %s: %w", u.GetKind(), name, err))
	}
	return list, errs
}
