package ruling

import (
	"errors"

	"github.com/hardgate-dev/hardgate/api/v1alpha1"
	"github.com/hardgate-dev/hardgate/resource"
)

// Read reads a WorkloadPolicy from JSON and says all that is wrong with it: what
// Decode refuses and what Validate finds, joined.
func Read(data []byte) (*v1alpha1.WorkloadPolicy, error) {
	r, errs := resource.Decode[v1alpha1.WorkloadPolicy](data, kind)
	if r != nil {
		errs = append(errs, Validate(r)...)
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	return r, nil
}

// Decode reads a WorkloadPolicy from JSON and refuses every field that it does not
// know: a slip in a name must not become a policy that is looser than it reads.
func Decode(data []byte) (*v1alpha1.WorkloadPolicy, error) {
	r, errs := resource.Decode[v1alpha1.WorkloadPolicy](data, kind)
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	return r, nil
}

const kind = "WorkloadPolicy"
