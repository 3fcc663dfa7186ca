package policy

import "github.com/hardgate-dev/hardgate/api/v1alpha1"

// imageProvenance: CIS 1.8 5.5.1. Images come from registries that the site names,
// and are named by digest. Image volumes count: they carry files just as well.
var imageProvenance = Policy{
	ID:         "image-provenance",
	Judges:     pods,
	Parameters: []string{"allowedRegistries", "requireDigest"},
	Undecidable: func(p *v1alpha1.Parameters) bool {
		return len(p.AllowedRegistries) == 0 && (p.RequireDigest == nil || !*p.RequireDigest)
	},
	Check: func(s *Subject) (found []Finding) {
		for c := range s.Pod.Containers() {
			found = append(found, judgeImage(s, c.Image, s.container(c).field("image"))...)
		}
		for _, v := range s.Pod.Volumes {
			if v.Image.Set {
				at := s.spec().item("volumes", v.Index, v.Name).field("image.reference")
				found = append(found, judgeImage(s, v.Image.Value, at)...)
			}
		}
		return found
	},
}

func judgeImage(s *Subject, reference string, at place) (found []Finding) {
	at = at.worth("=" + reference)
	if reference == "" {
		return []Finding{at.found("no image is named")}
	}
	image, ok := parseImage(reference)
	if !ok {
		return []Finding{at.found("%q is not an image reference", reference)}
	}
	if registries := s.Parameters.AllowedRegistries; len(registries) > 0 && !image.from(registries) {
		found = append(found, at.found("%q comes from %s, which is not an allowed registry", reference, image.host))
	}
	if demand := s.Parameters.RequireDigest; (demand == nil || *demand) && !image.digest {
		found = append(found, at.worth("@").found("%q is not named by digest", reference))
	}
	return found
}
