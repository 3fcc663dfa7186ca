package review

import (
	"encoding/json"
	"errors"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	admissionv1 "k8s.io/api/admission/v1"
	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/hardgate-dev/hardgate/webhook/workload"
)

// request is a full one as the API server makes it.
func request() *admissionv1.AdmissionRequest {
	pod := `{"apiVersion":"v1","kind":"Pod","metadata":{"name":"p","namespace":"team"},"spec":{"hostPID":true,"containers":[{"name":"c"}]}}`
	return &admissionv1.AdmissionRequest{
		UID:         "705ab4f5-6393-11e8-b7cc-42010a800002",
		Kind:        metav1.GroupVersionKind{Version: "v1", Kind: "Pod"},
		Resource:    metav1.GroupVersionResource{Version: "v1", Resource: "pods"},
		SubResource: "ephemeralcontainers",
		RequestKind: &metav1.GroupVersionKind{Group: "x", Version: "v9", Kind: "Other"},
		RequestResource: &metav1.GroupVersionResource{
			Group: "x", Version: "v9", Resource: "others",
		},
		RequestSubResource: "other",
		Name:               "p",
		Namespace:          "team",
		Operation:          admissionv1.Update,
		UserInfo: authenticationv1.UserInfo{
			Username: "kim", UID: "7", Groups: []string{"dev", "system:authenticated"},
			Extra: map[string]authenticationv1.ExtraValue{"k": {"v"}},
		},
		Object:    runtime.RawExtension{Raw: []byte(pod)},
		OldObject: runtime.RawExtension{Raw: []byte(strings.Replace(pod, "true", "false", 1))},
		DryRun:    new(true),
		Options:   runtime.RawExtension{Raw: []byte(`{"kind":"UpdateOptions","apiVersion":"meta.k8s.io/v1","object":{"kind":"Pod"}}`)},
	}
}

// written is the review around a request as the API server writes it.
func written(tb testing.TB, change func(*admissionv1.AdmissionRequest)) []byte {
	tb.Helper()
	r := request()
	if change != nil {
		change(r)
	}
	text, err := json.Marshal(&admissionv1.AdmissionReview{
		TypeMeta: metav1.TypeMeta{APIVersion: "admission.k8s.io/v1", Kind: "AdmissionReview"}, Request: r,
	})
	if err != nil {
		tb.Fatal(err)
	}
	return text
}

func pod(hostPID bool) *workload.Object {
	text := `{"apiVersion":"v1","kind":"Pod","metadata":{"name":"p","namespace":"team"},"spec":{"containers":[{"name":"c"}]}}`
	o, err := workload.Decode([]byte(text))
	if err != nil {
		panic(err)
	}
	o.Pod.HostPID = hostPID
	return &o
}

// decoded is what Decode makes of request.
func decoded() *Request {
	r := request()
	return &Request{
		UID: string(r.UID), Kind: workload.Kind{Version: "v1", Kind: "Pod"}, Subresource: "ephemeralcontainers",
		Namespace: "team", Name: "p", Operation: Update, DryRun: true, User: User{"kim", []string{"dev", "system:authenticated"}},
		Object: r.Object.Raw, Old: r.OldObject.Raw, Workload: pod(true), OldWorkload: pod(false),
	}
}

var unexported = cmp.AllowUnexported(workload.Pod{})

func TestDecode(t *testing.T) {
	tests := map[string]struct {
		change func(*admissionv1.AdmissionRequest)
		want   func(*Request)
	}{
		"update": {nil, func(*Request) {}},
		"creation": {
			func(r *admissionv1.AdmissionRequest) {
				r.Operation, r.OldObject, r.SubResource, r.DryRun = admissionv1.Create, runtime.RawExtension{}, "", nil
			},
			func(r *Request) {
				r.Operation, r.Old, r.OldWorkload, r.Subresource, r.DryRun = Create, nil, nil, "", false
			},
		},
		"deletion": {
			func(r *admissionv1.AdmissionRequest) {
				r.Operation, r.Object = admissionv1.Delete, runtime.RawExtension{}
			},
			func(r *Request) { r.Operation, r.Object, r.Workload = "DELETE", nil, nil },
		},
		"no name, no groups": {
			func(r *admissionv1.AdmissionRequest) {
				r.Name, r.UserInfo = "", authenticationv1.UserInfo{Username: "kim"}
			},
			func(r *Request) { r.Name, r.User = "", User{Name: "kim"} },
		},
		"no workload": {
			func(r *admissionv1.AdmissionRequest) {
				text, _ := json.Marshal(&corev1.ConfigMap{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "ConfigMap"}, ObjectMeta: metav1.ObjectMeta{Name: "m"}})
				r.Kind.Kind, r.Resource.Resource, r.Object.Raw, r.OldObject.Raw = "ConfigMap", "configmaps", text, nil
			},
			func(r *Request) {
				r.Kind.Kind, r.Old, r.OldWorkload = "ConfigMap", nil, nil
				r.Object = []byte(`{"kind":"ConfigMap","apiVersion":"v1","metadata":{"name":"m"}}`)
				r.Workload = &workload.Object{Kind: r.Kind, Name: "m"}
			},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			text := written(t, tt.change)
			want := decoded()
			tt.want(want)
			got, err := Decode(text, DecodeObjects)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got, unexported); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			want.Workload, want.OldWorkload = nil, nil
			got, err = Decode(text, RawObjects)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got, unexported); diff != "" {
				t.Errorf("raw (-want +got):\n%s", diff)
			}
		})
	}
}

// The order of fields does not matter: the object may come before its kind, and
// the request before the review's own version.
func TestDecodeInAnyOrder(t *testing.T) {
	object := `{"spec":{"hostPID":true,"containers":[{"name":"c"}]},"kind":"Pod","metadata":{"namespace":"team","name":"p"},"apiVersion":"v1"}`
	text := `{"request":{"oldObject":null,"object":` + object + `,"operation":"CREATE","dryRun":null,"resource":{"resource":"pods","version":"v1"},` +
		`"subResource":null,"kind":{"kind":"Pod","version":"v1","group":""},"uid":"u"},"kind":"AdmissionReview","response":{"uid":"other"},"apiVersion":"admission.k8s.io/v1"}`
	got, err := Decode([]byte(text), DecodeObjects)
	if err != nil {
		t.Fatal(err)
	}
	want := &Request{UID: "u", Kind: workload.Kind{Version: "v1", Kind: "Pod"}, Operation: Create, Object: []byte(object), Workload: pod(true)}
	if diff := cmp.Diff(want, got, unexported); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

var offset = regexp.MustCompile(`offset \d+`)

func TestDecodeErrors(t *testing.T) {
	good := string(written(t, nil))
	const uid = "705ab4f5-6393-11e8-b7cc-42010a800002"
	swap := func(old, with string) string {
		if strings.Count(good, old) != 1 {
			t.Fatalf("%s is %d times in %s", old, strings.Count(good, old), good)
		}
		return strings.Replace(good, old, with, 1)
	}
	const head = `{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","request":`
	tests := map[string]struct{ text, uid, err string }{
		"nothing":          {"", "", "offset N: the document ends where an object should be"},
		"not JSON":         {"hello", "", "offset N: 'h' where an object should be"},
		"null":             {"null", "", `"" "" where admission.k8s.io/v1 AdmissionReview should be`},
		"a list":           {"[]", "", "offset N: a list where an object should be"},
		"empty":            {"{}", "", `"" "" where admission.k8s.io/v1 AdmissionReview should be`},
		"no request":       {head[:len(head)-len(`,"request":`)] + "}", "", "the review has no request"},
		"null request":     {head + "null}", "", "the review has no request"},
		"empty request":    {head + "{}}", "", "the request has no uid"},
		"request a text":   {head + `"x"}`, "", `request: offset N: a string where an object should be`},
		"v1beta1":          {swap("admission.k8s.io/v1", "admission.k8s.io/v1beta1"), uid, `"admission.k8s.io/v1beta1" "AdmissionReview" where admission.k8s.io/v1 AdmissionReview should be`},
		"another kind":     {swap(`"AdmissionReview"`, `"TokenReview"`), uid, `"admission.k8s.io/v1" "TokenReview" where admission.k8s.io/v1 AdmissionReview should be`},
		"no uid":           {swap(`"uid":"`+uid+`",`, ""), "", "the request has no uid"},
		"uid a number":     {swap(`"uid":"`+uid+`"`, `"uid":7`), "", "request: uid: offset N: a number where a string should be"},
		"no kind":          {swap(`"kind":{"group":"","version":"v1","kind":"Pod"},`, ""), uid, "the request has no kind"},
		"null kind":        {swap(`"kind":{"group":"","version":"v1","kind":"Pod"}`, `"kind":null`), uid, "the request has no kind"},
		"unknown version":  {swap(`"kind":{"group":"","version":"v1","kind":"Pod"}`, `"kind":{"version":"v7","kind":"Pod"}`), uid, `request: object: unknown version "v7" of Pod`},
		"another object":   {swap(`"kind":{"group":"","version":"v1","kind":"Pod"}`, `"kind":{"version":"v1","kind":"ConfigMap"}`), uid, `request: object: kind: "Pod" where the request says "ConfigMap"`},
		"no operation":     {swap(`"operation":"UPDATE",`, ""), uid, "the request has no operation"},
		"groups a text":    {swap(`"groups":["dev","system:authenticated"]`, `"groups":"dev"`), uid, `request: userInfo: offset N: a string where a list should be`},
		"trailing":         {good + `{}`, uid, "offset N: '{' where the end should be"},
		"cut off":          {good[:len(good)-2], uid, "request: offset N: the document ends where a comma or \"}\" should be"},
		"request twice":    {good[:len(good)-1] + `,"request":{"uid":"evil"}}`, uid, `offset N: the name "request" is given twice`},
		"uid twice":        {swap(`"uid":"`+uid+`"`, `"uid":"`+uid+`","\u0075id":"evil"`), uid, `request: offset N: the name "uid" is given twice`},
		"object twice":     {good[:len(good)-2] + `,"object":{}}}`, uid, `request: offset N: the name "object" is given twice`},
		"wrong in object":  {swap(`"hostPID":true`, `"hostPID":1`), uid, "request: object: spec.hostPID: offset N: a number where true or false should be"},
		"wrong in old":     {swap(`"hostPID":false`, `"hostPID":1`), uid, "request: oldObject: spec.hostPID: offset N: a number where true or false should be"},
		"twice in object":  {swap(`"hostPID":true`, `"hostPID":true,"hostPID":false`), uid, `request: object: spec: offset N: the name "hostPID" is given twice`},
		"object no spec":   {swap(`,"spec":{"hostPID":true,"containers":[{"name":"c"}]}`, ""), uid, "request: object: v1 Pod has no spec"},
		"object a text":    {swap(string(request().Object.Raw), `"x"`), uid, `request: object: offset N: a string where an object should be`},
		"uid behind":       {head + `{"kind":{"version":"v1","kind":"Pod"},"operation":"CREATE","object":{"spec":7},"uid":"late"}}`, "late", "request: object: spec: offset N: a number where an object should be"},
		"uid behind, kind": {head + `{"object":{"spec":7},"kind":{"version":"v1","kind":"Pod"},"operation":"CREATE","uid":"late"}}`, "late", "object: spec: offset N: a number where an object should be"},
		"uid behind a wrong field": {
			head + `{"namespace":7,"userInfo":{"username":"a\ud83d"},"uid":"late"}}`, "late", `request: namespace: offset N: a number where a string should be`,
		},
		"uid behind, in the object only": {head + `{"namespace":7,"object":{"uid":"evil"}}}`, "", `request: namespace: offset N: a number where a string should be`},
		"uid behind no JSON":             {head + `{"namespace":7,"a":,"uid":"late"}}`, "", `request: namespace: offset N: a number where a string should be`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			r, err := Decode([]byte(tt.text), DecodeObjects)
			var e *Error
			if r != nil || !errors.As(err, &e) {
				t.Fatalf("%+v, error %v of type %T", r, err, err)
			}
			// Where it stands depends on what else the API server writes.
			if e.UID != tt.uid || offset.ReplaceAllString(e.Error(), "offset N") != tt.err {
				t.Errorf("uid %q: %s\nwant %q: %s", e.UID, e, tt.uid, tt.err)
			}
			if e.Unwrap() == nil || errors.Unwrap(err) == nil {
				t.Error("the error has no cause")
			}
		})
	}
}

// An object that is only delimited is not looked into, its form apart.
func TestRawObjects(t *testing.T) {
	text := strings.Replace(string(written(t, nil)), `"hostPID":true`, `"hostPID":1`, 1)
	if r, err := Decode([]byte(text), RawObjects); err != nil || r.Workload != nil || !strings.Contains(string(r.Object), `"hostPID":1`) {
		t.Errorf("%+v, %v", r, err)
	}
	text = strings.Replace(text, `"hostPID":1`, `"hostPID":1,"hostPID":2`, 1)
	if r, err := Decode([]byte(text), RawObjects); err == nil || r != nil {
		t.Errorf("%+v, a name given twice", r)
	}
}

// Any bytes are a request or an *Error; a request has what the gate answers by.
func FuzzDecode(f *testing.F) {
	f.Add(written(f, nil))
	f.Add(written(f, func(r *admissionv1.AdmissionRequest) { r.OldObject.Raw = nil }))
	f.Add([]byte(`{"request":{"object":{"spec":{}},"uid":"a","kind":{"kind":"Pod","version":"v1"},"operation":"CREATE"},"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1"}`))
	f.Add([]byte(`{"request":{"namespace":7,"uid":"a"}}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		for _, objects := range []Objects{RawObjects, DecodeObjects} {
			r, err := Decode(text, objects)
			if (r == nil) == (err == nil) {
				t.Fatalf("%+v, %v", r, err)
			}
			if err != nil {
				var e *Error
				if !errors.As(err, &e) || e.Err == nil {
					t.Fatalf("error %v of type %T", err, err)
				}
				continue
			}
			if !json.Valid(text) || r.UID == "" || r.Kind.Kind == "" || r.Operation == "" {
				t.Errorf("taken: %+v", r)
			}
			if objects == DecodeObjects && ((r.Object == nil) != (r.Workload == nil) || (r.Old == nil) != (r.OldWorkload == nil)) {
				t.Errorf("not decoded: %+v", r)
			}
		}
	})
}
