package certificate

import (
	"crypto/sha256"
	"slices"
	"time"
)

// Memory is how one leader knows for how long what is stored has been as it is. What it has
// not seen does not count, so that no time has to be stored, nor trusted if it is.
type Memory struct {
	bundles, serving mark
}

// mark is something and since when it is so.
type mark struct {
	is    [sha256.Size]byte
	since time.Time
}

func (m *mark) note(is [sha256.Size]byte, at time.Time) time.Duration {
	if m.since.IsZero() || m.is != is {
		*m = mark{is, at}
	}
	return max(at.Sub(m.since), 0)
}

// Note takes in what was read just now. at is by the leader's own clock, which should be a
// monotonic one.
func (m *Memory) Note(s State, at time.Time) Seen {
	bundles := sha256.New()
	for _, b := range s.Bundles {
		sum := sha256.Sum256(b)
		bundles.Write(sum[:])
	}
	var serving [sha256.Size]byte
	certs, authorities := readAll(s.Serving[CertKey]), readAuthorities(s.CA[CertKey])
	if len(certs) > 0 && len(authorities) > 0 && by(certs[0], authorities[0]) {
		// Which of its certificates is served is no matter.
		serving = sha256.Sum256(slices.Concat([]byte("of "), authorities[0].Raw))
	}
	return Seen{
		Bundles: m.bundles.note([sha256.Size]byte(bundles.Sum(nil)), at),
		Serving: m.serving.note(serving, at),
	}
}
