package main

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/hardgate-dev/hardgate/manifest"
)

// stored is one of hardgate's own resources with the place where it was read.
type stored[T any] struct {
	source string
	value  *T
}

// readResources reads the resources of one kind in the files of a flag, which hold nothing
// else. It goes on after an error to name them all, and returns nothing then: what is half
// understood means something else than was meant. read says all that is wrong with one, name
// is what it is called.
func readResources[T any](flag, kind string, files []string, stdin io.Reader, read func([]byte) (*T, error), name func(*T) string) ([]stored[T], error) {
	set, errs := manifest.Load(files, stdin)
	bad := func(source string, err error) {
		errs = append(errs, &manifest.Error{Source: source, Err: err})
	}
	var all []stored[T]
	named := map[string]string{} // where each name was met
	for _, object := range set.Objects {
		if object.Kind != kind {
			bad(object.Source, fmt.Errorf("%s where %s should be", article(object.Kind), article(kind)))
			continue
		}
		r, err := read(object.JSON)
		if err != nil {
			for _, e := range flatten(err) {
				bad(object.Source, manifest.Reword(e))
			}
			continue
		}
		if name(r) == "" { // the API server would refuse it
			bad(object.Source, errors.New("metadata.name: say how it is called"))
			continue
		}
		if before, twice := named[name(r)]; twice {
			bad(object.Source, fmt.Errorf("%s %q is in %s already", kind, name(r), before))
		}
		named[name(r)] = object.Source
		all = append(all, stored[T]{object.Source, r})
	}
	if len(all) == 0 && len(errs) == 0 {
		errs = append(errs, fmt.Errorf("%s: no %s in the input", flag, kind))
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	return all, nil
}

func article(kind string) string {
	if strings.IndexAny(kind, "AEIO") == 0 { // a UserGroup
		return "an " + kind
	}
	return "a " + kind
}
