package exemption

import (
	"slices"
	"strings"
	"testing"

	"github.com/hardgate-dev/hardgate/webhook/registration"
	"github.com/hardgate-dev/hardgate/webhook/workload"
)

// Whatever the webhook is asked about can be exempt by its kind without a warning.
func TestKindsThatAreJudged(t *testing.T) {
	for _, w := range registration.Build(registration.Options{URL: "https://localhost"}).Webhooks {
		for _, r := range w.Rules {
			for _, resource := range r.Resources {
				if group := r.APIGroups[0]; group == "*" || group == "hardgate.dev" || strings.Contains(resource, "/") || resource == "nodes" {
					continue
				}
				found := slices.ContainsFunc(judgedKinds, func(j judged) bool {
					return strings.EqualFold(j.kind+"s", resource) && slices.Contains(j.groups, r.APIGroups[0])
				})
				if !found {
					t.Errorf("%s.%s of %s is no kind that is judged", resource, r.APIGroups[0], w.Name)
				}
			}
		}
	}
	for _, j := range judgedKinds {
		for _, group := range j.groups {
			kind := workload.Kind{Group: group, Kind: j.kind}
			if workload.IsWorkload(kind) != (j.spec != "") {
				t.Errorf("%s has a pod at %q", kind, j.spec)
			}
		}
		for _, made := range j.makes {
			if k, known := judgedKind(made); !known || k.spec == "" {
				t.Errorf("a %s makes %s, which is not judged", j.kind, made)
			}
		}
	}
}
