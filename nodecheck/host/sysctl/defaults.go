package sysctl

import "strings"

// defaults are the values of a key below net/<family>/conf that a kernel starts
// with, for conf/all and for conf/default; an interface begins with the second.
// From ipv4_devconf and ipv4_devconf_dflt in net/ipv4/devinet.c, ipv6_devconf and
// ipv6_devconf_dflt in net/ipv6/addrconf.c.
var defaults = map[string][2]int{
	"ipv4/send_redirects":      {1, 1},
	"ipv4/accept_source_route": {0, 1},
	"ipv4/accept_redirects":    {1, 1},
	"ipv4/secure_redirects":    {1, 1},
	"ipv4/shared_media":        {1, 1},
	"ipv4/log_martians":        {0, 0},
	"ipv4/forwarding":          {0, 0},
	"ipv6/accept_ra":           {1, 1},
	"ipv6/accept_redirects":    {1, 1},
	"ipv6/accept_source_route": {0, 0},
	"ipv6/disable_ipv6":        {0, 0},
	"ipv6/forwarding":          {0, 0},
}

// Default returns the value that a kernel starts with for a key in the form
// "net/ipv4/conf/all/send_redirects"; false for a key that is not known.
func Default(key string) (int, bool) {
	parts := strings.Split(key, "/")
	const family, who, name, length = 1, 3, 4, 5
	if len(parts) != length || parts[0] != "net" || parts[2] != "conf" {
		return 0, false
	}
	values, ok := defaults[parts[family]+"/"+parts[name]]
	if parts[who] == "all" {
		return values[0], ok
	}
	return values[1], ok
}
