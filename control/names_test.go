package control

import (
	"encoding/json"
	"testing"
)

func TestNearest(t *testing.T) {
	known := []string{"host-pid", "host-ports", "net-raw"}
	tests := map[string]struct {
		want string
		ok   bool
	}{
		"host-port":  {"host-ports", true},
		"hostpid":    {"host-pid", true},
		"NET_RAW":    {"net-raw", true},
		"net-raw":    {"net-raw", true},
		"rwa":        {"", false},
		"kubernetes": {"", false},
		"":           {"", false},
	}
	for name, tt := range tests {
		if got, ok := Nearest(name, known); got != tt.want || ok != tt.ok {
			t.Errorf("Nearest(%q) = %q, %v, want %q, %v", name, got, ok, tt.want, tt.ok)
		}
	}
	if got, ok := Nearest("x", nil); ok {
		t.Errorf("Nearest among nothing = %q", got)
	}
}

func TestHint(t *testing.T) {
	known := []string{"host-pid", "net-raw"}
	if got, want := Hint("host-pip", known), `, did you mean "host-pid"?`; got != want {
		t.Errorf("Hint() = %q, want %q", got, want)
	}
	if got, want := Hint("zzz", known), ": use one of host-pid, net-raw"; got != want {
		t.Errorf("Hint() = %q, want %q", got, want)
	}
}

func TestEdits(t *testing.T) {
	tests := []struct {
		a, b string
		want int
	}{
		{"", "", 0},
		{"", "abc", 3},
		{"abc", "", 3},
		{"abc", "abc", 0},
		{"kitten", "sitting", 3},
		{"flaw", "lawn", 2},
	}
	for _, tt := range tests {
		if got := edits(tt.a, tt.b); got != tt.want {
			t.Errorf("edits(%q, %q) = %d, want %d", tt.a, tt.b, got, tt.want)
		}
	}
}

func TestModes(t *testing.T) {
	if Off >= Audit || Audit >= Warn || Warn >= Enforce {
		t.Error("the modes are not ordered from the mildest to the strictest")
	}
	for _, m := range []Mode{Off, Audit, Warn, Enforce} {
		if got, err := ParseMode(m.String()); err != nil || got != m {
			t.Errorf("ParseMode(%q) = %v, %v, want the same mode", m, got, err)
		}
	}
	if got, want := Mode(9).String(), "Mode(9)"; got != want {
		t.Errorf("the name of no mode is %q, want %q", got, want)
	}
	bad := map[string]string{
		"enforce": `unknown mode "enforce", did you mean "Enforce"?`,
		"Enfroce": `unknown mode "Enfroce", did you mean "Enforce"?`,
		"":        `unknown mode "": use one of Off, Audit, Warn, Enforce`,
	}
	for in, want := range bad {
		if got, err := ParseMode(in); err == nil || err.Error() != want || got != Off {
			t.Errorf("ParseMode(%q) = %v, %v, want the error %q", in, got, err, want)
		}
	}
}

func TestLanguages(t *testing.T) {
	text := Text{EN: "node", KO: "노드"}
	for in, want := range map[string]string{"en": "node", "ko": "노드"} {
		l, err := ParseLang(in)
		if err != nil {
			t.Errorf("ParseLang(%q): %v", in, err)
		}
		if got := text.In(l); got != want {
			t.Errorf("In(%q) = %q, want %q", l, got, want)
		}
	}
	if got, want := text.In("fr"), "node"; got != want {
		t.Errorf("In an unknown language is %q, want %q", got, want)
	}
	if l, err := ParseLang("kr"); err == nil || err.Error() != `unknown language "kr": use en or ko` || l != "" {
		t.Errorf("ParseLang(kr) = %q, %v", l, err)
	}
}

func TestLevels(t *testing.T) {
	for l, want := range map[Level]string{NoLevel: "", L1: "L1", L2: "L2", 7: ""} {
		if got := l.String(); got != want {
			t.Errorf("Level(%d) = %q, want %q", uint8(l), got, want)
		}
	}
	var l Level
	if err := l.UnmarshalText([]byte("l1")); err == nil || err.Error() != `unknown level "l1": use L1 or L2` {
		t.Errorf("reading l1: %v", err)
	}
}

func TestControlJSON(t *testing.T) {
	for _, id := range []ID{"run-as-root", "mod-cramfs"} {
		want, _ := Get(id)
		text, err := json.Marshal(want)
		if err != nil {
			t.Fatal(err)
		}
		var got Control
		if err := json.Unmarshal(text, &got); err != nil {
			t.Fatalf("reading %s back: %v", text, err)
		}
		if got != want {
			t.Errorf("%s comes back as %+v", text, got)
		}
	}
	text, err := json.Marshal(Control{ID: "a", Face: Node, Kind: Measured, Level: L2, Title: Text{EN: "A", KO: "가"}})
	if err != nil {
		t.Fatal(err)
	}
	want := `{"id":"a","face":"node","kind":"measured","level":"L2","title":{"en":"A","ko":"가"},"why":{"en":"","ko":""},"remedy":{"en":"","ko":""}}`
	if string(text) != want {
		t.Errorf("a control is written as\n%s, want\n%s", text, want)
	}
}

func TestOutranks(t *testing.T) {
	order := []Status{"", NotApplicable, ByHand, Pass, Fail}
	for i, a := range order {
		for j, b := range order {
			if got, want := a.Outranks(b), i > j; got != want {
				t.Errorf("%q outranks %q: %t, want %t", a, b, got, want)
			}
		}
	}
}
