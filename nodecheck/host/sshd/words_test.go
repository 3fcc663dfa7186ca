package sshd

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestArguments(t *testing.T) {
	tests := map[string]struct {
		text  string
		want  []string
		wrong bool
	}{
		"words":            {text: "a  b\tc", want: []string{"a", "b", "c"}},
		"comment":          {text: "a #b", want: []string{"a"}},
		"no comment":       {text: "a#b", want: []string{"a#b"}},
		"quotes":           {text: `"a b"'c "d' e`, want: []string{`a bc "d`, "e"}},
		"empty":            {text: `"" a`, want: []string{"", "a"}},
		"escapes":          {text: `a\ b \" \x '\ '`, want: []string{"a b", `"`, `\x`, `\ `}},
		"open quote":       {text: `"a`, wrong: true},
		"escaped at end":   {text: `a\`, want: []string{`a\`}},
		"comment in quote": {text: `"a #b"`, want: []string{"a #b"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := arguments(test.text)
			if diff := cmp.Diff(test.want, got); diff != "" || (err != nil) != test.wrong {
				t.Errorf("error %v, words (-want +got):\n%s", err, diff)
			}
		})
	}
}

func TestWords(t *testing.T) {
	tests := map[string]struct {
		text string
		want []string
	}{
		"blanks":        {text: "a \t b", want: []string{"a", "b"}},
		"equals":        {text: "a=b", want: []string{"a", "b"}},
		"equals apart":  {text: "a = b", want: []string{"a", "b"}},
		"two equals":    {text: "a == b", want: []string{"a", "", "b"}},
		"quoted":        {text: `"a b" c`, want: []string{"a b", "c"}},
		"quoted inside": {text: `a"b c"d`, want: []string{"ab c", "d"}},
		"open quote":    {text: `a "b`, want: []string{"a"}},
		"leading":       {text: " a", want: []string{"", "a"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			w := words{rest: test.text}
			var got []string
			for {
				word, ok := w.next()
				if !ok {
					break
				}
				got = append(got, word)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("words (-want +got):\n%s", diff)
			}
		})
	}
}
