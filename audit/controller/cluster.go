package controller

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/hardgate-dev/hardgate/api/v1alpha1"
	"github.com/hardgate-dev/hardgate/control"
	"github.com/hardgate-dev/hardgate/scorecard"
	noderuling "github.com/hardgate-dev/hardgate/taint/ruling"
	"github.com/hardgate-dev/hardgate/webhook/policy"
)

// writeCluster writes the benchmark's table into the ClusterReport, after each audit. The
// report is made by the tainting half of the controller, which writes the rest of it.
func (c *Controller) writeCluster(ctx context.Context, s *state) error {
	if c.carded.Equal(c.last.Finished) {
		return nil
	}
	stored := &v1alpha1.ClusterReport{}
	if err := c.client.Get(ctx, client.ObjectKey{Name: v1alpha1.ClusterReportName}, stored); err != nil {
		return client.IgnoreNotFound(err)
	}
	in, err := c.card(ctx, s)
	if err != nil {
		return err
	}
	rows, score := scorecard.Rows(in)
	status := scorecard.AuditStatus(c.last)
	if err := c.May(); err != nil {
		return err
	}
	// Lists that are empty are null: what is stored would stay where they are left out.
	data, err := json.Marshal(map[string]any{"status": map[string]any{
		"audit": map[string]any{"started": status.Started, "finished": status.Finished, "objects": status.Objects, "missed": status.Missed},
		"score": score, "rows": rows,
	}})
	if err != nil {
		return err
	}
	err = c.client.Status().Patch(ctx, stored, client.RawPatch(types.MergePatchType, data), client.FieldOwner(fieldManager))
	if err != nil {
		return client.IgnoreNotFound(err)
	}
	c.carded = c.last.Finished
	c.Metrics.written.WithLabelValues("cluster-report").Inc()
	return nil
}

// card gathers what the table is made of.
func (c *Controller) card(ctx context.Context, s *state) (scorecard.In, error) {
	in := scorecard.In{Audit: c.last, Exemptions: map[control.ID][]string{}}
	in.Judged = func(namespace string, id control.ID) bool {
		if _, ours := policy.Get(id); !ours {
			return true
		}
		for _, j := range s.book.For(namespace, s.namespaces[namespace].labels) {
			if j.Policy.ID == id {
				return true
			}
		}
		return false
	}
	for i := range s.exemptions {
		e := &s.exemptions[i]
		if s.now.Before(e.Spec.Expires.Time) {
			for _, id := range e.Spec.Controls {
				in.Exemptions[control.ID(id)] = append(in.Exemptions[control.ID(id)], e.Name)
			}
		}
	}
	var err error
	if in.Nodes, err = c.nodes(ctx, s); err != nil {
		return in, err
	}
	in.AKS = c.Options.Provider == "aks" || c.Options.Provider == "auto" && in.Nodes.AKS()
	return in, nil
}

// nodes reads what the agents report, in pages of which nothing is kept but counts.
func (c *Controller) nodes(ctx context.Context, s *state) (*scorecard.Nodes, error) {
	has := map[string]labels.Set{}
	alive, err := c.heard(ctx)
	if err != nil {
		return nil, err
	}
	exemptions, _ := noderuling.CompileExemptions(s.exemptions) // what is wrong with them has been told
	n := &scorecard.Nodes{Exempt: func(id control.ID, node string) bool {
		return slices.ContainsFunc(exemptions, func(e noderuling.Exemption) bool { return e.Applies(id, node, has[node], s.now) })
	}}
	err = c.pages(ctx, func() client.ObjectList { return &corev1.NodeList{} }, func(list client.ObjectList) {
		for i := range list.(*corev1.NodeList).Items {
			node := &list.(*corev1.NodeList).Items[i]
			has[node.Name] = node.Labels
			n.Node(node.Name, node.Labels, node.Spec.ProviderID)
		}
	})
	if err == nil {
		// Without their CRD there are none.
		err = client.IgnoreNotFound(c.pages(ctx, func() client.ObjectList { return &v1alpha1.NodeReportList{} }, func(list client.ObjectList) {
			for i := range list.(*v1alpha1.NodeReportList).Items {
				r := &list.(*v1alpha1.NodeReportList).Items[i]
				n.Add(r, s.now.Before(alive[r.Name]))
			}
		}))
	}
	return n, err
}

// heard is when the agent of each node was heard of last, by its Lease. How old that may
// be is the Lease's own word.
func (c *Controller) heard(ctx context.Context) (map[string]time.Time, error) {
	until := map[string]time.Time{}
	err := c.pages(ctx, func() client.ObjectList { return &coordinationv1.LeaseList{} }, func(list client.ObjectList) {
		for i := range list.(*coordinationv1.LeaseList).Items {
			l := &list.(*coordinationv1.LeaseList).Items[i]
			if l.Spec.RenewTime != nil && l.Spec.LeaseDurationSeconds != nil {
				until[l.Name] = l.Spec.RenewTime.Add(time.Duration(*l.Spec.LeaseDurationSeconds) * time.Second)
			}
		}
	}, client.InNamespace(c.Options.Namespaces[0]))
	return until, err
}

// pages reads a list a page at a time. Each has memory of its own: what is decoded into
// the objects of another page would keep those fields of them that it does not say.
func (c *Controller) pages(ctx context.Context, fresh func() client.ObjectList, do func(client.ObjectList), more ...client.ListOption) error {
	for next := ""; ; {
		list := fresh()
		if err := c.client.List(ctx, list, append(more, client.Limit(page), client.Continue(next))...); err != nil {
			return fmt.Errorf("listing %T: %w", list, err)
		}
		do(list)
		if next = list.GetContinue(); next == "" {
			return nil
		}
	}
}
