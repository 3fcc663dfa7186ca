package manifest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/hardgate-dev/hardgate/webhook/scan"
)

// head is what tells an object from a list.
type head struct {
	apiVersion, kind       string
	hasAPIVersion, hasKind bool
	items                  []byte // as written; nil when absent
}

func readHead(value []byte) (head, error) {
	var h head
	s := scan.New(value)
	present, err := s.Object(func(name []byte) (err error) {
		field := string(name)
		switch field {
		case "apiVersion":
			h.hasAPIVersion = true
			h.apiVersion, err = s.String()
		case "kind":
			h.hasKind = true
			h.kind, err = s.String()
		case "items":
			h.items, err = s.Raw()
		default:
			return s.Skip()
		}
		if err != nil {
			return fmt.Errorf("%s: %w", field, err)
		}
		return nil
	})
	if err == nil && !present {
		err = errors.New("null where an object should be")
	}
	return h, err
}

// add takes the value apart, which is an object or a list, and keeps its objects.
func (r reader) add(source string, value []byte) []error {
	return r.addAs(source, value, head{})
}

// addAs is add for an element of a list; what it does not say of itself it has
// from typed, the kind that the list is for.
func (r reader) addAs(source string, value []byte, typed head) []error {
	h, err := readHead(value)
	if err != nil {
		return []error{&Error{Source: source, Err: Reword(err)}}
	}
	value = h.complete(value, typed)
	isList := h.kind == "List" && h.apiVersion == "v1" || strings.HasSuffix(h.kind, "List") && h.items != nil
	switch {
	case isKustomization(h, r.name):
		if !r.walked {
			return []error{at(source, "a kustomization is no object of a cluster%s", kustomizeHint)}
		}
		r.Notes = append(r.Notes, source+": a kustomization, passed over"+kustomizeHint)
		return nil
	case h.apiVersion == "" || h.kind == "":
		return []error{at(source, "apiVersion and kind are not both set%s", chartHint(r.name))}
	case isList:
		return r.addItems(source, h)
	case h.items != nil && string(h.items) != "null":
		return []error{at(source, "the %s has items: kubectl would take it for a list", h.kind)}
	}
	r.Objects = append(r.Objects, Object{Source: source, APIVersion: h.apiVersion, Kind: h.kind, JSON: value, place: r.place})
	return nil
}

// complete gives h, and the object that it heads, apiVersion and kind when it has
// neither, as kubectl does.
func (h *head) complete(value []byte, typed head) []byte {
	if h.hasAPIVersion || h.hasKind || typed.kind == "" {
		return value
	}
	h.apiVersion, h.kind = typed.apiVersion, typed.kind
	names := `{"apiVersion":` + quote(h.apiVersion) + `,"kind":` + quote(h.kind)
	rest := bytes.TrimLeft(value[1:], " \t\r\n")
	if !bytes.HasPrefix(rest, []byte("}")) {
		names += ","
	}
	return append([]byte(names), rest...)
}

// addItems adds the elements of a list. A list that is not there is empty.
func (r reader) addItems(source string, h head) (errs []error) {
	if h.items == nil {
		return nil
	}
	typed := head{apiVersion: h.apiVersion, kind: strings.TrimSuffix(h.kind, "List")}
	if typed.kind == "" {
		typed = head{} // kind List says nothing of its elements
	}
	items := scan.New(h.items)
	err := items.List(func(i int) error {
		element, err := items.Raw()
		if err == nil {
			errs = append(errs, r.addAs(source+"["+strconv.Itoa(i)+"]", element, typed)...)
		}
		return err
	})
	if err != nil {
		errs = append(errs, at(source, "items: %w", Reword(err)))
	}
	return errs
}

// quote writes a string as JSON does.
func quote(s string) string {
	quoted, err := json.Marshal(s)
	if err != nil { // no string is refused
		return `""`
	}
	return string(quoted)
}

// Reword drops the byte offset from an error of package scan: it counts in JSON
// that the user has never seen, made of YAML that may not mean what it looks like.
func Reword(err error) error {
	var syntax *scan.SyntaxError
	if !errors.As(err, &syntax) {
		return err
	}
	return errors.New(strings.Replace(err.Error(), syntax.Error(), syntax.Msg+quoteHint(syntax.Msg), 1))
}
