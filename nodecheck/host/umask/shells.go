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
	// Interactive: bash without a login, which reads bash.bashrc or bashrc; where there
	// are several of them, what any of them comes to.
	Interactive []Mask
	// Files are the entry files that exist.
	Files []string
}

// The entry files. Of each list one is read: that below /usr/etc belongs to
// distributions that keep /etc for the site. Which bashrc a bash reads was settled
// when it was built, so that each counts.
var entryFiles = []struct {
	login bool
	names []string
}{
	{true, []string{"/etc/profile", "/usr/etc/profile"}},
	{false, []string{"/etc/bash.bashrc", "/usr/etc/bash.bashrc"}},
	{false, []string{"/etc/bashrc"}},
	{false, []string{"/etc/bash/bashrc"}},
}

// Read follows the files of both kinds of shell. That they do not exist is no error.
func Read(h *host.Host) (Shells, error) { return host.Memo(h, read) }

func read(h *host.Host) (Shells, error) {
	s := Shells{Login: []Mask{{}}}
	for _, kind := range entryFiles {
		entry, err := first(h, kind.names)
		if err != nil {
			return Shells{}, err
		}
		if entry == "" {
			continue
		}
		s.Files = append(s.Files, entry)
		masks, err := follow(h, entry)
		if err != nil {
			return Shells{}, err
		}
		if kind.login {
			s.Login = masks
		} else {
			s.Interactive = union(s.Interactive, masks)
		}
	}
	if s.Interactive == nil {
		s.Interactive = []Mask{{}}
	}
	return s, nil
}

// first is the first of names that exists, "" where none does.
func first(h *host.Host, names []string) (string, error) {
	for _, name := range names {
		if found, err := h.Exists(name); err != nil || found {
			return name, err
		}
	}
	return "", nil
}

// follow reads an entry file, and again where the shell's language may put the files
// of profile.d in another order: most languages sort "CIS.sh" behind "apps.sh".
func follow(h *host.Host, entry string) ([]Mask, error) {
	s := newScript(h, strings.Compare)
	if err := s.run(entry); err != nil || !s.mixed {
		return s.masks, err
	}
	other := newScript(h, folded)
	err := other.run(entry)
	return union(s.masks, other.masks), err
}

func folded(a, b string) int { return strings.Compare(strings.ToLower(a), strings.ToLower(b)) }
