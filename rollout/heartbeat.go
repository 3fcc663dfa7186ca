package rollout

import (
	"time"

	"github.com/hardgate-dev/hardgate/api/v1alpha1"
)

// unheard says that nobody counts what is admitted, as far as is known; empty where somebody
// does.
func unheard(h *v1alpha1.Heartbeat, now time.Time) string {
	switch {
	case h == nil:
		return "no webhook has been heard of yet: nobody counts what is admitted; if this stays so, upgrade the CRDs, then the webhook"
	case h.Last.After(now.Add(maxAhead)):
		return "the webhook was heard of by a clock that is ahead, at " + stamp(h.Last.Time)
	case now.Sub(h.Last.Time) > v1alpha1.HeartbeatGap:
		return "the webhook has not been heard of since " + stamp(h.Last.Time) + ": nobody counts what is admitted"
	}
	return ""
}

// missed is for how long, since a time that is not before the first heartbeat, nobody is
// known to have counted what was admitted.
func missed(h *v1alpha1.Heartbeat, since time.Time) (all time.Duration) {
	for _, g := range h.Gaps {
		from := g.From.Time
		if from.Before(since) {
			from = since
		}
		all += max(0, g.Until.Sub(from))
	}
	return all
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }
