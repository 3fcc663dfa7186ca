package webhook

import (
	"context"
	"net/http"

	"github.com/hardgate-dev/hardgate/api/v1alpha1"
	"github.com/hardgate-dev/hardgate/version"
	"github.com/hardgate-dev/hardgate/webhook/registration"
	"github.com/hardgate-dev/hardgate/webhook/review"
)

// selfTest answers the controller, which asks whether the API server reaches the gate: by
// a denial in known words, since an API server that asks nobody allows, and one that gets
// no answer refuses in words of its own. Here nothing is judged: what is not the
// self-test passes, so that a registration that lost its condition stops no report.
func (g *Gate) selfTest(_ context.Context, r *review.Request) (response, error) {
	if r.Kind.Group != v1alpha1.GroupVersion.Group || r.Kind.Kind != "ClusterReport" || r.Operation != review.Create || r.Name != registration.SelfTestObject {
		return response{UID: r.UID, Allowed: true}, nil
	}
	now := g.clock.Now()
	g.answered.Store(&now)
	return response{UID: r.UID, Status: &status{
		Code: http.StatusForbidden, Reason: "Forbidden", Message: registration.SelfTestDenial(version.String()),
	}}, nil
}
