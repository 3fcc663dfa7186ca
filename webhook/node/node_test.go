package node

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/hardgate-dev/hardgate/taint/key"
)

func TestDecode(t *testing.T) {
	meta := func(s string) string { return `{"apiVersion":"v1","kind":"Node","metadata":` + s + `,"spec":{}}` }
	taints := func(s string) string { return `{"metadata":{},"spec":{"podCIDR":"10.0.0.0/24","taints":` + s + `}}` }
	unverified := func(key, effect string) string { return taints(`[{"key":"` + key + `","effect":"` + effect + `"}]`) }
	tests := map[string]struct {
		text string
		want Node
	}{
		"nothing":        {`{}`, Node{}},
		"nulls":          {`{"metadata":null,"spec":null}`, Node{}},
		"null parts":     {`{"metadata":{"labels":null,"annotations":null},"spec":{"taints":null}}`, Node{Labels: labels.Set{}, spec: true}},
		"unknown fields": {`{"new":[{"taints":[]}],"metadata":{"new":{"labels":{"a":"b"}}},"spec":{"new":{"taints":[1]}},"status":{"taints":7}}`, Node{spec: true}},
		"labels":         {meta(`{"name":"n","labels":{"a":"b","c":""}}`), Node{Labels: labels.Set{"a": "b", "c": ""}, spec: true}},
		"labels of its managers": {
			meta(`{"managedFields":[{"fieldsV1":{"f:metadata":{"f:labels":{}}}}],"ownerReferences":[{"name":"x"}]}`), Node{spec: true},
		},
		"paused":                  {meta(`{"annotations":{"a":"b","hardgate.dev/pause":""}}`), Node{Paused: true, spec: true}},
		"a label that says pause": {meta(`{"labels":{"hardgate.dev/pause":"x"}}`), Node{Labels: labels.Set{"hardgate.dev/pause": "x"}, spec: true}},
		"control plane": {
			meta(`{"labels":{"node-role.kubernetes.io/control-plane":""}}`),
			Node{Labels: labels.Set{"node-role.kubernetes.io/control-plane": ""}, ControlPlane: true, spec: true},
		},
		"master": {
			meta(`{"labels":{"node-role.kubernetes.io/master":"x"}}`),
			Node{Labels: labels.Set{"node-role.kubernetes.io/master": "x"}, ControlPlane: true, spec: true},
		},
		"control plane before its label":  {unverified("node-role.kubernetes.io/control-plane", "NoSchedule"), Node{ControlPlane: true, spec: true, taints: true}},
		"another role":                    {meta(`{"labels":{"node-role.kubernetes.io/worker":""}}`), Node{Labels: labels.Set{"node-role.kubernetes.io/worker": ""}, spec: true}},
		"no taint":                        {taints(`[]`), Node{spec: true, taints: true}},
		"others' taints":                  {taints(`[{"key":"a","effect":"NoSchedule","value":"hardgate.dev/unverified"},{"effect":"NoSchedule"}]`), Node{spec: true, taints: true}},
		"unverified":                      {unverified(key.Unverified, "NoSchedule"), Node{Unverified: true, spec: true, taints: true}},
		"unverified, effect first":        {taints(`[{"effect":"NoSchedule","value":"x","timeAdded":null,"new":1,"key":"hardgate.dev/unverified"}]`), Node{Unverified: true, spec: true, taints: true}},
		"unverified by another key":       {unverified("startup-taint.cluster-autoscaler.kubernetes.io/hardgate-unverified", "NoSchedule"), Node{Unverified: true, spec: true, taints: true}},
		"unverified that keeps none away": {unverified(key.Unverified, "PreferNoSchedule"), Node{spec: true, taints: true}},
		"drifted":                         {unverified(key.Drifted, "NoSchedule"), Node{spec: true, taints: true}},
		"of two taints a half each": {
			taints(`[{"key":"hardgate.dev/unverified","effect":"PreferNoSchedule"},{"key":"a","effect":"NoSchedule"}]`), Node{spec: true, taints: true},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := Decode([]byte(tt.text))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(&tt.want, got, cmp.AllowUnexported(Node{})); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestDecodeRefuses(t *testing.T) {
	for text, want := range map[string]string{
		``:                                "the document ends",
		`[]`:                              "a list where an object should be",
		`{} {}`:                           "the end should be",
		`{"spec":7}`:                      "spec: offset 8: a number where an object should be",
		`{"spec":{"taints":{}}}`:          "spec: taints: offset 18: an object where a list should be",
		`{"spec":{"taints":[{"key":7}]}}`: "spec: taints: offset 26: a number where a string should be",
		`{"metadata":{"labels":{"a":7}}}`: "metadata: labels: offset 27: a number where a string should be",
		`{"metadata":{"annotations":[]}}`: "metadata: annotations: offset 27: a list where an object should be",
		`{"spec":{},"spec":{}}`:           `the name "spec" is given twice`,
		`{"spec":{"taints":[{"key":"a","k\u0065y":1}]}}`: `the name "key" is given twice`,
	} {
		if n, err := Decode([]byte(text)); err == nil || n != nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %+v, error %v, want %q", text, n, err, want)
		}
	}
}

func TestTaint(t *testing.T) {
	const taint = `{"key":"hardgate.dev/unverified","effect":"NoSchedule"}`
	tests := map[string]struct{ text, want string }{
		"no spec":    {`{"metadata":{}}`, `[{"op":"add","path":"/spec","value":{"taints":[` + taint + `]}}]`},
		"null spec":  {`{"spec":null}`, `[{"op":"add","path":"/spec","value":{"taints":[` + taint + `]}}]`},
		"empty spec": {`{"spec":{}}`, `[{"op":"add","path":"/spec/taints","value":[` + taint + `]}]`},
		"null":       {`{"spec":{"taints":null}}`, `[{"op":"add","path":"/spec/taints","value":[` + taint + `]}]`},
		"no taint":   {`{"spec":{"taints":[]}}`, `[{"op":"add","path":"/spec/taints/-","value":` + taint + `}]`},
		"taints":     {`{"spec":{"taints":[{"key":"a","effect":"NoExecute"}]}}`, `[{"op":"add","path":"/spec/taints/-","value":` + taint + `}]`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			n, err := Decode([]byte(tt.text))
			if err != nil {
				t.Fatal(err)
			}
			got, err := n.Taint(key.Unverified)
			if err != nil || string(got) != tt.want {
				t.Errorf("%s, %v\nwant %s", got, err, tt.want)
			}
		})
	}
}

// add carries out a patch of one operation that adds, as RFC 6902 has it.
func add(t *testing.T, document, patch []byte) map[string]any {
	t.Helper()
	var d map[string]any
	var operations []struct {
		Op, Path string
		Value    any
	}
	if err := json.Unmarshal(document, &d); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(patch, &operations); err != nil || len(operations) != 1 || operations[0].Op != "add" {
		t.Fatalf("%s, %v", patch, err)
	}
	switch o := operations[0]; o.Path {
	case "/spec":
		if d["spec"] != nil {
			t.Fatalf("%s takes the place of a spec", patch)
		}
		d["spec"] = o.Value
	case "/spec/taints":
		spec := d["spec"].(map[string]any)
		if spec["taints"] != nil {
			t.Fatalf("%s takes the place of taints", patch)
		}
		spec["taints"] = o.Value
	case "/spec/taints/-":
		spec := d["spec"].(map[string]any)
		spec["taints"] = append(spec["taints"].([]any), o.Value)
	default:
		t.Fatalf("path %s", o.Path)
	}
	return d
}

// FuzzTaint holds that a patch adds the one taint and nothing else, whatever is on the
// node, and that a node which has it asks for none.
func FuzzTaint(f *testing.F) {
	full, err := json.Marshal(corev1.Node{
		ObjectMeta: metav1.ObjectMeta{Name: "n", Labels: map[string]string{"a": "b"}, Annotations: map[string]string{"c": "d"}},
		Spec:       corev1.NodeSpec{ProviderID: "p", Taints: []corev1.Taint{{Key: "a", Effect: corev1.TaintEffectNoExecute}}},
		Status:     corev1.NodeStatus{Phase: corev1.NodeRunning},
	})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(full)
	f.Add([]byte(`{}`))
	f.Add([]byte(`{"spec":{"taints":[],"new":1.25e9}}`))
	f.Add([]byte(`{"spec":{"taints":null},"metadata":{"labels":null}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		n, err := Decode(data)
		if (n == nil) == (err == nil) {
			t.Fatalf("%+v, %v", n, err)
		}
		if err != nil || strings.TrimSpace(string(data)) == "null" {
			return
		}
		patch, err := n.Taint(key.Unverified)
		if err != nil {
			t.Fatal(err)
		}
		tainted := add(t, data, patch)
		spec := tainted["spec"].(map[string]any)
		list := spec["taints"].([]any)
		if diff := cmp.Diff(map[string]any{"key": key.Unverified, "effect": "NoSchedule"}, list[len(list)-1]); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		text, err := json.Marshal(tainted)
		if err != nil {
			t.Fatal(err)
		}
		if again, err := Decode(text); err != nil || !again.Unverified {
			t.Errorf("%s: %+v, %v", text, again, err)
		}

		var before map[string]any
		if err := json.Unmarshal(data, &before); err != nil {
			t.Fatal(err)
		}
		if list = slices.Delete(list, len(list)-1, len(list)); len(list) > 0 || n.taints {
			spec["taints"] = list
		} else if old, ok := before["spec"].(map[string]any); ok {
			spec["taints"] = old["taints"]
			if _, there := old["taints"]; !there {
				delete(spec, "taints")
			}
		} else if tainted["spec"] = before["spec"]; before["spec"] == nil {
			if _, there := before["spec"]; !there {
				delete(tainted, "spec")
			}
		}
		if diff := cmp.Diff(before, tainted); diff != "" {
			t.Errorf("more than the taint has changed (-before +after):\n%s", diff)
		}
	})
}
