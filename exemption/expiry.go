package exemption

import (
	"fmt"
	"time"

	"github.com/hardgate-dev/hardgate/api/v1alpha1"
)

// notice is how long before its end an exemption is warned of.
const notice = 7 * 24 * time.Hour

// Notice is what there is to say of an Exemption that ends, or has ended.
type Notice struct {
	Name    string
	Expired bool
	Text    string
}

// Expiring says which Exemptions end within a week and which have ended.
func Expiring(exemptions []v1alpha1.Exemption, now time.Time) (all []Notice) {
	for i := range exemptions {
		e := &exemptions[i]
		ends := e.Spec.Expires.Time
		when := ends.UTC().Format(time.RFC3339)
		switch {
		case !now.Before(ends):
			all = append(all, Notice{e.Name, true, fmt.Sprintf("Ended at %s: nothing is exempt by it any more. Its owner is %s.", when, e.Spec.Owner)})
		case !now.Add(notice).Before(ends):
			all = append(all, Notice{e.Name, false, fmt.Sprintf("Ends at %s. What it exempts fails from then on. Its owner is %s.", when, e.Spec.Owner)})
		}
	}
	return all
}
