package policy

import (
	"fmt"
	"regexp"
	"strings"
)

// image is an image reference taken apart. A name without a registry is Docker
// Hub's, as every runtime reads it.
type image struct {
	host   string // with its port, lower case
	path   string // the repository below the host
	digest bool   // named by a whole digest
}

const dockerHub = "docker.io"

var (
	repository = regexp.MustCompile(`^[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*)*$`)
	tag        = regexp.MustCompile(`^\w[\w.-]{0,127}$`)
	digests    = regexp.MustCompile(`^(?:sha256:[a-f0-9]{64}|sha512:[a-f0-9]{128})$`)
	imageID    = regexp.MustCompile(`^(?:sha256:)?[a-f0-9]{64}$`)
	registry   = regexp.MustCompile(`^(?:[a-z0-9]|[a-z0-9][a-z0-9.-]*[a-z0-9]|\[[0-9a-f:]+\])(?::[0-9]+)?$`)
)

// parseImage reads [host[:port]/]path[:tag][@digest], the grammar of the
// distribution project. ok is false for anything else, also for what a runtime may
// take for the id of an image that it has already, wherever that came from.
func parseImage(reference string) (i image, ok bool) {
	if imageID.MatchString(reference) {
		return image{}, false
	}
	name, digest, hasDigest := strings.Cut(reference, "@")
	if hasDigest && !digests.MatchString(digest) {
		return image{}, false
	}
	if slash, colon := strings.LastIndexByte(name, '/'), strings.LastIndexByte(name, ':'); colon > slash {
		if !tag.MatchString(name[colon+1:]) {
			return image{}, false
		}
		name = name[:colon]
	}
	i = image{host: dockerHub, path: name, digest: hasDigest}
	// The first element is a host when it could not be part of a Hub name.
	if first, rest, found := strings.Cut(name, "/"); found && (strings.ContainsAny(first, ".:") || first == "localhost" || first != strings.ToLower(first)) {
		i.host, i.path = strings.ToLower(first), rest
	}
	i.host = canonical(i.host)
	if i.host == dockerHub && !strings.Contains(i.path, "/") {
		i.path = "library/" + i.path
	}
	return i, registry.MatchString(i.host) && repository.MatchString(i.path)
}

// canonical is the one name of a registry that has several.
func canonical(host string) string {
	switch host {
	case "index.docker.io", "registry-1.docker.io":
		return dockerHub
	}
	return host
}

// from is whether one of the allowed registries serves the image. An entry is a
// host with its port and optionally a path; a host without a port means the
// default port only. Hosts match whole, paths by whole elements.
func (i image) from(allowed []string) bool {
	for _, entry := range allowed {
		host, prefix, _ := strings.Cut(strings.TrimSuffix(entry, "/"), "/")
		host = canonical(strings.ToLower(host))
		wild, isWild := strings.CutPrefix(host, "*.")
		if host != i.host && (!isWild || !strings.HasSuffix(i.host, "."+wild)) {
			continue
		}
		if prefix == "" || i.path == prefix || strings.HasPrefix(i.path, prefix+"/") {
			return true
		}
	}
	return false
}

// CheckRegistry says what is wrong with an entry of allowedRegistries.
func CheckRegistry(entry string) error {
	host, prefix, _ := strings.Cut(strings.TrimSuffix(entry, "/"), "/")
	if strings.Contains(entry, "://") {
		return fmt.Errorf("%q has a scheme: write the host alone", entry)
	}
	if !registry.MatchString(strings.TrimPrefix(strings.ToLower(host), "*.")) {
		return fmt.Errorf("%q does not start with a registry host", entry)
	}
	if prefix != "" && !repository.MatchString(prefix) {
		return fmt.Errorf("%q is not a repository path", prefix)
	}
	return nil
}
