// Package images makes the container images of hardgate's programs, for every platform
// and without a container daemon. An image holds a static program, two users, the
// licence, and nothing else: no shell, no package, no library, no CA certificates.
//
// The Dockerfile at the root of the repository gives the same content; a test compares
// the two.
package images

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/hardgate-dev/hardgate/images/compile"
	"github.com/hardgate-dev/hardgate/images/oci"
	"github.com/hardgate-dev/hardgate/images/sbom"
	"github.com/hardgate-dev/hardgate/images/source"
)

// Build says what to build.
type Build struct {
	Repo string // the checkout
	Out  string // gets <component>.tar and <component>.sbom.json
	// Version is the images' tag.
	Version string
	// Registry is what the images' names begin with, such as "registry.example/team"; empty
	// for "hardgate/webhook" and the like.
	Registry   string
	Platforms  []v1.Platform
	Components []Component
	Source     source.Source
	Toolchain  string // as the go command's GOTOOLCHAIN
}

// Built is an image that is written.
type Built struct {
	Name   string // with the tag
	Digest v1.Hash
	Sizes  []Size
}

// Size is that of the image of a platform, in bytes: what a registry sends, and the
// program alone.
type Size struct {
	Platform          v1.Platform
	Packed, Installed int64
}

// Run builds the programs and writes their images. Files of other components are left
// alone.
func (b Build) Run(ctx context.Context) ([]Built, error) {
	dir, err := os.MkdirTemp("", "images-")
	if err != nil {
		return nil, fmt.Errorf("building images: %w", err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	var packages []string
	for _, c := range b.Components {
		packages = append(packages, "./cmd/"+c.Name)
	}
	for _, p := range b.Platforms {
		if err := compile.Build(ctx, b.Repo, binaries(dir, p), p, b.Toolchain, b.Source.Revision != "", packages...); err != nil {
			return nil, fmt.Errorf("building images: %w", err)
		}
	}
	if err := os.MkdirAll(b.Out, 0o755); err != nil {
		return nil, fmt.Errorf("building images: %w", err)
	}
	base, err := Base(b.Repo)
	if err != nil {
		return nil, err
	}
	var all []Built
	for _, c := range b.Components {
		built, err := b.component(c, base, dir)
		if err != nil {
			return nil, fmt.Errorf("building the image of %s: %w", c.Name, err)
		}
		all = append(all, built)
	}
	return all, nil
}

// binaries is where the programs for a platform are.
func binaries(dir string, p v1.Platform) string { return filepath.Join(dir, p.OS+"_"+p.Architecture) }

// Base is what all images have, from the checkout in repo. CA certificates are not part
// of it: the programs trust the CA that their kubeconfig or service account names, and
// one that is not there cannot be trusted by mistake.
func Base(repo string) (oci.Files, error) {
	files := oci.Files{}
	for _, from := range []string{"images/rootfs/etc/passwd", "images/rootfs/etc/group", "LICENSE"} {
		content, err := os.ReadFile(filepath.Join(repo, filepath.FromSlash(from)))
		if err != nil {
			return nil, fmt.Errorf("reading what all images have: %w", err)
		}
		files["/"+strings.TrimPrefix(from, "images/rootfs/")] = oci.File{Content: content}
	}
	return files, nil
}

func (b Build) component(c Component, base oci.Files, dir string) (Built, error) {
	var parts []oci.Image
	var programs []sbom.Binary
	for _, p := range b.Platforms {
		file := filepath.Join(binaries(dir, p), c.Name)
		program, err := os.ReadFile(file)
		if err != nil {
			return Built{}, err
		}
		programs = append(programs, sbom.Binary{Platform: p.String(), Path: file})
		parts = append(parts, b.image(c, p, base, program))
	}
	bill, err := sbom.Write(programs, b.Source.Time)
	if err != nil {
		return Built{}, err
	}
	index, err := oci.Index(parts, b.labels(c), oci.Document{MediaType: sbom.MediaType, Content: bill})
	if err != nil {
		return Built{}, err
	}
	built := Built{Name: path.Join(b.Registry, Project, c.Name) + ":" + b.Version}
	if built.Digest, err = index.Digest(); err != nil {
		return Built{}, err
	}
	if built.Sizes, err = sizes(index, parts, c.Path()); err != nil {
		return Built{}, err
	}
	var archive bytes.Buffer
	if err := oci.Archive(&archive, built.Name, index); err != nil {
		return Built{}, err
	}
	for name, content := range map[string][]byte{c.Name + ".tar": archive.Bytes(), c.Name + ".sbom.json": bill} {
		if err := replace(filepath.Join(b.Out, name), content); err != nil {
			return Built{}, err
		}
	}
	return built, nil
}

// image is that of a component for one platform.
func (b Build) image(c Component, p v1.Platform, base oci.Files, program []byte) oci.Image {
	return oci.Image{
		Platform:   p,
		Layers:     []oci.Files{base, {c.Path(): {Content: program, Executable: true}}},
		Entrypoint: []string{c.Path()}, User: c.User, Labels: b.labels(c), Created: b.Source.Time,
	}
}

func (b Build) labels(c Component) map[string]string {
	return c.labels(b.Version, b.Source.Revision, b.Source.Time.Format(time.RFC3339))
}

// sizes asks the index about its parts, which are its first manifests.
func sizes(index v1.ImageIndex, parts []oci.Image, program string) ([]Size, error) {
	manifest, err := index.IndexManifest()
	if err != nil {
		return nil, err
	}
	var all []Size
	for i, part := range parts {
		image, err := index.Image(manifest.Manifests[i].Digest)
		if err != nil {
			return nil, err
		}
		layers, err := image.Layers()
		if err != nil {
			return nil, err
		}
		size := Size{Platform: part.Platform}
		for _, l := range layers {
			packed, err := l.Size()
			if err != nil {
				return nil, err
			}
			size.Packed += packed
		}
		for _, files := range part.Layers {
			size.Installed += int64(len(files[program].Content))
		}
		all = append(all, size)
	}
	return all, nil
}

// replace writes a file at once: who reads it never sees half of it.
func replace(name string, content []byte) error {
	if err := os.WriteFile(name+".new", content, 0o644); err != nil {
		return err
	}
	return os.Rename(name+".new", name)
}
