package manifest

import (
	"strings"
	"testing"
)

const placed = `# a comment
---
apiVersion: v1
kind: Pod
metadata:
  name: a
  annotations: {x.y/z: b}
spec:
  containers:
  - name: one
    image: x
  - &two
    name: two
    securityContext:
      privileged: true
  initContainers:
  - *two
...
%YAML 1.1
---
apiVersion: v1
kind: List
items:
- {apiVersion: v1, kind: Pod, metadata: {name: b}}
- apiVersion: v1
  kind: PodList
  items:
  - metadata:
      name: c
    spec:
      hostPID: true
---
{"apiVersion": "v1", "kind": "Pod",
  "spec": {
    "hostPID": true
  }
}
---
{"apiVersion": "v1", "kind": "Pod", "spec": {}}

{"apiVersion": "v1", "kind": "Pod",
 "spec": {}}
`

func TestLine(t *testing.T) {
	set, errs := Read(strings.NewReader(placed), "dir/a#b.yaml")
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	tests := map[string]struct {
		source, path string
		want         int
	}{
		"the object":             {"#0", "", 3},
		"a field":                {"#0", "metadata.name", 6},
		"an element":             {"#0", "spec.containers[1]", 12},
		"in an element":          {"#0", "spec.containers[1].securityContext.privileged", 15},
		"a field that is not":    {"#0", "spec.containers[0].securityContext.privileged", 10},
		"an element that is not": {"#0", "spec.containers[7].image", 9},
		"no index":               {"#0", "spec.containers[x].image", 9},
		"below a scalar":         {"#0", "metadata.name.first", 6},
		"a name with dots":       {"#0", "metadata.annotations[x.y/z]", 7},
		"by an alias":            {"#0", "spec.initContainers[0].securityContext", 14},
		"nothing of it":          {"#0", "status.phase", 3},
		"nonsense":               {"#0", "..[[", 3},
		"in a list":              {"#1[0]", "metadata.name", 24},
		"in a list of a list":    {"#1[1][0]", "spec.hostPID", 31},
		"in JSON":                {"#2", "spec.hostPID", 35},
		"of several in JSON":     {"#4", "spec", 38},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			for i := range set.Objects {
				o := &set.Objects[i]
				if o.Source != "dir/a#b.yaml"+tt.source {
					continue
				}
				if got := o.Line(tt.path); got != tt.want || o.File() != "dir/a#b.yaml" {
					t.Errorf("%s:%d, want %d: %q", o.File(), got, tt.want, strings.Split(placed, "\n")[max(got-1, 0)])
				}
				return
			}
			t.Errorf("no object %s of %d", tt.source, len(set.Objects))
		})
	}
	if o := (&Object{Source: "x#0"}); o.File() != "" || o.Line("spec") != 0 {
		t.Errorf("read from no file: %s:%d", o.File(), o.Line("spec"))
	}
}
