package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/hardgate-dev/hardgate/api/v1alpha1"
	"github.com/hardgate-dev/hardgate/audit"
	"github.com/hardgate-dev/hardgate/exemption"
	"github.com/hardgate-dev/hardgate/webhook/ruling"
)

// auditing reads what the controller would audit by: the policies, how far rollouts have
// come, and the Exemptions. What is not understood is left out, as in the webhook, and an
// error; where a kind is not installed there is none of it, and a note says what that means.
func (c *clusterClient) auditing(ctx context.Context, now time.Time) (o audit.Options, notes []string, untold []error, err error) {
	policies, errs, err := own(ctx, c, "WorkloadPolicy", ruling.Read)
	if err != nil {
		return o, nil, nil, err
	}
	untold = append(untold, errs...)
	if policies == nil {
		notes = append(notes, "hardgate's WorkloadPolicies are not installed in the cluster: judged as without a policy")
	} else if len(policies) == 0 && len(errs) == 0 {
		notes = append(notes, "the cluster has no WorkloadPolicy: judged as without one")
	}
	reports, errs, err := own(ctx, c, "NamespaceReport", func(item []byte) (*v1alpha1.NamespaceReport, error) {
		r := &v1alpha1.NamespaceReport{}
		return r, json.Unmarshal(item, r)
	})
	if err != nil {
		return o, nil, nil, err
	}
	untold = append(untold, errs...)
	reached := ruling.Reached{}
	for i := range reports {
		reached.Note(&reports[i])
	}
	exemptions, errs, err := own(ctx, c, "Exemption", exemption.Read)
	if err != nil {
		return o, nil, nil, err
	}
	untold = append(untold, errs...)
	for _, n := range exemption.Expiring(exemptions, now) {
		notes = append(notes, "Exemption "+n.Name+": "+n.Text)
	}
	book, errs := ruling.Compile(policies)
	untold = append(untold, errs...)
	o.Book, o.Own = book.At(reached), ownNamespaces
	o.Exemptions, errs = exemption.Compile(exemptions)
	return o, notes, append(untold, errs...), nil
}

// own reads all of one of hardgate's kinds: nil where the kind is not installed. The errors
// are of those that are not understood.
func own[T any](ctx context.Context, c *clusterClient, kind string, read func([]byte) (*T, error)) (all []T, untold []error, err error) {
	plural := strings.ToLower(kind) + "s"
	if base, y := strings.CutSuffix(plural, "ys"); y {
		plural = base + "ies"
	}
	path := "/apis/" + v1alpha1.GroupVersion.String() + "/" + plural
	items, err := list(ctx, c, path, kind, func(item []byte) ([]byte, error) { return item, nil })
	switch {
	case apierrors.IsNotFound(err):
		return nil, nil, nil
	case apierrors.IsForbidden(err):
		return nil, nil, fmt.Errorf("%w: the right to list %[2]s is needed; test it with: kubectl auth can-i list %[2]s.%[3]s", err, plural, v1alpha1.GroupVersion.Group)
	case err != nil:
		return nil, nil, err
	}
	all = make([]T, 0, len(items))
	for _, item := range items {
		value, err := read(item)
		if err == nil {
			all = append(all, *value)
			continue
		}
		for _, e := range flatten(err) {
			untold = append(untold, fmt.Errorf("%s %s is not understood, and left out: %w", kind, nameOf(item), e))
		}
	}
	return all, untold, nil
}
