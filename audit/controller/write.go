package controller

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	logf "sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/hardgate-dev/hardgate/api/v1alpha1"
	"github.com/hardgate-dev/hardgate/exemption"
	"github.com/hardgate-dev/hardgate/rollout"
)

// The reasons of Events.
const (
	eventPromoted = "RolloutPromoted"
	eventExpiring = "ExemptionExpiring"
	eventExpired  = "ExemptionExpired"
)

// writePolicies writes the statuses that say something else.
func (c *Controller) writePolicies(ctx context.Context, s *state, want map[string]v1alpha1.WorkloadPolicyStatus) error {
	var errs []error
	enforces := enforcedBy(s)
	for i := range s.policies {
		p := &s.policies[i]
		status, ok := want[p.Name]
		status.Conditions = c.conditions(s, p, enforces[p.Name])
		if !ok || equal(p.Status, status) {
			continue
		}
		if err := c.May(); err != nil {
			return err
		}
		// Null takes away what is stored and not to be said any more.
		data, err := json.Marshal(map[string]any{"status": map[string]any{
			"observedGeneration": status.ObservedGeneration, "rollout": nullable(status.Rollout), "conditions": status.Conditions,
		}})
		if err != nil {
			return err
		}
		stored := &v1alpha1.WorkloadPolicy{ObjectMeta: metav1.ObjectMeta{Name: p.Name}}
		err = c.client.Status().Patch(ctx, stored, client.RawPatch(types.MergePatchType, data), client.FieldOwner(fieldManager))
		if err != nil && !apierrors.IsNotFound(err) {
			errs = append(errs, fmt.Errorf("writing the status of the WorkloadPolicy %s: %w", p.Name, err))
			continue
		}
		c.Metrics.written.WithLabelValues("workload-policy").Inc()
	}
	return errors.Join(errs...)
}

// nullable has every field of a rollout's status: those that are left out are null, so
// that a merge takes them away.
func nullable(r *v1alpha1.RolloutStatus) map[string]any {
	if r == nil {
		return nil
	}
	return map[string]any{
		"target": r.Target, "audit": r.Audit, "warn": r.Warn, "enforce": r.Enforce, "held": r.Held, "violations": r.Violations,
		"cleanSince": r.CleanSince, "blockedBy": r.BlockedBy, "cells": r.Cells,
	}
}

// tellOfPromotions makes one Event for each policy: a namespace may have many cells.
func (c *Controller) tellOfPromotions(s *state, promoted []rollout.Promotion) {
	byPolicy := map[string][]string{}
	for _, p := range promoted {
		byPolicy[p.Policy] = append(byPolicy[p.Policy], fmt.Sprintf("%s in %s to %s", p.Control, rollout.Place(p.Namespace), p.To))
	}
	for i := range s.policies {
		p := &s.policies[i]
		if steps := byPolicy[p.Name]; len(steps) > 0 {
			text := "Promoted " + steps[0]
			if len(steps) > 1 {
				text += fmt.Sprintf(" and %d more", len(steps)-1)
			}
			c.Events.Event(reference("WorkloadPolicy", p.Name, p.UID), corev1.EventTypeNormal, eventPromoted, text+".")
		}
	}
}

func reference(kind, name string, uid types.UID) *corev1.ObjectReference {
	return &corev1.ObjectReference{APIVersion: v1alpha1.GroupVersion.String(), Kind: kind, Name: name, UID: uid}
}

// expiring warns of Exemptions that end, once a day, and says once that one has ended.
func (c *Controller) expiring(s *state) {
	counts := map[bool]int{}
	for _, n := range exemption.Expiring(s.exemptions, s.now) {
		counts[n.Expired]++
		i := slices.IndexFunc(s.exemptions, func(e v1alpha1.Exemption) bool { return e.Name == n.Name })
		e := &s.exemptions[i]
		key, said := "exemption/"+string(e.UID), n.Text
		if !n.Expired {
			said += s.now.UTC().Format(time.DateOnly)
		}
		if c.told[key] == said {
			continue
		}
		c.told[key] = said
		reason := eventExpiring
		if n.Expired {
			reason = eventExpired
		}
		c.Events.Event(reference("Exemption", e.Name, e.UID), corev1.EventTypeWarning, reason, n.Text)
	}
	c.Metrics.expiring.Set(float64(counts[false]))
	c.Metrics.expired.Set(float64(counts[true]))
}

// tellOfMisunderstood logs what is not understood, when it changes.
func (c *Controller) tellOfMisunderstood(ctx context.Context, s *state) {
	c.Metrics.problems.Set(float64(len(s.misunderstood)))
	text := ""
	if err := errors.Join(s.misunderstood...); err != nil {
		text = err.Error()
	}
	if text != c.told["misunderstood"] {
		c.told["misunderstood"] = text
		if text != "" {
			logf.FromContext(ctx).Error(errors.Join(s.misunderstood...), "WorkloadPolicies or Exemptions are not understood: nothing is promoted")
		}
	}
}

// paused is whether hardgate's own namespace is annotated to pause. What cannot be read
// pauses.
func (c *Controller) paused(ctx context.Context) bool {
	ns := &metav1.PartialObjectMetadata{}
	ns.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("Namespace"))
	if err := c.client.Get(ctx, client.ObjectKey{Name: c.Options.Namespaces[0]}, ns); err != nil {
		return !apierrors.IsNotFound(err)
	}
	_, paused := ns.Annotations[v1alpha1.PauseAnnotation]
	return paused
}

// enforcing are the namespaces in which something is enforced.
func enforcing(s *state) (names []string) {
	for _, name := range slices.Sorted(maps.Keys(s.namespaces)) {
		if s.book.Enforces(name, s.namespaces[name].labels) {
			names = append(names, name)
		}
	}
	return names
}
