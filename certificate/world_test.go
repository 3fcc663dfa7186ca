package certificate

import (
	"crypto/sha256"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// world is a cluster: what is stored, two API servers that learn of a bundle later, three
// replicas that get a certificate later still, and two that both believe to lead.
type world struct {
	t    *testing.T
	rand *rand.Rand
	now  time.Time
	c    Config

	state    State
	versions struct{ ca, serving, bundles int }
	servers  []late[[][]byte]
	replicas []late[[]byte]
	leaders  []*leader
	log      []string
	accepted map[[sha256.Size]byte]time.Time
}

// late is somebody who learns of each value within some time, and of none out of turn.
type late[T any] struct {
	has   T
	comes []arrival[T]
}

type arrival[T any] struct {
	at    time.Time
	value T
}

func (l *late[T]) send(v T, at time.Time) {
	if n := len(l.comes); n > 0 && at.Before(l.comes[n-1].at) {
		at = l.comes[n-1].at
	}
	l.comes = append(l.comes, arrival[T]{at, v})
}

func (l *late[T]) pass(now time.Time) {
	for len(l.comes) > 0 && !l.comes[0].at.After(now) {
		l.has, l.comes = l.comes[0].value, l.comes[1:]
	}
}

// leader has read, and may write some time later, or never.
type leader struct {
	memory   Memory
	read     State
	versions struct{ ca, serving, bundles int }
	pending  *Change
	action   Action
}

func (w *world) advance(d time.Duration) {
	w.now = w.now.Add(d)
	for i := range w.servers {
		w.servers[i].pass(w.now)
	}
	for i := range w.replicas {
		w.replicas[i].pass(w.now)
	}
	w.verify()
}

// verify holds that each API server accepts what any replica serves.
func (w *world) verify() {
	for i := range w.servers {
		for j := range w.replicas {
			for k, bundle := range w.servers[i].has {
				if served := w.replicas[j].has; len(bundle) > 0 && len(served) > 0 {
					if err := w.accepts(bundle, served); err != nil {
						w.t.Fatalf("API server %d refuses replica %d by bundle %d: %v\n%s", i, j, k, err, w.tail())
					}
				}
			}
		}
	}
}

// accepts checks a certificate, and remembers that it was good: it takes no signature to
// see that it still is.
func (w *world) accepts(bundle, served []byte) error {
	pair := sha256.Sum256(slices.Concat(bundle, []byte("serves"), served))
	if until, known := w.accepted[pair]; known && w.now.Before(until) {
		return nil
	}
	if err := verify(bundle, served, w.now, w.c.Names[0]); err != nil {
		return err
	}
	until := readAll(served)[0].NotAfter
	for _, a := range readAuthorities(bundle) {
		if a.NotAfter.Before(until) {
			until = a.NotAfter
		}
	}
	w.accepted[pair] = until
	return nil
}

func (w *world) tail() (text string) {
	for _, line := range w.log[max(0, len(w.log)-30):] {
		text += line + "\n"
	}
	return text
}

func (w *world) say(format string, args ...any) {
	w.log = append(w.log, w.now.Format(time.DateTime)+" "+fmt.Sprintf(format, args...))
}

// look is the first half of a leader's turn: it reads and decides.
func (w *world) look(l *leader) {
	l.read, l.versions, l.pending = w.state, w.versions, nil
	step := Plan(l.read, l.memory.Note(l.read, w.now), w.c, w.now)
	if step.Action == None {
		return
	}
	change, err := Carry(step.Action, l.read, w.c, w.now)
	if err != nil {
		w.t.Fatalf("%v\n%s", err, w.tail())
	}
	l.pending, l.action = &change, step.Action
}

// write is the other half: it is refused where somebody has written in between.
func (w *world) write(l *leader) {
	change := l.pending
	l.pending = nil
	switch {
	case change == nil:
	case change.CA != nil:
		if l.versions.ca == w.versions.ca {
			w.say("%s", l.action)
			w.setCA(change.CA)
		}
	case change.Serving != nil:
		if l.versions.serving == w.versions.serving {
			w.say("%s", l.action)
			w.setServing(change.Serving)
		}
	case change.Bundle != nil:
		if l.versions.bundles == w.versions.bundles {
			w.say("%s", l.action)
			bundles := slices.Clone(w.state.Bundles)
			// Of two configurations, a leader may write one and end.
			for i := range bundles {
				if i == 0 || w.rand.IntN(8) > 0 {
					bundles[i] = change.Bundle
				}
			}
			w.setBundles(bundles)
		}
	}
}

func (w *world) setCA(data map[string][]byte) {
	w.state.CA = data
	w.versions.ca++
}

func (w *world) setServing(data map[string][]byte) {
	w.state.Serving = data
	w.versions.serving++
	if _, err := readPair(data); err != nil {
		return // no replica takes what does not fit
	}
	for i := range w.replicas {
		w.replicas[i].send(data[CertKey], w.now.Add(w.upTo(w.c.Overlap)))
	}
}

func (w *world) setBundles(bundles [][]byte) {
	w.state.Bundles = bundles
	w.versions.bundles++
	for i := range w.servers {
		w.servers[i].send(bundles, w.now.Add(w.upTo(w.c.Settle)))
	}
}

func (w *world) upTo(d time.Duration) time.Duration { return time.Duration(w.rand.Int64N(int64(d))) }

// damage is done by hands: of what replicas serve, nobody takes anything out of a bundle.
func (w *world) damage() {
	spoil := func(data map[string][]byte, key string) map[string][]byte {
		data = maps.Clone(data)
		if data != nil {
			data[key] = []byte("spoilt")
		}
		return data
	}
	switch n := w.rand.IntN(6); n {
	case 0:
		w.say("the authority is deleted")
		w.setCA(nil)
	case 1:
		w.say("the serving certificate is deleted")
		w.setServing(nil)
	case 2, 3:
		key := []string{CertKey, PrivateKey}[n-2]
		w.say("the authority's %s is spoilt", key)
		w.setCA(spoil(w.state.CA, key))
	case 4, 5:
		key := []string{CertKey, PrivateKey}[n-4]
		w.say("the serving %s is spoilt", key)
		w.setServing(spoil(w.state.Serving, key))
	}
}

// sleep is time in which no leader does anything, as long as nothing expires by it.
func (w *world) sleep() {
	d := w.upTo(70 * day)
	end := w.now.Add(d + 12*time.Hour)
	for _, r := range w.replicas {
		if len(r.has) > 0 && valid(readAll(r.has)[0], end) != nil {
			return
		}
	}
	authority, serving := w.state.Expiry()
	if end.After(authority) || end.After(serving) {
		return
	}
	w.say("%s pass", d.Round(time.Hour))
	w.advance(d)
}

func (w *world) turn() {
	l := w.leaders[w.rand.IntN(len(w.leaders))]
	switch n := w.rand.IntN(100); {
	case n < 35:
		w.look(l)
	case n < 70:
		w.write(l)
	case n < 73:
		w.say("a leader crashes")
		*l = leader{}
	case n < 74:
		w.damage()
	case n < 77:
		w.sleep()
	case n < 79: // a replica that starts anew has what is stored
		if _, err := readPair(w.state.Serving); err == nil {
			r := &w.replicas[w.rand.IntN(len(w.replicas))]
			r.has, r.comes = w.state.Serving[CertKey], nil
		}
	default:
		w.advance(w.upTo(30 * time.Second))
	}
	w.verify()
}

// Whatever leaders do at the same time, wherever they end, and however much time passes:
// every API server accepts what every replica serves, and in the end all is settled.
func TestEveryReplicaIsAccepted(t *testing.T) {
	runs := 20
	if testing.Short() {
		runs = 5
	}
	made := map[string]int{}
	for seed := range uint64(runs) {
		w := &world{t: t, rand: rand.New(rand.NewPCG(seed, 0)), now: began, c: config, servers: make([]late[[][]byte], 2), replicas: make([]late[[]byte], 3), leaders: []*leader{{}, {}}, accepted: map[[sha256.Size]byte]time.Time{}}
		w.c.Overlap = 3 * time.Minute
		w.c.CALifetime = 400 * day // so that it is renewed in a run, too
		w.state.Bundles = make([][]byte, 3)
		for range 1000 {
			w.turn()
		}
		for _, l := range w.leaders { // what was begun is written
			w.write(l)
		}
		for range 100 {
			w.look(w.leaders[0])
			w.write(w.leaders[0])
			w.advance(5 * time.Second)
		}
		if step := Plan(w.state, long, w.c, w.now); step != (Step{}) {
			t.Fatalf("seed %d: it does not settle: %v\n%s", seed, step, w.tail())
		}
		for _, line := range w.log {
			made[line[len(time.DateTime)+1:]]++
		}
	}
	for _, a := range []Action{MakeCA, Inject, Issue, Prune} {
		if made[a.String()] < runs {
			t.Errorf("%s was done %d times in %d runs: nothing is shown by that", a, made[a.String()], runs)
		}
	}
}
