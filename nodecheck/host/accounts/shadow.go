package accounts

import (
	"fmt"
	"strconv"

	"github.com/hardgate-dev/hardgate/nodecheck/host"
)

// Aging is a line of shadow without its password.
type Aging struct {
	Name     string
	Password Password
	// LastChange is the day of the last change, counted from 1970; nil where the field
	// is empty, which turns aging off.
	LastChange *int
	// MaxDays is how long a password is valid, InactiveDays how long the account stays
	// open after that; nil where the field is empty, which sets no limit.
	MaxDays, InactiveDays *int
	Where                 string // path and line
}

// Shadow is the lines of /etc/shadow in their order. Of two with one name, programs
// see the first.
type Shadow []Aging

// ReadShadow reads /etc/shadow. That it does not exist is an error.
func ReadShadow(h *host.Host) (Shadow, error) { return host.Memo(h, readShadow) }

func readShadow(h *host.Host) (Shadow, error) {
	var list Shadow
	for l, err := range records(h, shadowFile, 9) {
		if err != nil {
			return nil, err
		}
		a := Aging{Name: l.fields[0], Password: password(l.fields[1]), Where: l.where}
		if a.LastChange, err = l.days(2); err != nil {
			return nil, err
		}
		if a.MaxDays, err = l.days(4); err != nil {
			return nil, err
		}
		if a.InactiveDays, err = l.days(6); err != nil {
			return nil, err
		}
		list = append(list, a)
	}
	return list, nil
}

// Get returns the first line of a name.
func (s Shadow) Get(name string) (Aging, bool) {
	for _, a := range s {
		if a.Name == name {
			return a, true
		}
	}
	return Aging{}, false
}

// days reads a field. What is in it is not repeated: a line that lacks a colon has
// the hash in another place.
func (r record) days(field int) (*int, error) {
	if r.fields[field] == "" {
		return nil, nil //nolint:nilnil // nil is the value of an empty field
	}
	n, err := strconv.ParseInt(r.fields[field], 10, 32)
	if err != nil {
		return nil, malformed(r.where, fmt.Sprintf("field %d is no number of days", field+1))
	}
	days := int(n)
	return &days, nil
}

// PasswordAges returns the lines of those accounts that a password opens, an empty
// one too, with it in shadow or, without any aging, in passwd. That one of the two
// files does not exist is no error.
func PasswordAges(h *host.Host) (Shadow, error) {
	users, err := ReadUsers(h)
	if err != nil && !missing(err) {
		return nil, err
	}
	shadow, err := ReadShadow(h)
	if err != nil && !missing(err) {
		return nil, err
	}
	var list Shadow
	seen := map[string]bool{}
	for _, u := range users {
		if u.Password.opens() && !seen[u.Name] {
			list = append(list, Aging{Name: u.Name, Password: u.Password, Where: u.Where})
		}
		// What else stands in passwd does not lead to shadow.
		seen[u.Name] = seen[u.Name] || u.Password != Shadowed
	}
	for _, a := range shadow {
		if a.Password.opens() && !seen[a.Name] {
			list = append(list, a)
		}
		seen[a.Name] = true
	}
	return list, nil
}
