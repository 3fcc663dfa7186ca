// Package docs_test holds the documents together: what they link to is there.
package docs_test

import (
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"unicode"
)

// elsewhere are directories without documents for people.
var elsewhere = []string{".git", "bin", "dist", "testdata"}

// document is a Markdown file.
type document struct {
	prose   string   // without its fenced blocks
	fenced  []string // these
	anchors map[string]bool
}

func parse(text string) *document {
	d := &document{}
	var prose, block strings.Builder
	for line := range strings.Lines(text) {
		edge, inside := strings.HasPrefix(strings.TrimSpace(line), "```"), block.Len() > 0
		switch {
		case inside && edge:
			d.fenced = append(d.fenced, block.String())
			block.Reset()
		case inside || edge:
			block.WriteString(line)
		default:
			prose.WriteString(line)
		}
	}
	d.prose = prose.String()
	d.anchors = anchors(d.prose)
	return d
}

// documents are all of the checkout, by their paths.
func documents(t *testing.T) (root fs.FS, all map[string]*document) {
	t.Helper()
	root, all = os.DirFS(".."), map[string]*document{}
	err := fs.WalkDir(root, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && slices.Contains(elsewhere, d.Name()) {
			return fs.SkipDir
		}
		if path.Ext(name) != ".md" {
			return nil
		}
		text, err := fs.ReadFile(root, name)
		all[name] = parse(string(text))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return root, all
}

var (
	code    = regexp.MustCompile("`[^`\n]*`")
	link    = regexp.MustCompile(`\]\(\s*<?([^()\s>]+)>?(?:\s+"[^"]*")?\s*\)`)
	defined = regexp.MustCompile(`(?m)^\[[^\]]+\]:\s+(\S+)`)
	heading = regexp.MustCompile(`(?m)^#{1,6} +(.*?)[ #]*$`)
	named   = regexp.MustCompile(`<a (?:id|name)="([^"]+)"`)
	linked  = regexp.MustCompile(`\[([^\]]*)\]\([^)]*\)`)
)

// targets are where the links of a document lead.
func (d *document) targets() (found []string) {
	prose := code.ReplaceAllString(d.prose, "``")
	for _, re := range []*regexp.Regexp{link, defined} {
		for _, m := range re.FindAllStringSubmatch(prose, -1) {
			found = append(found, m[1])
		}
	}
	return found
}

// anchors are the names by which GitHub lets headings be linked to.
func anchors(prose string) map[string]bool {
	found, count := map[string]bool{}, map[string]int{}
	for _, m := range named.FindAllStringSubmatch(prose, -1) {
		found[m[1]] = true
	}
	for _, m := range heading.FindAllStringSubmatch(prose, -1) {
		anchor := strings.Map(func(r rune) rune {
			switch {
			case r == ' ':
				return '-'
			case r == '-' || r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsMark(r):
				return r
			}
			return -1
		}, strings.ToLower(linked.ReplaceAllString(m[1], "$1")))
		if n := count[anchor]; n > 0 {
			found[fmt.Sprintf("%s-%d", anchor, n)] = true
		} else {
			found[anchor] = true
		}
		count[anchor]++
	}
	return found
}

// wrong says what is wrong with a link of a document; empty if nothing is. What leads out
// of the checkout is nobody's to promise.
func wrong(root fs.FS, all map[string]*document, from, to string) string {
	u, err := url.Parse(to)
	switch {
	case err != nil:
		return err.Error()
	case u.Scheme != "" || u.Host != "":
		return ""
	case path.IsAbs(u.Path):
		return "is absolute: write it from the document's directory"
	}
	name := from
	if u.Path != "" {
		name = path.Join(path.Dir(from), u.Path)
	}
	if !fs.ValidPath(name) {
		return "leads out of the checkout"
	}
	if _, err := fs.Stat(root, name); err != nil {
		return "leads to nothing"
	}
	if d, known := all[name]; u.Fragment != "" && (!known || !d.anchors[u.Fragment]) {
		return "has an anchor that is not there"
	}
	return ""
}

func TestLinks(t *testing.T) {
	root, all := documents(t)
	if len(all) < 20 {
		t.Fatalf("%d documents are found: those of the checkout are more", len(all))
	}
	for from, d := range all {
		for _, to := range d.targets() {
			if why := wrong(root, all, from, to); why != "" {
				t.Errorf("%s: the link %s %s", from, to, why)
			}
		}
	}
}

// Both READMEs lead to every document, so that none is written for nobody.
func TestEveryDocumentIsLinked(t *testing.T) {
	_, all := documents(t)
	for _, readme := range []string{"README.md", "README.ko.md"} {
		to := all[readme].targets()
		for name := range all {
			if path.Dir(name) == "docs" && !slices.Contains(to, name) {
				t.Errorf("%s has no link to %s", readme, name)
			}
		}
	}
}

// The Korean README is the English one in another language: the same parts in the same
// order, the same commands, the same links.
func TestREADMEsAgree(t *testing.T) {
	_, all := documents(t)
	en, ko := all["README.md"], all["README.ko.md"]
	if a, b := len(heading.FindAllString(en.prose, -1)), len(heading.FindAllString(ko.prose, -1)); a != b {
		t.Errorf("README.md has %d headings, README.ko.md %d", a, b)
	}
	// Each links to the other. The order of words is a language's own.
	a, b := sorted(en.targets(), "README.ko.md"), sorted(ko.targets(), "README.md")
	if !slices.Equal(a, b) {
		t.Errorf("they link to different places:\n%q\n%q", a, b)
	}
	a, b = en.commands(), ko.commands()
	for i, block := range a {
		if i >= len(b) || block != b[i] {
			t.Fatalf("block %d of README.md is not in README.ko.md at that place:\n%s", i+1, block)
		}
	}
	if len(b) > len(a) {
		t.Errorf("README.ko.md has a block more: %s", b[len(a)])
	}
}

func sorted(all []string, without string) []string {
	all = slices.DeleteFunc(all, func(s string) bool { return s == without })
	slices.Sort(all)
	return all
}

var comment = regexp.MustCompile(`(?m) *# .*$`)

// commands are the fenced blocks and the indented lines without comments, which are in the
// document's language, as is what is written into pictures.
func (d *document) commands() (found []string) {
	for _, b := range d.fenced {
		if !strings.HasPrefix(b, "```mermaid") {
			found = append(found, comment.ReplaceAllString(b, ""))
		}
	}
	for line := range strings.Lines(d.prose) {
		if strings.HasPrefix(line, "    ") {
			found = append(found, strings.TrimSpace(comment.ReplaceAllString(line, "")))
		}
	}
	return found
}

// What the tests above look for is found.
func TestWrongLinks(t *testing.T) {
	const a = "# It's `one` – two_3\n## Same\n## Same\n```\n# not a heading\n```\n## [Linked](x.md) 설치하기\n<a id=\"by-hand\"></a>\n"
	root := fstest.MapFS{"docs/a.md": {Data: []byte(a)}, "go.mod": {}}
	all := map[string]*document{"docs/a.md": parse(a)}
	for to, want := range map[string]string{
		"a.md#its-one--two_3": "", "#same": "", "#same-1": "", "#linked-설치하기": "", "#linked-%EC%84%A4%EC%B9%98%ED%95%98%EA%B8%B0": "",
		"#by-hand": "", "../go.mod": "", "../docs": "", "..": "", "https://example.com/x#y": "", "mailto:a@example.com": "",
		"#same-2": "anchor", "#not-a-heading": "anchor", "../go.mod#module": "anchor", "b.md": "nothing",
		"../../x": "out of the checkout", "/docs/a.md": "absolute",
	} {
		if got := wrong(root, all, "docs/a.md", to); (want == "") != (got == "") || !strings.Contains(got, want) {
			t.Errorf("%s: %q, want %q", to, got, want)
		}
	}
	got := parse("[a](b.md) `[c](d.md)` ![e](f.png \"g\") [h\ni](<j.md>)\n```\n[k](l.md)\n```\n[m]: n.md\n").targets()
	if want := []string{"b.md", "f.png", "j.md", "n.md"}; !slices.Equal(got, want) {
		t.Errorf("links to %q, want %q", got, want)
	}
}
