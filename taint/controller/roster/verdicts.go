package roster

import (
	"runtime"
	"sync"
	"weak"

	"github.com/hardgate-dev/hardgate/control"
)

// verdicts are what a report says of each control. Reports that say the same share
// them: of thousands of nodes most do.
type verdicts struct{ of map[control.ID]control.Status }

// digests finds verdicts that are in use by what they say.
type digests struct {
	mu    sync.Mutex
	known map[string]weak.Pointer[verdicts]
}

// statuses are those that reports have. The index of one, and of no entry, is its
// digest.
var statuses = []control.Status{
	"", control.Pass, control.Fail, control.NotApplicable, control.ByHand, control.Unknown, control.Exempt, control.AttestedBy,
}

// places are the controls of nodes: no policy knows any others, and a node may claim
// whatever it likes.
var places = sync.OnceValue(func() map[control.ID]int {
	at := map[control.ID]int{}
	for _, c := range control.All() {
		if c.Face == control.Node {
			at[c.ID] = len(at)
		}
	}
	return at
})

// share returns the verdicts of a report.
func (d *digests) share(results []NodeResult) *verdicts {
	at := places()
	digest := make([]byte, len(at))
	for _, r := range results {
		i, known := at[control.ID(r.Control)]
		if !known {
			continue
		}
		digest[i] = byte(statusIndex(r.Status))
	}
	key := string(digest)
	d.mu.Lock()
	defer d.mu.Unlock()
	if v := d.known[key].Value(); v != nil {
		return v
	}
	v := &verdicts{of: map[control.ID]control.Status{}}
	for id, i := range at {
		if digest[i] > 0 {
			v.of[id] = statuses[digest[i]]
		}
	}
	if d.known == nil {
		d.known = map[string]weak.Pointer[verdicts]{}
	}
	d.known[key] = weak.Make(v)
	runtime.AddCleanup(v, d.forget, key)
	return v
}

// forget drops verdicts that no report has any more, unless others that say the same
// have taken their place.
func (d *digests) forget(key string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.known[key].Value() == nil {
		delete(d.known, key)
	}
}

// statusIndex is the place of a status; one that is not known is Unknown.
func statusIndex(s string) int {
	unknown := 0
	for i, known := range statuses {
		if s != "" && string(known) == s {
			return i
		}
		if known == control.Unknown {
			unknown = i
		}
	}
	return unknown
}
