package sshd

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// maxCriteria bounds what is said of a block: it is said with each of its values.
const maxCriteria = 256

// criteria reads what follows Match. all is "Match all"; else text says when the
// block holds, in one spelling.
func criteria(rest string, v Version) (text string, all bool, err error) {
	w := words{rest: rest}
	var parts []string
	for {
		attribute, ok := w.next()
		if !ok || attribute == "" || attribute[0] == '#' {
			break
		}
		name := strings.ToLower(attribute)
		if name == "all" {
			next, ok := w.next()
			if len(parts) > 0 || ok && next != "" && next[0] != '#' {
				return "", false, fmt.Errorf("all stands beside other criteria")
			}
			return "all", true, nil
		}
		if name == "invalid-user" && !v.Before(9, 9) {
			parts = append(parts, attribute)
			continue
		}
		arg, ok := w.next()
		if !ok || arg == "" || arg[0] == '#' {
			return "", false, fmt.Errorf("a criterion of Match has no value: %q", attribute)
		}
		switch name {
		case "user", "group", "host", "rdomain":
		case "version":
			if v.Before(10, 0) {
				return "", false, fmt.Errorf("unsupported criterion of Match %q", attribute)
			}
		case "address", "localaddress":
			if !addresses(arg) {
				return "", false, fmt.Errorf("invalid address in %q", arg)
			}
		case "localport":
			// The names of others are in a file that is not read here.
			if n, err := strconv.Atoi(arg); arg != "ssh" && (err != nil || n < 0 || n > 65535) {
				return "", false, fmt.Errorf("invalid port %q", arg)
			}
		default:
			return "", false, fmt.Errorf("unsupported criterion of Match %q", attribute)
		}
		parts = append(parts, attribute+" "+arg)
	}
	if len(parts) == 0 {
		return "", false, fmt.Errorf("a Match without criteria")
	}
	text = strings.Join(parts, " ")
	if len(text) > maxCriteria {
		text = strings.ToValidUTF8(text[:maxCriteria], "") + "..."
	}
	return text, false, nil
}

// addresses is addr_match_list's view of its list: what is not an address is a
// pattern, but a network must have no bits beyond its mask.
func addresses(list string) bool {
	for element := range strings.SplitSeq(list, ",") {
		element = strings.TrimPrefix(element, "!")
		if element == "" {
			return false
		}
		text, mask, network := strings.Cut(element, "/")
		addr, err := netip.ParseAddr(text)
		if err != nil || !network {
			continue
		}
		bits, err := strconv.ParseUint(mask, 10, 16)
		if err != nil || bits > 128 {
			continue
		}
		if int(bits) > addr.BitLen() || netip.PrefixFrom(addr.WithZone(""), int(bits)).Masked().Addr() != addr.WithZone("") {
			return false
		}
	}
	return true
}
