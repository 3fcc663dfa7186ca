package kubelet

import (
	"fmt"

	"go.yaml.in/yaml/v3"

	"github.com/hardgate-dev/hardgate/nodecheck/host"
)

// gatesOf adds the feature gates of a file. One that cannot be told counts as that;
// where none of them can, the configuration's error says so.
func (e *config) gatesOf(d *document, origin Origin) {
	at, err := d.find([]string{"featureGates"})
	switch {
	case err != nil:
		e.gateErr(err)
		return
	case at.node == nil:
		return
	case at.null:
		clear(e.gates)
		return
	case at.node.Kind != yaml.MappingNode || len(at.node.Content) > 2*maxItems:
		e.gateErr(&host.Error{Path: d.file.At(at.line), Err: fmt.Errorf("%w: featureGates: %w", host.ErrMalformed, errType)})
		return
	}
	seen := map[string]bool{}
	for i := 0; i+1 < len(at.node.Content); i += 2 {
		key, value := follow(at.node.Content[i]), follow(at.node.Content[i+1])
		if key == nil || value == nil || key.Kind != yaml.ScalarNode || key.Tag == "!!merge" {
			e.gateErr(&host.Error{Path: d.file.At(at.line), Err: fmt.Errorf("%w: featureGates: %w", host.ErrMalformed, errMerge)})
			return
		}
		name := key.Value
		v := Value{Origin: origin, Where: d.file.At(key.Line)}
		switch v.V, v.Err = convert(value, boolean); {
		case seen[name]:
			v.Err = errTwice
		case origin == DropIn && kindOf(value) == kindNull:
			delete(e.gates, name)
			continue
		}
		seen[name] = true
		if v.Err != nil {
			v.Err = &host.Error{Path: v.Where, Err: fmt.Errorf("%w: featureGates.%s: %w", host.ErrMalformed, clip(name), v.Err)}
		}
		v.Given = write("featureGates."+clip(name), v.V)
		if old := e.gates[name]; old.Err == nil {
			e.gates[name] = v.over(old)
		}
	}
}

// gateErr is for what concerns every gate.
func (e *config) gateErr(err error) {
	if e.gateProblem == nil {
		e.gateProblem = err
	}
}

// gate is whether a feature gate of the beta stage is on: it says so itself, or
// AllBeta does, or it has its default.
func (e *config) gate(name string, standard bool) Value {
	for _, key := range []string{name, "AllBeta"} {
		if v, ok := e.gates[key]; ok {
			if key != name {
				v.Origin = Default // a file may say more of the gate itself
			}
			return v
		}
		if e.gateProblem != nil {
			return Value{Err: e.gateProblem}
		}
	}
	return Value{V: standard, Where: e.where, Given: write("featureGates."+name, standard), Note: "not set, this is the default"}
}
