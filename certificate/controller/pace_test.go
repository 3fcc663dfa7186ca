package controller

import (
	"context"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"
)

// Where another program undoes each write at once, the leader does not write as fast as it
// can: it says so once, and goes on at a pace that no API server minds.
func TestSomebodyElseWritesTheBundle(t *testing.T) {
	var writes atomic.Int32
	c := cluster(t, registrations()...).WithInterceptorFuncs(interceptor.Funcs{
		Update: func(ctx context.Context, c client.WithWatch, o client.Object, opts ...client.UpdateOption) error {
			writes.Add(1)
			err := c.Update(ctx, o, opts...)
			if v, ok := o.(*admissionregistrationv1.ValidatingWebhookConfiguration); ok && err == nil {
				undone := v.DeepCopy()
				undone.Webhooks[0].ClientConfig.CABundle = []byte("theirs")
				return c.Update(ctx, undone)
			}
			return err
		},
	}).Build()
	i, events := issuer(c)
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
	defer cancel()
	if err := i.Start(ctx); err != nil {
		t.Fatal(err)
	}
	if n := writes.Load(); n < 10 || n > burst+5 {
		t.Errorf("%d writes in 3 s", n)
	}
	problems := slices.DeleteFunc(told(events), func(e string) bool { return !strings.HasPrefix(e, "Warning") && !strings.HasSuffix(e, eventSolved) })
	if !slices.Equal(problems, []string{"Warning " + eventProblem}) {
		t.Errorf("told is %q", problems)
	}
}

// What goes while it is written is no problem, but the next thing that is read.
func TestGoneMeanwhile(t *testing.T) {
	for name, prepare := range map[string]func(t *testing.T, c client.WithWatch, i *Issuer){
		CASecret: func(t *testing.T, c client.WithWatch, _ *Issuer) { // broken, so that it is written
			t.Helper()
			s := secret(t, c, CASecret)
			s.Data = nil
			if err := c.Update(t.Context(), s); err != nil {
				t.Fatal(err)
			}
		},
		"hardgate": func(t *testing.T, c client.WithWatch, i *Issuer) {
			t.Helper()
			all, err := readRegistered(t.Context(), c)
			if err == nil {
				err = i.writeBundle(t.Context(), all, []byte("theirs"))
			}
			if err != nil {
				t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			armed := false
			c := between(cluster(t, registrations()...), func(o client.Object) bool { return armed && o.GetName() == name }, func(plain client.WithWatch) {
				if name == CASecret {
					if err := plain.Delete(t.Context(), secret(t, plain, name)); err != nil {
						t.Error(err)
					}
					return
				}
				for _, o := range registrations() {
					if err := plain.Delete(t.Context(), o); err != nil {
						t.Error(err)
					}
				}
			})
			i, _ := issuer(c)
			if err := i.round(t.Context()); err != nil {
				t.Fatal(err)
			}
			prepare(t, c, i)
			armed = true
			if err := i.round(t.Context()); err != nil {
				t.Errorf("it is a problem: %v", err)
			}
		})
	}
}
