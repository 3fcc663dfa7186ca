// Package version says which build of hardgate a program is.
package version

import (
	"runtime/debug"
	"strings"
	"sync"
)

// unknown is what the go command calls a build without a version.
const unknown = "(devel)"

// String is the version, with the commit where only that is known: what the go command
// has stamped.
var String = sync.OnceValue(func() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" {
		return unknown
	}
	return info.Main.Version
})

// Line is the version and, where they are known, the commit and the version of Go, as in
// "v1.2.3 commit 0123abcd go1.26.8".
func Line() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		info = &debug.BuildInfo{}
	}
	return line(info)
}

func line(info *debug.BuildInfo) string {
	words := []string{unknown}
	if info.Main.Version != "" {
		words[0] = info.Main.Version
	}
	for _, s := range info.Settings {
		switch {
		case s.Key == "vcs.revision":
			words = append(words, "commit", s.Value)
		case s.Key == "vcs.modified" && s.Value == "true":
			words = append(words, "with changes")
		}
	}
	if info.GoVersion != "" {
		words = append(words, info.GoVersion)
	}
	return strings.Join(words, " ")
}
