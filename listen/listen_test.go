package listen

import "testing"

func TestDistinct(t *testing.T) {
	for name, c := range map[string]struct {
		health, metrics string
		want            string
	}{
		"two ports":                  {"127.0.0.1:1", "127.0.0.1:2", ""},
		"one port":                   {"127.0.0.1:1", "127.0.0.1:1", "--metrics-listen is 127.0.0.1:1 and --health-listen is 127.0.0.1:1: give each a port of its own"},
		"one port, of all addresses": {":8080", ":8080", "--metrics-listen is :8080 and --health-listen is :8080: give each a port of its own"},
		"one of all addresses":       {"127.0.0.1:1", ":1", "--metrics-listen is :1 and --health-listen is 127.0.0.1:1: give each a port of its own"},
		"written out":                {"0.0.0.0:1", "10.0.0.1:1", "--metrics-listen is 10.0.0.1:1 and --health-listen is 0.0.0.0:1: give each a port of its own"},
		"in the longer form":         {"[::]:1", "10.0.0.1:1", "--metrics-listen is 10.0.0.1:1 and --health-listen is [::]:1: give each a port of its own"},
		"by its name":                {"localhost:1", "127.0.0.1:1", "--metrics-listen is 127.0.0.1:1 and --health-listen is localhost:1: give each a port of its own"},
		"two addresses":              {"127.0.0.1:1", "10.0.0.1:1", ""},
		"two families":               {"127.0.0.1:1", "[::1]:1", ""},
		"both are off":               {"0", "0", ""},
		"neither is given":           {"", "", ""},
		"the kernel chooses":         {"127.0.0.1:0", "127.0.0.1:0", ""},
		"no address":                 {"8080", "8080", ""},
	} {
		got := ""
		if err := Distinct(Flag{"metrics-listen", c.metrics}, Flag{"health-listen", c.health}); err != nil {
			got = err.Error()
		}
		if got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}
