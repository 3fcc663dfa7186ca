package control

import "fmt"

// Lang is a language that the catalogue speaks.
type Lang string

// The languages of the catalogue.
const (
	English Lang = "en"
	Korean  Lang = "ko"
)

// ParseLang accepts "en" and "ko". The error names both.
func ParseLang(s string) (Lang, error) {
	switch l := Lang(s); l {
	case English, Korean:
		return l, nil
	}
	return "", fmt.Errorf("unknown language %q: use en or ko", s)
}

// Text is one piece of prose in every language of the catalogue.
type Text struct {
	EN string `json:"en"`
	KO string `json:"ko"`
}

// In returns the text in the language asked for; English where it is unknown.
func (t Text) In(l Lang) string {
	if l == Korean {
		return t.KO
	}
	return t.EN
}
