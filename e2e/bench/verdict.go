package bench

import (
	"fmt"
	"sync"
)

// verdicts remembers what was said of each request, by name.
type verdicts struct {
	mu      sync.Mutex
	allowed map[string]bool
}

// note fails when the same request was judged otherwise before.
func (v *verdicts) note(name string, allowed bool) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	before, known := v.allowed[name]
	if known && before != allowed {
		return fmt.Errorf("%s: allowed %t, before %t", name, allowed, before)
	}
	if !known {
		if v.allowed == nil {
			v.allowed = map[string]bool{}
		}
		v.allowed[name] = allowed
	}
	return nil
}

func (v *verdicts) denied() (denied, all int) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, allowed := range v.allowed {
		if !allowed {
			denied++
		}
	}
	return denied, len(v.allowed)
}
