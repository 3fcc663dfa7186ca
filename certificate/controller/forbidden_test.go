package controller

import (
	"context"
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/hardgate-dev/hardgate/webhook/registration"
)

// A right that is missing stops the step that needs it and all that may only follow it, and
// is told with the name of what is refused. Once it is there, all goes on.
func TestForbidden(t *testing.T) {
	for _, verb := range []string{"get", "create", "update"} {
		for _, name := range []string{CASecret, ServingSecret, registration.Name} {
			t.Run(verb+" "+name, func(t *testing.T) {
				refusing := false
				refuse := func(v, n string) error {
					if refusing && v == verb && n == name {
						return apierrors.NewForbidden(schema.GroupResource{Resource: "things"}, n, nil)
					}
					return nil
				}
				c := cluster(t, registrations()...).WithInterceptorFuncs(interceptor.Funcs{
					Get: func(ctx context.Context, c client.WithWatch, key client.ObjectKey, o client.Object, opts ...client.GetOption) error {
						if err := refuse("get", key.Name); err != nil {
							return err
						}
						return c.Get(ctx, key, o, opts...)
					},
					Create: func(ctx context.Context, c client.WithWatch, o client.Object, opts ...client.CreateOption) error {
						if err := refuse("create", o.GetName()); err != nil {
							return err
						}
						return c.Create(ctx, o, opts...)
					},
					Update: func(ctx context.Context, c client.WithWatch, o client.Object, opts ...client.UpdateOption) error {
						if err := refuse("update", o.GetName()); err != nil {
							return err
						}
						return c.Update(ctx, o, opts...)
					},
				}).Build()
				i, _ := issuer(c)
				i.Certificate.Settle, i.Certificate.Overlap = 0, 0
				if err := i.round(t.Context()); err != nil {
					t.Fatal(err)
				}
				// Another authority is needed, and all three are written for it.
				for _, n := range []string{CASecret, ServingSecret} {
					s := secret(t, c, n)
					if s.Data = nil; verb == "create" {
						if err := c.Delete(t.Context(), s); err != nil {
							t.Fatal(err)
						}
					} else if err := c.Update(t.Context(), s); err != nil {
						t.Fatal(err)
					}
				}
				refusing = true
				err := i.round(t.Context())
				if written := verb != "create" || name != registration.Name; written != (err != nil) || err != nil && !strings.Contains(err.Error(), "forbidden") {
					t.Fatalf("it says %v", err)
				}
				refusing = false
				before := bundlesOf(t, c)
				served := secretOrNone(t, c)
				if name == registration.Name && err != nil && len(served) > 0 {
					t.Error("a certificate is issued by an authority that no bundle has")
				}
				if err := i.round(t.Context()); err != nil {
					t.Fatal(err)
				}
				if len(secretOrNone(t, c)) == 0 || len(before) != 1 || len(bundlesOf(t, c)) != 1 {
					t.Error("it does not go on")
				}
			})
		}
	}
}

// secretOrNone is the certificate that is stored to be served.
func secretOrNone(t *testing.T, c client.Client) []byte {
	t.Helper()
	all, err := (&Issuer{Options: options(), client: c.(client.WithWatch)}).read(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return all.Serving["tls.crt"]
}
