package imagepolicy

import (
	"encoding/json"
	"fmt"
)

// Answer is what k8s.io/api/imagepolicy/v1alpha1 calls ImageReviewStatus. The zero value
// refuses.
type Answer struct {
	Allowed bool `json:"allowed"`
	// Reason is for whoever made the pod; empty where it is allowed.
	Reason string `json:"reason,omitempty"`
	// AuditAnnotations are written to the API server's audit log, each under the plugin's
	// own prefix. It is the only place for a word about a pod that is let through.
	AuditAnnotations map[string]string `json:"auditAnnotations,omitempty"`
}

// Encode returns the ImageReview that carries the answer, as JSON.
func (a Answer) Encode() ([]byte, error) {
	body, err := json.Marshal(struct {
		APIVersion string `json:"apiVersion"`
		Kind       string `json:"kind"`
		Status     Answer `json:"status"`
	}{APIVersion, Kind, a})
	if err != nil {
		return nil, fmt.Errorf("writing the answer to an %s: %w", Kind, err)
	}
	return body, nil
}
