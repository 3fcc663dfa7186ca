package modprobe

import (
	"bytes"
	"hash/maphash"
)

// seed is random, so that no file can be made to collide.
var seed = maphash.MakeSeed()

// nameBuf holds a module's name; longer ones are none.
type nameBuf [64]byte

// index notes where the names are.
func (l *list) index() {
	size := 16
	for size < 2*(bytes.Count(l.data, []byte("\n"))+1) {
		size *= 2
	}
	l.names = make([]uint32, size)
	var buf, other nameBuf
	for start := 0; start < len(l.data); {
		end := bytes.IndexByte(l.data[start:], '\n')
		if end < 0 {
			end = len(l.data) - start
		}
		l.add(start+base(l.data[start:start+end]), &buf, &other)
		start += end + 1
	}
}

// base is where the name of the file begins that a line begins with.
func base(line []byte) int {
	if colon := bytes.IndexByte(line, ':'); colon >= 0 {
		line = line[:colon]
	}
	return bytes.LastIndexByte(line, '/') + 1
}

func (l *list) add(at int, buf, other *nameBuf) {
	name := l.name(at, buf)
	if len(name) == 0 {
		return
	}
	mask := uint64(len(l.names) - 1)
	for slot := maphash.Bytes(seed, name) & mask; ; slot = (slot + 1) & mask {
		if l.names[slot] == 0 {
			l.names[slot] = uint32(at) + 1
			return
		}
		if bytes.Equal(l.name(int(l.names[slot])-1, other), name) {
			return
		}
	}
}

// name is the module's name at an offset, up to the suffix of the file, with
// underscores for dashes.
func (l *list) name(at int, buf *nameBuf) []byte {
	n := 0
	for _, c := range l.data[at:] {
		switch c {
		case '.', ':', '\n', '\r', ' ', '\t':
			return buf[:n]
		case '-':
			c = '_'
		}
		if n == len(buf) {
			return nil
		}
		buf[n] = c
		n++
	}
	return buf[:n]
}

// find returns the line of a module, given by its canonical name; 0 if it has none.
func (l *list) find(name string) int {
	var buf nameBuf
	mask := uint64(len(l.names) - 1)
	for slot := maphash.String(seed, name) & mask; l.names[slot] != 0; slot = (slot + 1) & mask {
		at := int(l.names[slot]) - 1
		if string(l.name(at, &buf)) == name {
			return bytes.Count(l.data[:at], []byte("\n")) + 1
		}
	}
	return 0
}
