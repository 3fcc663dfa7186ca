package workload

import "bytes"

// The keys of the tolerations that the API server gives every pod: those for five
// minutes on a node that has fallen silent.
const (
	notReady    = "node.kubernetes.io/not-ready"
	unreachable = "node.kubernetes.io/unreachable"
)

// tolerations keeps those that somebody asked for, so that a usual pod has none.
func (d decoder) tolerations(p *Pod) error {
	return d.List(func(i int) error {
		var key, operator, value, effect []byte
		_, err := d.Object(func(name []byte) (err error) {
			switch string(name) {
			case "key":
				key, err = d.Bytes()
			case "operator":
				operator, err = d.Bytes()
			case "value":
				value, err = d.Bytes()
			case "effect":
				effect, err = d.Bytes()
			default:
				return d.Skip()
			}
			return in(name, err)
		})
		if err == nil && string(key) != notReady && string(key) != unreachable {
			p.Tolerations = append(p.Tolerations, Toleration{i, string(key), string(operator), string(value), string(effect)})
		}
		return atIndex(i, err)
	})
}

// owner notes whether an entry of ownerReferences is the controller, and a DaemonSet.
func (d decoder) owner(o *Object) error {
	var apiVersion, kind, owner []byte
	var controls bool
	_, err := d.Object(func(name []byte) (err error) {
		switch string(name) {
		case "apiVersion":
			apiVersion, err = d.Bytes()
		case "kind":
			kind, err = d.Bytes()
		case "name":
			owner, err = d.Bytes()
		case "controller":
			err = d.flag(&controls)
		default:
			return d.Skip()
		}
		return in(name, err)
	})
	if controls {
		o.Controller = Owner{Kind: string(kind), Name: string(owner)}
	}
	if controls && string(kind) == daemonSet && bytes.HasPrefix(apiVersion, []byte("apps/")) {
		o.OfDaemonSet = true
	}
	return err
}

const daemonSet = "DaemonSet"
