package oci

import (
	"archive/tar"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/distribution/reference"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
)

// How runtimes and tools call what an archive holds: containerd and docker by the
// first, skopeo by the second.
const (
	nameAnnotation = "io.containerd.image.name"
	tagAnnotation  = "org.opencontainers.image.ref.name"
)

// Archive writes an index as an archive of the OCI image layout. A name such as
// "hardgate/webhook:1.0.0" is completed as a kubelet completes it, so that pods find
// the image by the same short name.
func Archive(w io.Writer, name string, index v1.ImageIndex) error {
	dir, err := os.MkdirTemp("", "layout-")
	if err != nil {
		return fmt.Errorf("archiving %s: %w", name, err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	full, err := reference.ParseNormalizedNamed(name)
	if err != nil {
		return fmt.Errorf("archiving %s: %w", name, err)
	}
	tagged, ok := full.(reference.NamedTagged)
	if !ok {
		return fmt.Errorf("archiving %s: a name with a tag is needed", name)
	}
	if err := Layout(dir, index, map[string]string{nameAnnotation: tagged.String(), tagAnnotation: tagged.Tag()}); err != nil {
		return fmt.Errorf("archiving %s: %w", name, err)
	}
	if err := archive(w, os.DirFS(dir)); err != nil {
		return fmt.Errorf("archiving %s: %w", name, err)
	}
	return nil
}

// Layout writes an index as an image layout, a directory. Annotations are what the
// layout says of it.
func Layout(dir string, index v1.ImageIndex, annotations map[string]string) error {
	l, err := layout.Write(dir, empty.Index)
	if err != nil {
		return fmt.Errorf("writing an image layout: %w", err)
	}
	if err := l.AppendIndex(index, layout.WithAnnotations(annotations)); err != nil {
		return fmt.Errorf("writing an image layout: %w", err)
	}
	return nil
}

// archive packs files in the order of their names.
func archive(w io.Writer, dir fs.FS) error {
	t := tar.NewWriter(w)
	err := fs.WalkDir(dir, ".", func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case name == ".":
			return nil
		case entry.IsDir():
			return t.WriteHeader(header(tar.TypeDir, name+"/", 0o755, 0))
		}
		content, err := fs.ReadFile(dir, name)
		if err != nil {
			return err
		}
		if err := t.WriteHeader(header(tar.TypeReg, name, 0o644, len(content))); err != nil {
			return err
		}
		_, err = t.Write(content)
		return err
	})
	if err != nil {
		return err
	}
	return t.Close()
}
