package main

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/go-logr/logr"
	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/hardgate-dev/hardgate/api/v1alpha1"
)

// clusterReport reads the one ClusterReport. It is an error if it has no rows.
func (c *clusterClient) clusterReport(ctx context.Context) (*v1alpha1.ClusterReport, error) {
	const name = `the ClusterReport "` + v1alpha1.ClusterReportName + `"`
	ctx = logr.NewContext(ctx, logr.Discard()) // the error says what client-go would log
	path := "/apis/" + v1alpha1.GroupVersion.String() + "/clusterreports/" + v1alpha1.ClusterReportName
	result := c.api.Get().AbsPath(path).Do(ctx)
	switch err := result.Error(); {
	case apierrors.IsNotFound(err):
		return nil, fmt.Errorf("%s has no ClusterReport %q: is hardgate's controller installed, and does it run? See with: kubectl get crd clusterreports.%s; kubectl -n hardgate-system get pods",
			c.server, v1alpha1.ClusterReportName, v1alpha1.GroupVersion.Group)
	case apierrors.IsForbidden(err):
		return nil, fmt.Errorf("asking %s for %s: %w: test the right with: kubectl auth can-i get clusterreports.%s", c.server, name, err, v1alpha1.GroupVersion.Group)
	case err != nil:
		return nil, wayOut(fmt.Errorf("asking %s for %s: %w", c.server, name, err))
	}
	body, err := result.Raw()
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", name, err)
	}
	r := &v1alpha1.ClusterReport{}
	if err := json.Unmarshal(body, r); err != nil {
		return nil, fmt.Errorf("reading %s: %w", name, err)
	}
	switch {
	case r.Kind != "ClusterReport": // something else must not read as an empty report
		return nil, fmt.Errorf("reading %s: %s answers with a %q", name, c.server, r.Kind)
	case len(r.Status.Rows) == 0:
		return nil, fmt.Errorf("%s of %s has no rows yet: the controller writes them after its first audit. Its log says how far it is: kubectl -n hardgate-system logs deploy/hardgate-controller",
			name, c.server)
	}
	return r, nil
}
