package audit_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/client-go/rest"

	"github.com/hardgate-dev/hardgate/api/v1alpha1"
	"github.com/hardgate-dev/hardgate/audit"
	"github.com/hardgate-dev/hardgate/control"
	"github.com/hardgate-dev/hardgate/webhook/ruling"
)

// lists is an API server that has lists and nothing else, and serves them in pages as the
// real one does: items say neither apiVersion nor kind.
type lists struct {
	items map[string][]string // by path
	// expires is the path of a list whose second page has grown too old once.
	expires string
	// refuses are paths that are forbidden.
	refuses map[string]bool
	// lacks are paths that are not served.
	lacks map[string]bool
	asked []string
}

func (l *lists) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	l.asked = append(l.asked, r.URL.Path)
	status := func(code int, reason string, meta map[string]any) {
		w.WriteHeader(code)
		_ = json.NewEncoder(w).Encode(map[string]any{"kind": "Status", "apiVersion": "v1", "metadata": meta, "status": "Failure", "reason": reason, "message": "the server's own words", "code": code})
	}
	w.Header().Set("Content-Type", "application/json")
	if l.refuses[r.URL.Path] {
		status(403, "Forbidden", nil)
		return
	}
	items := l.items[r.URL.Path]
	if l.lacks[r.URL.Path] {
		status(404, "NotFound", nil)
		return
	}
	from, limit := 0, 500
	if t := q.Get("continue"); t != "" {
		from, _ = strconv.Atoi(strings.TrimPrefix(t, "inconsistent"))
	}
	if from > 0 && l.expires == r.URL.Path {
		l.expires = ""
		status(410, "Expired", map[string]any{"continue": "inconsistent" + strconv.Itoa(from)})
		return
	}
	if n, err := strconv.Atoi(q.Get("limit")); err == nil {
		limit = n
	}
	to, next := min(from+limit, len(items)), ""
	if to < len(items) {
		next = strconv.Itoa(to)
	}
	fmt.Fprintf(w, `{"kind":"List","apiVersion":"v1","metadata":{"resourceVersion":"7","continue":%q},"items":[%s]}`, next, strings.Join(items[from:to], ","))
}

func namespace(name string) string {
	return fmt.Sprintf(`{"metadata":{"name":%q,"labels":{"kubernetes.io/metadata.name":%[1]q}}}`, name)
}

// pod is a privileged one.
func pod(ns, name, more string) string {
	return fmt.Sprintf(`{"metadata":{"namespace":%q,"name":%q%s},"spec":{"containers":[{"name":"a","image":"i","securityContext":{"privileged":true}}]}`, ns, name, more)
}

func by(kind, name string) string {
	return fmt.Sprintf(`,"ownerReferences":[{"apiVersion":"apps/v1","kind":%q,"name":%q,"uid":"u","controller":true}]`, kind, name)
}

func template(ns, name, metadata, rest string) string {
	return fmt.Sprintf(`{"metadata":{"namespace":%q,"name":%q%s},"spec":{%s"template":{"spec":{"containers":[{"name":"a","image":"i","securityContext":{"privileged":true}}]}}}`, ns, name, metadata, rest)
}

// only is a book that judges one control.
func only(t *testing.T, id string) *ruling.Book {
	t.Helper()
	book, errs := ruling.Compile([]v1alpha1.WorkloadPolicy{{Spec: v1alpha1.WorkloadPolicySpec{
		Mode: "Off", Controls: []v1alpha1.ControlSetting{{ID: id, Mode: "Audit"}},
	}}})
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	return book
}

func pass(t *testing.T, l *lists, o audit.Options) *audit.Result {
	t.Helper()
	server := httptest.NewServer(l)
	defer server.Close()
	if o.Now == nil {
		o.Now = time.Now
	}
	r, err := audit.Pass(t.Context(), &rest.Config{Host: server.URL}, o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestOwners(t *testing.T) {
	l := &lists{items: map[string][]string{
		"/api/v1/namespaces": {namespace("shop"), namespace("empty")},
		"/apis/apps/v1/deployments": {
			template("shop", "web", "", `"replicas":0,`) + "}",
			template("shop", "old", "", "") + "}",
		},
		"/apis/apps/v1/replicasets": {
			template("shop", "web-1", by("Deployment", "web"), `"replicas":2,`) + `,"status":{"replicas":2}}`,
			template("shop", "gone-1", by("Deployment", "mended"), `"replicas":0,`) + `,"status":{"replicas":0}}`,
			template("shop", "leaving-1", by("Deployment", "leaving"), `"replicas":0,`) + `,"status":{"replicas":1}}`,
			template("shop", "alone", "", `"replicas":0,`) + `,"status":{"replicas":0}}`,
		},
		"/apis/batch/v1/jobs": {
			template("shop", "nightly-1", by("CronJob", "nightly"), "") + "}",
			template("shop", "done", "", "") + `,"status":{"conditions":[{"type":"Complete","status":"True"}]}}`,
			template("shop", "undone", "", "") + `,"status":{"conditions":[{"type":"Complete","status":"False"}]}}`,
		},
		"/api/v1/pods": {
			pod("shop", "web-1-a", by("ReplicaSet", "web-1")) + "}",
			pod("shop", "web-1-b", by("ReplicaSet", "web-1")) + "}",
			pod("shop", "bare", "") + "}",
			pod("shop", "ended", "") + `,"status":{"phase":"Succeeded"}}`,
			pod("shop", "nightly-1-x", by("Job", "nightly-1")) + `,"status":{"phase":"Running"}}`,
		},
	}}
	r := pass(t, l, audit.Options{Book: only(t, "privileged")})
	shop := r.Namespaces["shop"]
	got := shop.Controls["privileged"]
	want := &audit.Tally{
		Judged: 14, Objects: 14, Failing: 7,
		// web, old, leaving, alone, nightly, undone, bare; and what is spent is nobody's.
		Owners: []string{"CronJob/nightly", "Deployment/leaving", "Deployment/old", "Deployment/web", "Job/undone"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if shop.Failing != 14 || shop.Objects != 15 || len(r.Missed) > 0 {
		t.Errorf("%d of %d objects fail, missed %v", shop.Failing, shop.Objects, r.Missed)
	}
	if empty := r.Namespaces["empty"]; empty == nil || empty.Objects != 1 || empty.Failing != 0 {
		t.Errorf("of the empty namespace: %+v", empty)
	}
	if r.Objects != 16 {
		t.Errorf("%d objects", r.Objects)
	}
}

// What is found depends neither on pages nor on their order.
func TestPages(t *testing.T) {
	make := func(reverse bool) *lists {
		l := &lists{items: map[string][]string{"/api/v1/namespaces": {namespace("shop")}}, expires: "/api/v1/pods"}
		for i := range 57 {
			n := i
			if reverse {
				n = 56 - i
			}
			l.items["/api/v1/pods"] = append(l.items["/api/v1/pods"], pod("shop", fmt.Sprint("p", n), "")+"}")
		}
		return l
	}
	one := pass(t, make(false), audit.Options{Book: only(t, "privileged")})
	for _, page := range []int64{1, 7, 57, 500} {
		two := pass(t, make(true), audit.Options{Book: only(t, "privileged"), Page: page})
		if len(two.Missed) > 0 {
			t.Errorf("missed %v", two.Missed)
		}
		if diff := cmp.Diff(one.Namespaces, two.Namespaces); diff != "" {
			t.Errorf("pages of %d (-500 +%[1]d):\n%s", page, diff)
		}
	}
	if s := one.Namespaces["shop"]; len(s.Findings) != 20 || s.Controls["privileged"].Failing != 57 {
		t.Errorf("%d findings, %+v", len(s.Findings), s.Controls["privileged"])
	}
}

func TestMissed(t *testing.T) {
	l := &lists{
		items: map[string][]string{
			"/api/v1/namespaces": {namespace("shop")},
			"/api/v1/pods":       {pod("shop", "a", "") + "}", `{"metadata":{"namespace":"shop","name":"b"},"spec":{"containers":7}}`, pod("shop", "c", "") + "}"},
		},
		refuses: map[string]bool{"/apis/apps/v1/deployments": true},
		lacks:   map[string]bool{"/apis/batch/v1/jobs": true},
	}
	r := pass(t, l, audit.Options{Book: only(t, "privileged")})
	var missed []string
	for _, m := range r.Missed {
		missed = append(missed, m.Resource)
		if m.Resource != "pods" && m.Err.Error() != "the server's own words" {
			t.Errorf("%s: %v", m.Resource, m.Err)
		}
	}
	if diff := cmp.Diff([]string{"deployments.apps", "jobs.batch", "pods"}, missed); diff != "" {
		t.Errorf("missed (-want +got):\n%s", diff)
	}
	if f := r.Namespaces["shop"].Controls["privileged"].Failing; f != 2 {
		t.Errorf("%d fail", f)
	}
	server := httptest.NewServer(l)
	defer server.Close()
	if _, err := audit.Namespace(t.Context(), &rest.Config{Host: server.URL}, "shop", audit.Options{Book: only(t, "privileged"), Now: time.Now}); err == nil {
		t.Error("a namespace that could not be read is called clean")
	}
	l.refuses = map[string]bool{"/api/v1/namespaces": true}
	if _, err := audit.Pass(t.Context(), &rest.Config{Host: server.URL}, audit.Options{Book: only(t, "privileged"), Now: time.Now}); err == nil {
		t.Error("a cluster that could not be read has a result")
	}
}

func TestAccountsTell(t *testing.T) {
	l := &lists{items: map[string][]string{
		"/api/v1/namespaces":      {namespace("shop")},
		"/api/v1/serviceaccounts": {`{"metadata":{"namespace":"shop","name":"mute"},"automountServiceAccountToken":false}`},
		"/apis/apps/v1/deployments": {
			`{"metadata":{"namespace":"shop","name":"quiet"},"spec":{"template":{"spec":{"serviceAccountName":"mute","containers":[{"name":"a"}]}}}}`,
			`{"metadata":{"namespace":"shop","name":"loud"},"spec":{"template":{"spec":{"serviceAccountName":"other","containers":[{"name":"a"}]}}}}`,
		},
	}}
	r := pass(t, l, audit.Options{Book: only(t, "service-account-token")})
	if got := r.Namespaces["shop"].Controls["service-account-token"].Owners; !cmp.Equal(got, []string{"Deployment/loud"}) {
		t.Errorf("owners %v", got)
	}
}

func TestDefaultNamespace(t *testing.T) {
	l := &lists{items: map[string][]string{
		"/api/v1/namespaces":                    {namespace("default")},
		"/api/v1/namespaces/default/configmaps": {`{"kind":"PartialObjectMetadata","apiVersion":"meta.k8s.io/v1","metadata":{"namespace":"default","name":"mine"}}`, `{"metadata":{"namespace":"default","name":"kube-root-ca.crt"}}`},
		"/api/v1/namespaces/default/services":   {`{"metadata":{"namespace":"default","name":"kubernetes"}}`},
	}}
	r := pass(t, l, audit.Options{Book: only(t, "default-namespace")})
	if got := r.Namespaces["default"].Controls[control.ID("default-namespace")].Owners; !cmp.Equal(got, []string{"ConfigMap/mine"}) {
		t.Errorf("owners %v", got)
	}
	for _, path := range l.asked {
		if strings.HasSuffix(path, "/secrets") {
			t.Errorf("asked for %s", path)
		}
	}
}

// What is repaired when it is made anew fails, and would not be refused.
func TestRepairedBlocksNothing(t *testing.T) {
	bare := `{"metadata":{"namespace":"shop","name":%q},"spec":{%s"containers":[{"name":"a","image":"i"%s}]}}`
	l := &lists{items: map[string][]string{
		"/api/v1/namespaces":        {namespace("shop")},
		"/apis/apps/v1/deployments": {`{"metadata":{"namespace":"shop","name":"web"},"spec":{"template":{"spec":{"containers":[{"name":"a","image":"i"}]}}}}`},
		"/api/v1/pods":              {fmt.Sprintf(bare, "unset", "", ""), fmt.Sprintf(bare, "said", "", `,"securityContext":{"seccompProfile":{"type":"Unconfined"}}`)},
	}}
	book, errs := ruling.Compile([]v1alpha1.WorkloadPolicy{{Spec: v1alpha1.WorkloadPolicySpec{
		Mode: "Off", Controls: []v1alpha1.ControlSetting{{ID: "seccomp", Mode: "Audit", Repair: true}},
	}}})
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	got := pass(t, l, audit.Options{Book: book}).Namespaces["shop"].Controls["seccomp"]
	want := &audit.Tally{Judged: 3, Objects: 3, Failing: 1, Owners: []string{"Pod/said"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
