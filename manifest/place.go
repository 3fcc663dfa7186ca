package manifest

import (
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// place is where a document stands in a file, by which lines are found. It is parsed once more when the
// first line is asked for: most runs ask for none.
type place struct {
	file   string
	text   []byte // nil where no line within is known
	line   int    // of the first byte of text in the file, from 0
	root   *yaml.Node
	parsed bool
}

// File is the name of the file that the object was read from, "-" for standard input.
func (o *Object) File() string {
	if o.place == nil {
		return ""
	}
	return o.place.file
}

// Line is the line of the file, from 1, at which a field of the object stands, such as
// "spec.containers[0].image"; of a field that is not there, that of what it would stand in.
// Where a document is a sequence of JSON values it is the first line of that. 0 is for an
// object that was not read from a file.
func (o *Object) Line(path string) int {
	p := o.place
	if p == nil {
		return 0
	}
	if !p.parsed {
		p.parsed = true
		var root yaml.Node
		if err := yaml.Unmarshal(p.text, &root); err == nil && len(root.Content) > 0 {
			p.root = root.Content[0]
		}
	}
	if p.root == nil {
		return p.line + 1
	}
	return p.line + find(p.root, append(elements(o.Source), steps(path)...))
}

// elements are the steps from a document to the element of lists that a source names, as
// "all.yaml#0[2][1]".
func elements(source string) (path []string) {
	_, after, _ := strings.Cut(source[strings.LastIndexByte(source, '#')+1:], "[")
	for after != "" {
		var index string
		index, after, _ = strings.Cut(after, "]")
		path = append(path, "items", index)
		after = strings.TrimPrefix(after, "[")
	}
	return path
}

// steps are the names and indices of a path. What is in brackets may have dots.
func steps(path string) (all []string) {
	for path != "" {
		if rest, ok := strings.CutPrefix(path, "["); ok {
			index, after, _ := strings.Cut(rest, "]")
			all, path = append(all, strings.Trim(index, `"'`)), strings.TrimPrefix(after, ".")
			continue
		}
		end := strings.IndexAny(path, ".[")
		if end < 0 {
			return append(all, path)
		}
		all, path = append(all, path[:end]), strings.TrimPrefix(path[end:], ".")
	}
	return all
}

// find is the line of the last node on the way that is there: of a field, that of its name.
func find(n *yaml.Node, way []string) int {
	line := n.Line
	for _, step := range way {
		for n.Kind == yaml.AliasNode {
			n = n.Alias
		}
		next, at := child(n, step)
		if next == nil {
			return line
		}
		n, line = next, at
	}
	return line
}

func child(n *yaml.Node, step string) (next *yaml.Node, line int) {
	switch n.Kind {
	case yaml.MappingNode:
		for i := 0; i+1 < len(n.Content); i += 2 {
			if n.Content[i].Value == step {
				return n.Content[i+1], n.Content[i].Line
			}
		}
	case yaml.SequenceNode:
		if i, err := strconv.Atoi(step); err == nil && i >= 0 && i < len(n.Content) {
			return n.Content[i], n.Content[i].Line
		}
	default: // a scalar has no children
	}
	return nil, 0
}
