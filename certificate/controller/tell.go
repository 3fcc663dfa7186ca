package controller

import (
	"context"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/record"
	"sigs.k8s.io/controller-runtime/pkg/client"
	logf "sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/hardgate-dev/hardgate/certificate"
	"github.com/hardgate-dev/hardgate/webhook/registration"
)

// The reasons of Events.
const (
	eventProblem = "CertificateProblem"
	eventSolved  = "CertificateReady"
)

var reasons = map[certificate.Action]string{
	certificate.MakeCA: "AuthorityMade", certificate.Adopt: "AuthorityAdopted", certificate.Inject: "BundleInjected",
	certificate.Issue: "CertificateIssued", certificate.Prune: "AuthorityRetired",
}

// teller makes Events about the webhook's registration, which outlives every Secret.
type teller struct {
	events record.EventRecorder
	told   string
	uid    types.UID
}

// about is the registration.
func (t *teller) about() *corev1.ObjectReference {
	return &corev1.ObjectReference{
		APIVersion: admissionregistrationv1.SchemeGroupVersion.String(), Kind: "ValidatingWebhookConfiguration", Name: registration.Name, UID: t.uid,
	}
}

// know notes which registration it is, by which it is found where it is described.
func (t *teller) know(all []registered) {
	for _, r := range all {
		if _, ok := r.object.(*admissionregistrationv1.ValidatingWebhookConfiguration); ok {
			t.uid = r.object.GetUID()
		}
	}
}

func (t *teller) did(s certificate.Step) {
	t.events.Event(t.about(), corev1.EventTypeNormal, reasons[s.Action], "Because "+s.Why+".")
}

// problem says what is in the way once, and that it is no more.
func (t *teller) problem(ctx context.Context, problem error) {
	text := ""
	if problem != nil {
		text = problem.Error()
	}
	if text == t.told {
		return
	}
	t.told = text
	if problem != nil {
		logf.FromContext(ctx).Error(problem, "the webhook's certificate cannot be kept; tried again")
		t.events.Event(t.about(), corev1.EventTypeWarning, eventProblem, text)
		return
	}
	logf.FromContext(ctx).Info("nothing is in the way of the webhook's certificate any more")
	t.events.Event(t.about(), corev1.EventTypeNormal, eventSolved, "Nothing is in the way of the webhook's certificate any more.")
}

func kindOf(o client.Object) string {
	if _, ok := o.(*admissionregistrationv1.MutatingWebhookConfiguration); ok {
		return "MutatingWebhookConfiguration " + o.GetName()
	}
	return "ValidatingWebhookConfiguration " + o.GetName()
}
