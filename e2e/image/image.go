// Package image writes container images without a container daemon: one layer of
// given files, in an archive of the OCI image layout that containerd imports.
package image

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"path"
	"runtime"
	"slices"
)

// Image is what an image holds.
type Image struct {
	Name       string // such as "hardgate.dev/pause:lab"
	Entrypoint []string
	Files      map[string][]byte // executables, by absolute path
}

// A descriptor points to a blob of the archive (OCI image specification, descriptor.md).
type descriptor struct {
	MediaType   string            `json:"mediaType"`
	Digest      string            `json:"digest"`
	Size        int               `json:"size"`
	Annotations map[string]string `json:"annotations,omitempty"`
}

// Write writes the archive.
func (i Image) Write(w io.Writer) error {
	var layer bytes.Buffer
	if err := i.layer(&layer); err != nil {
		return fmt.Errorf("writing the image %s: %w", i.Name, err)
	}
	const vendor = "application/vnd.oci.image."
	blobs := map[string][]byte{}
	add := func(kind string, content []byte) descriptor {
		sum := sha256.Sum256(content)
		digest := hex.EncodeToString(sum[:])
		blobs["blobs/sha256/"+digest] = content
		return descriptor{MediaType: vendor + kind, Digest: "sha256:" + digest, Size: len(content)}
	}
	encode := func(v any) []byte {
		text, _ := json.Marshal(v) // of maps, slices and strings: cannot go wrong
		return text
	}
	layerAt := add("layer.v1.tar", layer.Bytes())
	config := add("config.v1+json", encode(map[string]any{
		"architecture": runtime.GOARCH, "os": "linux",
		"config": map[string]any{"Entrypoint": i.Entrypoint},
		// The layer is not compressed: its digest is that of its content.
		"rootfs": map[string]any{"type": "layers", "diff_ids": []string{layerAt.Digest}},
	}))
	manifest := add("manifest.v1+json", encode(map[string]any{
		"schemaVersion": 2, "mediaType": vendor + "manifest.v1+json", "config": config, "layers": []descriptor{layerAt},
	}))
	manifest.Annotations = map[string]string{"io.containerd.image.name": i.Name}
	blobs["index.json"] = encode(map[string]any{"schemaVersion": 2, "manifests": []descriptor{manifest}})
	blobs["oci-layout"] = encode(map[string]any{"imageLayoutVersion": "1.0.0"})
	if err := archive(w, blobs, 0o644); err != nil {
		return fmt.Errorf("writing the image %s: %w", i.Name, err)
	}
	return nil
}

// layer has the directories of its files, readable by all users.
func (i Image) layer(w io.Writer) error {
	files := map[string][]byte{}
	for name, content := range i.Files {
		files[path.Clean("/" + name)[1:]] = content
	}
	return archive(w, files, 0o755)
}

// archive writes files and the directories that they are in as a tar archive.
func archive(w io.Writer, files map[string][]byte, mode int64) error {
	t := tar.NewWriter(w)
	made := map[string]bool{".": true}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		var missing []string
		for dir := path.Dir(name); !made[dir]; dir = path.Dir(dir) {
			missing, made[dir] = append(missing, dir), true
		}
		for _, dir := range slices.Backward(missing) {
			if err := t.WriteHeader(&tar.Header{Typeflag: tar.TypeDir, Name: dir + "/", Mode: 0o755}); err != nil {
				return err
			}
		}
		if err := t.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: mode, Size: int64(len(files[name]))}); err != nil {
			return err
		}
		if _, err := t.Write(files[name]); err != nil {
			return err
		}
	}
	return t.Close()
}
