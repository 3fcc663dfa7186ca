package umask

import (
	"strconv"
	"strings"

	"github.com/hardgate-dev/hardgate/nodecheck/host"
	"github.com/hardgate-dev/hardgate/nodecheck/host/accounts"
	"github.com/hardgate-dev/hardgate/nodecheck/host/pam"
)

// Session is the umask that a login through PAM begins with.
type Session struct {
	Service string
	// Mask is that of pam_umask; without a place where the service does not use it or
	// finds no value.
	Mask Mask
	// Groups is where the owner's part is copied to the group for users with a group
	// of their own; "" where it is not.
	Groups string
}

// services log users in.
var services = []string{"login", "sshd"}

// ReadSessions returns the session of each service that has a file.
func ReadSessions(h *host.Host) ([]Session, error) { return host.Memo(h, readSessions) }

func readSessions(h *host.Host) (list []Session, err error) {
	for _, service := range services {
		found, err := pam.HasService(h, service)
		if err != nil {
			return nil, err
		}
		if !found {
			continue
		}
		stack, err := pam.Read(h, service, pam.Session)
		if err != nil {
			return nil, err
		}
		s := Session{Service: service}
		for i := range stack.Rules {
			if stack.Rules[i].Base() == "pam_umask.so" {
				if err := s.read(h, &stack.Rules[i]); err != nil {
					return nil, err
				}
			}
		}
		list = append(list, s)
	}
	return list, nil
}

// read takes the value as pam_umask(8) does: its argument, else login.defs, of which
// it takes the first line where shadow takes the last.
func (s *Session) read(h *host.Host, r *pam.Rule) error {
	defs, err := accounts.ReadDefs(h)
	if err != nil {
		return err
	}
	if value, ok := r.Arg("umask"); ok {
		s.Mask = octal(value, r.Where)
	} else if lines := defs.All("UMASK"); len(lines) > 0 {
		s.Mask = octal(lines[0].Text, lines[0].Where)
	}
	// Since Linux-PAM 1.4 login.defs says it too; an older one ignores that.
	if lines := defs.All("USERGROUPS_ENAB"); len(lines) > 0 && strings.EqualFold(clip(lines[0].Text), "yes") {
		s.Groups = lines[0].Where
	}
	if _, off := r.Arg("nousergroups"); off {
		s.Groups = ""
	}
	if _, on := r.Arg("usergroups"); on {
		s.Groups = r.Where
	}
	return nil
}

// octal is a mask as login.defs writes it: always octal, with a comment behind it or
// not.
func octal(text, where string) Mask {
	text = clip(text)
	n, err := strconv.ParseUint(text, 8, 12)
	return Mask{Where: where, Text: text, Value: uint32(n) & 0o777, Known: err == nil}
}

// Defaults are the lines UMASK of login.defs.
func Defaults(h *host.Host) ([]Mask, error) {
	defs, err := accounts.ReadDefs(h)
	if err != nil {
		return nil, err
	}
	var list []Mask
	for _, v := range defs.All("UMASK") {
		list = append(list, octal(v.Text, v.Where))
	}
	return list, nil
}

func clip(text string) string {
	text, _, _ = strings.Cut(text, "#")
	return strings.TrimSpace(text)
}
