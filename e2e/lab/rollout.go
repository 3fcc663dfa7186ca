package lab

import (
	"context"
	"fmt"
	"path/filepath"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/dynamic"

	"github.com/hardgate-dev/hardgate/api/v1alpha1"
	"github.com/hardgate-dev/hardgate/e2e/agent"
	"github.com/hardgate-dev/hardgate/e2e/apply"
	"github.com/hardgate-dev/hardgate/e2e/cluster"
	"github.com/hardgate-dev/hardgate/e2e/controller"
)

// The namespaces and the policy of e2e/demo/rollout.yaml.
const (
	tidy, untidy  = "team-tidy", "team-untidy"
	rolloutPolicy = "teams"
)

// auditing are flags by which the lab's controller looks more often than one at work.
var auditing = []string{"--audit-interval", "2s", "--audit-tick", "1s"}

// Promotion is what became of the demonstration's rollout.
type Promotion struct {
	// Took is from the policy to the mode Enforce where nothing stands in the way.
	Took time.Duration
	// Cells are those of both namespaces.
	Cells []v1alpha1.RolloutCell
}

// rollOut applies e2e/demo/rollout.yaml anew and waits until the clean namespace is
// enforced and the other one says why it is not.
func rollOut(ctx context.Context, cfg Config, c *cluster.Cluster) (*Promotion, error) {
	cfg.Log("installing the controller, applying e2e/demo/rollout.yaml and waiting for its promotion")
	if err := agent.Install(ctx, c, cfg.Repo); err != nil {
		return nil, err
	}
	if err := controller.Install(ctx, c, cfg.Repo); err != nil {
		return nil, err
	}
	if _, err := controller.Start(ctx, c, cfg.Repo, auditing...); err != nil {
		return nil, err
	}
	access, err := c.RESTConfig()
	if err != nil {
		return nil, err
	}
	client, err := dynamic.NewForConfig(access)
	if err != nil {
		return nil, fmt.Errorf("rolling out: %w", err)
	}
	policies := client.Resource(v1alpha1.GroupVersion.WithResource("workloadpolicies"))
	began := time.Now()
	if err := apply.File(ctx, access, filepath.Join(cfg.Repo, "e2e", "demo", "rollout.yaml")); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, 90*time.Second)
	defer cancel()
	for {
		stored, err := policies.Get(ctx, rolloutPolicy, metav1.GetOptions{})
		if err == nil {
			var p v1alpha1.WorkloadPolicy
			if p, err = policyOf(stored); err == nil && settled(&p) {
				return &Promotion{Took: time.Since(began), Cells: p.Status.Rollout.Cells}, nil
			}
		}
		select {
		case <-time.After(100 * time.Millisecond):
		case <-ctx.Done():
			return nil, fmt.Errorf("waiting for the promotion of %s: %w; the last look: %w", tidy, ctx.Err(), err)
		}
	}
}

func policyOf(u *unstructured.Unstructured) (p v1alpha1.WorkloadPolicy, err error) {
	err = runtime.DefaultUnstructuredConverter.FromUnstructured(u.Object, &p)
	return p, err
}

// settled is whether the clean namespace is enforced and the other one is blocked.
func settled(p *v1alpha1.WorkloadPolicy) bool {
	if p.Status.Rollout == nil || p.Status.ObservedGeneration != p.Generation {
		return false
	}
	enforced, blocked := 0, 0
	for _, c := range p.Status.Rollout.Cells {
		switch {
		case c.Namespace == tidy && c.Mode == "Enforce":
			enforced++
		case c.Namespace == untidy && c.Control == "privileged" && c.Mode == "Warn" && len(c.BlockedBy) > 0:
			blocked++
		}
	}
	return enforced == len(p.Spec.Controls) && blocked == 1
}
