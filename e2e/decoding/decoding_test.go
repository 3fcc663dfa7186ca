package decoding

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/bytedance/sonic"
	jsonv2 "github.com/go-json-experiment/json"
	admissionv1 "k8s.io/api/admission/v1"
	corev1 "k8s.io/api/core/v1"
	kjson "sigs.k8s.io/json"

	hardgate "github.com/hardgate-dev/hardgate/webhook/review"
	"github.com/hardgate-dev/hardgate/webhook/scan"
)

// decoders are the ways that are compared. Each returns the name of the first
// container's image, so that none can skip the pod.
var decoders = []struct {
	name   string
	decode func([]byte) (string, error)
}{
	{"encoding-json-full", func(data []byte) (string, error) {
		var r admissionv1.AdmissionReview
		if err := json.Unmarshal(data, &r); err != nil {
			return "", err
		}
		var p corev1.Pod
		err := json.Unmarshal(r.Request.Object.Raw, &p)
		return p.Spec.Containers[0].Image, err
	}},
	{"sigs-json-full", func(data []byte) (string, error) {
		var r admissionv1.AdmissionReview
		if err := kjson.UnmarshalCaseSensitivePreserveInts(data, &r); err != nil {
			return "", err
		}
		var p corev1.Pod
		err := kjson.UnmarshalCaseSensitivePreserveInts(r.Request.Object.Raw, &p)
		return p.Spec.Containers[0].Image, err
	}},
	{"encoding-json-slim", func(data []byte) (string, error) {
		var r review
		err := json.Unmarshal(data, &r)
		return r.Request.Object.Spec.Containers[0].Image, err
	}},
	{"json-experiment-slim", func(data []byte) (string, error) {
		var r review
		err := jsonv2.Unmarshal(data, &r)
		return r.Request.Object.Spec.Containers[0].Image, err
	}},
	{"sonic-slim", func(data []byte) (string, error) {
		var r review
		err := sonic.ConfigStd.Unmarshal(data, &r)
		return r.Request.Object.Spec.Containers[0].Image, err
	}},
	{"sonic-fastest-slim", func(data []byte) (string, error) {
		var r review
		err := sonic.ConfigFastest.Unmarshal(data, &r)
		return r.Request.Object.Spec.Containers[0].Image, err
	}},
	{"hardgate", func(data []byte) (string, error) {
		r, err := hardgate.Decode(data, hardgate.DecodeObjects)
		if err != nil {
			return "", err
		}
		for c := range r.Workload.Pod.Containers() {
			if c.List == "containers" {
				return c.Image, nil
			}
		}
		return "", nil
	}},
	{"form-only-encoding-json", func(data []byte) (string, error) { json.Valid(data); return "", nil }},
	{"form-only-hardgate", func(data []byte) (string, error) { return "", scan.New(data).Skip() }},
}

func corpus(tb testing.TB, set string) (bodies [][]byte) {
	tb.Helper()
	files, err := filepath.Glob(filepath.Join("..", "bench", "testdata", set, "*.json"))
	if err != nil || len(files) == 0 {
		tb.Fatalf("no recorded reviews in %s: %v", set, err)
	}
	for _, f := range files {
		data, err := os.ReadFile(f)
		if err != nil {
			tb.Fatal(err)
		}
		bodies = append(bodies, data)
	}
	return bodies
}

// TestDecodersAgree keeps the comparison honest: all read the same image.
func TestDecodersAgree(t *testing.T) {
	for _, set := range []string{"small", "large"} {
		for i, data := range corpus(t, set) {
			want, err := decoders[0].decode(data)
			if err != nil || want == "" {
				t.Fatalf("%s %d: %q, %v", set, i, want, err)
			}
			for _, d := range decoders[1:7] {
				if got, err := d.decode(data); err != nil || got != want {
					t.Errorf("%s %d: %s reads %q, %v; want %q", set, i, d.name, got, err, want)
				}
			}
		}
	}
}

func BenchmarkDecode(b *testing.B) {
	for _, set := range []string{"small", "large"} {
		bodies := corpus(b, set)
		size := 0
		for _, data := range bodies {
			size += len(data)
		}
		for _, d := range decoders {
			b.Run(set+"/"+d.name, func(b *testing.B) {
				b.ReportAllocs()
				b.SetBytes(int64(size / len(bodies)))
				for i := 0; b.Loop(); i++ {
					if _, err := d.decode(bodies[i%len(bodies)]); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
