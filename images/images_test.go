package images

import (
	"archive/tar"
	"bytes"
	"debug/buildinfo"
	"debug/elf"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	cdx "github.com/CycloneDX/cyclonedx-go"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/validate"
	"golang.org/x/mod/modfile"

	"github.com/hardgate-dev/hardgate/images/compile"
	"github.com/hardgate-dev/hardgate/images/source"
)

// platforms, with the machine that a program for it is for.
var machines = map[string]elf.Machine{"amd64": elf.EM_X86_64, "arm64": elf.EM_AARCH64}

// bound is what an image may have a registry send, in MiB.
const bound = 16

// build makes images of a fresh clone, as a release is made, and returns the clone too.
func build(t *testing.T, from, out string, components ...Component) (clone string, built []Built) {
	t.Helper()
	clone = filepath.Join(t.TempDir(), "clone")
	if out, err := exec.Command("git", "clone", "-q", from, clone).CombinedOutput(); err != nil {
		t.Fatalf("git clone: %v\n%s", err, out)
	}
	s, err := source.Read(t.Context(), clone, "")
	if err != nil {
		t.Fatal(err)
	}
	built, err = Build{
		Repo: clone, Out: out, Version: "1.2.3", Registry: "registry.example/team",
		Platforms:  []v1.Platform{{OS: "linux", Architecture: "amd64"}, {OS: "linux", Architecture: "arm64"}},
		Components: components, Source: s, Toolchain: compile.Toolchain,
	}.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return clone, built
}

// The real programs, for both platforms.
func TestBuild(t *testing.T) {
	if testing.Short() {
		t.Skip("builds every program for two platforms")
	}
	out := t.TempDir()
	clone, built := build(t, repo, out, Components...)
	if len(built) != len(Components) {
		t.Fatalf("built %+v", built)
	}
	for i, c := range Components {
		t.Run(c.Name, func(t *testing.T) {
			if want := "registry.example/team/hardgate/" + c.Name + ":1.2.3"; built[i].Name != want {
				t.Errorf("the image is called %s, want %s", built[i].Name, want)
			}
			bill := readBill(t, filepath.Join(out, c.Name+".sbom.json"))
			index := open(t, filepath.Join(out, c.Name+".tar"))
			if digest, err := index.Digest(); err != nil || digest != built[i].Digest {
				t.Errorf("the archive has %v, want %v: %v", digest, built[i].Digest, err)
			}
			manifest, err := index.IndexManifest()
			if err != nil {
				t.Fatal(err)
			}
			answers := map[string]bool{}
			for j, size := range built[i].Sizes {
				t.Logf("%s: %.1f MiB to pull, %.1f MiB installed", size.Platform, mebi(size.Packed), mebi(size.Installed))
				if mebi(size.Packed) > bound {
					t.Errorf("more than %d MiB to pull for %s", bound, size.Platform)
				}
				image, err := index.Image(manifest.Manifests[j].Digest)
				if err != nil {
					t.Fatal(err)
				}
				if err := validate.Image(image); err != nil {
					t.Error(err)
				}
				config, err := image.ConfigFile()
				if err != nil {
					t.Fatal(err)
				}
				if config.Architecture != size.Platform.Architecture || config.Config.User != c.User {
					t.Errorf("the image is for %s and runs as %s, want %s and %s", config.Architecture, config.Config.User, size.Platform, c.User)
				}
				program := inspect(t, image, c.Path())
				static(t, program, machines[size.Platform.Architecture])
				listed(t, bill, program)
				if answer := runs(t, size.Platform.Architecture, c.Name, program); answer != "" {
					answers[answer] = true
				}
			}
			if len(answers) != 1 {
				t.Errorf("the platforms do not say the same: %v", answers)
			}
		})
	}

	// From another directory, at another time: the same bytes.
	time.Sleep(1100 * time.Millisecond)
	again := t.TempDir()
	build(t, clone, again, Components...) // the commit of the first, whatever has come since
	for _, c := range Components {
		for _, name := range []string{c.Name + ".tar", c.Name + ".sbom.json"} {
			a, errA := os.ReadFile(filepath.Join(out, name))
			b, errB := os.ReadFile(filepath.Join(again, name))
			if err := errors.Join(errA, errB); err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(a, b) {
				t.Errorf("%s is not the same twice", name)
			}
		}
	}
}

func mebi(n int64) float64 { return float64(n) / (1 << 20) }

func open(t *testing.T, archive string) v1.ImageIndex {
	t.Helper()
	dir := t.TempDir()
	if out, err := exec.Command("tar", "-C", dir, "-xf", archive).CombinedOutput(); err != nil {
		t.Fatalf("tar: %v\n%s", err, out)
	}
	top, err := layout.ImageIndexFromPath(dir)
	if err != nil {
		t.Fatal(err)
	}
	manifest, err := top.IndexManifest()
	if err != nil {
		t.Fatal(err)
	}
	index, err := top.ImageIndex(manifest.Manifests[0].Digest)
	if err != nil {
		t.Fatal(err)
	}
	return index
}

// inspect looks at all files of an image and returns the program.
func inspect(t *testing.T, image v1.Image, program string) []byte {
	t.Helper()
	content := mutate.Extract(image)
	defer func() { _ = content.Close() }()
	var found []byte
	want := map[string]bool{"etc": true, "etc/passwd": true, "etc/group": true, "LICENSE": true, program[1:]: true}
	for r := tar.NewReader(content); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if !want[h.Name] {
			t.Errorf("the image has %s", h.Name)
		}
		delete(want, h.Name)
		if h.Mode&0o022 != 0 || h.Mode&0o7000 != 0 || h.Uid != 0 || h.Gid != 0 {
			t.Errorf("%s has mode %o and belongs to %d:%d", h.Name, h.Mode, h.Uid, h.Gid)
		}
		if h.Name == program[1:] {
			if found, err = io.ReadAll(r); err != nil {
				t.Fatal(err)
			}
		}
	}
	for name := range want {
		t.Errorf("the image has no %s", name)
	}
	return found
}

// static is a program that asks for no library and no loader.
func static(t *testing.T, program []byte, machine elf.Machine) {
	t.Helper()
	f, err := elf.NewFile(bytes.NewReader(program))
	if err != nil {
		t.Fatal(err)
	}
	if f.Machine != machine {
		t.Errorf("the program is for %s, want %s", f.Machine, machine)
	}
	for _, p := range f.Progs {
		if p.Type == elf.PT_INTERP || p.Type == elf.PT_DYNAMIC {
			t.Errorf("the program has a segment %s", p.Type)
		}
	}
	if f.Section(".symtab") != nil || f.Section(".debug_info") != nil {
		t.Error("the program is not stripped")
	}
	info, err := buildinfo.Read(bytes.NewReader(program))
	if err != nil {
		t.Fatal(err)
	}
	settings := map[string]string{}
	for _, s := range info.Settings {
		settings[s.Key] = s.Value
	}
	if settings["CGO_ENABLED"] != "0" || settings["vcs.modified"] != "false" || settings["vcs.revision"] == "" || info.GoVersion != compile.Toolchain {
		t.Errorf("built with %s and %v", info.GoVersion, settings)
	}
	if strings.HasSuffix(info.Path, "/webhook") && settings["-pgo"] == "" {
		t.Errorf("built without a profile: %v", settings)
	}
}

func readBill(t *testing.T, name string) *cdx.BOM {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	var bom cdx.BOM
	if err := cdx.NewBOMDecoder(f, cdx.BOMFileFormatJSON).Decode(&bom); err != nil {
		t.Fatal(err)
	}
	return &bom
}

// listed says whether the bill names every module of a program, at the version that
// go.mod asks for.
func listed(t *testing.T, bill *cdx.BOM, program []byte) {
	t.Helper()
	versions := map[string]string{}
	for _, c := range *bill.Components {
		versions[c.Name] = c.Version
	}
	info, err := buildinfo.Read(bytes.NewReader(program))
	if err != nil {
		t.Fatal(err)
	}
	const client = "k8s.io/client-go"
	asks := false // the agent has a client of its own
	for _, m := range info.Deps {
		asks = asks || m.Path == client
		if versions[m.Path] != m.Version {
			t.Errorf("the bill has %s %q, the program %s", m.Path, versions[m.Path], m.Version)
		}
	}
	text, err := os.ReadFile(filepath.Join(repo, "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	mod, err := modfile.Parse("go.mod", text, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range mod.Require {
		if asks && r.Mod.Path == client && versions[client] != r.Mod.Version {
			t.Errorf("the bill has %s %q, go.mod %s", client, versions[client], r.Mod.Version)
		}
	}
	if !asks && !strings.HasSuffix(info.Path, "/nodecheck") {
		t.Errorf("%s is built without %s", info.Path, client)
	}
	if want := strings.TrimPrefix(compile.Toolchain, "go"); strings.TrimPrefix(versions["std"], "go") != want {
		t.Errorf("the bill has the standard library %q, want %s", versions["std"], want)
	}
	if bill.Metadata.Timestamp == "" || bill.SerialNumber == "" || bill.Metadata.Component.Components == nil || len(*bill.Metadata.Component.Components) != len(machines) {
		t.Errorf("the bill begins with %+v", bill.Metadata)
	}
}
