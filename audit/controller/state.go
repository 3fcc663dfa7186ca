package controller

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	logf "sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/hardgate-dev/hardgate/api/v1alpha1"
	"github.com/hardgate-dev/hardgate/exemption"
	"github.com/hardgate-dev/hardgate/webhook/registration"
	"github.com/hardgate-dev/hardgate/webhook/ruling"
)

// page is how many objects are read at once.
const page = 500

// state is what a round goes by.
type state struct {
	// now is when the round has begun, by the API server's clock, and began the same by this
	// machine's.
	now, began time.Time

	policies []v1alpha1.WorkloadPolicy
	// unread are the names of policies that are not understood.
	unread []string
	book   *ruling.Book // with what rollouts have reached
	// exemptions are those that are understood, whether they have expired or not.
	exemptions []v1alpha1.Exemption
	exempt     *exemption.Book
	// misunderstood is what is wrong with policies and exemptions.
	misunderstood []error
	namespaces    map[string]namespace
	// unasked are namespaces about which the API server never asks the webhook.
	unasked []string
	reports map[string]*v1alpha1.NamespaceReport // by namespace, "" for none
	// missing are kinds of ours that are not served.
	missing []string
	// spec tells whether policies or exemptions have changed since a pass.
	spec string
}

type namespace struct {
	uid     types.UID
	labels  labels.Set
	created time.Time
}

// read reads what a round goes by. Policies are read as they are stored: decoded into
// their type they would lose the fields that are misspelt, and mean something else.
func (c *Controller) read(ctx context.Context, now time.Time) (*state, error) {
	s := &state{now: now, began: time.Now(), unasked: registration.Unasked(c.Options.Namespaces...), namespaces: map[string]namespace{}, reports: map[string]*v1alpha1.NamespaceReport{}}
	var spec []byte
	note := func(u *unstructured.Unstructured) { spec = noted(spec, u) }
	err := errors.Join(
		c.stored(ctx, "WorkloadPolicy", func(raw []byte, u *unstructured.Unstructured) error {
			note(u)
			p, err := ruling.Read(raw)
			if err != nil {
				s.unread = append(s.unread, u.GetName())
				return err
			}
			s.policies = append(s.policies, *p)
			return nil
		}, s),
		c.stored(ctx, "Exemption", func(raw []byte, u *unstructured.Unstructured) error {
			note(u)
			e, err := exemption.Read(raw)
			switch {
			case err == nil:
				s.exemptions = append(s.exemptions, *e)
			case !exemption.MayExemptObjects(raw):
				return nil // it stops no promotion: the tainting half says what is wrong with it
			}
			return err
		}, s),
		c.readNamespaces(ctx, s),
		c.readReports(ctx, s),
	)
	if err != nil {
		return nil, err
	}
	s.spec = string(spec)
	book, errs := ruling.Compile(s.policies)
	s.misunderstood = append(s.misunderstood, errs...)
	s.book = book.At(reached(s.reports))
	s.exempt, errs = exemption.Compile(s.exemptions)
	s.misunderstood = append(s.misunderstood, errs...)
	return s, nil
}

// noted adds an object to what tells specs apart.
func noted(spec []byte, u *unstructured.Unstructured) []byte {
	return fmt.Appendf(spec, "%s/%d ", u.GetUID(), u.GetGeneration())
}

// stands is whether what a round was read with is still so: the policies and Exemptions
// are the same, and nobody has asked for a pause. What cannot be read does not stand.
func (c *Controller) stands(ctx context.Context, s *state) bool {
	var spec []byte
	for _, kind := range []string{"WorkloadPolicy", "Exemption"} {
		if err := c.stored(ctx, kind, func(_ []byte, u *unstructured.Unstructured) error {
			spec = noted(spec, u)
			return nil
		}, &state{}); err != nil {
			logf.FromContext(ctx).Error(err, "nothing is promoted: whether the policies have changed is not known")
			return false
		}
	}
	return string(spec) == s.spec && !c.paused(ctx)
}

// stored reads all of one of our kinds. What is not understood is noted and left out.
func (c *Controller) stored(ctx context.Context, kind string, read func([]byte, *unstructured.Unstructured) error, s *state) error {
	next := ""
	for {
		list := &unstructured.UnstructuredList{}
		list.SetGroupVersionKind(v1alpha1.GroupVersion.WithKind(kind + "List"))
		if err := c.client.List(ctx, list, client.Limit(page), client.Continue(next)); err != nil {
			return s.ifServed(kind, fmt.Errorf("listing %s: %w", kind, err))
		}
		for i := range list.Items {
			u := &list.Items[i]
			u.SetManagedFields(nil)
			raw, err := u.MarshalJSON()
			if err == nil {
				err = read(raw, u)
			}
			if err != nil {
				s.misunderstood = append(s.misunderstood, fmt.Errorf("%s %s: %w", kind, u.GetName(), err))
			}
		}
		if next = list.GetContinue(); next == "" {
			return nil
		}
	}
}

func (c *Controller) readNamespaces(ctx context.Context, s *state) error {
	next := ""
	for {
		list := &metav1.PartialObjectMetadataList{}
		list.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("NamespaceList"))
		if err := c.client.List(ctx, list, client.Limit(page), client.Continue(next)); err != nil {
			return fmt.Errorf("listing namespaces: %w", err)
		}
		for i := range list.Items {
			ns := &list.Items[i]
			if ns.DeletionTimestamp == nil {
				s.namespaces[ns.Name] = namespace{uid: ns.UID, labels: ns.Labels, created: ns.CreationTimestamp.Time}
			}
		}
		if next = list.Continue; next == "" {
			return nil
		}
	}
}

func (c *Controller) readReports(ctx context.Context, s *state) error {
	next := ""
	for {
		list := &v1alpha1.NamespaceReportList{}
		if err := c.client.List(ctx, list, client.Limit(page), client.Continue(next)); err != nil {
			return s.ifServed("NamespaceReport", fmt.Errorf("listing NamespaceReports: %w", err))
		}
		for i := range list.Items {
			r := &list.Items[i]
			r.ManagedFields = nil // for each control of each namespace there are some
			s.reports[namespaceOf(r.Name)] = r
		}
		if next = list.Continue; next == "" {
			return nil
		}
	}
}

// namespaceOf is the namespace that a report is about; empty for objects without one.
func namespaceOf(report string) string {
	if report == v1alpha1.ClusterScopedReportName {
		return ""
	}
	return report
}

// reportOf is the name of the report of a namespace.
func reportOf(namespace string) string {
	if namespace == "" {
		return v1alpha1.ClusterScopedReportName
	}
	return namespace
}

// reached is how far rollouts have come.
func reached(reports map[string]*v1alpha1.NamespaceReport) ruling.Reached {
	all := ruling.Reached{}
	for _, r := range reports {
		all.Note(r)
	}
	return all
}

// equal is whether two values are stored alike.
func equal(a, b any) bool {
	one, err := json.Marshal(a)
	if err != nil {
		return false
	}
	other, err := json.Marshal(b)
	return err == nil && bytes.Equal(one, other)
}
