package oci

import (
	"archive/tar"
	"bytes"
	"errors"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/google/go-containerregistry/pkg/v1/validate"
)

var (
	amd64 = v1.Platform{OS: "linux", Architecture: "amd64"}
	arm64 = v1.Platform{OS: "linux", Architecture: "arm64"}
)

func sample(p v1.Platform) Image {
	return Image{
		Platform: p,
		Layers: []Files{
			{"/etc/passwd": {Content: []byte("root")}, "/etc/ssl/a": {Content: []byte("a")}},
			{"/a": {Content: []byte("program for " + p.String()), Executable: true}},
		},
		Entrypoint: []string{"/a"}, User: "65532:65532",
		Labels:  map[string]string{"org.opencontainers.image.title": "a", "org.opencontainers.image.version": "1"},
		Created: time.Unix(1_700_000_000, 0),
	}
}

func pack(t *testing.T, name string) []byte {
	t.Helper()
	document := Document{MediaType: "application/vnd.cyclonedx+json", Content: []byte(`{"bomFormat":"CycloneDX"}`)}
	index, err := Index([]Image{sample(amd64), sample(arm64)}, map[string]string{"x": "y"}, document)
	if err != nil {
		t.Fatal(err)
	}
	var archive bytes.Buffer
	if err := Archive(&archive, name, index); err != nil {
		t.Fatal(err)
	}
	return archive.Bytes()
}

// unpack is what `tar -x` makes of an archive, into a directory.
func unpack(t *testing.T, archive []byte) string {
	t.Helper()
	dir := t.TempDir()
	for r := tar.NewReader(bytes.NewReader(archive)); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return dir
		}
		if err != nil {
			t.Fatal(err)
		}
		if !h.ModTime.Equal(time.Unix(0, 0)) || h.Uid != 0 || h.Gid != 0 || h.Uname != "" {
			t.Errorf("%s has a time or a user: %+v", h.Name, h)
		}
		at := filepath.Join(dir, h.Name)
		if h.Typeflag == tar.TypeDir {
			err = os.Mkdir(at, 0o755)
		} else {
			var content []byte
			if content, err = io.ReadAll(r); err == nil {
				err = os.WriteFile(at, content, 0o644)
			}
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// open finds the one index of a layout, and how it is called.
func open(t *testing.T, dir string) (v1.ImageIndex, v1.Descriptor) {
	t.Helper()
	top, err := layout.ImageIndexFromPath(dir)
	if err != nil {
		t.Fatal(err)
	}
	manifest, err := top.IndexManifest()
	if err != nil {
		t.Fatal(err)
	}
	// crane pushes a layout that has one entry.
	if len(manifest.Manifests) != 1 {
		t.Fatalf("the layout has %d entries", len(manifest.Manifests))
	}
	index, err := top.ImageIndex(manifest.Manifests[0].Digest)
	if err != nil {
		t.Fatal(err)
	}
	return index, manifest.Manifests[0]
}

// What is written is read back by another reader, which recomputes every digest.
func TestArchive(t *testing.T) {
	index, entry := open(t, unpack(t, pack(t, "registry.example/team/a:1")))
	want := map[string]string{nameAnnotation: "registry.example/team/a:1", tagAnnotation: "1"}
	if !maps.Equal(entry.Annotations, want) {
		t.Errorf("the layout calls it %v, want %v", entry.Annotations, want)
	}
	manifest, err := index.IndexManifest()
	if err != nil {
		t.Fatal(err)
	}
	if manifest.MediaType != types.OCIImageIndex || manifest.Annotations["x"] != "y" {
		t.Errorf("the index is %+v", manifest)
	}
	var platforms []string
	for _, d := range manifest.Manifests {
		platforms = append(platforms, d.Platform.String())
	}
	if want := []string{"linux/amd64", "linux/arm64", "unknown/unknown", "unknown/unknown"}; !slices.Equal(platforms, want) {
		t.Fatalf("platforms %v, want %v", platforms, want)
	}
	for i, want := range []Image{sample(amd64), sample(arm64)} {
		image, err := index.Image(manifest.Manifests[i].Digest)
		if err != nil {
			t.Fatal(err)
		}
		if err := validate.Image(image); err != nil {
			t.Error(err)
		}
		compare(t, image, want)
		about, err := index.Image(manifest.Manifests[2+i].Digest)
		if err != nil {
			t.Fatal(err)
		}
		attached(t, about, manifest.Manifests[i], manifest.Manifests[2+i])
	}
}

func compare(t *testing.T, image v1.Image, want Image) {
	t.Helper()
	config, err := image.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	got := Image{
		Platform:   v1.Platform{OS: config.OS, Architecture: config.Architecture},
		Entrypoint: config.Config.Entrypoint, User: config.Config.User, Created: config.Created.Time,
	}
	if !got.Platform.Equals(want.Platform) || got.User != want.User || !slices.Equal(got.Entrypoint, want.Entrypoint) || !got.Created.Equal(want.Created) {
		t.Errorf("got %+v, want %+v", got, want)
	}
	manifest, err := image.Manifest()
	if err != nil {
		t.Fatal(err)
	}
	if !maps.Equal(config.Config.Labels, want.Labels) || !maps.Equal(manifest.Annotations, want.Labels) {
		t.Errorf("labels %v, annotations %v, want %v", config.Config.Labels, manifest.Annotations, want.Labels)
	}
	if manifest.MediaType != types.OCIManifestSchema1 || manifest.Config.MediaType != types.OCIConfigJSON {
		t.Errorf("media types %s, %s", manifest.MediaType, manifest.Config.MediaType)
	}
	layers, err := image.Layers()
	if err != nil {
		t.Fatal(err)
	}
	var entries []string
	for _, l := range layers {
		content, err := l.Uncompressed()
		if err != nil {
			t.Fatal(err)
		}
		for r := tar.NewReader(content); ; {
			h, err := r.Next()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			entries = append(entries, h.FileInfo().Mode().String()+" "+h.Name)
		}
	}
	wantEntries := []string{
		"drwxr-xr-x etc/", "-r--r--r-- etc/passwd", "drwxr-xr-x etc/ssl/", "-r--r--r-- etc/ssl/a",
		"-r-xr-xr-x a",
	}
	if !slices.Equal(entries, wantEntries) {
		t.Errorf("layers have %q, want %q", entries, wantEntries)
	}
}

func attached(t *testing.T, artifact v1.Image, image, entry v1.Descriptor) {
	t.Helper()
	manifest, err := artifact.Manifest()
	if err != nil {
		t.Fatal(err)
	}
	if manifest.Subject == nil || manifest.Subject.Digest != image.Digest || manifest.Subject.Size != image.Size {
		t.Errorf("the document is about %+v, want %+v", manifest.Subject, image)
	}
	// A registry goes by this where there is no artifactType (distribution specification,
	// "Listing Referrers").
	if manifest.Config.MediaType != "application/vnd.cyclonedx+json" || len(manifest.Layers) != 1 || manifest.Layers[0].MediaType != manifest.Config.MediaType {
		t.Errorf("the document's manifest is %+v", manifest)
	}
	if got := entry.Annotations["vnd.docker.reference.digest"]; got != image.Digest.String() {
		t.Errorf("the index says that the document is about %s, want %s", got, image.Digest)
	}
}

func TestSameBytes(t *testing.T) {
	first := pack(t, "a:1")
	t.Setenv("TMPDIR", t.TempDir())
	time.Sleep(1100 * time.Millisecond) // times in tar archives are whole seconds
	if !bytes.Equal(first, pack(t, "a:1")) {
		t.Error("the second archive differs")
	}
}

func TestRefused(t *testing.T) {
	for name, call := range map[string]func() error{
		"a name without a tag": func() error { return Archive(io.Discard, "a", nil) },
		"no name":              func() error { return Archive(io.Discard, "A:1", nil) },
		"a relative path":      func() error { _, err := layer(Files{"etc/passwd": {}}); return err },
		"a path that leads up": func() error { _, err := layer(Files{"/../passwd": {}}); return err },
	} {
		if err := call(); err == nil || strings.Contains(err.Error(), "nil pointer") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
