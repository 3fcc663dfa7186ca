package manifest

import "bytes"

// document is one document of a YAML stream as it is written.
type document struct {
	text []byte // from its "---", where it has one, to the next marker
	line int    // of the first byte of text in the file, from 0
}

// split cuts a stream where YAML does: at a line that starts with "---" or "...",
// which no scalar can contain. kubectl cuts at "---" only and then reads the first
// document of each piece, so that what follows "..." is not seen.
func split(stream []byte) []document {
	var all []document
	var current document
	open := false // whether current is a document already, or may turn out to be none
	begin := func(offset, line int) {
		current = document{text: stream[offset:], line: line}
	}
	end := func(offset int) {
		if open {
			current.text = current.text[:len(current.text)-(len(stream)-offset)]
			all = append(all, current)
		}
		open = false
	}
	begin(0, 0)
	for offset, line := 0, 0; offset < len(stream); line++ {
		next := len(stream)
		if i := bytes.IndexByte(stream[offset:], '\n'); i >= 0 {
			next = offset + i + 1
		}
		switch text := stream[offset:next]; {
		case isMarker(text, "---"):
			if open {
				end(offset)
				begin(offset, line)
			} // else directives before it are its own
			open = true
		case isMarker(text, "..."):
			open = open || !isBlank(text[len("..."):])
			end(next)
			begin(next, line+1)
		case !open:
			open = !isPrefix(text)
		}
		offset = next
	}
	end(len(stream))
	return all
}

// isMarker is whether the line starts with a marker that ends there or is
// followed by white space.
func isMarker(line []byte, marker string) bool {
	rest, ok := bytes.CutPrefix(line, []byte(marker))
	return ok && (len(rest) == 0 || bytes.IndexByte([]byte(" \t\r\n"), rest[0]) >= 0)
}

// isPrefix is whether the line may stand before a document without being in it.
func isPrefix(line []byte) bool {
	return isBlank(line) || line[0] == '%' && allBlank(bytes.TrimLeftFunc(line, isNoBreak))
}

// isBlank is whether the line is empty or a comment.
func isBlank(line []byte) bool {
	line = bytes.TrimLeft(line, " \t\r\n")
	return len(line) == 0 || line[0] == '#' && allBlank(line)
}

// allBlank is isBlank where YAML sees several lines: for it a line does not end at
// '\n' only, and what kubectl reads behind a comment must not be missed here.
func allBlank(line []byte) bool {
	for _, part := range bytes.FieldsFunc(line, isBreak) {
		if part = bytes.TrimLeft(part, " \t"); len(part) > 0 && part[0] != '#' {
			return false
		}
	}
	return true
}

// isBreak is whether YAML 1.1 ends a line at the character.
func isBreak(r rune) bool {
	switch r {
	case '\r', '\n', '\u0085', '\u2028', '\u2029':
		return true
	}
	return false
}

func isNoBreak(r rune) bool { return !isBreak(r) }

// body is the text behind the document's "---".
func (d document) body() []byte {
	if isMarker(d.text, "---") {
		return d.text[len("---"):]
	}
	return d.text
}

// empty is whether there is nothing in the document but comments.
func (d document) empty() bool {
	for line := range bytes.Lines(d.body()) {
		if isMarker(line, "...") {
			line = line[len("..."):]
		}
		if !isBlank(line) {
			return false
		}
	}
	return true
}
