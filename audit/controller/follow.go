package controller

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"

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
	if err := c.client.Get(ctx, client.ObjectKey{Name: registration.Name}, stored); err != nil {
		return client.IgnoreNotFound(err)
	}
	own := c.Options.Namespaces
	closed := registration.Closed(stored)
	enforced, left := registration.Fit(enforcing(s), closed)
	defer func() { c.tellOfOpen(ctx, left) }()
	added := func(ns string) bool { return !slices.Contains(closed, ns) }
	wanted, differs, err := registration.FollowEnforced(stored, own, enforced)
	if err == nil && slices.ContainsFunc(registration.Closed(wanted), added) && c.reached(ctx, s.now, true) != nil {
		// A registration of an older version gets its self-test by this, without which there
		// is no answer.
		all := len(enforced)
		enforced = slices.DeleteFunc(enforced, added)
		left += all - len(enforced)
		wanted, differs, err = registration.FollowEnforced(stored, own, enforced)
	}
	if err != nil || !differs {
		return err
	}
	if err := registration.SelfTest(wanted, own...); err != nil {
		return fmt.Errorf("it would lock out, and is not put in force: %w", err)
	}
	if err := c.May(); err != nil {
		return err
	}
	if err := c.client.Update(ctx, wanted, client.FieldOwner(fieldManager)); err != nil {
		return ignoreConflict(err)
	}
	c.Metrics.written.WithLabelValues("validating-webhook-configuration").Inc()
	logf.FromContext(ctx).Info("the webhook's registration follows what is enforced", "enforced", len(enforced))
	return nil
}

// tellOfOpen tells of namespaces in which something is enforced, as long as the webhook
// answers: the API server does not refuse there what it cannot ask about.
func (c *Controller) tellOfOpen(ctx context.Context, open int) {
	c.Metrics.open.Set(float64(open))
	text := ""
	if open > 0 {
		text = strconv.Itoa(open)
	}
	if text == c.told["open"] {
		return
	}
	if c.told["open"] = text; open > 0 {
		logf.FromContext(ctx).Info("namespaces are enforced and do not fail closed: the API server does not reach the webhook, or they are too many for one registration", "namespaces", open)
	}
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
