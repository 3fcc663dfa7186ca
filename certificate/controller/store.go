package controller

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	logf "sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/hardgate-dev/hardgate/certificate"
)

// stored is what was read, with the versions that a write names.
type stored struct {
	certificate.State
	ca, serving *corev1.Secret // nil where there is none
	registered  []registered
}

func (i *Issuer) read(ctx context.Context) (s stored, err error) {
	for name, into := range map[string]**corev1.Secret{CASecret: &s.ca, ServingSecret: &s.serving} {
		secret := &corev1.Secret{}
		err := i.client.Get(ctx, client.ObjectKey{Namespace: i.Namespace, Name: name}, secret)
		if apierrors.IsNotFound(err) {
			continue
		}
		if err != nil {
			return s, fmt.Errorf("reading the Secret %s: %w", name, err)
		}
		if secret.Data == nil {
			secret.Data = map[string][]byte{}
		}
		*into = secret
	}
	if s.registered, err = readRegistered(ctx, i.client); err != nil {
		return s, err
	}
	if s.ca != nil {
		s.CA = s.ca.Data
	}
	if s.serving != nil {
		s.Serving = s.serving.Data
	}
	s.Bundles = bundles(s.registered)
	return s, nil
}

// The results of a write.
const (
	written  = "written"
	conflict = "conflict"
	refused  = "refused"
)

// write stores a change where nobody has written since it was decided. again is whether to
// go on from what is stored now.
func (i *Issuer) write(ctx context.Context, s stored, plan certificate.Step, change certificate.Change) (again bool, err error) {
	switch {
	case change.CA != nil:
		err = i.writeSecret(ctx, s.ca, CASecret, change.CA)
	case change.Serving != nil:
		err = i.writeSecret(ctx, s.serving, ServingSecret, change.Serving)
	default:
		err = i.writeBundle(ctx, s.registered, change.Bundle)
	}
	// What is written and not there has gone meanwhile; where a Secret is made, that is its namespace.
	made := change.CA != nil && s.ca == nil || change.Serving != nil && s.serving == nil
	switch {
	case apierrors.IsConflict(err), apierrors.IsAlreadyExists(err), apierrors.IsNotFound(err) && !made:
		i.metrics.wrote(plan.Action, conflict)
		return true, nil
	case err != nil:
		i.metrics.wrote(plan.Action, refused)
		return false, err
	}
	i.metrics.wrote(plan.Action, written)
	logf.FromContext(ctx).Info("certificates: "+plan.Action.String(), "why", plan.Why)
	i.teller.did(plan)
	return true, nil
}

// writeSecret makes a Secret, or writes the one that was read. Both are of a type that
// cannot be changed later, so that one of another type keeps it.
func (i *Issuer) writeSecret(ctx context.Context, old *corev1.Secret, name string, data map[string][]byte) error {
	if old == nil {
		secret := &corev1.Secret{
			ObjectMeta: metav1.ObjectMeta{Namespace: i.Namespace, Name: name, Labels: map[string]string{
				"app.kubernetes.io/part-of": "hardgate", "app.kubernetes.io/managed-by": fieldManager,
			}},
			Type: corev1.SecretTypeTLS, Data: data,
		}
		if err := i.client.Create(ctx, secret, client.FieldOwner(fieldManager)); err != nil {
			return fmt.Errorf("creating the Secret %s: %w", name, err)
		}
		return nil
	}
	secret := old.DeepCopy()
	secret.Data = data
	// It is cert-manager's no more.
	maps.DeleteFunc(secret.Annotations, func(key, _ string) bool { return strings.HasPrefix(key, "cert-manager.io/") })
	if err := i.client.Update(ctx, secret, client.FieldOwner(fieldManager)); err != nil {
		return fmt.Errorf("writing the Secret %s: %w", name, err)
	}
	return nil
}

func (i *Issuer) writeBundle(ctx context.Context, all []registered, bundle []byte) error {
	for _, r := range all {
		changed := false
		for _, c := range r.clients {
			changed = changed || !bytes.Equal(c.CABundle, bundle)
			c.CABundle = bundle
		}
		if !changed {
			continue
		}
		if err := i.client.Update(ctx, r.object, client.FieldOwner(fieldManager)); err != nil {
			return fmt.Errorf("writing the bundle into the %s: %w", kindOf(r.object), err)
		}
	}
	return nil
}

// fieldManager is who has written.
const fieldManager = "hardgate-certificates"
