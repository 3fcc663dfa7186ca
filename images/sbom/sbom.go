// Package sbom writes a program's bill of materials, in CycloneDX's JSON, from what the
// go command has written into its binaries.
package sbom

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	cdx "github.com/CycloneDX/cyclonedx-go"
	"github.com/CycloneDX/cyclonedx-gomod/pkg/generate/bin"
	"github.com/google/uuid"
	"github.com/rs/zerolog"
)

// MediaType is that of a bill (IANA).
const MediaType = "application/vnd.cyclonedx+json"

// Binary is a program as it is built for a platform.
type Binary struct {
	Platform string // such as "linux/arm64"
	Path     string
}

// Write describes a program that is built for one or several platforms: the modules in
// any of its binaries, and the binaries by their digests. The bill has the time that it
// is given and a serial number that follows from its content.
func Write(binaries []Binary, at time.Time) ([]byte, error) {
	var all *cdx.BOM
	var files []cdx.Component
	for _, b := range binaries {
		bom, err := read(b.Path)
		if err != nil {
			return nil, fmt.Errorf("writing the SBOM of %s: %w", filepath.Base(b.Path), err)
		}
		file, err := b.describe()
		if err != nil {
			return nil, fmt.Errorf("writing the SBOM of %s: %w", filepath.Base(b.Path), err)
		}
		files = append(files, file)
		if all == nil {
			all = bom
		} else if err := merge(all, bom); err != nil {
			return nil, fmt.Errorf("writing the SBOM of %s: %w", filepath.Base(b.Path), err)
		}
	}
	if all == nil {
		return nil, errors.New("writing an SBOM: no binary")
	}
	all.Metadata.Component.Components = &files
	all.Metadata.Timestamp = at.UTC().Format(time.RFC3339)
	// What differs between platforms is with the files.
	properties := slices.DeleteFunc(*all.Metadata.Properties, func(p cdx.Property) bool {
		return strings.HasPrefix(p.Name, "cdx:gomod:binary:hash:") || p.Name == "cdx:gomod:build:env:GOARCH"
	})
	all.Metadata.Properties = &properties
	unnumbered, err := encode(all)
	if err != nil {
		return nil, err
	}
	all.SerialNumber = uuid.NewSHA1(uuid.NameSpaceURL, unnumbered).URN()
	return encode(all)
}

func read(binary string) (*cdx.BOM, error) {
	// The long addresses name the platform of the machine that this runs on.
	generator, err := bin.NewGenerator(binary, bin.WithIncludeStdlib(true), bin.WithShortPURLS(true), bin.WithLogger(zerolog.Nop()))
	if err != nil {
		return nil, err
	}
	return generator.Generate()
}

// merge adds the modules that only another platform's binary has.
func merge(into, other *cdx.BOM) error {
	if a, b := into.Metadata.Component.PackageURL, other.Metadata.Component.PackageURL; a != b {
		return fmt.Errorf("binaries of %s and %s", a, b)
	}
	program := func(d cdx.Dependency) bool { return d.Ref == into.Metadata.Component.BOMRef }
	i := slices.IndexFunc(*into.Dependencies, program)
	if i < 0 {
		return errors.New("nothing depends on anything")
	}
	depends := &(*into.Dependencies)[i]
	for _, c := range *other.Components {
		if slices.ContainsFunc(*into.Components, func(k cdx.Component) bool { return k.BOMRef == c.BOMRef }) {
			continue
		}
		*into.Components = append(*into.Components, c)
		*into.Dependencies = append(*into.Dependencies, cdx.Dependency{Ref: c.BOMRef})
		refs := append(slices.Clone(*depends.Dependencies), c.BOMRef)
		(*into.Dependencies)[i].Dependencies = &refs
		depends = &(*into.Dependencies)[i]
	}
	return nil
}

func (b Binary) describe() (cdx.Component, error) {
	content, err := os.ReadFile(b.Path)
	if err != nil {
		return cdx.Component{}, err
	}
	sum := sha256.Sum256(content)
	return cdx.Component{
		BOMRef: b.Platform + "/" + filepath.Base(b.Path),
		Type:   cdx.ComponentTypeFile,
		Name:   filepath.Base(b.Path) + " for " + b.Platform,
		Hashes: &[]cdx.Hash{{Algorithm: cdx.HashAlgoSHA256, Value: hex.EncodeToString(sum[:])}},
	}, nil
}

func encode(bom *cdx.BOM) ([]byte, error) {
	var text bytes.Buffer
	if err := cdx.NewBOMEncoder(&text, cdx.BOMFileFormatJSON).SetPretty(true).Encode(bom); err != nil {
		return nil, fmt.Errorf("writing an SBOM: %w", err)
	}
	return text.Bytes(), nil
}
