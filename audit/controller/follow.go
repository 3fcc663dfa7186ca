package controller

import (
	"context"
	"errors"
	"fmt"
	"slices"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/labels"
	"sigs.k8s.io/controller-runtime/pkg/client"
	logf "sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/hardgate-dev/hardgate/webhook/registration"
)

// follow keeps the webhook's registration in step with what is enforced and repaired. What
// is not installed is not followed.
func (c *Controller) follow(ctx context.Context, s *state) error {
	return errors.Join(c.followEnforced(ctx, s), c.followRepaired(ctx, s))
}

// followEnforced makes what is enforced fail closed. The modes that the book has been
// read with are those before this round: the webhook must know of a mode before the API
// server depends on it. No further namespace depends on a webhook that the API server does
// not reach; those that do already still do, and letting go of one waits for nothing.
func (c *Controller) followEnforced(ctx context.Context, s *state) error {
	stored := &admissionregistrationv1.ValidatingWebhookConfiguration{}
	err := c.client.Get(ctx, client.ObjectKey{Name: registration.Name}, stored)
	if apierrors.IsNotFound(err) {
		c.astray = nil // the self-test says it
		c.tellOfOpen(ctx, s, nil, open{reason: reasonNotInstalled, why: "the ValidatingWebhookConfiguration " + registration.Name + " is not installed"})
		return nil
	}
	if err != nil {
		return err
	}
	inForce, why, err := c.widen(ctx, s, stored)
	if err != nil {
		why = open{reason: reasonNotWritten, why: words(err)}
	}
	c.tellOfOpen(ctx, s, registration.Closed(inForce), why)
	return err
}

// widen writes the registration that is to be, if it is another, and returns the one that is
// in force then, and why namespaces still fail open if any do.
func (c *Controller) widen(ctx context.Context, s *state, stored *admissionregistrationv1.ValidatingWebhookConfiguration,
) (inForce *admissionregistrationv1.ValidatingWebhookConfiguration, why open, _ error) {
	own := c.Options.Namespaces
	closed := registration.Closed(stored)
	c.astray = astray(stored, own, closed)
	enforced, left := registration.Fit(enforcing(s), closed)
	if left > 0 {
		why = open{reason: reasonNoRoom, why: "one registration has no room for more"}
	}
	added := func(ns string) bool {
		_, already := slices.BinarySearch(closed, ns)
		return !already
	}
	wanted, differs, err := registration.FollowEnforced(stored, own, enforced)
	if err == nil && slices.ContainsFunc(registration.Closed(wanted), added) {
		// A registration of an older version gets its self-test by this, without which there
		// is no answer.
		if unreached := c.reached(ctx, s.now, true); unreached != nil {
			why = open{reason: reasonUnreached, why: "the API server does not reach the webhook: " + unreached.Error()}
			enforced = slices.DeleteFunc(enforced, added)
			wanted, differs, err = registration.FollowEnforced(stored, own, enforced)
		}
	}
	if err != nil || !differs {
		return stored, why, err
	}
	if err := registration.SelfTest(wanted, own...); err != nil {
		return stored, why, fmt.Errorf("it would lock out, and is not put in force: %w", err)
	}
	if err := c.May(); err != nil {
		return stored, why, err
	}
	if err := c.client.Update(ctx, wanted, client.FieldOwner(fieldManager)); err != nil {
		return stored, why, ignoreConflict(err)
	}
	c.astray = nil
	c.Metrics.written.WithLabelValues("validating-webhook-configuration").Inc()
	logf.FromContext(ctx).Info("the webhook's registration follows what is enforced", "enforced", len(enforced))
	return wanted, why, nil
}

// astray is an error where the registration is not what it was made to be: what the API
// server asks the webhook about then is not known. closed are the namespaces that fail
// closed by it.
func astray(stored *admissionregistrationv1.ValidatingWebhookConfiguration, own, closed []string) error {
	_, differs, err := registration.FollowEnforced(stored, own, closed)
	switch {
	case err != nil:
		return err
	case differs:
		return fmt.Errorf("the ValidatingWebhookConfiguration %s is not as hardgate keeps it", stored.Name)
	}
	return nil
}

func (c *Controller) followRepaired(ctx context.Context, s *state) error {
	stored := &admissionregistrationv1.MutatingWebhookConfiguration{}
	if err := c.client.Get(ctx, client.ObjectKey{Name: registration.Name}, stored); err != nil {
		return client.IgnoreNotFound(err)
	}
	has := make(map[string]labels.Set, len(s.namespaces))
	for name, ns := range s.namespaces {
		has[name] = ns.labels
	}
	repaired := registration.Repaired(s.book.Repaired(has))
	slices.Sort(repaired.Namespaces)
	wanted, differs, err := registration.FollowRepaired(stored, c.Options.Namespaces, repaired)
	if err != nil || !differs {
		return err
	}
	if err := c.May(); err != nil {
		return err
	}
	if err := c.client.Update(ctx, wanted, client.FieldOwner(fieldManager)); err != nil {
		return ignoreConflict(err)
	}
	c.Metrics.written.WithLabelValues("mutating-webhook-configuration").Inc()
	return nil
}

// ignoreConflict leaves what somebody has changed meanwhile to the next round.
func ignoreConflict(err error) error {
	if apierrors.IsConflict(err) {
		return nil
	}
	return err
}
