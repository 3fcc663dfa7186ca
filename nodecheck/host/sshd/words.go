package sshd

import (
	"fmt"
	"strings"
)

const blanks = " \t\r\n"

// words takes a line apart as strdelim of OpenSSH does: at blanks, and at one "="
// among them; a quotation is part of the word that it begins in.
type words struct {
	rest string
	done bool // nothing is left, not even an empty word
}

func (w *words) next() (word string, ok bool) {
	if w.done {
		return "", false
	}
	i := strings.IndexAny(w.rest, blanks+`"=`)
	if i < 0 {
		w.done = true
		return w.rest, true
	}
	head, tail := w.rest[:i], w.rest[i+1:]
	if w.rest[i] == '"' {
		quoted, after, closed := strings.Cut(tail, `"`)
		if !closed {
			w.done = true
			return "", false
		}
		w.rest = strings.TrimLeft(after, blanks)
		return head + quoted, true
	}
	equals := w.rest[i] == '='
	tail = strings.TrimLeft(tail, blanks)
	if !equals && strings.HasPrefix(tail, "=") {
		tail = strings.TrimLeft(tail[1:], blanks)
	}
	w.rest = tail
	return head, true
}

// arguments takes what follows a keyword apart, as argv_split of OpenSSH does: as a
// shell would, up to a comment.
func arguments(text string) (list []string, err error) {
	var arg strings.Builder
	for i := 0; i < len(text); {
		switch text[i] {
		case ' ', '\t':
			i++
			continue
		case '#':
			return list, nil
		}
		arg.Reset()
		var quote byte
		for ; i < len(text); i++ {
			c := text[i]
			switch {
			case c == '\\' && i+1 < len(text) && (strings.IndexByte(`'"\`, text[i+1]) >= 0 || quote == 0 && text[i+1] == ' '):
				i++
				arg.WriteByte(text[i])
				continue
			case quote == 0 && (c == '"' || c == '\''):
				quote = c
				continue
			case quote != 0 && c == quote:
				quote = 0
				continue
			}
			if quote == 0 && (c == ' ' || c == '\t') {
				break
			}
			arg.WriteByte(c)
		}
		if quote != 0 {
			return nil, fmt.Errorf("invalid quotes")
		}
		list = append(list, arg.String())
	}
	return list, nil
}

// oldArguments is arguments before OpenSSH 8.7: no comments, no single quotes.
func oldArguments(text string) (list []string, err error) {
	w := words{rest: text}
	for !w.done {
		word, ok := w.next()
		if !ok {
			return nil, fmt.Errorf("invalid quotes")
		}
		if word == "" && w.rest == "" {
			break
		}
		list = append(list, word)
	}
	return list, nil
}
