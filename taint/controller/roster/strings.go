package roster

import "sync"

// stringPool keeps strings that many objects have in common once: the keys of labels are the
// same on every node, and each object that is decoded brings its own.
type stringPool struct {
	mu    sync.Mutex
	known map[string]string
}

// maxPooled bounds the pool: names of nodes are among the values of labels, and nodes
// come and go.
const maxPooled = 1 << 14

func (p *stringPool) one(s string) string {
	if s == "" {
		return ""
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if known, ok := p.known[s]; ok {
		return known
	}
	if p.known == nil || len(p.known) >= maxPooled {
		p.known = map[string]string{}
	}
	p.known[s] = s
	return s
}

func (p *stringPool) pairs(m map[string]string) map[string]string {
	if len(m) == 0 {
		return nil
	}
	same := make(map[string]string, len(m))
	for k, v := range m {
		same[p.one(k)] = p.one(v)
	}
	return same
}
