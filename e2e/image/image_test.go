package image

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
)

// untar reads an archive: names in their order, and contents.
func untar(t *testing.T, archive []byte) (names []string, files map[string][]byte) {
	t.Helper()
	files = map[string][]byte{}
	for r := tar.NewReader(bytes.NewReader(archive)); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return names, files
		}
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, h.Name)
		if files[h.Name], err = io.ReadAll(r); err != nil {
			t.Fatal(err)
		}
	}
}

// Every blob is what its name says, and from the index one comes to the program.
func TestWrite(t *testing.T) {
	var archive bytes.Buffer
	i := Image{Name: "example.org/a:1", Entrypoint: []string{"/bin/a"}, Files: map[string][]byte{"/bin/a": []byte("program")}}
	if err := i.Write(&archive); err != nil {
		t.Fatal(err)
	}
	_, files := untar(t, archive.Bytes())
	for name, content := range files {
		digest, blob := strings.CutPrefix(name, "blobs/sha256/")
		if sum := sha256.Sum256(content); blob && digest != "" && digest != hex.EncodeToString(sum[:]) {
			t.Errorf("%s holds something else", name)
		}
	}
	blob := func(d descriptor, into any) {
		t.Helper()
		content := files["blobs/sha256/"+strings.TrimPrefix(d.Digest, "sha256:")]
		if len(content) != d.Size {
			t.Errorf("%s has %d bytes, want %d", d.Digest, len(content), d.Size)
		}
		if err := json.Unmarshal(content, into); err != nil {
			t.Fatal(err)
		}
	}
	var index struct{ Manifests []descriptor }
	if err := json.Unmarshal(files["index.json"], &index); err != nil || len(index.Manifests) != 1 {
		t.Fatalf("%s: %v", files["index.json"], err)
	}
	if got := index.Manifests[0].Annotations["io.containerd.image.name"]; got != i.Name {
		t.Errorf("the image is called %q", got)
	}
	var manifest struct {
		Config descriptor
		Layers []descriptor
	}
	blob(index.Manifests[0], &manifest)
	var config struct {
		Config struct{ Entrypoint []string }
		RootFS struct {
			DiffIDs []string `json:"diff_ids"`
		} `json:"rootfs"`
	}
	blob(manifest.Config, &config)
	if !slices.Equal(config.Config.Entrypoint, i.Entrypoint) || len(manifest.Layers) != 1 || !slices.Equal(config.RootFS.DiffIDs, []string{manifest.Layers[0].Digest}) {
		t.Errorf("config %+v of manifest %+v", config, manifest)
	}
	names, layer := untar(t, files["blobs/sha256/"+strings.TrimPrefix(manifest.Layers[0].Digest, "sha256:")])
	if want := []string{"bin/", "bin/a"}; !slices.Equal(names, want) || string(layer["bin/a"]) != "program" {
		t.Errorf("the layer has %v, want %v", names, want)
	}
}
