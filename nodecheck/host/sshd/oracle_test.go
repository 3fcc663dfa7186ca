package sshd

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/hardgate-dev/hardgate/nodecheck/host"
)

// oracle is the real server, asked with -T what it makes of a configuration.
type oracle struct {
	program, key string
	version      Version
}

func newOracle(t *testing.T) oracle {
	t.Helper()
	give := t.Skipf
	if os.Getenv("HARDGATE_ORACLES") == "required" {
		give = t.Fatalf
	}
	var o oracle
	var err error
	if o.program, err = exec.LookPath(program); err != nil {
		give("the tests against OpenSSH need openssh-server: %v", err)
	}
	o.key = filepath.Join(t.TempDir(), "key")
	if out, err := exec.CommandContext(t.Context(), "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", o.key).CombinedOutput(); err != nil {
		give("making a host key: %v\n%s", err, out)
	}
	if os.Getuid() == 0 {
		// The unit makes it; without it root's server does not even test itself.
		if err := os.MkdirAll("/run/sshd", 0o755); err != nil {
			give("making the server's directory: %v", err)
		}
	}
	binary, err := os.ReadFile(o.program)
	if err != nil {
		t.Fatal(err)
	}
	if o.version = embedded(binary); !o.version.Known() {
		t.Fatalf("%s does not say its version", o.program)
	}
	if _, err := o.ask(t, "/dev/null", nil, ""); err != nil {
		give("%s does not run: %v", o.program, err)
	}
	return o
}

// ask returns what the server would run with, or its reason not to.
func (o oracle) ask(t *testing.T, file string, args []string, connection string) (map[string]string, error) {
	t.Helper()
	args = append([]string{"-T", "-f", file, "-h", o.key}, args...)
	if connection != "" {
		args = append(args, "-C", connection)
	}
	cmd := exec.CommandContext(t.Context(), o.program, args...)
	cmd.Dir = "/"
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("%w: %s", err, stderr.String())
	}
	values := map[string]string{}
	for line := range strings.Lines(string(out)) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		key = strings.ToLower(key)
		switch {
		case key == "banner" && value != none:
			value = filepath.Clean(value)
		case key == "permitrootlogin" && value == "without-password":
			value = "prohibit-password"
		}
		values[key] = value
	}
	return values, nil
}

// values is what we make of a configuration for one connection, as -T prints it.
func values(t *testing.T, c *Config, user, addr string) map[string]string {
	t.Helper()
	result := map[string]string{}
	for keyword := range presets {
		s := c.Effective(keyword)
		for _, cond := range c.Conditional(keyword) {
			if holds(t, cond.Match, user, addr) {
				s = cond
				break
			}
		}
		v := s.Value
		switch keyword {
		case "clientaliveinterval", "logingracetime":
			n, ok := Seconds(v)
			if !ok {
				t.Fatalf("%s is %q", keyword, v)
			}
			v = strconv.FormatInt(n, 10)
		case "permitrootlogin":
			if v == "without-password" {
				v = "prohibit-password"
			}
		case "banner":
			if v = BannerPath(v); v == "" {
				v = none
			}
		}
		result[keyword] = v
	}
	list, _, err := c.MACs()
	if err != nil {
		t.Fatal(err)
	}
	result["macs"] = strings.Join(list, ",")
	return result
}

// holds evaluates the criteria that the generator uses.
func holds(t *testing.T, conditions, user, addr string) bool {
	t.Helper()
	words := strings.Fields(strings.ReplaceAll(conditions, " and ", " "))
	for i := 0; i+1 < len(words); i += 2 {
		switch strings.ToLower(words[i]) {
		case "user":
			if user == "" || matchList(user, words[i+1]) != matched {
				return false
			}
		case "address":
			if addr == "" || !netip.MustParsePrefix(words[i+1]).Contains(netip.MustParseAddr(addr)) {
				return false
			}
		default:
			t.Fatalf("a criterion that nobody wrote: %q", conditions)
		}
	}
	return true
}

func dump(dir string) string {
	var b strings.Builder
	names, _ := filepath.Glob(filepath.Join(dir, "*.conf"))
	for _, name := range names {
		data, _ := os.ReadFile(name)
		fmt.Fprintf(&b, "-- %s --\n%q\n", filepath.Base(name), strings.Split(string(data), "\n"))
	}
	return b.String()
}

// TestOracle compares what we read with what the server says of itself, on
// configurations that are random and always the same.
func TestOracle(t *testing.T) {
	o := newOracle(t)
	const rounds = 200
	agreed, refusals := 0, 0
	for seed := range uint64(rounds) {
		g := generator{Rand: rand.New(rand.NewPCG(seed, 0)), dir: t.TempDir()}
		for below, names := range []([]string){{"0-a.conf", "0-b.conf"}, {"1-a.conf", "1-b.conf"}, {"main.conf"}} {
			for _, name := range names {
				if err := g.file(name, below); err != nil {
					t.Fatal(err)
				}
			}
		}
		var options []string
		if g.chance(30) {
			options = append(options, g.pick("-oPermitRootLogin=no", "-oMACs hmac-sha1", "-g30", "-oLoginGraceTime=0", "-oBanner none", "-oInclude /x", "-oBogus=1"))
		}
		if g.chance(10) {
			options = append(options, "-g", g.pick("0", "1m", "x"), "-o", "X11Forwarding = yes")
		}
		if o.compare(t, seed, g.dir, options) {
			agreed++
		} else {
			refusals++
		}
	}
	t.Logf("%d configurations agree with %s, %d of them are refused by both", agreed+refusals, o.version, refusals)
	if agreed < rounds/4 || refusals < rounds/20 {
		t.Errorf("the generator is one-sided: %d accepted, %d refused", agreed, refusals)
	}
}

// compare is whether the server takes a configuration.
func (o oracle) compare(t *testing.T, seed uint64, dir string, options []string) bool {
	t.Helper()
	main := filepath.Join(dir, "main.conf")
	root, err := host.Open("/")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = root.Close() }()
	c, err := parse(host.New(root), append([]string{"-f", main}, options...), "command-line", o.version, o.program)
	if err != nil && !errors.Is(err, ErrRefused) {
		t.Fatalf("seed %d: %v", seed, err)
	}
	for _, connection := range []struct{ text, user, addr string }{
		{},
		{"user=alice,host=here,addr=10.1.2.3", "alice", "10.1.2.3"},
		{"user=bob,host=here,addr=10.1.2.3", "bob", "10.1.2.3"},
		{"user=alice,host=here,addr=192.0.2.1", "alice", "192.0.2.1"},
		{"user=anna,host=here,addr=192.0.2.1", "anna", "192.0.2.1"},
	} {
		theirs, theirErr := o.ask(t, main, options, connection.text)
		if (err == nil) != (theirErr == nil) {
			t.Fatalf("seed %d, options %q: we say %v, sshd says %v\n%s", seed, options, err, theirErr, dump(dir))
		}
		if err != nil {
			return false
		}
		for key, ours := range values(t, c, connection.user, connection.addr) {
			if key == "permituserenvironment" && slices.ContainsFunc(c.set[key], func(a assignment) bool { return a.scope.block }) {
				// A pattern below "Match all" is copied without the switch that it needs: -T
				// shows it, and it has no effect.
				continue
			}
			if ours != theirs[key] {
				t.Fatalf("seed %d, options %q, connection %q: %s is %q, sshd says %q\n%s", seed, options, connection.text, key, ours, theirs[key], dump(dir))
			}
		}
	}
	return true
}

// vendors are the keywords that only some distributions have. They are accepted
// from all: whose build a node has is not known.
var vendors = []string{
	"debianbanner", "exposeauthenticationmethods", "gssapidelegatecredentials", "gssapienablek5users", "gssapikexalgorithms",
	"gssapikeyexchange", "gssapistorecredentialsonrekey", "gssapiusesessioncredcache", "gssusesessionccache", "kerberosuniqueccache",
	"kerberosusekuserok", "rsaminsize", "showpatchlevel", "x11maxdisplays",
}

// TestOracleKeywords compares which keywords the server knows, and which it takes in
// a Match block.
func TestOracleKeywords(t *testing.T) {
	o := newOracle(t)
	root, err := host.Open("/")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = root.Close() }()
	file := filepath.Join(t.TempDir(), "main.conf")
	for name, k := range keywords {
		if k.kind == match || slices.Contains(vendors, name) {
			continue
		}
		value := "none"
		switch k.kind {
		case oneOf:
			value = k.words[0]
		case number, duration:
			value = "1"
		case macList:
			value = "hmac-sha2-256"
		case include:
			value = "/nothing*"
		case anything, one, match:
		}
		for _, block := range []string{"", "Match User alice\n"} {
			if err := os.WriteFile(file, []byte(block+name+" "+value+"\n"), 0o600); err != nil {
				t.Fatal(err)
			}
			_, ours := parse(host.New(root), []string{"-f", file}, "command-line", o.version, o.program)
			_, theirs := o.ask(t, file, nil, "")
			if reason(ours, "unknown keyword", "is not allowed in a Match block") !=
				reason(theirs, "Bad configuration option", "is not allowed within a Match block") {
				t.Errorf("%q: we say %v, sshd says %v", block+name, ours, theirs)
			}
		}
	}
}

// reason is which of two reasons an error gives, the first one first.
func reason(err error, unknown, notInMatch string) int {
	switch {
	case err == nil:
		return 0
	case strings.Contains(err.Error(), unknown):
		return 1
	case strings.Contains(err.Error(), notInMatch):
		return 2
	}
	return 0
}
