package sbom

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	cdx "github.com/CycloneDX/cyclonedx-go"
)

// A program of this module stands for one that is built for two platforms. The test's own
// does not name its modules.
func TestWrite(t *testing.T) {
	program := filepath.Join(t.TempDir(), "image")
	if out, err := exec.Command("go", "build", "-o", program, "../cmd/image").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	binaries := []Binary{{"linux/amd64", program}, {"linux/arm64", program}}
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.FixedZone("KST", 9*3600))
	text, err := Write(binaries, at)
	if err != nil {
		t.Fatal(err)
	}
	again, err := Write(binaries, at)
	if err != nil || !bytes.Equal(text, again) {
		t.Errorf("the second bill differs: %v", err)
	}
	// The addresses of modules must not name the machine that this runs on.
	for _, word := range []string{"goarch", "goos=", os.TempDir()} {
		if strings.Contains(string(text), word) {
			t.Errorf("the bill names %q", word)
		}
	}
	var bom cdx.BOM
	if err := cdx.NewBOMDecoder(bytes.NewReader(text), cdx.BOMFileFormatJSON).Decode(&bom); err != nil {
		t.Fatal(err)
	}
	if bom.Metadata.Timestamp != "2026-01-01T18:04:05Z" {
		t.Errorf("the time is %s", bom.Metadata.Timestamp)
	}
	var files []string
	for _, c := range *bom.Metadata.Component.Components {
		files = append(files, c.BOMRef)
	}
	if want := []string{"linux/amd64/image", "linux/arm64/image"}; !slices.Equal(files, want) {
		t.Errorf("files %v, want %v", files, want)
	}
	names := map[string]int{}
	for _, c := range *bom.Components {
		names[c.Name]++
	}
	if names["github.com/CycloneDX/cyclonedx-go"] != 1 || names["std"] != 1 {
		t.Errorf("components %v", names)
	}
}

func TestWriteRefuses(t *testing.T) {
	for name, binaries := range map[string][]Binary{
		"no binary":        nil,
		"not a Go program": {{"linux/amd64", "sbom_test.go"}},
	} {
		if _, err := Write(binaries, time.Unix(0, 0)); err == nil {
			t.Errorf("%s is not refused", name)
		}
	}
}

func bill(program string, modules ...string) *cdx.BOM {
	depends := slices.Clone(modules)
	b := &cdx.BOM{
		Metadata:     &cdx.Metadata{Component: &cdx.Component{BOMRef: program, PackageURL: program}},
		Components:   &[]cdx.Component{},
		Dependencies: &[]cdx.Dependency{{Ref: program, Dependencies: &depends}},
	}
	for _, m := range modules {
		*b.Components = append(*b.Components, cdx.Component{BOMRef: m})
		*b.Dependencies = append(*b.Dependencies, cdx.Dependency{Ref: m})
	}
	return b
}

// What only one platform needs is in the bill of all.
func TestMerge(t *testing.T) {
	all := bill("a", "x", "y")
	if err := merge(all, bill("a", "y", "z", "w")); err != nil {
		t.Fatal(err)
	}
	var refs []string
	for _, c := range *all.Components {
		refs = append(refs, c.BOMRef)
	}
	want := []string{"x", "y", "z", "w"}
	if depends := *(*all.Dependencies)[0].Dependencies; !slices.Equal(refs, want) || !slices.Equal(depends, want) || len(*all.Dependencies) != 5 {
		t.Errorf("components %v, the program needs %v, of %v", refs, depends, *all.Dependencies)
	}
	if err := merge(all, bill("b")); err == nil {
		t.Error("the bill of another module is merged")
	}
}
