package controller

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/hardgate-dev/hardgate/api/v1alpha1"
)

// A policy says whether what it enforces fails closed, and if not where and why.
func TestFailsClosed(t *testing.T) {
	many := make([]string, 4500)
	for i := range many {
		many[i] = fmt.Sprintf("%060d", i)
	}
	tests := map[string]struct {
		answer   error // to the self-test
		closed   []string
		enforced []string
		missing  bool
		refuse   error // to the write
		status   metav1.ConditionStatus
		reason   string
		says     []string
	}{
		"nothing is enforced": {answer: errReached},
		"closed":              {answer: errReached, closed: []string{"shop"}, enforced: []string{"shop"}, status: "True", reason: "Registered"},
		"closed by this":      {answer: errReached, enforced: []string{"shop"}, status: "True", reason: "Registered"},
		"not reached": {
			answer: errRefused, closed: []string{"shop"}, enforced: []string{"shop", "new"}, status: "False", reason: "WebhookNotReached",
			says: []string{"nothing is refused in new: the API server does not reach the webhook", "connection refused"},
		},
		"not installed": {answer: errReached, enforced: []string{"shop"}, missing: true, status: "False", reason: "NotInstalled", says: []string{"in shop: the ValidatingWebhookConfiguration hardgate is not installed"}},
		"not written":   {answer: errReached, enforced: []string{"shop"}, refuse: errors.New("no right to"), status: "False", reason: "NotWritten", says: []string{"in shop: no right to"}},
		"changed meanwhile": {
			answer: errReached, enforced: []string{"shop"}, refuse: apierrors.NewConflict(reports, "hardgate", errors.New("changed")),
			status: "False", reason: "Pending", says: []string{"in shop yet."},
		},
		"no room":           {answer: errReached, enforced: many, status: "False", reason: "TooManyNamespaces", says: []string{" more: one registration has no room for more"}},
		"never fail closed": {answer: errReached, enforced: []string{"kube-system", "kube-public", "hardgate-system"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, tt.answer, tt.closed...)
			b.api.refuse = tt.refuse
			if tt.missing {
				b.api.stored = nil
			}
			s := b.state(tt.enforced...)
			s.unasked = []string{"kube-system", "hardgate-system"}
			if err := b.followEnforced(b.ctx, s); (err != nil) != (tt.refuse != nil && tt.reason != "Pending") {
				t.Fatal(err)
			}
			all := b.conditions(s, &v1alpha1.WorkloadPolicy{}, enforcedBy(s)["p"])
			if tt.status == "" {
				if len(all) > 0 {
					t.Errorf("%+v", all)
				}
				return
			}
			if len(all) != 1 || all[0].Type != "FailsClosed" || all[0].Status != tt.status || all[0].Reason != tt.reason || len(all[0].Message) > 2000 {
				t.Fatalf("%+v", all)
			}
			for _, text := range tt.says {
				if !strings.Contains(all[0].Message, text) {
					t.Errorf("%q is not in %q", text, all[0].Message)
				}
			}
			if of := enforcedBy(s)["another"]; of != nil {
				t.Errorf("another policy enforces in %q", of)
			}
		})
	}
}

// The condition keeps the time of its last transition, and goes when nothing is enforced.
func TestFailsClosedSince(t *testing.T) {
	b := newBench(t, errReached, "shop")
	s := b.state("shop")
	p := &v1alpha1.WorkloadPolicy{}
	p.Status.Conditions = b.conditions(s, p, []string{"shop"})
	s.now = s.now.Add(time.Hour)
	if got := b.conditions(s, p, []string{"shop"}); !got[0].LastTransitionTime.Time.Equal(b.now) {
		t.Errorf("%+v", got)
	}
	if got := b.conditions(s, p, nil); len(got) != 0 {
		t.Errorf("%+v", got)
	}
}

// Where the API server may ask about less than it should, nobody is asked whether it reaches
// the webhook: what is admitted unseen is no part of a clean window.
func TestAstray(t *testing.T) {
	b := newBench(t, errReached, "shop")
	b.api.stored.Webhooks[2].Rules = b.api.stored.Webhooks[2].Rules[:1]
	b.api.refuse = errors.New("no right to")
	if err := b.followEnforced(b.ctx, b.state("shop")); err == nil {
		t.Fatal("it is written")
	}
	if why := b.frozen(b.ctx, b.state("shop"), false); !strings.Contains(why, "is not as hardgate keeps it") || b.api.asked != 0 {
		t.Errorf("frozen %q, asked %d times", why, b.api.asked)
	}
	b.api.refuse = nil
	if why := b.round("shop"); why == "" {
		t.Error("not frozen before it is put right")
	}
	if why := b.frozen(b.ctx, b.state("shop"), false); why != "" || b.api.asked != 1 {
		t.Errorf("frozen %q, asked %d times", why, b.api.asked)
	}
}
