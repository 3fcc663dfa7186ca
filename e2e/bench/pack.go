package bench

import (
	"bytes"
	"fmt"
	"slices"

	"github.com/google/pprof/profile"
)

// packLimit is what a packed profile may take, in bytes: it is kept in git.
const packLimit = 90 << 10

// pack merges profiles into one and drops what profile-guided optimisation does
// not ask for: it knows a call by the names of the functions and the line.
func pack(profiles []*profile.Profile, limit int) ([]byte, error) {
	for _, p := range profiles {
		const inlined, function, file, line, column, address = true, true, false, true, false, false
		if err := p.Aggregate(inlined, function, file, line, column, address); err != nil {
			return nil, fmt.Errorf("packing the profile: %w", err)
		}
		for _, m := range p.Mapping {
			m.File = "webhook" // and not where it was built
		}
		for _, s := range p.Sample {
			s.Label, s.NumLabel, s.NumUnit = nil, nil, nil
		}
	}
	merged, err := profile.Merge(profiles)
	if err != nil {
		return nil, fmt.Errorf("packing the profile: %w", err)
	}
	packed, err := encode(merged)
	if err == nil && len(packed) > limit {
		dropRare(merged)
		packed, err = encode(merged.Compact())
	}
	if err == nil && len(packed) > limit {
		err = fmt.Errorf("packing the profile: %d bytes, want at most %d", len(packed), limit)
	}
	return packed, err
}

// dropRare drops stacks that were seen in less than a thousandth of the samples.
func dropRare(p *profile.Profile) {
	var total int64
	for _, s := range p.Sample {
		total += s.Value[0]
	}
	p.Sample = slices.DeleteFunc(p.Sample, func(s *profile.Sample) bool { return s.Value[0]*1000 < total })
}

func encode(p *profile.Profile) ([]byte, error) {
	var b bytes.Buffer
	if err := p.Write(&b); err != nil {
		return nil, fmt.Errorf("packing the profile: %w", err)
	}
	return b.Bytes(), nil
}
