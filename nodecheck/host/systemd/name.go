package systemd

import (
	"path"
	"strings"
)

// unitName is a name taken apart: prefix@instance.ext, or prefix.ext.
type unitName struct {
	prefix, instance, ext string
	isTemplate            bool // with "@": a template, or an instance of one
}

func split(name string) unitName {
	n := unitName{ext: path.Ext(name)}
	n.prefix, n.instance, n.isTemplate = strings.Cut(strings.TrimSuffix(name, n.ext), "@")
	return n
}

func (n unitName) template() string { return n.prefix + "@" + n.ext }

// of is the instance of a template; any other name is itself.
func (n unitName) of(instance string) string {
	if n.isTemplate && n.instance == "" {
		n.instance = instance
	}
	if !n.isTemplate {
		return n.prefix + n.ext
	}
	return n.prefix + "@" + n.instance + n.ext
}

// dropIns are the directories of a name, the nearest first: its own, its
// template's, and those of what stands before its dashes. A template that is cut
// at a dash is a plain name.
func (n unitName) dropIns() []string {
	list := []string{n.of("") + ".d"}
	if n.instance != "" {
		list = append(list, split(n.template()).dropIns()...)
	}
	if i := strings.LastIndexByte(strings.TrimRight(n.prefix, "-"), '-'); i > 0 {
		n.prefix, n.isTemplate = n.prefix[:i+1], n.instance != ""
		list = append(list, n.dropIns()...)
	}
	return list
}
