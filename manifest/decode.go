package manifest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"sigs.k8s.io/yaml"

	"github.com/hardgate-dev/hardgate/webhook/scan"
)

// MaxSize is how much of one file is read, in bytes: 100 MiB. A larger file is an
// error, as it can be no manifest.
const MaxSize = 100 << 20

// Read reads one manifest. name is what sources call it.
func Read(r io.Reader, name string) (*Set, []error) {
	s := &Set{}
	return s, reader{Set: s, name: name}.read(r)
}

// reader reads one manifest into a Set.
type reader struct {
	*Set
	name string
	// walked is whether the manifest was found in a directory, where kustomize's
	// own files may stand beside it.
	walked bool
	place  *place // of the document that is read
}

func (r reader) read(from io.Reader) (errs []error) {
	r.Files++
	stream, err := io.ReadAll(io.LimitReader(from, MaxSize+1))
	if err != nil {
		return []error{at(r.name, "%w", bare(err))}
	}
	if stream, err = text(stream); err != nil {
		return []error{at(r.name, "%w", err)}
	}
	number := 0
	for _, d := range split(stream) {
		if d.empty() {
			number++
			continue
		}
		values, err := d.values()
		r.place = &place{file: r.name, text: d.text, line: d.line}
		if len(values) > 1 {
			r.place.text = nil // no parser of YAML reads it
		}
		for _, value := range values {
			source := r.name + "#" + strconv.Itoa(number)
			number++
			if string(value) == "null" {
				continue
			}
			r.Documents++
			errs = append(errs, r.add(source, value)...)
		}
		if err != nil {
			r.Documents++
			errs = append(errs, at(r.name+"#"+strconv.Itoa(number), "%w%s", err, hint(r.name, d.text)))
			number++
		}
	}
	return errs
}

// text refuses what is no text, and drops the byte order mark of UTF-8.
func text(stream []byte) ([]byte, error) {
	switch {
	case len(stream) > MaxSize:
		return nil, fmt.Errorf("larger than %d MiB", MaxSize>>20)
	case bytes.HasPrefix(stream, []byte("\xff\xfe")), bytes.HasPrefix(stream, []byte("\xfe\xff")):
		return nil, errors.New("the file is in UTF-16: save it as UTF-8")
	case !utf8.Valid(stream), bytes.IndexByte(stream, 0) >= 0:
		return nil, errors.New("not a text file in UTF-8")
	}
	return bytes.TrimPrefix(stream, []byte("\ufeff")), nil
}

// values returns the document as JSON: one value, or more where it is a sequence
// of JSON values. The values before an error are returned with it.
func (d document) values() ([][]byte, error) {
	body := bytes.TrimLeft(d.body(), " \t\r\n")
	if len(body) == 0 || body[0] != '{' && body[0] != '[' {
		value, err := d.yaml()
		return one(value), err
	}
	values, jsonErr := jsonValues(d.text, len(d.text)-len(body), d.line)
	if jsonErr == nil {
		return values, nil
	}
	// YAML has braces too.
	value, err := d.yaml()
	if err == nil {
		return one(value), nil
	}
	if looksLikeJSON(body) {
		return values, jsonErr
	}
	return nil, err
}

func one(value []byte) [][]byte {
	if value == nil {
		return nil
	}
	return [][]byte{value}
}

// looksLikeJSON is whether a text in braces is rather JSON than YAML: what follows
// the first bracket is a quote, a brace or a bracket.
func looksLikeJSON(body []byte) bool {
	rest := bytes.TrimLeft(body[1:], " \t\r\n")
	return len(rest) > 0 && strings.IndexByte(`"{}[]`, rest[0]) >= 0 && !bytes.HasPrefix(body, []byte("{{"))
}

// jsonValues reads JSON values one after the other, from an offset of text on.
func jsonValues(text []byte, offset, line int) (values [][]byte, err error) {
	s := scan.New(text[offset:])
	for s.End() != nil {
		value, err := s.Raw()
		if err != nil {
			if syntax, ok := errors.AsType[*scan.SyntaxError](err); ok {
				line += 1 + bytes.Count(text[:min(offset+syntax.Offset, len(text))], []byte("\n"))
				err = fmt.Errorf("line %d: %s", line, syntax.Msg)
			}
			return values, err
		}
		values = append(values, value)
	}
	return values, nil
}

// yaml converts the document as kubectl does, and refuses what kubectl lets pass
// although readers disagree about it.
func (d document) yaml() ([]byte, error) {
	value, err := yaml.YAMLToJSON(d.text)
	if err == nil {
		err = unambiguous(d.text)
	}
	if err != nil {
		return nil, inFile(err, d.line)
	}
	return value, nil
}

var lineNumber = regexp.MustCompile(`\bline (\d+)\b`)

// inFile rewords an error of the YAML library, which counts lines from the start
// of the document.
func inFile(err error, line int) error {
	msg := strings.TrimPrefix(err.Error(), "yaml: ")
	msg = lineNumber.ReplaceAllStringFunc(msg, func(found string) string {
		n, _ := strconv.Atoi(found[len("line "):])
		return "line " + strconv.Itoa(n+line)
	})
	return errors.New(strings.ReplaceAll(msg, "\n", " "))
}
