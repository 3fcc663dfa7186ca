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
	return mayExempt(stored, "nodes", "objects", func(f control.Face) bool { return f == control.Node })
}

// MayExemptObjects is the same of objects: false for what plainly is about nodes alone.
func MayExemptObjects(stored []byte) bool {
	return mayExempt(stored, "objects", "nodes", func(f control.Face) bool { return f != control.Node })
}

// mayExempt is false where a spec says the other and not the one, in known fields, and has
// no control of the one's.
func mayExempt(stored []byte, one, other string, ofOne func(control.Face) bool) bool {
	var e struct {
		Spec map[string]json.RawMessage `json:"spec"`
	}
	if json.Unmarshal(stored, &e) != nil || !given(e.Spec[other]) || given(e.Spec[one]) {
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
	return slices.ContainsFunc(controls, func(id string) bool {
		face, like := nearest(id)
		return like && ofOne(face)
	})
}

func given(raw json.RawMessage) bool { return len(raw) > 0 && string(raw) != "null" }

// nearest is where the control of that id is looked at, or the one that looks like it most;
// like is whether there is one.
func nearest(id string) (face control.Face, like bool) {
	faces := map[string]control.Face{}
	var ids []string
	for _, c := range control.All() {
		faces[string(c.ID)] = c.Face
		ids = append(ids, string(c.ID))
	}
	found, like := control.Nearest(id, ids)
	return faces[found], like
}
