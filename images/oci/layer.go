package oci

import (
	"archive/tar"
	"bytes"
	"fmt"
	"io"
	"maps"
	"path"
	"slices"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/klauspost/compress/gzip"
)

// Files are the regular files of a layer, by absolute path.
type Files map[string]File

// File belongs to root. Everybody reads it, nobody writes it.
type File struct {
	Content    []byte
	Executable bool
}

func (f File) mode() int64 {
	if f.Executable {
		return 0o555
	}
	return 0o444
}

// layer packs files, with the directories that they are in. It depends on nothing else:
// files that stay the same are not pushed and pulled again with the next version.
func layer(files Files) (v1.Layer, error) {
	var packed bytes.Buffer
	// The compressor is pinned by go.mod; the standard library's may write other bytes in
	// the next version of Go.
	z, err := gzip.NewWriterLevel(&packed, gzip.BestCompression)
	if err != nil {
		return nil, fmt.Errorf("packing a layer: %w", err)
	}
	if err := files.pack(z); err != nil {
		return nil, fmt.Errorf("packing a layer: %w", err)
	}
	if err := z.Close(); err != nil {
		return nil, fmt.Errorf("packing a layer: %w", err)
	}
	return tarball.LayerFromOpener(func() (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(packed.Bytes())), nil
	}, tarball.WithMediaType(types.OCILayer))
}

func (files Files) pack(w io.Writer) error {
	relative := map[string]File{}
	for name, f := range files {
		if !path.IsAbs(name) || path.Clean(name) != name {
			return fmt.Errorf("%q: want an absolute path", name)
		}
		relative[name[1:]] = f
	}
	t := tar.NewWriter(w)
	made := map[string]bool{".": true}
	for _, name := range slices.Sorted(maps.Keys(relative)) {
		var missing []string
		for dir := path.Dir(name); !made[dir]; dir = path.Dir(dir) {
			missing, made[dir] = append(missing, dir), true
		}
		for _, dir := range slices.Backward(missing) {
			if err := t.WriteHeader(header(tar.TypeDir, dir+"/", 0o755, 0)); err != nil {
				return err
			}
		}
		f := relative[name]
		if err := t.WriteHeader(header(tar.TypeReg, name, f.mode(), len(f.Content))); err != nil {
			return err
		}
		if _, err := t.Write(f.Content); err != nil {
			return err
		}
	}
	return t.Close()
}

// header has no time of its own, and names no user of this machine.
func header(kind byte, name string, mode int64, size int) *tar.Header {
	return &tar.Header{
		Typeflag: kind, Name: name, Mode: mode, Size: int64(size),
		ModTime: time.Unix(0, 0), Format: tar.FormatUSTAR,
	}
}
