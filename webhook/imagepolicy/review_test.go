package imagepolicy_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/api/imagepolicy/v1alpha1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/hardgate-dev/hardgate/webhook/imagepolicy"
)

// document is an ImageReview with that spec.
func document(spec string) string {
	return `{"kind":"ImageReview","apiVersion":"imagepolicy.k8s.io/v1alpha1","metadata":{"creationTimestamp":null},"spec":` + spec + `,"status":{"allowed":false}}` + "\n"
}

func TestDecode(t *testing.T) {
	annotated := make([]string, 100)
	for i := range annotated {
		annotated[i] = fmt.Sprintf(`"%d.image-policy.k8s.io/break-glass":"true"`, i)
	}
	tests := map[string]struct {
		document string
		want     imagepolicy.Review
	}{
		"one":              {document(`{"namespace":"shop","containers":[{"image":"a:1"}]}`), imagepolicy.Review{Namespace: "shop", Images: []string{"a:1"}}},
		"in their order":   {document(`{"containers":[{"image":"b"},{"image":"a"}],"namespace":"shop"}`), imagepolicy.Review{Namespace: "shop", Images: []string{"b", "a"}}},
		"the same twice":   {document(`{"namespace":"shop","containers":[{"image":"b"},{"image":"a"},{"image":"b"}]}`), imagepolicy.Review{Namespace: "shop", Images: []string{"b", "a"}}},
		"none named":       {document(`{"namespace":"shop","containers":[{},{"image":"a"},{"image":null}]}`), imagepolicy.Review{Namespace: "shop", Images: []string{"", "a"}}},
		"null container":   {document(`{"namespace":"shop","containers":[null]}`), imagepolicy.Review{Namespace: "shop", Images: []string{""}}},
		"no containers":    {document(`{"namespace":"shop"}`), imagepolicy.Review{Namespace: "shop"}},
		"null containers":  {document(`{"namespace":"shop","containers":null}`), imagepolicy.Review{Namespace: "shop"}},
		"empty containers": {document(`{"namespace":"shop","containers":[]}`), imagepolicy.Review{Namespace: "shop"}},
		"unknown fields": {
			document(`{"namespace":"shop","containers":[{"image":"a","command":["x"]}],"serviceAccount":{"name":"web"}}`),
			imagepolicy.Review{Namespace: "shop", Images: []string{"a"}},
		},
		"names are as they are": { // encoding/json would take them for its own
			document(`{"namespace":"shop","Namespace":"kube-system","containers":[{"image":"a","Image":"b"}],"CONTAINERS":[{"image":"c"}]}`),
			imagepolicy.Review{Namespace: "shop", Images: []string{"a"}},
		},
		"escapes":          {document(`{"namespace":"shop","containers":[{"im\u0061ge":"\u0061:1"}]}`), imagepolicy.Review{Namespace: "shop", Images: []string{"a:1"}}},
		"many annotations": {document(`{"namespace":"shop","annotations":{` + strings.Join(annotated, ",") + `}}`), imagepolicy.Review{Namespace: "shop"}},
		"an annotation like a field": {
			document(`{"namespace":"shop","annotations":{"namespace":"kube-system","containers":"[]"},"containers":[{"image":"a"}]}`),
			imagepolicy.Review{Namespace: "shop", Images: []string{"a"}},
		},
		"an answer of somebody else": {
			strings.Replace(document(`{"namespace":"shop","containers":[{"image":"a"}]}`), `"allowed":false`, `"allowed":true`, 1),
			imagepolicy.Review{Namespace: "shop", Images: []string{"a"}},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := imagepolicy.Decode([]byte(tt.document))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestDecodeRefuses(t *testing.T) {
	good := document(`{"namespace":"shop","containers":[{"image":"a"}]}`)
	tests := map[string]struct{ document, want string }{
		"empty":                  {"", "the document ends"},
		"garbage":                {"hello", "an object should be"},
		"binary":                 {"\x00\xff\xfe", "an object should be"},
		"null":                   {"null", `"" "" where imagepolicy.k8s.io/v1alpha1 ImageReview should be`},
		"list":                   {"[]", "an object should be"},
		"another version":        {strings.Replace(good, "v1alpha1", "v1", 1), `"imagepolicy.k8s.io/v1" "ImageReview" where`},
		"another group":          {strings.Replace(good, "imagepolicy.k8s.io", "admission.k8s.io", 1), "where imagepolicy.k8s.io/v1alpha1 ImageReview should be"},
		"another kind":           {strings.Replace(good, "ImageReview", "AdmissionReview", 1), `"AdmissionReview" where`},
		"no kind":                {strings.Replace(good, `"kind":"ImageReview",`, "", 1), "should be"},
		"kind in capitals":       {strings.Replace(good, `"kind"`, `"Kind"`, 1), "should be"},
		"kind twice":             {strings.Replace(good, `"kind":"ImageReview"`, `"kind":"ImageReview","kind":"ImageReview"`, 1), `"kind" is given twice`},
		"spec twice":             {strings.Replace(good, `"spec":`, `"spec":{"namespace":"kube-system"},"spec":`, 1), `"spec" is given twice`},
		"namespace twice":        {document(`{"namespace":"shop","namespace":"kube-system"}`), `spec: offset`},
		"containers twice":       {document(`{"namespace":"shop","containers":[{"image":"bad"}],"containers":[]}`), `"containers" is given twice`},
		"image twice":            {document(`{"namespace":"shop","containers":[{"image":"bad","image":"good"}]}`), `containers: [0]: offset`},
		"no spec":                {`{"kind":"ImageReview","apiVersion":"imagepolicy.k8s.io/v1alpha1"}`, "the review has no spec"},
		"null spec":              {document("null"), "the review has no spec"},
		"spec is a list":         {document("[]"), "spec: offset"},
		"no namespace":           {document(`{"containers":[{"image":"a"}]}`), "the review has no namespace"},
		"null namespace":         {document(`{"namespace":null}`), "the review has no namespace"},
		"namespace is a number":  {document(`{"namespace":1}`), "spec: namespace: offset"},
		"containers is a string": {document(`{"namespace":"shop","containers":"a"}`), "spec: containers: offset"},
		"image is a list":        {document(`{"namespace":"shop","containers":[{"image":"a"},{"image":["b"]}]}`), "spec: containers: [1]: image: offset"},
		"image is not UTF-8":     {document("{\"namespace\":\"shop\",\"containers\":[{\"image\":\"\xff\"}]}"), "not UTF-8"},
		"cut off":                {good[:len(good)-20], "offset"},
		"something behind":       {good + "{}", "the end should be"},
		"too deep":               {document(`{"namespace":"shop","annotations":` + strings.Repeat("[", 500) + strings.Repeat("]", 500) + `}`), "deeper"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := imagepolicy.Decode([]byte(tt.document))
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want %q", err, tt.want)
			}
			if diff := cmp.Diff(imagepolicy.Review{}, got); diff != "" {
				t.Errorf("something is read all the same: %s", diff)
			}
		})
	}
}

// TestAnswer holds that the API server's own type reads the answer.
func TestAnswer(t *testing.T) {
	tests := map[string]struct {
		answer imagepolicy.Answer
		want   v1alpha1.ImageReviewStatus
	}{
		"zero":    {imagepolicy.Answer{}, v1alpha1.ImageReviewStatus{}},
		"allowed": {imagepolicy.Answer{Allowed: true}, v1alpha1.ImageReviewStatus{Allowed: true}},
		"refused": {imagepolicy.Answer{Reason: "no: \"<x>\"\n"}, v1alpha1.ImageReviewStatus{Reason: "no: \"<x>\"\n"}},
		"noted": {
			imagepolicy.Answer{Allowed: true, AuditAnnotations: map[string]string{"image-provenance": "Warn"}},
			v1alpha1.ImageReviewStatus{Allowed: true, AuditAnnotations: map[string]string{"image-provenance": "Warn"}},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			body, err := tt.answer.Encode()
			if err != nil {
				t.Fatal(err)
			}
			var got v1alpha1.ImageReview
			if err := json.Unmarshal(body, &got); err != nil {
				t.Fatal(err)
			}
			want := v1alpha1.ImageReview{TypeMeta: metav1.TypeMeta{APIVersion: "imagepolicy.k8s.io/v1alpha1", Kind: "ImageReview"}, Status: tt.want}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// FuzzDecode: whatever is taken is read as encoding/json reads it, and what the API server's
// own type writes is taken, whatever its annotations.
func FuzzDecode(f *testing.F) {
	f.Add([]byte(document(`{"namespace":"shop","containers":[{"image":"a:1"},{}],"annotations":{"x.image-policy.k8s.io/y":"z"}}`)), "a:1", "k", "v")
	f.Add([]byte(document(`{"namespace":"shop","containers":[{"image":"bad","image":"good"}]}`)), "", "", "\xff")
	f.Add([]byte("null"), "\u2028<", "containers", "\\")
	f.Fuzz(func(t *testing.T, data []byte, image, key, value string) {
		if got, err := imagepolicy.Decode(data); err == nil {
			compare(t, data, got)
		}
		written, err := json.Marshal(v1alpha1.ImageReview{
			TypeMeta: metav1.TypeMeta{APIVersion: imagepolicy.APIVersion, Kind: imagepolicy.Kind},
			Spec: v1alpha1.ImageReviewSpec{
				Namespace: "shop", Annotations: map[string]string{key: value},
				Containers: []v1alpha1.ImageReviewContainerSpec{{Image: image}, {Image: image}},
			},
		})
		if err != nil {
			t.Fatal(err)
		}
		got, err := imagepolicy.Decode(written)
		if err != nil {
			t.Fatalf("%v\n%s", err, written)
		}
		compare(t, written, got)
	})
}

// compare fails unless the images and the namespace are those that encoding/json reads.
func compare(t *testing.T, data []byte, got imagepolicy.Review) {
	t.Helper()
	// Names exactly as they are: for fields, encoding/json folds their case.
	var whole, spec map[string]json.RawMessage
	if err := json.Unmarshal(data, &whole); err != nil {
		t.Fatalf("taken, and not JSON: %v\n%s", err, data)
	}
	if err := json.Unmarshal(whole["spec"], &spec); err != nil {
		t.Fatal(err)
	}
	want := imagepolicy.Review{}
	if err := json.Unmarshal(spec["namespace"], &want.Namespace); err != nil {
		t.Fatal(err)
	}
	var containers []map[string]json.RawMessage
	if raw := spec["containers"]; raw != nil {
		if err := json.Unmarshal(raw, &containers); err != nil {
			t.Fatal(err)
		}
	}
	seen := map[string]bool{}
	for _, c := range containers {
		image := ""
		if raw := c["image"]; raw != nil {
			if err := json.Unmarshal(raw, &image); err != nil {
				t.Fatal(err)
			}
		}
		if !seen[image] {
			seen[image] = true
			want.Images = append(want.Images, image)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s\n%s", diff, data)
	}
}
