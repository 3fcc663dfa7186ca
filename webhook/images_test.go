package webhook

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"k8s.io/api/imagepolicy/v1alpha1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	hardgatev1alpha1 "github.com/hardgate-dev/hardgate/api/v1alpha1"
	"github.com/hardgate-dev/hardgate/control"
	"github.com/hardgate-dev/hardgate/exemption"
	"github.com/hardgate-dev/hardgate/webhook/registration"
	"github.com/hardgate-dev/hardgate/webhook/ruling"
)

const hash = "@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

const (
	pinned   = "registry.example/shop/web" + hash
	tagged   = "registry.example/shop/web:1"
	foreign  = "other.example/web" + hash
	shopOnly = "registry.example/shop"
)

// newImageGate makes a gate that judges images in the namespaces shop (Enforce), warned,
// audited, off, rolled (Audit, which a rollout has led to Enforce), two (Enforce of digests,
// Warn of registries) and manual (Enforce, nothing to judge by). In quiet no policy says
// anything; no other namespace can be read.
func newImageGate(t *testing.T) *Gate {
	t.Helper()
	parameters := &hardgatev1alpha1.Parameters{AllowedRegistries: []string{shopOnly}}
	in := func(name, namespace string, mode hardgatev1alpha1.Mode, p *hardgatev1alpha1.Parameters) hardgatev1alpha1.WorkloadPolicy {
		return hardgatev1alpha1.WorkloadPolicy{
			ObjectMeta: metav1.ObjectMeta{Name: name},
			Spec: hardgatev1alpha1.WorkloadPolicySpec{
				NamespaceSelector: &metav1.LabelSelector{MatchLabels: map[string]string{"team": namespace}},
				Controls:          []hardgatev1alpha1.ControlSetting{{ID: "image-provenance", Mode: mode, Parameters: p}},
			},
		}
	}
	rolled := in("rolled", "rolled", "Audit", parameters)
	rolled.Spec.Rollout = &hardgatev1alpha1.Rollout{}
	shop := in("shop", "shop", "Enforce", parameters)
	// What else is enforced is no matter of images.
	shop.Spec.Controls = append(shop.Spec.Controls, hardgatev1alpha1.ControlSetting{ID: "run-as-root", Mode: "Enforce"})
	book, errs := ruling.Compile([]hardgatev1alpha1.WorkloadPolicy{
		shop, in("warned", "warned", "Warn", parameters), in("audited", "audited", "Audit", parameters), in("off", "off", "Off", parameters), rolled,
		in("two-digests", "two", "Enforce", &hardgatev1alpha1.Parameters{RequireDigest: new(true)}), in("two-registries", "two", "Warn", parameters),
		in("manual", "manual", "Enforce", &hardgatev1alpha1.Parameters{RequireDigest: new(false)}),
	})
	if len(errs) > 0 {
		t.Fatal(errors.Join(errs...))
	}
	cluster := fakeCluster{namespaces: map[string]labels.Set{"quiet": {}}}
	for _, ns := range []string{"shop", "warned", "audited", "off", "rolled", "two", "manual"} {
		cluster.namespaces[ns] = labels.Set{"team": ns}
	}
	gate := NewGate(cluster, NewMetrics(prometheus.NewRegistry()))
	gate.SetBook(book.At(ruling.Reached{"rolled": {ruling.Cell{Policy: "rolled", Control: "image-provenance"}: control.Enforce}}))
	return gate
}

// imageReview is a review as the API server writes it.
func imageReview(t *testing.T, namespace string, annotations map[string]string, images ...string) string {
	t.Helper()
	r := v1alpha1.ImageReview{
		TypeMeta: metav1.TypeMeta{APIVersion: "imagepolicy.k8s.io/v1alpha1", Kind: "ImageReview"},
		Spec:     v1alpha1.ImageReviewSpec{Namespace: namespace, Annotations: annotations},
	}
	for _, image := range images {
		r.Spec.Containers = append(r.Spec.Containers, v1alpha1.ImageReviewContainerSpec{Image: image})
	}
	body, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

func askImages(t *testing.T, gate *Gate, body string) v1alpha1.ImageReviewStatus {
	t.Helper()
	w := post(t, gate, registration.ImagePath, body)
	if w.Code != http.StatusOK || w.Header().Get("Content-Type") != "application/json" {
		t.Fatalf("HTTP %d %s: %s", w.Code, w.Header().Get("Content-Type"), w.Body)
	}
	var r v1alpha1.ImageReview
	if err := json.Unmarshal(w.Body.Bytes(), &r); err != nil {
		t.Fatal(err)
	}
	if r.APIVersion != "imagepolicy.k8s.io/v1alpha1" || r.Kind != "ImageReview" {
		t.Fatalf("not a review: %s", w.Body)
	}
	return r.Status
}

const mendImage = "; mend: use an image of an allowed registry and name it by digest, as in registry.example/app@sha256:…"

func TestImages(t *testing.T) {
	const line = "\n- image-provenance (CIS 5.5.1): "
	notDigest := `"` + tagged + `" is not named by digest`
	notAllowed := `"` + foreign + `" comes from other.example, which is not an allowed registry`
	tests := map[string]struct {
		namespace   string
		annotations map[string]string
		images      []string
		allowed     bool
		reason      string // behind "hardgate refuses this Pod in NAMESPACE:"
		note        string // in the audit log
	}{
		"pinned":           {namespace: "shop", images: []string{pinned}, allowed: true},
		"tag only":         {namespace: "shop", images: []string{tagged}, reason: line + notDigest + mendImage, note: "Enforce " + notDigest},
		"another registry": {namespace: "shop", images: []string{foreign}, reason: line + notAllowed + mendImage, note: "Enforce " + notAllowed},
		"not the whole path": {
			namespace: "shop", images: []string{"registry.example/shopping/web" + hash},
			reason: line + `"registry.example/shopping/web` + hash + `" comes from registry.example, which is not an allowed registry` + mendImage,
			note:   `Enforce "registry.example/shopping/web` + hash + `" comes from registry.example, which is not an allowed registry`,
		},
		"the last of several": {namespace: "shop", images: []string{pinned, pinned, foreign}, reason: line + notAllowed + mendImage, note: "Enforce " + notAllowed},
		"two faults": {
			namespace: "shop", images: []string{tagged, foreign},
			reason: line + notDigest + mendImage + line + notAllowed + mendImage, note: "Enforce " + notDigest + "; Enforce " + notAllowed,
		},
		"the same fault twice":     {namespace: "shop", images: []string{tagged, tagged}, reason: line + notDigest + mendImage, note: "Enforce " + notDigest},
		"no image named":           {namespace: "shop", images: []string{pinned, ""}, reason: line + "no image is named" + mendImage, note: "Enforce no image is named"},
		"no containers":            {namespace: "shop", allowed: true},
		"a pod breaks the glass":   {namespace: "shop", annotations: map[string]string{"mycluster.image-policy.k8s.io/ticket-1234": "break-glass", "hardgate.image-policy.k8s.io/exempt": "true"}, images: []string{tagged}, reason: line + notDigest + mendImage, note: "Enforce " + notDigest},
		"warned":                   {namespace: "warned", images: []string{tagged}, allowed: true, note: "Warn " + notDigest},
		"audited":                  {namespace: "audited", images: []string{tagged}, allowed: true, note: "Audit " + notDigest},
		"off":                      {namespace: "off", images: []string{tagged}, allowed: true},
		"no policy, no registries": {namespace: "quiet", images: []string{tagged}, allowed: true},
		"led on by a rollout":      {namespace: "rolled", images: []string{tagged}, reason: line + notDigest + mendImage, note: "Enforce " + notDigest},
		"nothing to judge by":      {namespace: "manual", images: []string{tagged}, allowed: true},
		"the milder of two":        {namespace: "two", images: []string{foreign}, allowed: true, note: "Warn " + notAllowed},
		"the stricter of two":      {namespace: "two", images: []string{tagged}, reason: line + notDigest + mendImage, note: "Enforce " + notDigest},
		"kube-system":              {namespace: "kube-system", images: []string{tagged}, allowed: true},
		"hardgate's own namespace": {namespace: "hardgate-system", images: []string{tagged}, allowed: true},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			gate := newImageGate(t)
			want := v1alpha1.ImageReviewStatus{Allowed: tt.allowed}
			if tt.reason != "" {
				want.Reason = "hardgate refuses this Pod in " + tt.namespace + ":" + tt.reason
			}
			if tt.note != "" {
				want.AuditAnnotations = map[string]string{"image-provenance": tt.note}
			}
			if diff := cmp.Diff(want, askImages(t, gate, imageReview(t, tt.namespace, tt.annotations, tt.images...))); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// Exemptions hold as far as the review says what they ask for.
func TestImagesThatAreExempt(t *testing.T) {
	tests := map[string]struct {
		objects hardgatev1alpha1.ExemptObjects
		ended   bool
		exempt  bool
	}{
		"by image":                {objects: hardgatev1alpha1.ExemptObjects{Images: []string{"registry.example/shop/web"}}, exempt: true},
		"by another image":        {objects: hardgatev1alpha1.ExemptObjects{Images: []string{"registry.example/shop/api"}}},
		"by namespace":            {objects: hardgatev1alpha1.ExemptObjects{Namespaces: []string{"shop"}}, exempt: true},
		"by another namespace":    {objects: hardgatev1alpha1.ExemptObjects{Namespaces: []string{"warned"}}},
		"by kind":                 {objects: hardgatev1alpha1.ExemptObjects{Namespaces: []string{"shop"}, Kinds: []string{"Pod"}}, exempt: true},
		"by another kind":         {objects: hardgatev1alpha1.ExemptObjects{Namespaces: []string{"shop"}, Kinds: []string{"Deployment"}}},
		"by a name":               {objects: hardgatev1alpha1.ExemptObjects{Namespaces: []string{"shop"}, Names: []string{"web-*"}}},
		"by whatever name":        {objects: hardgatev1alpha1.ExemptObjects{Namespaces: []string{"shop"}, Names: []string{"*"}}, exempt: true},
		"by the account default":  {objects: hardgatev1alpha1.ExemptObjects{Namespaces: []string{"shop"}, ServiceAccounts: []string{"default"}}},
		"by an account":           {objects: hardgatev1alpha1.ExemptObjects{ServiceAccounts: []string{"shop/default"}}},
		"by its field":            {objects: hardgatev1alpha1.ExemptObjects{Namespaces: []string{"shop"}, FieldPaths: []string{"spec.containers[1].image"}}},
		"by fields of containers": {objects: hardgatev1alpha1.ExemptObjects{Namespaces: []string{"shop"}, FieldPaths: []string{"spec.containers[*]"}}},
		"it has ended":            {objects: hardgatev1alpha1.ExemptObjects{Namespaces: []string{"shop"}}, ended: true},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			expires := time.Now().Add(time.Hour)
			if tt.ended {
				expires = time.Now().Add(-time.Second)
			}
			book, errs := exemption.Compile([]hardgatev1alpha1.Exemption{{
				ObjectMeta: metav1.ObjectMeta{Name: "e"},
				Spec: hardgatev1alpha1.ExemptionSpec{
					Controls: []string{"image-provenance"}, Objects: &tt.objects, Reason: "r", Owner: "o", Expires: metav1.NewTime(expires),
				},
			}})
			if len(errs) > 0 {
				t.Fatal(errors.Join(errs...))
			}
			gate := newImageGate(t)
			gate.exemptions.Store(book)
			got := askImages(t, gate, imageReview(t, "shop", nil, pinned, tagged))
			note := fmt.Sprintf("Enforce %q is not named by digest", tagged)
			if tt.exempt {
				note = strings.Replace(note, "Enforce", "Exempt(e)", 1)
			}
			if got.Allowed != tt.exempt || got.AuditAnnotations["image-provenance"] != note {
				t.Errorf("got %+v, want allowed %t and %q", got, tt.exempt, note)
			}
			// One image that is exempt exempts no other.
			if len(tt.objects.Images) > 0 {
				if got := askImages(t, gate, imageReview(t, "shop", nil, tagged, foreign)); got.Allowed || strings.Contains(got.Reason, tagged) == tt.exempt {
					t.Errorf("beside another: %+v", got)
				}
			}
		})
	}
}

// TestImagesAsTheWebhook holds that a pod's images are allowed by a review exactly where
// they are by the webhook, if nothing else is wrong with it.
func TestImagesAsTheWebhook(t *testing.T) {
	gate := newImageGate(t)
	references := []string{
		pinned, tagged, foreign, "", "web", "web" + hash, "REGISTRY.example/shop/web" + hash, "registry.example:443/shop/web" + hash,
		"registry.example/shop/web:1" + hash, "registry.example/shop/web@sha256:0123", "registry.example/shop/../web" + hash,
		strings.TrimPrefix(hash, "@sha256:"), " " + pinned, "registry.example/shop@evil.example/web" + hash, "ünïcode/\u2028<web>",
	}
	for _, ns := range []string{"warned", "audited", "off", "rolled", "two", "manual", "quiet"} {
		for _, reference := range references {
			object, err := json.Marshal(map[string]any{
				"apiVersion": "v1", "kind": "Pod", "metadata": map[string]any{"name": "p", "namespace": ns},
				"spec": map[string]any{"initContainers": []any{map[string]any{"name": "a", "image": reference}}},
			})
			if err != nil {
				t.Fatal(err)
			}
			review := strings.Replace(podReview(string(object), "", ""), `"namespace":"shop","operation"`, `"namespace":"`+ns+`","operation"`, 1)
			webhook, images := ask(t, gate, review), askImages(t, gate, imageReview(t, ns, nil, reference))
			where := func(note string) string { return strings.ReplaceAll(note, "spec.initContainers[0].image: ", "") }
			if webhook.Allowed != images.Allowed || where(webhook.AuditAnnotations["image-provenance"]) != images.AuditAnnotations["image-provenance"] {
				t.Errorf("%s in %s: the webhook says %t %q, a review %t %q", reference, ns,
					webhook.Allowed, webhook.AuditAnnotations["image-provenance"], images.Allowed, images.AuditAnnotations["image-provenance"])
			}
		}
	}
}

// What cannot be judged is an error for the plugin's defaultAllow, and never let through.
func TestImagesBadInput(t *testing.T) {
	good := imageReview(t, "shop", nil, pinned)
	tests := map[string]struct {
		method, contentType, body string
		chunked                   bool
		code                      int
		want                      string
	}{
		"get":               {method: http.MethodGet, code: 405, want: "only POST"},
		"put":               {method: http.MethodPut, body: good, code: 405, want: "only POST"},
		"form":              {contentType: "application/x-www-form-urlencoded", body: good, code: 415, want: "application/json should be"},
		"protobuf":          {contentType: "application/vnd.kubernetes.protobuf", body: good, code: 415, want: "application/json should be"},
		"empty":             {code: 400, want: "this is not an ImageReview of imagepolicy.k8s.io/v1alpha1: "},
		"garbage":           {body: "hello", code: 400, want: "offset 0"},
		"AdmissionReview":   {body: podReview(pod(plain), "", ""), code: 400, want: `"admission.k8s.io/v1" "AdmissionReview" where`},
		"another version":   {body: strings.Replace(good, "v1alpha1", "v1beta1", 1), code: 400, want: "v1beta1"},
		"no namespace":      {body: imageReview(t, "", nil, pinned), code: 400, want: "no namespace"},
		"images twice":      {body: strings.Replace(good, `"containers":`, `"containers":[],"containers":`, 1), code: 400, want: "given twice"},
		"unknown namespace": {body: imageReview(t, "gone", nil, pinned), code: 500, want: "reading namespace gone: the API server is away"},
		"1 MB":              {body: good + strings.Repeat(" ", 1<<20), code: 200, want: `"allowed":true`},
		"30 MB":             {body: good + strings.Repeat(" ", 30<<20), code: 200, want: `{"allowed":false,"reason":"hardgate: the request is larger than`},
		"30 MB in chunks":   {body: good + strings.Repeat(" ", 30<<20), chunked: true, code: 200, want: `{"allowed":false,"reason":"hardgate: the request is larger than`},
		"good":              {body: good, code: 200, want: `"allowed":true`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			gate := newImageGate(t)
			method, contentType := http.MethodPost, "application/json"
			if tt.method != "" {
				method = tt.method
			}
			if tt.contentType != "" {
				contentType = tt.contentType
			}
			req := httptest.NewRequestWithContext(t.Context(), method, registration.ImagePath, strings.NewReader(tt.body))
			req.Header.Set("Content-Type", contentType)
			if tt.chunked {
				req.ContentLength = -1
			}
			w := httptest.NewRecorder()
			gate.Handler().ServeHTTP(w, req)
			if w.Code != tt.code || !strings.Contains(w.Body.String(), tt.want) {
				t.Errorf("HTTP %d %.300s, want %d and %q", w.Code, w.Body, tt.code, tt.want)
			}
			outcome := map[bool]string{true: outcomeAllowed, false: outcomeBad}[strings.Contains(tt.want, `"allowed":true`)]
			if tt.code == 500 {
				outcome = outcomeError
			}
			if n := testutil.ToFloat64(gate.metrics.requests.WithLabelValues(outcome)); n != 1 {
				t.Errorf("%g answers %q are counted, want 1", n, outcome)
			}
			if !gate.large.TryAcquire(maxLarge) {
				t.Error("room is not given back")
			}
		})
	}
}

func TestImagesUnderPressure(t *testing.T) {
	gate := newImageGate(t)
	if err := gate.large.Acquire(t.Context(), maxLarge); err != nil {
		t.Fatal(err)
	}
	if got := askImages(t, gate, imageReview(t, "shop", nil, pinned)); !got.Allowed {
		t.Errorf("a small review: %+v", got)
	}
	large := imageReview(t, "shop", map[string]string{"a.image-policy.k8s.io/b": strings.Repeat("x", 1<<20)}, pinned)
	if got := askImages(t, gate, large); got.Allowed || !strings.Contains(got.Reason, "too many large requests at once") {
		t.Errorf("a large review: %+v", got)
	}
	gate.large.Release(maxLarge)
	if got := askImages(t, gate, large); !got.Allowed {
		t.Errorf("with room again: %+v", got)
	}
}

func TestImagesAreCounted(t *testing.T) {
	gate := newImageGate(t)
	for _, ns := range []string{"shop", "warned", "kube-system"} {
		askImages(t, gate, imageReview(t, ns, nil, tagged))
	}
	askImages(t, gate, imageReview(t, "shop", nil, pinned))
	for outcome, want := range map[string]float64{outcomeAllowed: 2, outcomeWarned: 1, outcomeDenied: 1} {
		if n := testutil.ToFloat64(gate.metrics.requests.WithLabelValues(outcome)); n != want {
			t.Errorf("%g answers %q, want %g", n, outcome, want)
		}
	}
	for _, want := range []struct {
		mode, verdict string
		n             float64
	}{{"Enforce", "Fail", 1}, {"Enforce", "Pass", 1}, {"Warn", "Fail", 1}} {
		if n := testutil.ToFloat64(gate.metrics.decisions.WithLabelValues("image-provenance", want.mode, want.verdict)); n != want.n {
			t.Errorf("%g decisions %s %s, want %g", n, want.mode, want.verdict, want.n)
		}
	}
	if len(gate.tallies.cells) > 0 {
		t.Error("a review, which may be of a trial, counts against a rollout")
	}
}

// The answer of a pod of ever so many images stays short.
func TestImagesManyFaults(t *testing.T) {
	gate := newImageGate(t)
	images := make([]string, 5000)
	for i := range images {
		images[i] = fmt.Sprintf("%s-%d", tagged, i)
	}
	got := askImages(t, gate, imageReview(t, "shop", nil, images...))
	if got.Allowed || !strings.HasSuffix(got.Reason, "\n- and 4980 more") || len(got.Reason) > 16<<10 || len(got.AuditAnnotations["image-provenance"]) > maxAnnotation {
		t.Errorf("%d bytes of reason, %d of annotation, ending %q", len(got.Reason), len(got.AuditAnnotations["image-provenance"]), got.Reason[max(0, len(got.Reason)-100):])
	}
}

func TestImagesInExcludedNamespaces(t *testing.T) {
	gate := newImageGate(t)
	gate.ExcludeImages("hardgate-controller", "shop")
	for ns, want := range map[string]bool{"shop": true, "hardgate-controller": true, "kube-system": true, "rolled": false} {
		if got := askImages(t, gate, imageReview(t, ns, nil, tagged)); got.Allowed != want {
			t.Errorf("in %s: %+v", ns, got)
		}
	}
	if w := post(t, gate, registration.ImagePath, imageReview(t, "hardgate-system", nil, tagged)); w.Code != http.StatusInternalServerError {
		t.Errorf("a namespace that is not excluded any more and cannot be read: HTTP %d %s", w.Code, w.Body)
	}
}
