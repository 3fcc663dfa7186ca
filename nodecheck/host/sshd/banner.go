package sshd

import (
	"path"
	"strings"
)

// BannerPath is the file that a value of Banner names, empty for none. Relative
// names begin where the server was started, which is the root, and "~" is root's
// home.
func BannerPath(value string) string {
	if strings.EqualFold(value, none) {
		return ""
	}
	if rest, ok := strings.CutPrefix(value, "~/"); ok {
		value = path.Join("/root", rest)
	}
	return path.Clean("/" + value)
}
