package policy_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/hardgate-dev/hardgate/webhook/policy"
)

// A tree is an object as encoding/json reads it.

func unmarshal(t *testing.T, object []byte) map[string]any {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(object))
	d.UseNumber()
	var tree map[string]any
	if err := d.Decode(&tree); err != nil {
		t.Fatal(err)
	}
	return tree
}

func marshal(t *testing.T, tree any) []byte {
	t.Helper()
	object, err := json.Marshal(tree)
	if err != nil {
		t.Fatal(err)
	}
	return object
}

// step is one step down a tree; nil where there is nothing.
func step(node any, name string) any {
	switch node := node.(type) {
	case map[string]any:
		return node[name]
	case []any:
		if i, err := strconv.Atoi(name); err == nil && i >= 0 && i < len(node) {
			return node[i]
		}
	}
	return nil
}

func down(node any, pointer ...string) any {
	for _, name := range pointer {
		node = step(node, name)
	}
	return node
}

// sorts are the lists that hold containers.
var sorts = []string{"initContainers", "containers", "ephemeralContainers"}

// wrap makes an object of a kind around a pod spec.
var wrap = map[string]struct {
	at   string
	make func(spec any) map[string]any
}{
	"Pod":                   {"spec", func(spec any) map[string]any { return object("v1", "Pod", spec) }},
	"PodTemplate":           {"template.spec", wrapTemplate},
	"ReplicationController": {"spec.template.spec", inTemplate("v1", "ReplicationController")},
	"Deployment":            {"spec.template.spec", inTemplate("apps/v1", "Deployment")},
	"ReplicaSet":            {"spec.template.spec", inTemplate("apps/v1", "ReplicaSet")},
	"StatefulSet":           {"spec.template.spec", inTemplate("apps/v1", "StatefulSet")},
	"DaemonSet":             {"spec.template.spec", inTemplate("apps/v1", "DaemonSet")},
	"Job":                   {"spec.template.spec", inTemplate("batch/v1", "Job")},
	"CronJob": {"spec.jobTemplate.spec.template.spec", func(spec any) map[string]any {
		return object("batch/v1", "CronJob", map[string]any{"jobTemplate": map[string]any{"spec": map[string]any{"template": map[string]any{"spec": spec}}}})
	}},
}

func object(apiVersion, kind string, spec any) map[string]any {
	return map[string]any{"apiVersion": apiVersion, "kind": kind, "spec": spec}
}

func wrapTemplate(spec any) map[string]any {
	return map[string]any{"apiVersion": "v1", "kind": "PodTemplate", "template": map[string]any{"spec": spec}}
}

func inTemplate(apiVersion, kind string) func(any) map[string]any {
	return func(spec any) map[string]any {
		return object(apiVersion, kind, map[string]any{"template": map[string]any{"spec": spec}})
	}
}

// apply sets defaults in a tree as a mutating webhook would: parents that are
// missing or null are made, lists are appended to, and a value that is there is
// an error.
func apply(tree map[string]any, defaults []policy.Default) error {
	for _, d := range defaults {
		if err := set(tree, d.Pointer, d.Value); err != nil {
			return fmt.Errorf("%s: %w", strings.Join(d.Pointer, "/"), err)
		}
	}
	return nil
}

func set(node any, pointer []string, value any) error {
	if list, ok := node.([]any); ok {
		i, err := strconv.Atoi(pointer[0])
		if err != nil || i < 0 || i >= len(list) || len(pointer) == 1 {
			return fmt.Errorf("no element %q in a list of %d", pointer[0], len(list))
		}
		return set(list[i], pointer[1:], value)
	}
	parent, ok := node.(map[string]any)
	if !ok {
		return fmt.Errorf("%q of a %T", pointer[0], node)
	}
	there := parent[pointer[0]]
	if len(pointer) > 1 {
		if there == nil {
			there = map[string]any{}
			parent[pointer[0]] = there
		}
		return set(there, pointer[1:], value)
	}
	more, isList := value.([]any)
	switch there := there.(type) {
	case nil:
		parent[pointer[0]] = value
	case []any:
		if !isList {
			return fmt.Errorf("a %T for a list", value)
		}
		parent[pointer[0]] = slices.Concat(there, more)
	default:
		return fmt.Errorf("is %v already", there)
	}
	return nil
}

// keeps says which value of before is not in after any more. null is no value; a
// list may have grown at its end.
func keeps(at string, before, after any) error {
	switch before := before.(type) {
	case nil:
		return nil
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(before)) {
			if err := keeps(at+"."+name, before[name], step(after, name)); err != nil {
				return err
			}
		}
		if _, ok := after.(map[string]any); !ok {
			return fmt.Errorf("%s is %v now", at, after)
		}
	case []any:
		for i := range before {
			name := strconv.Itoa(i)
			if err := keeps(at+"."+name, before[i], step(after, name)); err != nil {
				return err
			}
		}
		if _, ok := after.([]any); !ok {
			return fmt.Errorf("%s is %v now", at, after)
		}
	default:
		if before != after {
			return fmt.Errorf("%s was %v and is %v", at, before, after)
		}
	}
	return nil
}

// pointer takes a finding's path apart: "spec.containers[0].image".
func pointer(path string) []string {
	return strings.Split(strings.ReplaceAll(strings.ReplaceAll(path, "]", ""), "[", "."), ".")
}
