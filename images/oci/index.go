package oci

import (
	"fmt"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/partial"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// Document is what is attached to the image of each platform, such as an SBOM.
type Document struct {
	MediaType string
	Content   []byte
}

// Index has the images of several platforms, and after them documents about each of
// them. A document's manifest has the image as its subject, so that a registry lists
// it among the image's referrers, and it is part of the index too, so that it goes
// where the index goes. Its platform is unknown, as BuildKit's attestations have it:
// no runtime takes it for an image to run.
func Index(images []Image, annotations map[string]string, documents ...Document) (v1.ImageIndex, error) {
	var runnable, attached []mutate.IndexAddendum
	for _, i := range images {
		image, err := i.Build()
		if err != nil {
			return nil, err
		}
		subject, err := partial.Descriptor(image)
		if err != nil {
			return nil, fmt.Errorf("making an index: %w", err)
		}
		// The annotations are the image's own; a subject is no more than an address.
		subject = &v1.Descriptor{MediaType: subject.MediaType, Size: subject.Size, Digest: subject.Digest}
		platform := i.Platform
		runnable = append(runnable, mutate.IndexAddendum{Add: image, Descriptor: v1.Descriptor{Platform: &platform}})
		for _, d := range documents {
			about, err := d.about(*subject)
			if err != nil {
				return nil, fmt.Errorf("making an index: %w", err)
			}
			attached = append(attached, about)
		}
	}
	index := mutate.AppendManifests(mutate.IndexMediaType(empty.Index, types.OCIImageIndex), append(runnable, attached...)...)
	if len(annotations) > 0 {
		index = mutate.Annotations(index, annotations).(v1.ImageIndex)
	}
	return index, nil
}

// about is a manifest of one layer. That it is no image says the type of its
// configuration (OCI image specification, "Guidelines for Artifact Usage").
func (d Document) about(subject v1.Descriptor) (mutate.IndexAddendum, error) {
	artifact := mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.MediaType(d.MediaType))
	artifact, err := mutate.Append(artifact, mutate.Addendum{Layer: static.NewLayer(d.Content, types.MediaType(d.MediaType))})
	if err != nil {
		return mutate.IndexAddendum{}, err
	}
	return mutate.IndexAddendum{
		Add: mutate.Subject(artifact, subject).(v1.Image),
		Descriptor: v1.Descriptor{
			Platform: &v1.Platform{OS: "unknown", Architecture: "unknown"},
			Annotations: map[string]string{
				"vnd.docker.reference.type":   "attestation-manifest",
				"vnd.docker.reference.digest": subject.Digest.String(),
			},
		},
	}, nil
}
