package kubelet

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestNewCommand(t *testing.T) {
	tests := map[string]struct {
		args  string
		flags []flag
		err   string
	}{
		"both forms":                         {args: "--config=/a --kubeconfig /b", flags: []flag{{"config", "/a"}, {"kubeconfig", "/b"}}},
		"a boolean flag takes no argument":   {args: "--anonymous-auth --read-only-port 0", flags: []flag{{"anonymous-auth", "true"}, {"read-only-port", "0"}}},
		"a boolean flag with an argument":    {args: "--anonymous-auth false", err: `/p: malformed: argument 2 is no flag, and nothing starts with it`},
		"underscores":                        {args: "--read_only_port=0 --anonymous_auth", flags: []flag{{"read-only-port", "0"}, {"anonymous-auth", "true"}}},
		"a value with dashes":                {args: "--pod-max-pids -1 --hostname-override --anonymous-auth=false", flags: []flag{{"pod-max-pids", "-1"}, {"hostname-override", "--anonymous-auth=false"}}},
		"an empty value":                     {args: "--config= --kubeconfig=", flags: []flag{{"config", ""}, {"kubeconfig", ""}}},
		"a value with an equals sign":        {args: "--feature-gates=A=true,B=false", flags: []flag{{"feature-gates", "A=true,B=false"}}},
		"verbosity":                          {args: "-v 2 -v=2 -v2 --v=2", flags: []flag{{"v", "2"}}},
		"case counts":                        {args: "--Anonymous-Auth=false", flags: []flag{{"Anonymous-Auth", "false"}}},
		"an unknown flag before a flag":      {args: "--new-thing --read-only-port=0", flags: []flag{{"new-thing", "true"}, {"read-only-port", "0"}}},
		"an unknown flag with a value":       {args: "--new-thing x --read-only-port=0", flags: []flag{{"new-thing", "x"}, {"read-only-port", "0"}}},
		"an unknown flag at the end":         {args: "--new-thing", flags: []flag{{"new-thing", "true"}}},
		"a flag that lacks its value":        {args: "--read-only-port", err: `/p: malformed: "--read-only-port" is a flag without its value, and nothing starts with it`},
		"one dash":                           {args: "-anonymous-auth=false", err: `/p: malformed: argument 1 is no flag, and nothing starts with it`},
		"after two dashes nothing is a flag": {args: "--config=/a -- --anonymous-auth=true", flags: []flag{{"config", "/a"}}, err: `/p: malformed: argument 3 is no flag, and nothing starts with it`},
		"two dashes at the end":              {args: "--config=/a --", flags: []flag{{"config", "/a"}}},
		"three dashes":                       {args: "---config=/a", err: `/p: malformed: argument 1 is no flag, and nothing starts with it`},
		"no name":                            {args: "--=a", err: `/p: malformed: argument 1 is no flag, and nothing starts with it`},
		"a word":                             {args: "run", err: `/p: malformed: argument 1 is no flag, and nothing starts with it`},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			c := newCommand("kubelet", strings.Fields(test.args), "/p")
			err := ""
			if c.err != nil {
				err = c.err.Error()
			}
			if err != test.err {
				t.Errorf("error is %q, want %q", err, test.err)
			}
			if c.err == nil && !slices.Equal(c.flags, test.flags) {
				t.Errorf("flags are %q, want %q", c.flags, test.flags)
			}
		})
	}
}

func TestParse(t *testing.T) {
	tests := map[string]struct {
		kind   kind
		values []string
		want   any
		fails  bool
	}{
		"bool":                 {kind: boolean, values: []string{"true", "F"}, want: false},
		"bool in YAML's words": {kind: boolean, values: []string{"no"}, fails: true},
		"bool, empty":          {kind: boolean, values: []string{""}, fails: true},
		"bool, wrong before":   {kind: boolean, values: []string{"?", "true"}, fails: true},
		"number":               {kind: integer, values: []string{"1", "0x10"}, want: int64(16)},
		"number with a unit":   {kind: integer, values: []string{"10s"}, fails: true},
		"time":                 {kind: duration, values: []string{"0"}, want: must(parse([]string{"0s"}, duration))},
		"list, added up":       {kind: list, values: []string{"a,b", "", "c"}, want: []string{"a", "b", "c"}},
		"list with quotes":     {kind: list, values: []string{`"a,b"`}, fails: true},
		"text":                 {kind: text, values: []string{"a", ""}, want: ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := parse(test.values, test.kind)
			if (err != nil) != test.fails {
				t.Errorf("error is %v", err)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func must(v any, _ error) any { return v }

// FuzzNewCommand: what is a flag is found whatever comes before it, and the last one
// counts.
func FuzzNewCommand(f *testing.F) {
	f.Add("--config=/a\x00--anonymous-auth\x00-v\x002")
	f.Add("--\x00--x")
	f.Add("--new\x00-1\x00--read_only_port\x0010255")
	f.Add("--read_only_port")
	f.Fuzz(func(t *testing.T, cmdline string) {
		args := strings.Split(cmdline, "\x00")
		c := newCommand("kubelet", append(args, "--read-only-port=1", "--read-only-port=0"), "/p")
		if c.err != nil {
			return
		}
		if v, ok := c.last("read-only-port"); !ok || v != "0" {
			t.Errorf("the last port is %q, %v in %q", v, ok, c.flags)
		}
		e := effective(c, &layers{})
		// An earlier one that is malformed is an error.
		if v := e.values[ReadOnlyPort.index]; v.Err == nil && v.Int() != 0 {
			t.Errorf("%+v", v)
		}
	})
}
