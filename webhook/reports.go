package webhook

import (
	"maps"
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/cache"

	"github.com/hardgate-dev/hardgate/api/v1alpha1"
	"github.com/hardgate-dev/hardgate/control"
	"github.com/hardgate-dev/hardgate/webhook/ruling"
)

// stage is what is kept of a NamespaceReport: how far rollouts have come in a namespace.
type stage struct {
	metav1.ObjectMeta

	modes map[ruling.Cell]control.Mode
	// beat is when the heartbeat was written last; zero where there is none.
	beat time.Time
}

// trimReport keeps what the gate goes by: what rollouts have reached. A mode or a control
// that is not known says nothing: the policy's own mode holds.
func trimReport(u *unstructured.Unstructured) *stage {
	s := &stage{ObjectMeta: metav1.ObjectMeta{Name: u.GetName(), ResourceVersion: u.GetResourceVersion()}}
	if last, _, _ := unstructured.NestedString(u.Object, "status", "heartbeat", "last"); last != "" {
		s.beat, _ = time.Parse(time.RFC3339, last) // what makes no sense is written anew
	}
	controls, _, err := unstructured.NestedSlice(u.Object, "status", "controls")
	if err != nil {
		return s
	}
	one := onlyOne{}
	for _, c := range controls {
		entry, _ := c.(map[string]any)
		id, _ := entry["id"].(string)
		known, ok := control.Get(control.ID(id))
		modes, _ := entry["modes"].([]any)
		for _, m := range modes {
			reached, _ := m.(map[string]any)
			policy, _ := reached["policy"].(string)
			uid, _ := reached["uid"].(string)
			name, _ := reached["reached"].(string)
			mode, err := control.ParseMode(name)
			if !ok || err != nil || policy == "" {
				continue
			}
			if s.modes == nil {
				s.modes = make(map[ruling.Cell]control.Mode, len(controls))
			}
			// The id is the catalogue's own string, of which there is one for all namespaces.
			s.modes[ruling.Cell{Policy: one.of(ruling.Identity(policy, types.UID(uid))), Control: known.ID}] = mode
		}
	}
	return s
}

// onlyOne keeps one copy of each text: a report says which policy it is for each control.
type onlyOne []string

func (o *onlyOne) of(text string) string {
	if i := slices.Index(*o, text); i >= 0 {
		return (*o)[i]
	}
	*o = append(*o, text)
	return text
}

// reached is how far all rollouts have come.
func (i *Informers) reached() ruling.Reached {
	all := ruling.Reached{}
	for _, stored := range i.reports.list() {
		s := stored.(*stage)
		if len(s.modes) == 0 {
			continue
		}
		name := s.Name
		if name == v1alpha1.ClusterScopedReportName {
			name = ""
		}
		all[name] = s.modes
	}
	return all
}

// ledOn tells that some rollout has come to something else. What else is written in
// reports, such as every audit's findings, is nothing to compile the policies anew for.
func ledOn(reports cache.SharedIndexInformer) (<-chan struct{}, error) {
	led := make(chan struct{}, 1)
	tell := func(before, now any) {
		one, _ := before.(*stage)
		other, _ := now.(*stage)
		if one != nil && other != nil && maps.Equal(one.modes, other.modes) {
			return
		}
		select {
		case led <- struct{}{}:
		default: // it will be seen with the change before
		}
	}
	_, err := reports.AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc: func(now any) { tell(&stage{}, now) }, UpdateFunc: tell, DeleteFunc: func(before any) { tell(before, &stage{}) },
	})
	return led, err
}
