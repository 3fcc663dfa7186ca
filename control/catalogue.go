package control

import (
	"fmt"
	"slices"
	"sync"
)

// All returns every control: those of the Kubernetes benchmark in the order of
// its sections, then those of the host document in the order of its rows. The
// slice is the caller's own.
func All() []Control { return slices.Clone(catalogue().controls) }

// IDs returns the id of every control, in the order of All. The slice is the
// caller's own.
func IDs() []ID { return slices.Clone(tables().order) }

// Get returns the control with an id, and false when the catalogue has none.
func Get(id ID) (Control, bool) {
	i, ok := catalogue().index[id]
	if !ok {
		return Control{}, false
	}
	return catalogue().controls[i], true
}

type assembled struct {
	controls []Control
	index    map[ID]int
}

// catalogue panics where the text and the tables do not name the same controls.
// Both are compiled in and a test holds them together, so this is a broken build
// and nothing that a caller could handle.
var catalogue = sync.OnceValue(func() assembled {
	c, err := assemble(tables().order, slices.Concat(
		controlPlaneFiles, apiserver, controllerManager, scheduler, etcd, authentication, auditing,
		kubeletFiles, kubelet, rbac, clusterWide, workloads,
		hostModules, hostBanners, hostSysctls, hostSSH, hostAccounts, hostOwn,
	))
	if err != nil {
		panic("control: the catalogue in this binary is broken: " + err.Error())
	}
	return c
})

// assemble puts controls in an order that names each of them exactly once.
func assemble(order []ID, controls []Control) (assembled, error) {
	texts := make(map[ID]Control, len(controls))
	for _, c := range controls {
		if _, twice := texts[c.ID]; twice {
			return assembled{}, fmt.Errorf("control %q is described twice", c.ID)
		}
		texts[c.ID] = c
	}
	a := assembled{index: make(map[ID]int, len(order))}
	for _, id := range order {
		c, ok := texts[id]
		if !ok {
			return assembled{}, fmt.Errorf("control %q is in the tables but not described", id)
		}
		delete(texts, id)
		a.index[id] = len(a.controls)
		a.controls = append(a.controls, c)
	}
	for id := range texts {
		return assembled{}, fmt.Errorf("control %q is described but in none of the tables", id)
	}
	return a, nil
}
