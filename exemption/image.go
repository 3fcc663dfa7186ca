package exemption

import "strings"

// names is whether an image is meant: all below "registry.example.com/team/*"; any tag or
// digest of a repository that is named without; what has a tag, as it is written; and what
// has a digest, whatever tag is written before it, since runtimes go by the digest alone.
func names(named, image string) bool {
	if below, all := strings.CutSuffix(named, "/*"); all {
		return strings.HasPrefix(image, below+"/")
	}
	if image == named {
		return true
	}
	wanted, digest, exact := strings.Cut(named, "@")
	name, has, _ := strings.Cut(image, "@")
	switch {
	case strings.ContainsAny(has, "/@"): // no reference
		return false
	case exact:
		return digest != "" && digest == has && repository(wanted) == repository(name)
	}
	return repository(name) == named // never of what is named with a tag
}

// repository is a reference without its tag. The port of "registry:5000/web" is none.
func repository(name string) string {
	last := strings.LastIndexByte(name, '/') + 1
	if tag := strings.IndexByte(name[last:], ':'); tag >= 0 {
		return name[:last+tag]
	}
	return name
}
