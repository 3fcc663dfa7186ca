package kubelet

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/hardgate-dev/hardgate/nodecheck/host"
)

// document is one configuration file, taken apart but not converted: only what is
// asked for is looked at, so that aliases cannot make it larger than it is.
type document struct {
	file *host.File
	root *yaml.Node
	// exact is whether keys that differ in case only are other keys. Drop-ins are
	// merged as JSON and then decoded without regard to case.
	exact bool
}

// maxDocument bounds a configuration file, in bytes. Those of nodes have a few
// thousand.
const maxDocument = 256 << 10

var (
	errTwice = errors.New("the key is there twice")
	errMerge = errors.New(`the merge key "<<" is not followed`)
	errCase  = errors.New("the key is written in another case")
	errType  = errors.New("the value is of another type")
	errTag   = errors.New("the value has a tag")
	errEmpty = errors.New("the file is empty")
)

// schema is what a configuration file must say it is.
type schema struct{ apiVersion, kind string }

// load reads a configuration file.
func load(h *host.Host, name string, is schema, exact bool) (*document, error) {
	f, err := h.Large(name, maxDocument)
	if err != nil {
		return nil, err
	}
	if err := f.Text(); err != nil {
		return nil, err
	}
	d := &document{file: f, exact: exact}
	fail := func(line int, err error) (*document, error) {
		return nil, &host.Error{Path: f.At(line), Err: fmt.Errorf("%w: %w", host.ErrMalformed, err)}
	}
	// What begins as JSON is read as JSON, and must not be YAML that looks like it.
	if strings.HasPrefix(strings.TrimSpace(string(f.Data)), "{") && !json.Valid(f.Data) {
		return fail(0, errors.New("it begins like JSON and is not"))
	}
	var doc yaml.Node
	if err := yaml.Unmarshal(f.Data, &doc); err != nil {
		return fail(0, errors.New(clip(err.Error())))
	}
	if len(doc.Content) == 0 {
		return fail(0, errEmpty)
	}
	other := fmt.Errorf("it is no %s of %s", is.kind, is.apiVersion)
	if d.root = follow(doc.Content[0]); d.root == nil || d.root.Kind != yaml.MappingNode {
		return fail(0, other)
	}
	for _, want := range [][2]string{{"apiVersion", is.apiVersion}, {"kind", is.kind}} {
		n, err := d.find([]string{want[0]})
		switch {
		case err != nil:
			return nil, err
		case n.node == nil || scalar(n.node) != want[1]:
			return fail(n.line, other)
		}
	}
	return d, nil
}

// place is where a path leads in a document.
type place struct {
	node *yaml.Node // nil where it is absent
	null bool       // whether the node, or one above it, is null
	line int
}

// find walks to a path. An error means that the document does not say one thing.
func (d *document) find(path []string) (place, error) {
	at := place{node: d.root}
	for i, name := range path {
		value, key, err := d.child(at.node, name)
		if err != nil {
			return place{}, d.fail(key, strings.Join(path[:i+1], "."), err)
		}
		if value == nil {
			return place{}, nil
		}
		at = place{node: value, line: key.Line}
		if kindOf(value) == kindNull {
			at.null = true
			return at, nil
		}
		if i < len(path)-1 && value.Kind != yaml.MappingNode {
			return place{}, d.fail(key, strings.Join(path[:i+1], "."), errType)
		}
	}
	return at, nil
}

// child returns the value of a key of a mapping and the key, or nil.
func (d *document) child(mapping *yaml.Node, name string) (value, key *yaml.Node, err error) {
	for i := 0; i+1 < len(mapping.Content); i += 2 {
		k := follow(mapping.Content[i])
		if k == nil || k.Kind != yaml.ScalarNode {
			return nil, mapping, errType
		}
		switch {
		case k.Tag == "!!merge":
			return nil, k, errMerge
		case k.Value == name:
			if key != nil {
				return nil, k, errTwice
			}
			if value = follow(mapping.Content[i+1]); value == nil {
				return nil, k, errType
			}
			key = k
		case !d.exact && strings.EqualFold(k.Value, name):
			return nil, k, errCase
		}
	}
	return value, key, nil
}

func (d *document) fail(at *yaml.Node, path string, err error) error {
	return &host.Error{Path: d.file.At(at.Line), Err: fmt.Errorf("%w: %s: %w", host.ErrMalformed, path, err)}
}

// follow returns what an alias stands for; nil if that does not end.
func follow(n *yaml.Node) *yaml.Node {
	const longest = 10
	for range longest {
		if n == nil || n.Kind != yaml.AliasNode {
			return n
		}
		n = n.Alias
	}
	return nil
}
