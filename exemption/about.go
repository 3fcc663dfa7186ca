package exemption

import (
	"encoding/json"
	"reflect"
	"slices"

	"github.com/hardgate-dev/hardgate/api/v1alpha1"
	"github.com/hardgate-dev/hardgate/control"
	"github.com/hardgate-dev/hardgate/resource"
)

// MayExemptNodes is whether what is stored as an Exemption, and Read does not understand,
// may have been meant to exempt nodes. It is false for what plainly is about objects alone:
// it says which objects, it does not say which nodes, no field of it is unknown, and no
// control is one of nodes or looks like one that is misspelt.
func MayExemptNodes(stored []byte) bool {
	var e struct {
		Spec map[string]json.RawMessage `json:"spec"`
	}
	if json.Unmarshal(stored, &e) != nil || !given(e.Spec["objects"]) || given(e.Spec["nodes"]) {
		return true
	}
	fields := resource.Fields(reflect.TypeFor[v1alpha1.ExemptionSpec]())
	for name := range e.Spec {
		if _, known := fields[name]; !known {
			return true
		}
	}
	var controls []string
	if raw := e.Spec["controls"]; given(raw) && json.Unmarshal(raw, &controls) != nil {
		return true
	}
	return slices.ContainsFunc(controls, likeOneOfNodes)
}

func given(raw json.RawMessage) bool { return len(raw) > 0 && string(raw) != "null" }

// likeOneOfNodes is whether the control of that id, or of the nearest, judges nodes.
func likeOneOfNodes(id string) bool {
	faces := map[string]control.Face{}
	var ids []string
	for _, c := range control.All() {
		faces[string(c.ID)] = c.Face
		ids = append(ids, string(c.ID))
	}
	nearest, _ := control.Nearest(id, ids)
	return faces[nearest] == control.Node
}
