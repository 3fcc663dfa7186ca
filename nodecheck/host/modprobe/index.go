package modprobe

import (
	"bytes"
	"hash/maphash"
)

// factor of the hash is random, so that no file can be made to collide.
var factor = maphash.String(maphash.MakeSeed(), "factor") | 1

// nameBuf holds a module's name; longer ones are none.
type nameBuf [64]byte

// index notes where the names are.
func (l *list) index() {
	const shortLine = 64
	size := 16
	for size < 2*len(l.data)/shortLine {
		size *= 2
	}
	for !l.fill(size) {
		size *= 2
	}
}

// fill makes an index of some size, a power of two; false if that is too small.
func (l *list) fill(size int) bool {
	l.names = make([]uint32, size)
	var buf, other nameBuf
	room := size / 2
	for start := 0; start < len(l.data); {
		end := bytes.IndexByte(l.data[start:], '\n')
		if end < 0 {
			end = len(l.data) - start
		}
		if l.add(start+base(l.data[start:start+end]), &buf, &other) {
			if room--; room < 0 {
				return false
			}
		}
		start += end + 1
	}
	return true
}

// base is where the name of the file begins that a line begins with.
func base(line []byte) int {
	if colon := bytes.IndexByte(line, ':'); colon >= 0 {
		line = line[:colon]
	}
	return bytes.LastIndexByte(line, '/') + 1
}

// add is whether the name at an offset was not there yet.
func (l *list) add(at int, buf, other *nameBuf) bool {
	name, hash := l.name(at, buf)
	if len(name) == 0 {
		return false
	}
	mask := uint64(len(l.names) - 1)
	for slot := hash & mask; ; slot = (slot + 1) & mask {
		if l.names[slot] == 0 {
			l.names[slot] = uint32(at) + 1
			return true
		}
		if there, _ := l.name(int(l.names[slot])-1, other); bytes.Equal(there, name) {
			return false
		}
	}
}

// name is the module's name at an offset, up to the suffix of the file, with
// underscores for dashes, and its hash.
func (l *list) name(at int, buf *nameBuf) (name []byte, hash uint64) {
	n := 0
	for _, c := range l.data[at:] {
		switch c {
		case '.', ':', '\n', '\r', ' ', '\t':
			return buf[:n], mix(hash)
		case '-':
			c = '_'
		}
		if n == len(buf) {
			return nil, 0
		}
		buf[n] = c
		n++
		hash = (hash + uint64(c)) * factor
	}
	return buf[:n], mix(hash)
}

// mix brings the upper bits, which depend on every byte, down to those of a slot.
func mix(hash uint64) uint64 { return hash>>32 ^ hash }

func hashOf(name string) (hash uint64) {
	for i := range len(name) {
		hash = (hash + uint64(name[i])) * factor
	}
	return mix(hash)
}

// find returns the line of a module, given by its canonical name; 0 if it has none.
func (l *list) find(name string) int {
	var buf nameBuf
	mask := uint64(len(l.names) - 1)
	for slot := hashOf(name) & mask; l.names[slot] != 0; slot = (slot + 1) & mask {
		at := int(l.names[slot]) - 1
		if there, _ := l.name(at, &buf); string(there) == name {
			return bytes.Count(l.data[:at], []byte("\n")) + 1
		}
	}
	return 0
}
