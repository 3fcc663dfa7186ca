package kernel

import (
	"cmp"
	"slices"
	"strings"
)

// Release is a kernel's release as uname -r prints it.
type Release struct {
	Text string
	// Version is what kernels of one kind differ by.
	Version string
	// Kind is the flavour: "generic", "azure", "cloud-amd64"; empty on systems with
	// one only. A newer kernel of another kind is no update of this one.
	Kind string
}

var architectures = []string{"x86_64", "aarch64", "ppc64le", "s390x"}

// Parse takes a release apart. Versions are joined by dashes and begin with a digit;
// what begins with a letter after a dash is the kind, and what follows the
// architecture after a plus sign.
func Parse(text string) Release {
	r := Release{Text: text, Version: text}
	for i := 0; i+1 < len(text); i++ {
		if text[i] == '-' && !digit(text[i+1]) {
			r.Version, r.Kind = text[:i], text[i+1:]
			break
		}
	}
	// The systems that write the architecture into the version have their kinds there.
	version, kind, ok := strings.Cut(r.Version, "+")
	if ok && slices.ContainsFunc(architectures, func(a string) bool { return strings.HasSuffix(version, "."+a) }) {
		r.Version, r.Kind = version, strings.TrimSuffix(kind+"-"+r.Kind, "-")
	}
	return r
}

// Compare orders two versions as rpm does: by their numbers and words in turn, a
// number over a word, and the longer one of two that begin alike.
func (r Release) Compare(other Release) int {
	return slices.CompareFunc(parts(r.Version), parts(other.Version), func(a, b string) int {
		switch an, bn := digit(a[0]), digit(b[0]); {
		case an && bn:
			a, b = strings.TrimLeft(a, "0"), strings.TrimLeft(b, "0")
			return cmp.Or(cmp.Compare(len(a), len(b)), strings.Compare(a, b))
		case an:
			return 1
		case bn:
			return -1
		}
		return strings.Compare(a, b)
	})
}

// parts are the runs of digits and of letters.
func parts(version string) (list []string) {
	for i := 0; i < len(version); {
		j := i
		for j < len(version) && class(version[j]) == class(version[i]) {
			j++
		}
		if class(version[i]) != 0 {
			list = append(list, version[i:j])
		}
		i = j
	}
	return list
}

func class(c byte) int {
	switch {
	case digit(c):
		return 1
	case 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z':
		return 2
	}
	return 0
}

func digit(c byte) bool { return '0' <= c && c <= '9' }
