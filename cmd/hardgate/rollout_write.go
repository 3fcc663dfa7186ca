package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/go-logr/logr"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"

	"github.com/hardgate-dev/hardgate/api/v1alpha1"
	"github.com/hardgate-dev/hardgate/webhook/ruling"
)

// rewrite says what is to be changed in a rollout as it is stored: fields by name, nil for
// none, and what has been done in words. It may be called again, for a later rollout.
type rewrite func(*v1alpha1.Rollout) (done string, fields map[string]any)

// rewrite changes the rollout of a policy, as often as somebody else was faster.
func (c *clusterClient) rewrite(ctx context.Context, verb, name string, dryRun bool, change rewrite) (done string, err error) {
	const tries = 5
	for try := 1; ; try++ {
		done, err := c.rewriteOnce(ctx, name, dryRun, change)
		if apierrors.IsConflict(err) && try < tries {
			continue
		}
		if err != nil {
			return "", wayOut(fmt.Errorf("%s %s: %w", verb, name, err))
		}
		if dryRun {
			done += " (dry run)"
		}
		return done, nil
	}
}

// rewriteOnce changes the policy by what is stored, under its resourceVersion.
func (c *clusterClient) rewriteOnce(ctx context.Context, name string, dryRun bool, change rewrite) (done string, err error) {
	ctx = logr.NewContext(ctx, logr.Discard()) // the error says what client-go would log
	path := "/apis/" + v1alpha1.GroupVersion.String() + "/workloadpolicies/" + name
	result := c.api.Get().AbsPath(path).Do(ctx)
	if err := result.Error(); err != nil {
		return "", err
	}
	body, err := result.Raw()
	if err != nil {
		return "", err
	}
	p, err := ruling.Read(body)
	if err != nil {
		return "", fmt.Errorf("the stored policy is not understood: %w", err)
	}
	if p.Spec.Rollout == nil {
		return "", errors.New("the policy has no rollout: give it spec.rollout")
	}
	done, fields := change(p.Spec.Rollout)
	if fields == nil {
		return done, nil
	}
	patch, err := json.Marshal(map[string]any{
		"metadata": map[string]any{"resourceVersion": p.ResourceVersion},
		"spec":     map[string]any{"rollout": fields},
	})
	if err != nil {
		return "", err
	}
	request := c.api.Patch(types.MergePatchType).AbsPath(path).Body(patch).Param("fieldManager", "hardgate")
	if dryRun {
		request.Param("dryRun", "All")
	}
	return done, request.Do(ctx).Error()
}
