package scan

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
)

// valid is whether Skip and End take the document.
func valid(document string) error {
	s := New([]byte(document))
	if err := s.Skip(); err != nil {
		return err
	}
	return s.End()
}

// corpus are documents of all sorts, seeds of the fuzz tests too.
var corpus = []string{
	``, ` `, "\n", `null`, ` null `, `nul`, `nulll`, `Null`, `true`, `false`, `tru`, `truefalse`, `"`, `""`, `"a"`, `"a`, `'a'`, `a`, "\x00", "\xff", "\ufeff{}",
	`0`, `-0`, `-`, `1`, `01`, `00`, `-01`, `+1`, `1.`, `.1`, `1.5`, `1e5`, `1E+5`, `1e-5`, `1e`, `1e+`, `0x1`, `1_000`, `NaN`, `Infinity`, `9223372036854775807`, `-9223372036854775808`, `9223372036854775808`, `1e400`, `1 2`,
	`{}`, `[]`, `{ }`, `[ ]`, `{`, `[`, `}`, `]`, `{]`, `[}`, `[1]`, `[1,]`, `[,1]`, `[1 2]`, `[1,2`, `{"a"}`, `{"a":}`, `{"a":1,}`, `{,}`, `{"a" 1}`, `{"a":1 "b":2}`, `{a:1}`, `{1:1}`, `{null:1}`, `{"a":1}{}`, `{"a":1},`,
	`{"a":{"a":{"a":[{"a":1}]}}}`, `{"a":1,"b":2}`, `{"a":1,"a":2}`, `{"a":1,"\u0061":2}`, `{"":1,"":2}`, `{"A":1,"a":2}`, `[{"a":1},{"a":1}]`, `{"a":{"b":1},"b":{"a":1,"a":2}}`,
	`{"12345678":1,"12345679":2}`, `{"12345678":1,"12345678":2}`, `{"aaaaaaaaaaaaaaaa":1,"aaaaaaaaaaaaaaaaa":2}`, `{"12345678abc12345678":1,"12345678xyz12345678":2}`,
	`"\n\t\r\b\f\/\\\""`, `"\u00e9\u4e2d\ud83d\ude00"`, `"\u00fa\u00FA\uaFfA\u0f9a\u0A9F"`, `"\u00g0"`, `"\u00G0"`, `"\u00/0"`, `"\u00:0"`, `"\u00@0"`, "\"\\u00`0\"", `"\ud83d"`, `"\ude00\ud83d"`, `"\ud83d\ud83d\ude00"`, `"\ud83dx"`, `"\ud83d\n"`, `"\ud83d\u0041"`, `"\u12"`, `"\u123g"`, `"\x41"`, `"\`, `"\u"`, `"\U0041"`, `"\'"`,
	"\"a\nb\"", "\"a\x00b\"", "\"a\x1fb\"", "\"a\x7fb\"", "\"\xff\"", "\"\xc3\xa9\"", "\"\xed\xa0\x80\"", "{\"\xff\":1,\"\xfe\":2}", `"1234567\"890"`, "\"12345678\n\"", "\"\xff\xff\xff\xff\xff\xff\xff\\n\"",
	`/*c*/1`, `//c`, "#c\n1", "1\v", "1\f", "1\u00a0", "1\x00", "\u2028", "[1\x00]", "{\"a\"\x00:1}",
	strings.Repeat("[", 200) + strings.Repeat("]", 200), strings.Repeat("[", 201) + strings.Repeat("]", 201), strings.Repeat(`{"a":`, 200) + "1" + strings.Repeat("}", 200),
}

func TestSkipIsAsStrictAsEncodingJSON(t *testing.T) {
	for _, document := range corpus {
		compareSkip(t, document)
	}
}

func FuzzSkip(f *testing.F) {
	for _, document := range corpus {
		f.Add(document)
	}
	f.Fuzz(compareSkip)
}

// compareSkip holds Skip against encoding/json, which lets names given twice and
// any depth pass.
func compareSkip(t *testing.T, document string) {
	t.Helper()
	err := valid(document)
	var syntax *SyntaxError
	if err != nil && (!errors.As(err, &syntax) || syntax.Offset < 0 || syntax.Offset > len(document) || syntax.Msg == "") {
		t.Errorf("%q: the error is %#v", document, err)
	}
	if !json.Valid([]byte(document)) {
		if err == nil {
			t.Errorf("%q is taken and is not JSON", document)
		}
		return
	}
	twice, depth := shape(document)
	if want := !twice && depth <= MaxDepth; (err == nil) != want {
		t.Errorf("%q: error %v; a name is given twice: %v; depth %d", document, err, twice, depth)
	}
}

// shape says whether an object of a valid document has a name twice, and how deep
// the document nests. Names are compared as written in UTF-8: encoding/json reads
// all that is not UTF-8 as the same character.
func shape(document string) (twice bool, depth int) {
	type open struct {
		object bool
		name   bool // the next token is a name
		seen   map[string]bool
	}
	var stack []open
	d := json.NewDecoder(strings.NewReader(distinct(document)))
	d.UseNumber()
	value := func() {
		if n := len(stack); n > 0 && stack[n-1].object {
			stack[n-1].name = true
		}
	}
	for {
		token, err := d.Token()
		if err != nil {
			return twice, depth
		}
		top := len(stack) - 1
		switch token := token.(type) {
		case json.Delim:
			switch token {
			case '{', '[':
				stack = append(stack, open{object: token == '{', name: token == '{', seen: map[string]bool{}})
				depth = max(depth, len(stack))
			default:
				stack = stack[:top]
				value()
			}
			continue
		case string:
			if top >= 0 && stack[top].name {
				twice = twice || stack[top].seen[token]
				stack[top].seen[token], stack[top].name = true, false
				continue
			}
		}
		value()
	}
}

// distinct replaces every byte that is not UTF-8 by a character of its own.
func distinct(document string) string {
	var b strings.Builder
	for i, r := range document {
		if r == '\uFFFD' && document[i] != 0xef {
			r = 0xf0000 + rune(document[i])
		}
		b.WriteRune(r)
	}
	return b.String()
}

func FuzzString(f *testing.F) {
	for _, document := range corpus {
		f.Add(document)
	}
	f.Fuzz(compareString)
}

func TestString(t *testing.T) {
	for _, document := range corpus {
		compareString(t, document)
	}
}

// compareString holds String against encoding/json, which makes U+FFFD of what is
// not UTF-8; String refuses it.
func compareString(t *testing.T, document string) {
	t.Helper()
	s := New([]byte(document))
	got, err := s.String()
	if err == nil {
		err = s.End()
	}
	var want any
	wantErr := json.Unmarshal([]byte(document), &want)
	text, isString := want.(string)
	utf8 := distinct(document) == document
	if ok := wantErr == nil && (isString && utf8 || want == nil); (err == nil) != ok {
		t.Errorf("%q: error %v, encoding/json says %v, %v", document, err, want, wantErr)
	}
	if err == nil && got != text {
		t.Errorf("%q is read as %q, want %q", document, got, text)
	}
}

func TestInt(t *testing.T) {
	tests := map[string]struct {
		value int64
		set   bool
		err   string
	}{
		"0":                     {0, true, ""},
		" -0":                   {0, true, ""},
		"-1":                    {-1, true, ""},
		"9223372036854775807":   {math.MaxInt64, true, ""},
		"-9223372036854775808":  {math.MinInt64, true, ""},
		"null":                  {0, false, ""},
		"9223372036854775808":   {0, false, "offset 0: 9223372036854775808 is beyond 64 bits"},
		" -9223372036854775809": {0, false, "offset 1: -9223372036854775809 is beyond 64 bits"},
		"1.0":                   {0, false, "offset 0: 1.0 where a whole number should be"},
		"1e3":                   {0, false, "offset 0: 1e3 where a whole number should be"},
		" 1E3":                  {0, false, "offset 1: 1E3 where a whole number should be"},
		`"1"`:                   {0, false, `offset 0: a string where a number should be`},
		"true":                  {0, false, "offset 0: true where a number should be"},
		"[1]":                   {0, false, "offset 0: a list where a number should be"},
		"":                      {0, false, "offset 0: the document ends where a number should be"},
		"-":                     {0, false, "offset 1: the document ends where a number should be"},
		"nul":                   {0, false, "offset 0: 'n' where a value should be"},
	}
	for document, tt := range tests {
		value, set, err := New([]byte(document)).Int()
		if value != tt.value || set != tt.set || text(err) != tt.err {
			t.Errorf("%q: %d, %v, %v; want %+v", document, value, set, err, tt)
		}
	}
}

func FuzzInt(f *testing.F) {
	for _, document := range corpus {
		f.Add(document)
	}
	f.Fuzz(func(t *testing.T, document string) {
		s := New([]byte(document))
		value, set, err := s.Int()
		if err == nil {
			err = s.End()
		}
		var want *int64
		wantErr := json.Unmarshal([]byte(document), &want)
		if (err == nil) != (wantErr == nil) {
			t.Fatalf("%q: error %v, encoding/json says %v", document, err, wantErr)
		}
		if err == nil && (set != (want != nil) || set && value != *want) {
			t.Errorf("%q: %d, %v; want %v", document, value, set, want)
		}
	})
}

func TestBool(t *testing.T) {
	tests := map[string]struct {
		value, set bool
		err        string
	}{
		"true": {true, true, ""}, "false": {false, true, ""}, "null": {false, false, ""},
		`"true"`: {false, false, `offset 0: a string where true or false should be`},
		"1":      {false, false, "offset 0: a number where true or false should be"},
		"-1":     {false, false, "offset 0: a number where true or false should be"},
		"[]":     {false, false, "offset 0: a list where true or false should be"},
		"yes":    {false, false, "offset 0: 'y' where true or false should be"},
		"{}":     {false, false, "offset 0: an object where true or false should be"},
		"trux":   {true, true, "offset 0: 't' where a value should be"},
	}
	for document, tt := range tests {
		value, set, err := New([]byte(document)).Bool()
		if err == nil && (value != tt.value || set != tt.set) || text(err) != tt.err {
			t.Errorf("%q: %v, %v, %v; want %+v", document, value, set, err, tt)
		}
	}
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func TestErrorsSayWhere(t *testing.T) {
	tests := map[string]string{
		``:                          "offset 0: the document ends where a value should be",
		`  `:                        "offset 2: the document ends where a value should be",
		`{"a":1`:                    `offset 6: the document ends where a comma or "}" should be`,
		`{"a":1]`:                   `offset 6: ']' where a comma or "}" should be`,
		`[1 2]`:                     `offset 3: '2' where a comma or "]" should be`,
		`{"a":1,}`:                  `offset 7: '}' where a name in quotes should be`,
		`{"a" 1}`:                   `offset 5: '1' where a colon should be`,
		`{"a":1,"b":2,"a":3}`:       `offset 16: the name "a" is given twice`,
		`{"a":1,"\u0061":3}`:        `offset 15: the name "a" is given twice`,
		`{"a":{"b":1,"b":2}}`:       `offset 15: the name "b" is given twice`,
		`[0,{"a":[{"c":1,"c":2}]}]`: `offset 19: the name "c" is given twice`,
		"\"a\x01\"":                 "offset 2: a control character in a string",
		`"a\x"`:                     "offset 2: an unknown escape in a string",
		`"a\`:                       "offset 2: the document ends in an escape",
		`"a`:                        "offset 2: the document ends where the end of a string should be",
		`{} {}`:                     "offset 3: '{' where the end should be",
		"1\x00":                     `offset 1: '\x00' where the end should be`,
		`1.x`:                       "offset 2: 'x' where a digit should be",
		strings.Repeat("[", 201):    "offset 200: nested deeper than 200 levels",
	}
	for document, want := range tests {
		if got := text(valid(document)); got != want {
			t.Errorf("%q: %s, want %s", document, got, want)
		}
	}
}

// A million brackets are refused where MaxDepth is passed, by every way down.
func TestDepth(t *testing.T) {
	const million = 1_000_000
	ways := map[string]struct {
		document string
		offset   int
		read     func(*Scanner) error
	}{
		"Skip a list":  {strings.Repeat("[", million), MaxDepth, (*Scanner).Skip},
		"Skip objects": {strings.Repeat(`{"a":`, million), 5 * MaxDepth, (*Scanner).Skip},
		"Raw":          {strings.Repeat("[", million), MaxDepth, func(s *Scanner) error { _, err := s.Raw(); return err }},
		"SkipEmpty":    {strings.Repeat("[", million), MaxDepth, func(s *Scanner) error { _, err := s.SkipEmpty(); return err }},
		"List":         {strings.Repeat("[", million), MaxDepth, lists},
		"Object":       {strings.Repeat(`{"a":`, million), 5 * MaxDepth, objects},
		"Object, Skip": {strings.Repeat(`{"a":[`, million), 3 * MaxDepth, func(s *Scanner) error { _, err := s.Object(func([]byte) error { return s.Skip() }); return err }},
	}
	for name, tt := range ways {
		t.Run(name, func(t *testing.T) {
			err := tt.read(New([]byte(tt.document)))
			var syntax *SyntaxError
			if !errors.As(err, &syntax) || syntax.Offset != tt.offset || syntax.Msg != "nested deeper than 200 levels" {
				t.Errorf("error %v, want offset %d", err, tt.offset)
			}
		})
	}
}

func lists(s *Scanner) error { return s.List(func(int) error { return lists(s) }) }
func objects(s *Scanner) error {
	_, err := s.Object(func([]byte) error { return objects(s) })
	return err
}

// Depth is that of open brackets, not of all that there were.
func TestDepthIsGivenBack(t *testing.T) {
	document := "[" + strings.Repeat("[[]],{\"a\":{}},", 10*MaxDepth) + "0]"
	if err := valid(document); err != nil {
		t.Error(err)
	}
	s := New([]byte(document))
	if err := s.List(func(int) error { return s.Skip() }); err != nil {
		t.Error(err)
	}
}

func manyNamesObject(n int, last string) string {
	var b strings.Builder
	b.WriteString("{")
	for i := range n {
		fmt.Fprintf(&b, `"metadata.example.com/%d":[{"a":1,"b":2}],`, i)
	}
	fmt.Fprintf(&b, "%q:0}", last)
	return b.String()
}

// However many names an object has, a new one is compared with fewer than
// manyNames others; the rest is one look-up.
func TestManyNames(t *testing.T) {
	const n = 10_000
	for _, read := range []func(*Scanner) error{
		(*Scanner).Skip,
		func(s *Scanner) error {
			_, err := s.Object(func([]byte) error {
				if len(s.names) > manyNames {
					t.Fatalf("%d names are to be compared", len(s.names))
				}
				return s.Skip()
			})
			return err
		},
	} {
		s := New([]byte(manyNamesObject(n, "new")))
		if err := read(s); err != nil {
			t.Fatal(err)
		}
		if got := s.names[:cap(s.names)]; len(got) > 2*manyNames {
			t.Errorf("%d names were kept to be compared", len(got))
		}
		for _, i := range []int{0, 1, manyNames - 1, manyNames, manyNames + 1, n - 1} {
			last := fmt.Sprintf("metadata.example.com/%d", i)
			want := fmt.Sprintf("the name %q is given twice", last)
			if err := read(New([]byte(manyNamesObject(n, last)))); err == nil || !strings.HasSuffix(err.Error(), want) {
				t.Errorf("error %v, want: %s", err, want)
			}
		}
	}
}

// The names of one object are not those of the next, nor of the one around it.
func TestNamesOfOneObject(t *testing.T) {
	big := manyNamesObject(2*manyNames, "a")
	document := fmt.Sprintf(`{"a":%s,"b":%s,"metadata.example.com/0":[%s,{"a":1}]}`, big, big, big)
	if err := valid(document); err != nil {
		t.Error(err)
	}
	if err := valid(fmt.Sprintf("[%s,%s,[%s]]", big, big, big)); err != nil {
		t.Error(err)
	}
	s := New([]byte(`{"a":1`))
	_ = s.Skip() // the next document matters
	s.Reset([]byte(`{"a":1}`))
	if err := s.Skip(); err != nil {
		t.Errorf("after Reset: %v", err)
	}
}

// What an error left behind is not there after Reset: Scanners are used again.
func TestResetForgetsLargeObjects(t *testing.T) {
	big := manyNamesObject(2*manyNames, "a")
	s := New([]byte(big[:len(big)-1]))
	if err := s.Skip(); err == nil {
		t.Fatal("an object without its end is taken")
	}
	s.Reset([]byte(big))
	if err := s.Skip(); err != nil {
		t.Errorf("after Reset: %v", err)
	}
	s.Reset([]byte(`{"\u0061":1,"b":{"\u0061":1,"\u0062":2},"c":{"\u0061":1},"\u0064":[{"\u0061":1}],"x"`))
	if err := s.Skip(); err == nil {
		t.Fatal("an object without its end is taken")
	}
	s.Reset([]byte(`{"\u0061":1,"\u0062":{"\u0061":1,"\u0062":2},"c":1}`))
	if err := s.Skip(); err != nil {
		t.Errorf("after Reset: %v", err)
	}
}

// Names that sum confuses are told apart by their bytes.
func TestNamesOfOneSum(t *testing.T) {
	if sum([]byte("12345678abc12345678")) != sum([]byte("12345678xyz12345678")) {
		t.Error("the names have different sums: choose others")
	}
	if err := valid(`{"12345678abc12345678":1,"12345678xyz12345678":2}`); err != nil {
		t.Error(err)
	}
}

// An escape in a name changes nothing.
func TestEscapedNames(t *testing.T) {
	for _, written := range []string{"privileged", `priv\u0069leged`, `\u0070rivileged`, `privilege\u0064`, `\u0070\u0072\u0069\u0076\u0069\u006c\u0065\u0067\u0065\u0064`} {
		s := New([]byte(`{"` + written + `":true}`))
		var names []string
		_, err := s.Object(func(name []byte) error {
			names = append(names, string(name))
			return s.Skip()
		})
		if err != nil || len(names) != 1 || names[0] != "privileged" {
			t.Errorf("%s is read as %q, error %v", written, names, err)
		}
		for _, document := range []string{`{"privileged":false,"` + written + `":true}`, `{"` + written + `":true,"privileged":false}`} {
			if err := valid(document); err == nil || !strings.Contains(err.Error(), `the name "privileged" is given twice`) {
				t.Errorf("%s: error %v", document, err)
			}
		}
	}
}

func TestObjectAndList(t *testing.T) {
	s := New([]byte(` { "a" : [ 1 , null , "x" ] , "b" : null , "c" : { } } `))
	var got []string
	present, err := s.Object(func(name []byte) error {
		switch string(name) {
		case "a":
			return s.List(func(i int) error {
				raw, err := s.Raw()
				got = append(got, fmt.Sprintf("a[%d]=%s", i, raw))
				return err
			})
		case "b":
			null, err := s.Null()
			got = append(got, fmt.Sprintf("b null %v", null))
			return err
		}
		null, err := s.Null()
		got = append(got, fmt.Sprintf("c null %v", null))
		if err != nil {
			return err
		}
		raw, err := s.RawOf(func() error { _, err := s.Object(nil); return err })
		got = append(got, "c="+string(raw))
		return err
	})
	if err != nil || !present || s.End() != nil {
		t.Errorf("present %v, error %v, end %v", present, err, s.End())
	}
	if want := `[a[0]=1 a[1]=null a[2]="x" b null true c null false c={ }]`; fmt.Sprint(got) != want {
		t.Errorf("read %v, want %s", got, want)
	}
	for document, want := range map[string]string{
		"null": "", "[]": `offset 0: a list where an object should be`, `"a"`: `offset 0: a string where an object should be`, "": "offset 0: the document ends where an object should be",
	} {
		present, err := New([]byte(document)).Object(func([]byte) error { return nil })
		if present || text(err) != want {
			t.Errorf("Object of %q: %v, %v, want %q", document, present, err, want)
		}
	}
	for document, want := range map[string]string{
		"null": "", "{}": `offset 0: an object where a list should be`, `1`: `offset 0: a number where a list should be`,
	} {
		if err := New([]byte(document)).List(func(int) error { return nil }); text(err) != want {
			t.Errorf("List of %q: %v, want %q", document, err, want)
		}
	}
}

func TestCallbacksCanStop(t *testing.T) {
	stop := errors.New("stop")
	s := New([]byte(`{"a":1,"b":2}`))
	if _, err := s.Object(func([]byte) error { return stop }); !errors.Is(err, stop) {
		t.Errorf("Object returns %v", err)
	}
	if err := New([]byte(`[1]`)).List(func(int) error { return stop }); !errors.Is(err, stop) {
		t.Errorf("List returns %v", err)
	}
	if _, err := New([]byte(`1`)).RawOf(func() error { return stop }); !errors.Is(err, stop) {
		t.Errorf("RawOf returns %v", err)
	}
}

func TestSkipEmpty(t *testing.T) {
	for document, want := range map[string]bool{
		"null": true, "{}": true, "{ }": true, "[]": true, "[\n]": true,
		"0": false, `""`: false, "false": false, `{"a":null}`: false, "[null]": false, "[[]]": false,
	} {
		if got, err := New([]byte(document)).SkipEmpty(); got != want || err != nil {
			t.Errorf("%q: %v, %v, want %v", document, got, err, want)
		}
	}
	if empty, err := New([]byte("{]")).SkipEmpty(); empty || err == nil {
		t.Errorf("SkipEmpty of {]: %v, %v", empty, err)
	}
}

// Strings are the caller's own, Bytes may be the document's.
func TestStringsAreCopies(t *testing.T) {
	document := []byte(`"abc"`)
	s, err := New(document).String()
	document[1] = 'x'
	if s != "abc" || err != nil {
		t.Errorf("%q, %v", s, err)
	}
}

// Of what is skipped unchecked the end is found, and what comes behind it is checked
// again.
func TestSkipUnchecked(t *testing.T) {
	deep := func(n int) string { return `{"a":` + strings.Repeat("[", n) + strings.Repeat("]", n) + `}` }
	tests := map[string]struct {
		text string
		err  string
	}{
		"names twice":         {`{"a":{"b":1,"b":2,"c\"":3,"c\"":4}}`, ""},
		"nested":              {`{"a":[{"b":{"b":1,"b":2}},[],{}],"c":[1]}`, ""},
		"brackets in strings": {`{"a":{"b]}":"{[\"}","c":"}"},"d":1}`, ""},
		"no bracket":          {`{"a":"b","c":null}`, ""},
		"not JSON":            {`{"a":"b`, "end"},
		"wrong bracket":       {`{"a":{"b":[1}}`, "the other bracket"},
		"open":                {`{"a":{"b":[1]`, "closing bracket"},
		"twice behind it":     {`{"a":{},"b":1,"b":2}`, "given twice"},
		"the name itself":     {`{"a":{},"a":{}}`, "given twice"},
		"control character":   {"{\"a\":{\"b\x01\":1}}", "control character"},
		"bad escape":          {`{"a":{"b\x":1}}`, "escape"},
		"deep":                {deep(MaxDepth - 1), ""},
		"too deep":            {deep(MaxDepth), "deeper"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			s := New([]byte(tt.text))
			_, err := s.Object(func(name []byte) error {
				if string(name) == "a" {
					return s.SkipUnchecked()
				}
				return s.Skip()
			})
			if err == nil {
				err = s.End()
			}
			switch {
			case tt.err == "" && err != nil:
				t.Error(err)
			case tt.err != "" && (err == nil || !strings.Contains(err.Error(), tt.err)):
				t.Errorf("error %v, want %q in it", err, tt.err)
			}
		})
	}
}

// FuzzSkipUnchecked holds that the end it finds is the end that Skip finds.
func FuzzSkipUnchecked(f *testing.F) {
	f.Add(`{"a":[{"b":"]}"}]} 1`)
	f.Add(`[[],{},"\"",1e3] x`)
	f.Fuzz(func(t *testing.T, text string) {
		strict, loose := New([]byte(text)), New([]byte(text))
		if strict.Skip() != nil {
			if loose.SkipUnchecked() == nil && loose.pos > len(text) {
				t.Fatal("beyond the end")
			}
			return
		}
		if err := loose.SkipUnchecked(); err != nil || loose.pos != strict.pos {
			t.Fatalf("ends at %d (%v), Skip at %d", loose.pos, err, strict.pos)
		}
	})
}
