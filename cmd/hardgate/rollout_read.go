package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/hardgate-dev/hardgate/api/v1alpha1"
	"github.com/hardgate-dev/hardgate/control"
	"github.com/hardgate-dev/hardgate/rollout"
	"github.com/hardgate-dev/hardgate/webhook/registration"
	"github.com/hardgate-dev/hardgate/webhook/ruling"
)

// ownNamespaces are hardgate's, as manifests/controller calls them.
var ownNamespaces = []string{"hardgate-system", "hardgate-leader"}

// rollouts reads what the controller plans by, as far as it has written it down: the plan
// that is made of it, as of the end of its audit, says the same of every cell. Nothing is
// promoted by it.
func (c *clusterClient) rollouts(ctx context.Context) (*rollout.In, error) {
	in := &rollout.In{
		Unasked:    registration.Unasked(ownNamespaces...),
		Namespaces: map[string]rollout.Namespace{}, Reports: map[string]v1alpha1.NamespaceReportStatus{},
		Audit: rollout.Audit{Complete: true, Current: true, Fresh: time.Hour, Cells: map[string]map[control.ID]rollout.Count{}},
	}
	own := "/apis/" + v1alpha1.GroupVersion.String()
	policies, err := list(ctx, c, own+"/workloadpolicies", "WorkloadPolicy", func(item []byte) (*v1alpha1.WorkloadPolicy, error) {
		p, err := ruling.Read(item)
		if err != nil { // one that is misspelt hides no other
			return nil, unread(in, item, err)
		}
		return p, nil
	})
	if err != nil {
		return nil, err
	}
	in.Audit.Finished = c.clock.Now() // it has answered
	for _, p := range policies {
		if p == nil {
			continue
		}
		in.Policies = append(in.Policies, *p)
		in.Frozen = cmp.Or(in.Frozen, rollout.Frozen(p.Status.Rollout))
	}
	namespaces, err := list(ctx, c, "/api/v1/namespaces", "Namespace", func(item []byte) (n v1alpha1.NamespaceReport, err error) {
		err = json.Unmarshal(item, &n) // its metadata
		return n, err
	})
	if err != nil {
		return nil, err
	}
	for _, n := range namespaces {
		if _, paused := n.Annotations[v1alpha1.PauseAnnotation]; paused && n.Name == ownNamespaces[0] {
			in.Frozen = "the namespace " + n.Name + " is annotated to pause"
		}
		in.Namespaces[n.Name] = rollout.Namespace{Labels: n.Labels, Created: n.CreationTimestamp.Time}
	}
	reports, err := list(ctx, c, own+"/namespacereports", "NamespaceReport", func(item []byte) (r v1alpha1.NamespaceReport, err error) {
		err = json.Unmarshal(item, &r)
		return r, err
	})
	if err != nil {
		return nil, err
	}
	for _, r := range reports {
		name := r.Name
		if name == v1alpha1.ClusterScopedReportName {
			name = ""
		}
		in.Reports[name] = r.Status
		if name == "" {
			in.Heartbeat = r.Status.Heartbeat
		}
		if r.Status.Hash == "" {
			continue // not audited yet
		}
		cells := map[control.ID]rollout.Count{}
		for _, c := range r.Status.Controls {
			cells[control.ID(c.ID)] = rollout.Count{Violations: int(c.Violations), Exempt: int(c.Exempt), Owners: c.BlockedBy}
		}
		in.Audit.Cells[name] = cells
	}
	return in, nil
}

// unread notes a policy that is not understood. The error is for one that has no name.
func unread(in *rollout.In, item []byte, why error) error {
	var p metav1.PartialObjectMetadata
	if json.Unmarshal(item, &p) != nil || p.Name == "" {
		return why
	}
	in.Unread = append(in.Unread, p.Name)
	in.Frozen = fmt.Sprintf("the WorkloadPolicy %s is not understood: %s", p.Name, why)
	return nil
}
