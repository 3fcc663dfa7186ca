package exemption

import (
	"fmt"
	"slices"
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

// Warnings returns what is allowed in an Exemption and may well not be meant.
func Warnings(e *v1alpha1.Exemption, now time.Time) (warnings []string) {
	for _, n := range Expiring([]v1alpha1.Exemption{*e}, now) {
		if n.Expired {
			return []string{fmt.Sprintf("spec.expires: %s has passed: nothing is exempt", e.Spec.Expires.UTC().Format(time.RFC3339))}
		}
		warnings = append(warnings, fmt.Sprintf("spec.expires: %s is within a week", e.Spec.Expires.UTC().Format(time.RFC3339)))
	}
	if o := e.Spec.Objects; o != nil && len(o.Kinds) > 0 {
		makes := slices.ContainsFunc(o.Kinds, func(k string) bool { return makers[k] })
		if makes && !slices.Contains(o.Kinds, "Pod") {
			warnings = append(warnings, `spec.objects.kinds: the pods that these make are objects of their own and not exempt: add Pod, and names such as "web-*"`)
		}
	}
	return warnings
}

// makers are kinds that make pods.
var makers = map[string]bool{
	"Deployment": true, "Deployment.apps": true, "StatefulSet": true, "StatefulSet.apps": true, "DaemonSet": true, "DaemonSet.apps": true,
	"ReplicaSet": true, "ReplicaSet.apps": true, "Job": true, "Job.batch": true, "CronJob": true, "CronJob.batch": true, "ReplicationController": true,
}
