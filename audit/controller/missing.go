package controller

import (
	"context"
	"errors"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	logf "sigs.k8s.io/controller-runtime/pkg/log"
)

// ifServed takes it for nothing that there is no such kind: its CRD is not installed, or
// somebody has deleted it, and all that was of it. The API server says so of no kind that it
// only has not read yet.
func (s *state) ifServed(kind string, err error) error {
	if !apierrors.IsNotFound(err) {
		return err
	}
	s.missing = append(s.missing, kind)
	return nil
}

// tellOfMissing logs which CRDs are missing, when that changes.
func (c *Controller) tellOfMissing(ctx context.Context, s *state) {
	text := strings.Join(s.missing, ", ")
	if text == c.told["missing"] {
		return
	}
	c.told["missing"] = text
	if text == "" {
		logf.FromContext(ctx).Info("hardgate's CRDs are there again")
		return
	}
	logf.FromContext(ctx).Error(errors.New("install manifests/crd again"),
		"hardgate's CRDs are missing: nothing is audited or promoted, and what no policy enforces any more is let go of", "kinds", text)
}
