package accounts

import (
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"strconv"
	"strings"

	"github.com/hardgate-dev/hardgate/nodecheck/host"
)

// The files.
const (
	passwdFile = "/etc/passwd"
	groupFile  = "/etc/group"
	shadowFile = "/etc/shadow"
)

// User is a line of passwd.
type User struct {
	Name     string
	Password Password
	UID, GID uint32
	Where    string // path and line
}

// Users are the lines of /etc/passwd in their order. Of two with one name, programs
// see the first.
type Users []User

// ReadUsers reads /etc/passwd. That it does not exist is an error.
func ReadUsers(h *host.Host) (Users, error) { return host.Memo(h, readUsers) }

func readUsers(h *host.Host) (Users, error) {
	var list Users
	for l, err := range records(h, passwdFile, 7) {
		if err != nil {
			return nil, err
		}
		u := User{Name: l.fields[0], Where: l.where}
		switch field := l.fields[1]; field {
		case "x", "##" + u.Name: // pam_unix takes both
			u.Password = Shadowed
		default:
			u.Password = password(field)
		}
		uid, err := l.id(2)
		if err != nil {
			return nil, err
		}
		gid, err := l.id(3)
		if err != nil {
			return nil, err
		}
		u.UID, u.GID = uid, gid
		list = append(list, u)
	}
	return list, nil
}

// Get returns the first user of a name.
func (u Users) Get(name string) (User, bool) {
	for _, user := range u {
		if user.Name == name {
			return user, true
		}
	}
	return User{}, false
}

// Group is a line of group.
type Group struct {
	Name    string
	GID     uint32
	Members []string // as the line lists them: not those whose primary group it is
	Where   string
}

// Groups are the lines of /etc/group in their order.
type Groups []Group

// ReadGroups reads /etc/group. That it does not exist is an error.
func ReadGroups(h *host.Host) (Groups, error) { return host.Memo(h, readGroups) }

func readGroups(h *host.Host) (Groups, error) {
	var list Groups
	for l, err := range records(h, groupFile, 4) {
		if err != nil {
			return nil, err
		}
		gid, err := l.id(2)
		if err != nil {
			return nil, err
		}
		g := Group{Name: l.fields[0], GID: gid, Where: l.where}
		for name := range strings.SplitSeq(l.fields[3], ",") {
			if name = strings.TrimSpace(name); name != "" {
				g.Members = append(g.Members, name)
			}
		}
		list = append(list, g)
	}
	return list, nil
}

// Get returns the first group of a name.
func (g Groups) Get(name string) (Group, bool) {
	for _, group := range g {
		if group.Name == name {
			return group, true
		}
	}
	return Group{}, false
}

// ByID returns the first group of a number.
func (g Groups) ByID(gid uint32) (Group, bool) {
	for _, group := range g {
		if group.GID == gid {
			return group, true
		}
	}
	return Group{}, false
}

// record is one line of a file with colons.
type record struct {
	fields []string
	where  string
}

// records are the lines of a file that have want fields. The C library passes over
// empty lines and comments; names that begin with + or - call in NIS and are no
// accounts of the node. Other lines that it would pass over are errors: somebody
// meant them to be accounts.
func records(h *host.Host, path string, want int) iter.Seq2[record, error] {
	return func(yield func(record, error) bool) {
		f, err := h.File(path)
		if err == nil {
			err = f.Text()
		}
		if err != nil {
			yield(record{}, err)
			return
		}
		for line := range f.Lines() {
			text := strings.TrimLeft(line.Text, " \t")
			if text == "" || strings.ContainsRune("#+-", rune(text[0])) {
				continue
			}
			fields := strings.Split(text, ":")
			if len(fields) != want || fields[0] == "" {
				yield(record{}, malformed(f.At(line.N), fmt.Sprintf("%d fields, want %d", len(fields), want)))
				return
			}
			if !yield(record{fields: fields, where: f.At(line.N)}, nil) {
				return
			}
		}
	}
}

func (r record) id(field int) (uint32, error) {
	n, err := strconv.ParseUint(r.fields[field], 10, 32)
	if err != nil {
		return 0, malformed(r.where, fmt.Sprintf("field %d is no number", field+1))
	}
	return uint32(n), nil
}

func malformed(where, what string) error {
	return &host.Error{Path: where, Err: fmt.Errorf("%w: %s", host.ErrMalformed, what)}
}

func missing(err error) bool { return errors.Is(err, fs.ErrNotExist) }
