package accounts

import "strings"

// Password is what a password field amounts to.
type Password uint8

// The states. The zero value is none of them.
const (
	_ Password = iota
	// Set: a password opens the account.
	Set
	// Empty: no password is asked for.
	Empty
	// Locked: the field is no hash ("*", "!", "x"), so that no password fits.
	Locked
	// LockedSet: "!" before a hash, as passwd -l leaves it; passwd -u opens it again.
	LockedSet
	// Shadowed: passwd says that shadow has the field.
	Shadowed
)

// opens is whether a password opens the account.
func (p Password) opens() bool { return p == Set || p == Empty }

// String is for people.
func (p Password) String() string {
	switch p {
	case Set:
		return "a password is set"
	case Empty:
		return "the password is empty"
	case Locked:
		return "no password can be entered"
	case LockedSet:
		return "the password is locked"
	case Shadowed:
		return "the password is in /etc/shadow"
	}
	return "unknown"
}

// password tells what a field amounts to. What crypt(3) could not have written fits
// no password, whatever it is: see shadow(5).
func password(field string) Password {
	switch rest := strings.TrimLeft(field, "!*"); {
	case field == "":
		return Empty
	case !hashed(rest):
		return Locked
	case rest != field:
		return LockedSet
	}
	return Set
}

// hashed is whether crypt(3) may have written a field: the formats of crypt(5) begin
// with $id$, those of BSDi with "_", and those of DES are 13 letters, or 24 and more
// for bigcrypt.
func hashed(field string) bool {
	if strings.HasPrefix(field, "$") {
		id, rest, ok := strings.Cut(field[1:], "$")
		return ok && id != "" && strings.Contains(rest, "$") && !strings.HasSuffix(rest, "$")
	}
	const des, bsdi, bigcrypt = 13, 20, 24
	field, extended := strings.CutPrefix(field, "_")
	if strings.Trim(field, "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz") != "" {
		return false
	}
	return len(field) == des || len(field) >= bigcrypt || extended && len(field) == bsdi-1
}
