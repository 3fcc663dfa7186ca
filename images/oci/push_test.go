package oci

import (
	"io"
	"log"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	"github.com/google/go-containerregistry/pkg/v1/remote"
)

// Who pushes the index, as crane and skopeo do, pushes the documents too, and the
// registry finds them by the image that they are about.
func TestPush(t *testing.T) {
	server := httptest.NewServer(registry.New(registry.WithReferrersSupport(true), registry.Logger(log.New(io.Discard, "", 0))))
	defer server.Close()
	index, _ := open(t, unpack(t, pack(t, "a:1")))
	manifest, err := index.IndexManifest()
	if err != nil {
		t.Fatal(err)
	}
	ref, err := name.ParseReference(strings.TrimPrefix(server.URL, "http://") + "/team/a:1")
	if err != nil {
		t.Fatal(err)
	}
	if err := remote.WriteIndex(ref, index, remote.WithContext(t.Context())); err != nil {
		t.Fatal(err)
	}
	for i, image := range manifest.Manifests[:2] {
		found, err := remote.Referrers(ref.Context().Digest(image.Digest.String()), remote.WithContext(t.Context()))
		if err != nil {
			t.Fatal(err)
		}
		referrers, err := found.IndexManifest()
		if err != nil {
			t.Fatal(err)
		}
		if len(referrers.Manifests) != 1 || referrers.Manifests[0].Digest != manifest.Manifests[2+i].Digest ||
			referrers.Manifests[0].ArtifactType != "application/vnd.cyclonedx+json" {
			t.Errorf("%s has the referrers %+v", image.Platform, referrers.Manifests)
		}
	}
}
