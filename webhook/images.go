package webhook

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"time"

	logf "sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/hardgate-dev/hardgate/control"
	"github.com/hardgate-dev/hardgate/exemption"
	"github.com/hardgate-dev/hardgate/webhook/imagepolicy"
	"github.com/hardgate-dev/hardgate/webhook/policy"
	"github.com/hardgate-dev/hardgate/webhook/registration"
	"github.com/hardgate-dev/hardgate/webhook/verdict"
	"github.com/hardgate-dev/hardgate/webhook/workload"
)

// imageControl is the control that reviews of images are judged by.
const imageControl control.ID = "image-provenance"

// ExcludeImages says in which namespaces, besides kube-system, images are let through
// unseen: those that the webhook's registration excludes. The API server's plugin asks
// about every namespace. It is for before the gate serves.
func (g *Gate) ExcludeImages(namespaces ...string) { g.unasked = registration.Unasked(namespaces...) }

// answerImages reads, judges and answers one ImageReview and returns what metrics call it.
func (g *Gate) answerImages(w http.ResponseWriter, req *http.Request) string {
	in, err := g.receive(w, req)
	defer in.release()
	if err != nil {
		if err.refuse { // whatever the plugin's defaultAllow
			writeImages(w, req, imagepolicy.Answer{Reason: "hardgate: " + err.Error()})
		} else {
			err.answer(w)
		}
		return outcomeBad
	}
	r, decodeErr := imagepolicy.Decode(in.bytes())
	if decodeErr != nil {
		http.Error(w, "hardgate: this is not an ImageReview of "+imagepolicy.APIVersion+": "+decodeErr.Error(), http.StatusBadRequest)
		return outcomeBad
	}
	resp, judgeErr := g.images(req.Context(), r)
	if judgeErr != nil {
		// The plugin's defaultAllow decides what cannot be decided here.
		logf.FromContext(req.Context()).Error(judgeErr, "could not judge images", "namespace", r.Namespace)
		http.Error(w, "hardgate: "+judgeErr.Error(), http.StatusInternalServerError)
		return outcomeError
	}
	writeImages(w, req, imageAnswer(resp))
	switch {
	case !resp.Allowed:
		return outcomeDenied
	case len(resp.Warnings) > 0:
		return outcomeWarned // in the audit log alone
	}
	return outcomeAllowed
}

// images judges the images of a pod by what is known of it. Nothing is counted for a
// rollout: the webhook, which knows whether a request is a trial, is asked about the same pod.
func (g *Gate) images(ctx context.Context, r imagepolicy.Review) (response, error) {
	if slices.Contains(g.unasked, r.Namespace) {
		return response{Allowed: true}, nil
	}
	namespace, err := g.cluster.Labels(ctx, r.Namespace)
	if err != nil {
		return response{}, fmt.Errorf("reading namespace %s: %w", r.Namespace, err)
	}
	judged := restrict(g.book.Load().For(r.Namespace, namespace), func(id control.ID) bool { return id == imageControl })
	subject := &policy.Subject{Admitted: true, Object: &workload.Object{
		Kind: workload.Kind{Version: "v1", Kind: "Pod"}, Namespace: r.Namespace, Pod: workload.Images(r.Images),
	}}
	decisions, err := verdict.Judge(ctx, judged, subject, nil, verdict.Options{
		Ceiling: control.Enforce, Exempt: exemptImages(g.exemptions.Load(), r, g.clock.Now()),
	})
	if err != nil {
		return response{}, fmt.Errorf("judging images of a pod in %s: %w", r.Namespace, err)
	}
	for i := range decisions { // a path would be the review's, not the pod's
		for j := range decisions[i].Violations {
			decisions[i].Violations[j].Path = ""
		}
	}
	g.metrics.count(decisions)
	return respond("", "Pod in "+r.Namespace, decisions), nil
}

// exemptImages is what Exemptions cover of a pod whose name, account and fields are not
// known: one that asks for any of these covers nothing.
func exemptImages(b *exemption.Book, r imagepolicy.Review, now time.Time) verdict.Exempt {
	scope := b.On(exemption.Object{Kind: "Pod", Namespace: r.Namespace, Images: r.Images}, now)
	if scope == nil {
		return nil
	}
	return func(id control.ID, f *policy.Finding) string { return scope.Covers(id, "", f.Container.Image) }
}

// imageAnswer says in an ImageReview's words what respond says in an AdmissionReview's.
// There are no warnings there: what they say, the audit log has.
func imageAnswer(r response) imagepolicy.Answer {
	a := imagepolicy.Answer{Allowed: r.Allowed}
	if r.Status != nil {
		a.Reason = r.Status.Message
	}
	for _, note := range r.AuditAnnotations {
		if a.AuditAnnotations == nil {
			a.AuditAnnotations = make(map[string]string, len(r.AuditAnnotations))
		}
		a.AuditAnnotations[note.key] = note.value
	}
	return a
}

func writeImages(w http.ResponseWriter, req *http.Request, a imagepolicy.Answer) {
	body, err := a.Encode()
	if err != nil {
		logf.FromContext(req.Context()).Error(err, "could not answer")
		http.Error(w, "hardgate: "+err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	_, _ = w.Write(body) //nolint:gosec // JSON, and said to be; a client that is gone is told nothing
}
