package host

import (
	"reflect"
	"sync"
	"time"
)

// Kept is what was made of large files of which little is needed, such as a database
// of packages. Hand one to every scan of a node with Provide: what it holds stands as
// long as the file is the same one, of the same size, and nobody wrote to it or
// changed anything else of it. It is for any number of goroutines.
type Kept struct {
	mu      sync.Mutex
	entries map[keptKey]keptEntry
}

type keptKey struct {
	path, of string
	kind     reflect.Type
}

type keptEntry struct {
	identity Identity
	value    any
}

// Identity tells one state of a file from every other.
type Identity struct {
	Device, Inode uint64
	Size          int64
	// Modified and Changed are the times of the content and of anything else.
	Modified, Changed time.Time
}

// identifier is a file system that can tell states of files apart; Root is.
type identifier interface {
	Identify(name string) (Identity, Info, error)
}

// settled is how old a state must be to be kept: file systems write times in steps,
// and a second change within one step leaves the first one's.
const settled = 2 * time.Second

// Derive returns what create makes of a file, from the scan before if the file is the
// same. of says what is made, where several things of one type are made of a file.
// Errors are not kept.
func Derive[T any](h *Host, name, of string, limit int64, create func(*File) (T, error)) (T, error) {
	name = clean(name)
	kept, ok := Provided[*Kept](h)
	files, can := h.fs.(identifier)
	if !ok || !can {
		return derive(h, name, limit, create)
	}
	key := keptKey{path: name, of: of, kind: reflect.TypeFor[T]()}
	before, info, err := files.Identify(name)
	if err != nil {
		return derive(h, name, limit, create) // with the error in the words of ReadFile
	}
	if value, ok := kept.get(key, before); ok {
		h.touch(name, info.Path)
		h.derived[name] = struct{}{}
		return value.(T), nil
	}
	value, err := derive(h, name, limit, create)
	if err != nil {
		return value, err
	}
	after, _, err := files.Identify(name)
	if err == nil && after == before && time.Since(after.Modified) > settled && time.Since(after.Changed) > settled {
		kept.put(key, keptEntry{identity: after, value: value})
	}
	return value, nil
}

func derive[T any](h *Host, name string, limit int64, create func(*File) (T, error)) (T, error) {
	f, err := h.Large(name, limit)
	if err != nil {
		var none T
		return none, err
	}
	return create(f)
}

func (k *Kept) get(key keptKey, identity Identity) (any, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	e, ok := k.entries[key]
	return e.value, ok && e.identity == identity
}

func (k *Kept) put(key keptKey, e keptEntry) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.entries == nil {
		k.entries = map[keptKey]keptEntry{}
	}
	k.entries[key] = e
}
