package controller

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hardgate-dev/hardgate/taint"
)

var now = time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)

func of(k kind, nodes ...string) (tasks []task) {
	for _, n := range nodes {
		tasks = append(tasks, task{kind: k, node: n, decision: &taint.Decision{Node: n}})
	}
	return tasks
}

// ready are the nodes whose tasks of a kind would be taken, in order. It takes them and
// ends none.
func ready(a *agenda, k kind) (nodes []string) {
	for {
		a.mu.Lock()
		free := a.free(k) >= 0
		a.mu.Unlock()
		if !free {
			return nodes
		}
		t, _ := a.take(k, func(*task) bool { return true })
		nodes = append(nodes, t.node)
	}
}

func TestAgendaTaintsFirst(t *testing.T) {
	a := newAgenda()
	a.post(slices.Concat(of(ofConditions, "a", "b", "c"), of(ofTaints, "a", "b"), of(ofOrders, "d")), now)
	if got := ready(a, ofConditions); !slices.Equal(got, []string{"c"}) {
		t.Errorf("conditions of %v are written before the taints", got)
	}
	begun, _ := a.take(ofTaints, func(*task) bool { return true })
	if begun.node != "a" {
		t.Errorf("begins with %s", begun.node)
	}
	if got := ready(a, ofConditions); len(got) > 0 {
		t.Errorf("conditions of %v are written while the taints are", got)
	}
	a.done(begun, true, now)
	if got := ready(a, ofConditions); !slices.Equal(got, []string{"a"}) {
		t.Errorf("after the taints, the conditions of %v", got)
	}
	if got := ready(a, ofTaints); !slices.Equal(got, []string{"b"}) {
		t.Errorf("then the taints of %v", got)
	}
	if got := ready(a, ofOrders); !slices.Equal(got, []string{"d"}) {
		t.Errorf("then the orders of %v", got)
	}
}

// What the last plan asked for and nobody has begun is as if it had never been.
func TestAgendaIsReplaced(t *testing.T) {
	a := newAgenda()
	a.post(of(ofTaints, "a", "b", "c"), now)
	begun, _ := a.take(ofTaints, func(*task) bool { return true })
	a.hold()
	if got := ready(a, ofTaints); len(got) > 0 {
		t.Errorf("%v are begun while it is planned", got)
	}
	a.post(of(ofTaints, "a", "c"), now)
	if got := ready(a, ofTaints); !slices.Equal(got, []string{"c"}) {
		t.Errorf("%v are begun: a is under way still", got)
	}
	a.done(begun, true, now)
	if got := ready(a, ofTaints); !slices.Equal(got, []string{"a"}) {
		t.Errorf("%v are begun", got)
	}
}

// What fails is tried again later and later, though plans ask for it all the time.
func TestAgendaBacksOff(t *testing.T) {
	a := newAgenda()
	at := now
	for i, want := range []time.Duration{time.Second, 2 * time.Second, 4 * time.Second, 8 * time.Second, 16 * time.Second, 32 * time.Second, time.Minute, time.Minute} {
		if next := a.post(of(ofTaints, "a", "b"), at); !next.IsZero() {
			t.Fatalf("try %d is to be made at %s", i, next)
		}
		if got := ready(a, ofTaints); !slices.Contains(got, "a") {
			t.Fatalf("try %d: %v", i, got)
		}
		a.done(of(ofTaints, "a")[0], false, at)
		a.done(of(ofTaints, "b")[0], true, at)
		next := a.post(of(ofTaints, "a", "b"), at)
		if got := next.Sub(at); got != want {
			t.Fatalf("after failure %d it waits %s, want %s", i+1, got, want)
		}
		if got := ready(a, ofTaints); !slices.Equal(got, []string{"b"}) {
			t.Fatalf("while it waits, %v", got)
		}
		a.done(of(ofTaints, "b")[0], true, at)
		if got := ready(a, ofConditions); len(got) > 0 {
			t.Fatal(got)
		}
		at = next
	}
	// A failure of one kind is none of another, and one that is no longer asked for is
	// forgotten.
	a.post(of(ofConditions, "a"), at.Add(-time.Second))
	if got := ready(a, ofConditions); !slices.Equal(got, []string{"a"}) {
		t.Errorf("conditions of %v", got)
	}
	a.done(of(ofConditions, "a")[0], true, at)
	if a.post(of(ofTaints, "a"), at.Add(-time.Second)); len(a.failed) > 0 {
		t.Errorf("%v", a.failed)
	}
}

func TestAgendaWaitsAndCloses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAgenda()
		got := make(chan string)
		for range 2 {
			go func() {
				t, ok := a.take(ofTaints, func(t *task) bool { t.unsure = true; return true })
				if !ok {
					got <- "closed"
					return
				}
				got <- t.node + map[bool]string{true: " begun"}[t.unsure]
			}()
		}
		synctest.Wait()
		a.post(of(ofTaints, "a"), now)
		if g := <-got; g != "a begun" {
			t.Error(g)
		}
		a.close()
		if g := <-got; g != "closed" {
			t.Error(g)
		}
	})
}
