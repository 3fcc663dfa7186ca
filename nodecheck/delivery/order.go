package delivery

import (
	"encoding/json"

	"k8s.io/apimachinery/pkg/types"
)

// Order is what the spec of a report asks of the agent. The zero value asks for
// nothing: there is no spec, or no report. Orders are compared by ==.
type Order struct {
	// Report and Generation tell a spec from every other. The generation alone does not:
	// that of a report which is made anew begins at 1 again.
	Report     types.UID
	Generation int64
	// Spec is the JSON of a v1alpha1.NodeReportSpec, as the server has it.
	Spec string
}

func orderOf(m meta, spec json.RawMessage) Order {
	if len(spec) == 0 || string(spec) == "null" {
		return Order{}
	}
	return Order{Report: m.UID, Generation: m.Generation, Spec: string(spec)}
}
