package manifest

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"go.yaml.in/yaml/v3"
)

// unambiguous refuses a document that readers of YAML take for different things.
//
// The library that kubectl uses lets the last of two equal names win, and lets a
// merge override the names that stand before it; others refuse the former and do
// the opposite for the latter. Its strict mode refuses every merge that overrides
// or is overridden, which is what merges are for, so the tree is looked at here.
func unambiguous(text []byte) error {
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	var root, second yaml.Node
	if err := decoder.Decode(&root); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	switch err := decoder.Decode(&second); {
	case err == nil:
		return fmt.Errorf("line %d: a second document that no line break of its own begins", second.Line)
	case !errors.Is(err, io.EOF):
		return err
	}
	return names(&root)
}

// names checks the names of every mapping. What an alias stands for is checked
// where its anchor is.
func names(n *yaml.Node) error {
	if n.Kind == yaml.MappingNode {
		if err := mapping(n); err != nil {
			return err
		}
	}
	for _, child := range n.Content {
		if err := names(child); err != nil {
			return err
		}
	}
	return nil
}

func mapping(n *yaml.Node) error {
	seen := map[string]int{} // the line of each name
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := dereference(n.Content[i])
		if key.ShortTag() == "!!binary" {
			return fmt.Errorf("line %d: a name in base64", n.Content[i].Line)
		}
		if line, twice := seen[key.Value]; twice {
			return fmt.Errorf("line %d: the name %q is given twice, first in line %d", n.Content[i].Line, key.Value, line)
		}
		seen[key.Value] = n.Content[i].Line
		if !isMerge(key) {
			continue
		}
		for name := range merged(n.Content[i+1], map[string]bool{}, map[*yaml.Node]bool{}) {
			if line, given := seen[name]; given && name != key.Value {
				return fmt.Errorf("line %d: the merge brings %q, which line %d gives already: put the merge first", n.Content[i].Line, name, line)
			}
		}
	}
	return nil
}

func isMerge(key *yaml.Node) bool { return key.Kind == yaml.ScalarNode && key.ShortTag() == "!!merge" }

func dereference(n *yaml.Node) *yaml.Node {
	for n.Kind == yaml.AliasNode && n.Alias != nil {
		n = n.Alias
	}
	return n
}

// merged collects the names that the value of a merge brings; met are the nodes
// that have been looked at.
func merged(n *yaml.Node, into map[string]bool, met map[*yaml.Node]bool) map[string]bool {
	n = dereference(n)
	if met[n] {
		return into
	}
	met[n] = true
	switch n.Kind {
	case yaml.SequenceNode:
		for _, element := range n.Content {
			merged(element, into, met)
		}
	case yaml.MappingNode:
		for i := 0; i+1 < len(n.Content); i += 2 {
			key := dereference(n.Content[i])
			if isMerge(key) {
				merged(n.Content[i+1], into, met)
				continue
			}
			into[key.Value] = true
		}
	default: // a merge of anything else brings no names
	}
	return into
}
