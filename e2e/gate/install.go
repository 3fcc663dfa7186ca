package gate

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/hardgate-dev/hardgate/e2e/apply"
	"github.com/hardgate-dev/hardgate/e2e/cluster"
	"github.com/hardgate-dev/hardgate/webhook/registration"
)

//go:embed binding.yaml
var binding []byte

// Install applies the CRDs of the checkout in repo and the webhook's role, bound to User,
// and waits until the API server serves the CRDs. Start does so too: it is for those
// who want policies in force from the webhook's first moment.
func Install(ctx context.Context, c *cluster.Cluster, repo string) error {
	cfg, err := c.RESTConfig()
	if err != nil {
		return err
	}
	client, err := apply.NewClient(cfg)
	if err != nil {
		return err
	}
	objects, err := apply.ReadDir(filepath.Join(repo, "manifests", "crd"))
	if err != nil {
		return err
	}
	rights, err := rights(repo)
	if err != nil {
		return fmt.Errorf("reading the webhook's rights: %w", err)
	}
	for _, obj := range slices.Concat(rights, objects) {
		if _, err := client.Apply(ctx, obj); err != nil {
			return fmt.Errorf("installing %s %s: %w", obj.GetKind(), obj.GetName(), err)
		}
	}
	for _, crd := range objects {
		if err := awaitEstablished(ctx, client, crd); err != nil {
			return err
		}
	}
	return nil
}

// rights are the webhook's role, as it is shipped, and its binding to the lab's user in
// the place of the account.
func rights(repo string) ([]*unstructured.Unstructured, error) {
	shipped, err := apply.Read(filepath.Join(repo, "manifests", "webhook", "rbac.yaml"))
	if err != nil {
		return nil, err
	}
	bound, err := apply.Decode(binding)
	if err != nil {
		return nil, err
	}
	for _, o := range shipped {
		if o.GetKind() == "ClusterRole" {
			return append(bound, o), nil
		}
	}
	return nil, errors.New("manifests/webhook/rbac.yaml has no ClusterRole")
}

func awaitEstablished(ctx context.Context, client *apply.Client, crd *unstructured.Unstructured) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	for {
		now, err := client.Get(ctx, crd)
		if err != nil {
			return fmt.Errorf("waiting for the CRD %s: %w", crd.GetName(), err)
		}
		// Right after its creation, a CRD has conditions that are null.
		value, _, err := unstructured.NestedFieldNoCopy(now.Object, "status", "conditions")
		if err != nil {
			return fmt.Errorf("waiting for the CRD %s: %w", crd.GetName(), err)
		}
		conditions, _ := value.([]any)
		if slices.ContainsFunc(conditions, established) {
			return nil
		}
		select {
		case <-time.After(50 * time.Millisecond):
		case <-ctx.Done():
			return fmt.Errorf("waiting for the CRD %s: %w", crd.GetName(), ctx.Err())
		}
	}
}

func established(condition any) bool {
	c, ok := condition.(map[string]any)
	return ok && c["type"] == "Established" && c["status"] == "True"
}

// Register makes the API server ask the webhook, about nodes that register too. In the
// enforced namespaces it refuses what the webhook does not answer.
func (g *Gate) Register(ctx context.Context, enforced []string) error {
	cfg, err := g.cluster.RESTConfig()
	if err != nil {
		return err
	}
	client, err := apply.NewClient(cfg)
	if err != nil {
		return err
	}
	o := registration.Options{URL: g.URL(), CABundle: g.ca, Enforced: enforced}
	for _, built := range []any{registration.Build(o), registration.BuildMutating(o)} {
		content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(built)
		if err != nil {
			return fmt.Errorf("registering the webhook: %w", err)
		}
		if _, err := client.Apply(ctx, &unstructured.Unstructured{Object: content}); err != nil {
			return fmt.Errorf("registering the webhook: %w", err)
		}
	}
	return nil
}

// Denied says whether err is a denial by the gate. Other parts of the API server
// forbid things too, such as a pod whose service account does not exist.
func Denied(err error) bool {
	return apierrors.IsForbidden(err) && strings.Contains(err.Error(), `.hardgate.dev" denied the request`)
}

// AwaitDenial returns when the gate denies the object on trial. The API server notices a
// registration, and the webhook a policy, some time after they are stored. The
// object is not created.
func AwaitDenial(ctx context.Context, client *apply.Client, obj *unstructured.Unstructured) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	trial := obj.DeepCopy()
	trial.SetGenerateName(obj.GetName() + "-trial-")
	trial.SetName("")
	for {
		_, err := client.Create(ctx, trial, metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}})
		if Denied(err) {
			return nil
		}
		select {
		case <-time.After(50 * time.Millisecond):
		case <-ctx.Done():
			return fmt.Errorf("waiting until the gate denies %s %s: %w; the last trial gave: %w", obj.GetKind(), obj.GetName(), ctx.Err(), err)
		}
	}
}
