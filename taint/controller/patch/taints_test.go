package patch

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/hardgate-dev/hardgate/taint"
	"github.com/hardgate-dev/hardgate/taint/controller/apitest"
	"github.com/hardgate-dev/hardgate/taint/key"
)

const name = "node-1"

var (
	added    = metav1.NewTime(time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC))
	drifted  = corev1.Taint{Key: key.Drifted, Effect: corev1.TaintEffectNoSchedule, TimeAdded: &added}
	warned   = corev1.Taint{Key: key.Drifted, Effect: corev1.TaintEffectPreferNoSchedule, TimeAdded: &added}
	evicting = corev1.Taint{Key: "example.com/maintenance", Value: "yes", Effect: corev1.TaintEffectNoExecute, TimeAdded: &added}
	cordoned = corev1.Taint{Key: "node.kubernetes.io/unschedulable", Effect: corev1.TaintEffectNoSchedule}
)

func node(taints ...corev1.Taint) *corev1.Node {
	return &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: corev1.NodeSpec{Taints: taints}}
}

func names(taints []corev1.Taint) (list []string) {
	for _, t := range taints {
		list = append(list, fmt.Sprintf("%s=%s:%s@%v", t.Key, t.Value, t.Effect, t.TimeAdded != nil))
	}
	return list
}

func TestTaints(t *testing.T) {
	tests := map[string]struct {
		has  []corev1.Taint
		want []corev1.Taint // of ours
		// meanwhile is what the node has become by the time of the first request, and
		// recreated whether it is another of the name.
		meanwhile         []corev1.Taint
		changed           bool
		recreated, absent bool
		unsure            bool
		fate              apitest.Fate

		result   Result
		stored   []corev1.Taint
		requests []string
	}{
		"none yet":      {want: []corev1.Taint{drifted}, result: Written, stored: []corev1.Taint{drifted}, requests: []string{"PATCH"}},
		"others stay":   {has: []corev1.Taint{evicting, cordoned}, want: []corev1.Taint{drifted}, result: Written, stored: []corev1.Taint{evicting, cordoned, drifted}, requests: []string{"PATCH"}},
		"another of us": {has: []corev1.Taint{warned, cordoned}, want: []corev1.Taint{drifted}, result: Written, stored: []corev1.Taint{cordoned, drifted}, requests: []string{"PATCH"}},
		"the last goes": {has: []corev1.Taint{drifted}, result: Written, requests: []string{"PATCH"}},
		"ours goes":     {has: []corev1.Taint{cordoned, drifted, evicting}, result: Written, stored: []corev1.Taint{cordoned, evicting}, requests: []string{"PATCH"}},
		"so already":    {has: []corev1.Taint{drifted, cordoned}, want: []corev1.Taint{drifted}, result: Unneeded, stored: []corev1.Taint{drifted, cordoned}},
		"others were faster": {
			has: []corev1.Taint{cordoned}, want: []corev1.Taint{drifted}, changed: true, meanwhile: []corev1.Taint{evicting},
			result: Written, stored: []corev1.Taint{evicting, drifted}, requests: []string{"PATCH", "GET", "PATCH"},
		},
		"another leader was faster": {
			want: []corev1.Taint{drifted}, changed: true, meanwhile: []corev1.Taint{drifted},
			result: Unneeded, stored: []corev1.Taint{drifted}, requests: []string{"PATCH", "GET"},
		},
		"another leader decided otherwise": {
			has: []corev1.Taint{drifted}, changed: true, meanwhile: []corev1.Taint{warned},
			result: Void, stored: []corev1.Taint{warned}, requests: []string{"PATCH", "GET"},
		},
		"another node of the name": {
			want: []corev1.Taint{drifted}, changed: true, recreated: true, result: Gone, requests: []string{"PATCH", "GET"},
		},
		"no node":                {want: []corev1.Taint{drifted}, absent: true, result: Gone, requests: []string{"PATCH"}},
		"refused":                {want: []corev1.Taint{drifted}, fate: apitest.Forbidden, result: Refused},
		"broken":                 {want: []corev1.Taint{drifted}, fate: apitest.Broken, result: Unknown},
		"lost":                   {want: []corev1.Taint{drifted}, fate: apitest.Lost, result: Unknown, stored: []corev1.Taint{drifted}, requests: []string{"PATCH"}},
		"unsure, and it came":    {want: []corev1.Taint{drifted}, unsure: true, changed: true, meanwhile: []corev1.Taint{drifted}, result: Unneeded, stored: []corev1.Taint{drifted}, requests: []string{"GET"}},
		"unsure, and it did not": {want: []corev1.Taint{drifted}, unsure: true, result: Written, stored: []corev1.Taint{drifted}, requests: []string{"GET", "PATCH"}},
		"unsure, and it came though no longer wanted": {
			unsure: true, changed: true, meanwhile: []corev1.Taint{cordoned, drifted}, result: Written, stored: []corev1.Taint{cordoned}, requests: []string{"GET", "PATCH"},
		},
		"unsure still": {want: []corev1.Taint{drifted}, unsure: true, fate: apitest.Broken, result: Unknown},
	}
	for title, tt := range tests {
		t.Run(title, func(t *testing.T) {
			s := apitest.New(t)
			base := s.Put(node(tt.has...))
			if tt.changed {
				next := node(tt.meanwhile...)
				if tt.recreated {
					next.UID = "another"
				}
				s.Put(next)
			}
			if tt.absent {
				s.Delete(name)
			}
			s.Fate = func(*http.Request) apitest.Fate { return tt.fate }
			w := Writer{Client: s.Client(), Live: s.Client()}
			o := w.Taints(t.Context(), base, &taint.Decision{Node: name, UID: base.UID, Taints: tt.want}, tt.unsure)
			if o.Result != tt.result || (o.Err != nil) != slices.Contains([]Result{Refused, Unknown}, o.Result) && o.Result != Gone {
				t.Errorf("result %s, error %v", o.Result, o.Err)
			}
			if diff := cmp.Diff(tt.requests, s.Requests()); diff != "" {
				t.Errorf("requests (-want +got):\n%s", diff)
			}
			stored := s.Node(name)
			if stored == nil {
				stored = node()
			}
			if diff := cmp.Diff(names(tt.stored), names(stored.Spec.Taints)); diff != "" {
				t.Errorf("taints (-want +got):\n%s", diff)
			}
			switch o.Result {
			case Written, Unneeded, Void:
				if o.Node == nil || !cmp.Equal(names(o.Node.Spec.Taints), names(tt.stored)) {
					t.Errorf("the node is not returned as it is: %v", o.Node)
				}
			case Unknown:
				if sent := !tt.unsure; (o.Base == base.ResourceVersion) != sent || !sent && o.Base != "" {
					t.Errorf("base %q", o.Base)
				}
			case Gone, Refused:
			}
		})
	}
}

// Whoever is always slower gives up, and has not written.
func TestTaintsNeverFirst(t *testing.T) {
	s := apitest.New(t)
	base := s.Put(node())
	s.Fate = func(r *http.Request) apitest.Fate {
		if r.Method == http.MethodPatch {
			s.Put(node(cordoned))
		}
		return apitest.Answered
	}
	w := Writer{Client: s.Client(), Live: s.Client()}
	o := w.Taints(t.Context(), base, &taint.Decision{Node: name, UID: base.UID, Taints: []corev1.Taint{drifted}}, false)
	if o.Result != Refused || o.Conflicts != tries-1 || !strings.Contains(o.Err.Error(), "writing the taints of the node node-1: ") {
		t.Errorf("result %s after %d conflicts: %v", o.Result, o.Conflicts, o.Err)
	}
	if got := s.Node(name).Spec.Taints; len(got) != 1 {
		t.Errorf("stored %v", got)
	}
}

func TestConditions(t *testing.T) {
	now := time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)
	ready := corev1.NodeCondition{Type: corev1.NodeReady, Status: corev1.ConditionTrue}
	want := corev1.NodeCondition{Type: taint.ConditionCompliant, Status: corev1.ConditionFalse, Reason: "Drifted", Message: "Failing: a. ", LastTransitionTime: added}
	s := apitest.New(t)
	n := node(cordoned)
	n.Status.Conditions = []corev1.NodeCondition{ready}
	base := s.Put(n)
	w := Writer{Client: s.Client(), Live: s.Client()}
	d := &taint.Decision{Node: name, UID: base.UID, Conditions: []corev1.NodeCondition{want}}
	s.Put(s.Node(name)) // a heartbeat, which is no conflict
	if o := w.Conditions(t.Context(), d, now); o.Result != Written || o.Err != nil {
		t.Fatalf("%+v", o)
	}
	want.LastHeartbeatTime = metav1.NewTime(now)
	if diff := cmp.Diff([]corev1.NodeCondition{ready, want}, s.Node(name).Status.Conditions); diff != "" {
		t.Error(diff)
	}
	other := node()
	other.UID = "another"
	s.Put(other)
	if o := w.Conditions(t.Context(), d, now); o.Result != Gone {
		t.Errorf("of another node of the name: %+v", o)
	}
	s.Fate = func(*http.Request) apitest.Fate { return apitest.Lost }
	if o := w.Conditions(t.Context(), d, now); o.Result != Unknown || o.Err == nil {
		t.Errorf("of an answer that is lost: %+v", o)
	}
}
