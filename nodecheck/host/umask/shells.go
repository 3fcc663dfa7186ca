package umask

import (
	"strings"

	"github.com/hardgate-dev/hardgate/nodecheck/host"
)

// Shells is what the umask of a shell may be once it has read the files for
// everybody; each list has what no file sets as a Mask without a place.
type Shells struct {
	// Login: a shell that reads profile and, through it, profile.d.
	Login []Mask
	// Interactive: bash without a login, which reads bash.bashrc or bashrc.
	Interactive []Mask
	// Files are the entry files that exist.
	Files []string
}

// The entry files; of each list the first that exists is read. Those below /usr/etc
// belong to distributions that keep /etc for the site.
var (
	loginFiles       = []string{"/etc/profile", "/usr/etc/profile"}
	interactiveFiles = []string{"/etc/bash.bashrc", "/etc/bashrc", "/etc/bash/bashrc", "/usr/etc/bash.bashrc"}
)

// Read follows the files of both kinds of shell. That they do not exist is no error.
func Read(h *host.Host) (Shells, error) { return host.Memo(h, read) }

func read(h *host.Host) (Shells, error) {
	var s Shells
	for _, kind := range []struct {
		entries []string
		masks   *[]Mask
	}{{loginFiles, &s.Login}, {interactiveFiles, &s.Interactive}} {
		*kind.masks = []Mask{{}}
		for _, entry := range kind.entries {
			found, err := h.Exists(entry)
			if err != nil {
				return Shells{}, err
			}
			if !found {
				continue
			}
			s.Files = append(s.Files, entry)
			if *kind.masks, err = follow(h, entry); err != nil {
				return Shells{}, err
			}
			break
		}
	}
	return s, nil
}

// follow reads an entry file, and again where the shell's language may put the files
// of profile.d in another order: most languages sort "CIS.sh" behind "apps.sh".
func follow(h *host.Host, entry string) ([]Mask, error) {
	s := script{host: h, order: strings.Compare, masks: []Mask{{}}, functions: map[string]function{}}
	if err := s.run(entry); err != nil || !s.mixed {
		return s.masks, err
	}
	other := script{host: h, order: folded, masks: []Mask{{}}, functions: map[string]function{}}
	err := other.run(entry)
	return union(s.masks, other.masks), err
}

func folded(a, b string) int { return strings.Compare(strings.ToLower(a), strings.ToLower(b)) }
