package images

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/hardgate-dev/hardgate/images/compile"
	"github.com/hardgate-dev/hardgate/images/source"
)

// stage is what the Dockerfile says of one. Only what the Dockerfile uses is understood,
// and anything else is an error: the test must not overlook a line.
type stage struct {
	from       string
	files      map[string]copied
	user       string
	entrypoint []string
	labels     map[string]string
	runs       []string
}

type copied struct{ stage, source, mode string }

// parse reads a Dockerfile, with build arguments in place.
func parse(text string, arguments map[string]string) (map[string]*stage, error) {
	text = strings.ReplaceAll(text, "\\\n", " ")
	stages := map[string]*stage{}
	var s *stage
	known := map[string]string{}
	for line := range strings.Lines(text) {
		instruction, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		if instruction == "" || strings.HasPrefix(instruction, "#") {
			continue
		}
		rest = os.Expand(rest, func(name string) string {
			if value, ok := known[name]; ok {
				return value
			}
			return "$" + name
		})
		fields, err := words(rest)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", line, err)
		}
		if s == nil && instruction != "ARG" && instruction != "FROM" {
			return nil, fmt.Errorf("%s: before the first stage", line)
		}
		switch instruction {
		case "ARG":
			name, value, _ := strings.Cut(fields[0], "=")
			if given, ok := arguments[name]; ok {
				value = given
			}
			known[name] = value
		case "FROM":
			fields = slices.DeleteFunc(fields, func(f string) bool { return strings.HasPrefix(f, "--platform=") })
			s = &stage{from: fields[0], files: map[string]copied{}, labels: map[string]string{}}
			if base, ok := stages[s.from]; ok {
				*s = stage{from: s.from, files: maps.Clone(base.files), labels: maps.Clone(base.labels), user: base.user}
			}
			stages[fields[2]] = s
		case "COPY":
			var c copied
			for strings.HasPrefix(fields[0], "--") {
				name, value, _ := strings.Cut(fields[0], "=")
				switch name {
				case "--from":
					c.stage = value
				case "--chmod":
					c.mode = value
				default:
					return nil, fmt.Errorf("%s: unknown flag", line)
				}
				fields = fields[1:]
			}
			to := fields[len(fields)-1]
			for _, c.source = range fields[:len(fields)-1] {
				at := to
				if strings.HasSuffix(to, "/") {
					at = path.Join(to, path.Base(c.source))
				}
				s.files[at] = c
			}
		case "LABEL":
			for _, f := range fields {
				name, value, _ := strings.Cut(f, "=")
				s.labels[name] = value
			}
		case "USER":
			s.user = rest
		case "ENTRYPOINT":
			if err := json.Unmarshal([]byte(rest), &s.entrypoint); err != nil {
				return nil, fmt.Errorf("%s: %w", line, err)
			}
		case "RUN":
			s.runs = append(s.runs, rest)
		case "WORKDIR":
		default:
			return nil, fmt.Errorf("%s: not understood", line)
		}
	}
	return stages, nil
}

// words are separated by spaces, but for those in double quotes.
func words(text string) ([]string, error) {
	var all []string
	for i, part := range strings.Split(text, `"`) {
		switch {
		case i%2 == 1 && len(all) > 0:
			all[len(all)-1] += part
		case i%2 == 1:
			all = append(all, part)
		default:
			all = append(all, strings.Fields(part)...)
			if strings.HasSuffix(part, " ") {
				all = append(all, "") // a quoted word may begin
			}
		}
	}
	if strings.Count(text, `"`)%2 == 1 {
		return nil, fmt.Errorf("a quote that does not end")
	}
	return slices.DeleteFunc(all, func(w string) bool { return w == "" }), nil
}

const repo = ".."

// What Docker builds is what this package builds.
func TestDockerfile(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(repo, "Dockerfile"))
	if err != nil {
		t.Fatal(err)
	}
	at := time.Unix(1_700_000_000, 0).UTC()
	b := Build{Version: "1.2.3", Source: source.Source{Revision: "abc", Time: at}}
	stages, err := parse(string(text), map[string]string{
		"VERSION": b.Version, "REVISION": b.Source.Revision, "CREATED": at.Format(time.RFC3339), "TARGETOS": "linux", "TARGETARCH": "arm64",
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(stages) != 2+len(Components) {
		t.Errorf("stages %v", slices.Sorted(maps.Keys(stages)))
	}
	if base := stages["base"]; base == nil || base.from != "scratch" {
		t.Fatalf("the base is %+v, want it from scratch", base)
	}
	base, err := Base(repo)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range Components {
		s := stages[c.Name]
		if s == nil || s.from != "base" {
			t.Errorf("%s: %+v", c.Name, s)
			continue
		}
		want := b.image(c, v1.Platform{OS: "linux", Architecture: "arm64"}, base, []byte("program"))
		if s.user != want.User || !slices.Equal(s.entrypoint, want.Entrypoint) || !maps.Equal(s.labels, want.Labels) {
			t.Errorf("%s: Docker has user %s, entry point %q, labels %v; want %s, %q, %v", c.Name, s.user, s.entrypoint, s.labels, want.User, want.Entrypoint, want.Labels)
		}
		files := maps.Clone(s.files)
		for _, layer := range want.Layers {
			for name, f := range layer {
				got, mode := files[name], "0444"
				if f.Executable {
					mode = "0555"
				}
				if got.mode != mode {
					t.Errorf("%s: Docker has %s as %+v, want mode %s", c.Name, name, got, mode)
				}
				if name == c.Path() {
					if want := (copied{"build", "/out/" + c.Name, mode}); got != want {
						t.Errorf("%s: Docker has %s from %+v, want %+v", c.Name, name, got, want)
					}
				} else if content, err := os.ReadFile(filepath.Join(repo, got.source)); err != nil || got.stage != "" || !bytes.Equal(content, f.Content) {
					t.Errorf("%s: Docker has %s from %+v, which differs: %v", c.Name, name, got, err)
				}
				delete(files, name)
			}
		}
		if len(files) > 0 {
			t.Errorf("%s: Docker has more files: %v", c.Name, files)
		}
	}
	compilation(t, stages["build"])
}

// The binaries are built alike.
func compilation(t *testing.T, s *stage) {
	t.Helper()
	if s == nil || "golang:"+strings.TrimPrefix(compile.Toolchain, "go") != s.from {
		t.Fatalf("Docker builds with %+v, want %s", s, compile.Toolchain)
	}
	want := compile.Environment(v1.Platform{OS: "linux", Architecture: "arm64"}, "local")
	want = slices.Concat(want, []string{"go", "build", "-o", "/out/"}, compile.Flags(true))
	for _, c := range Components {
		want = append(want, "./cmd/"+c.Name)
	}
	got, err := words(s.runs[len(s.runs)-1])
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("Docker runs %q, want %q: %v", got, want, err)
	}
}

// Lines that a test might overlook are errors.
func TestParseRefuses(t *testing.T) {
	for _, line := range []string{"ADD a /a", "COPY --chown=1 a /a", "VOLUME /data", "ENV A=b", "LABEL a=\"b"} {
		if _, err := parse("FROM scratch AS a\n"+line+"\n", nil); err == nil {
			t.Errorf("%q is not refused", line)
		}
	}
	if _, err := parse("USER root\nFROM scratch AS a\n", nil); err == nil {
		t.Error("an instruction before the first stage is not refused")
	}
}
