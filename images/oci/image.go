package oci

import (
	"fmt"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// Image is what the image of one platform holds.
type Image struct {
	Platform   v1.Platform
	Layers     []Files
	Entrypoint []string
	User       string            // "uid:gid", as a number can be told from root before a container runs
	Labels     map[string]string // annotations too
	Created    time.Time
}

// Build puts the image together.
func (i Image) Build() (v1.Image, error) {
	config := &v1.ConfigFile{
		Architecture: i.Platform.Architecture, OS: i.Platform.OS, Variant: i.Platform.Variant,
		Created: v1.Time{Time: i.Created.UTC()},
		Config:  v1.Config{User: i.User, Entrypoint: i.Entrypoint, Labels: i.Labels},
		RootFS:  v1.RootFS{Type: "layers"},
	}
	image, err := mutate.ConfigFile(empty.Image, config)
	if err != nil {
		return nil, fmt.Errorf("making an image: %w", err)
	}
	image = mutate.ConfigMediaType(mutate.MediaType(image, types.OCIManifestSchema1), types.OCIConfigJSON)
	for _, files := range i.Layers {
		l, err := layer(files)
		if err != nil {
			return nil, fmt.Errorf("making an image: %w", err)
		}
		image, err = mutate.Append(image, mutate.Addendum{Layer: l, History: v1.History{Created: config.Created}})
		if err != nil {
			return nil, fmt.Errorf("making an image: %w", err)
		}
	}
	if len(i.Labels) > 0 {
		image = mutate.Annotations(image, i.Labels).(v1.Image)
	}
	return image, nil
}
