package lab

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/hardgate-dev/hardgate/e2e/apply"
	"github.com/hardgate-dev/hardgate/e2e/gate"
)

// Verdict is what the API server said to the creation of one object.
type Verdict struct {
	File     string // within the checkout
	Denial   string // the message; empty when it was admitted
	Warnings []string
}

// demo are the manifests of e2e/demo.
type demo struct {
	dir    string
	client *apply.Client
}

// setUp makes the namespace and its policy, and waits until they are in force.
func (d demo) setUp(ctx context.Context) error {
	objects, err := apply.Read(filepath.Join(d.dir, "setup.yaml"))
	if err != nil {
		return err
	}
	for _, obj := range objects {
		if _, err := d.client.Apply(ctx, obj); err != nil {
			return fmt.Errorf("applying the demonstration's %s: %w", obj.GetKind(), err)
		}
	}
	trial, err := d.deployment("denied.yaml")
	if err != nil {
		return err
	}
	return gate.AwaitDenial(ctx, d.client, trial)
}

// run creates one Deployment of each kind, anew if it is there from an earlier run.
func (d demo) run(ctx context.Context) ([]Verdict, error) {
	var verdicts []Verdict
	for _, file := range []string{"denied.yaml", "warned.yaml", "admitted.yaml"} {
		obj, err := d.deployment(file)
		if err != nil {
			return nil, err
		}
		if err := d.client.Delete(ctx, obj); err != nil && !apierrors.IsNotFound(err) {
			return nil, fmt.Errorf("deleting the Deployment %s of an earlier run: %w", obj.GetName(), err)
		}
		warnings, err := d.client.Create(ctx, obj, metav1.CreateOptions{FieldManager: apply.FieldManager})
		v := Verdict{File: filepath.Join("e2e", "demo", file), Warnings: warnings}
		if denied := apierrors.APIStatus(nil); gate.Denied(err) && errors.As(err, &denied) {
			v.Denial = denied.Status().Message
		} else if err != nil {
			return nil, fmt.Errorf("creating the Deployment of %s: %w", v.File, err)
		}
		verdicts = append(verdicts, v)
	}
	return verdicts, nil
}

func (d demo) deployment(file string) (*unstructured.Unstructured, error) {
	objects, err := apply.Read(filepath.Join(d.dir, file))
	if err != nil {
		return nil, err
	}
	if len(objects) != 1 {
		return nil, fmt.Errorf("reading e2e/demo/%s: %d objects, want 1", file, len(objects))
	}
	return objects[0], nil
}
