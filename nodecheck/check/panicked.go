package check

import "bytes"

// panicked finds the line of this project that a panic came from.
func panicked(stack []byte) string {
	lines := bytes.Split(stack, []byte("\n"))
	for i, line := range lines {
		if bytes.HasPrefix(line, []byte("panic(")) {
			lines = lines[i+2:]
			break
		}
	}
	for _, line := range lines {
		if at := bytes.Index(line, []byte("/nodecheck/")); at >= 0 && bytes.HasPrefix(line, []byte("\t")) {
			place, _, _ := bytes.Cut(line[at+1:], []byte(" "))
			return string(place)
		}
	}
	return "an unknown place"
}
