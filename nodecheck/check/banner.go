package check

import (
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/hardgate-dev/hardgate/nodecheck/host"
	"github.com/hardgate-dev/hardgate/nodecheck/host/osrelease"
	"github.com/hardgate-dev/hardgate/nodecheck/host/sshd"
)

// bannerChecks: CIS Ubuntu 16.04 1.7.1.2, 1.7.1.3, 1.7.1.5 and 1.7.1.6. Whether a
// text warns is for people to say; that there is one, and what it must not show, is
// judged.
var bannerChecks = []*Check{
	{
		ID:    "banner-local",
		Reads: []string{"/etc/issue", "/etc/issue.d", "/run/issue", "/run/issue.d", "/usr/lib/issue", "/usr/lib/issue.d", "getty@.service", "/etc/os-release"},
		Run:   bannerLocal,
	},
	{
		ID:    "banner-remote",
		Reads: []string{"/etc/issue.net", "/etc/ssh/sshd_config", "/etc/os-release"},
		Run:   bannerRemote,
	},
	bannerMode("perm-issue", "/etc/issue"),
	bannerMode("perm-issue-net", "/etc/issue.net"),
}

// bannerLocal judges what agetty shows, see ISSUE FILES in agetty(8).
func bannerLocal(h *host.Host, rules *Rules) (Result, error) {
	files, err := issueFiles(h)
	if err != nil {
		return Result{}, err
	}
	var j judge
	j.gettyBanners(h, rules)
	if len(files) == 0 {
		getty, err := anyOf(h, gettys)
		switch {
		case err != nil:
			return Result{}, err
		case getty == "":
			// Without its directory, the program may only not have been copied.
			if dir, err := anyOf(h, []string{"/usr/sbin", "/sbin"}); err != nil || dir == "" {
				return Result{}, errors.Join(err, &host.Error{Path: "/usr/sbin", Err: fs.ErrNotExist})
			}
			return notApplicable("/usr/sbin/agetty", "neither the program nor /etc/issue exists: nobody logs in at the console")
		}
		j.fault(Finding{Where: "/etc/issue", Expected: bannerWanted, Actual: "no such file", Detail: getty + " asks for a login without a warning"})
		return j.done()
	}
	j.banners(h, files, rules)
	return j.done()
}

// maxIssues bounds the files of one directory.
const maxIssues = 64

// issueFiles are the files that agetty shows, in order. The directory beside
// /etc/issue counts only if that file is there; the ones below /run and /usr/lib
// count where it is not.
func issueFiles(h *host.Host) (files []string, err error) {
	for _, place := range []string{"/etc/issue", "/run/issue", "/usr/lib/issue"} {
		there, err := h.Exists(place)
		if err != nil {
			return nil, err
		}
		if there {
			files = append(files, place)
		}
		if there || place != "/etc/issue" {
			more, err := issueDir(h, place+".d")
			if err != nil {
				return nil, err
			}
			files = append(files, more...)
		}
		if there && place == "/etc/issue" {
			break
		}
	}
	return files, nil
}

func issueDir(h *host.Host, dir string) (files []string, err error) {
	entries, err := h.Dir(dir)
	if missing(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		if strings.HasSuffix(e.Name, ".issue") && e.Name[0] != '.' && !e.Type.IsDir() {
			files = append(files, dir+"/"+e.Name)
		}
	}
	if len(files) > maxIssues {
		return nil, &host.Error{Path: dir, Err: fmt.Errorf("%w: more than %d files", host.ErrTooLarge, maxIssues)}
	}
	return files, nil
}

// bannerRemote judges /etc/issue.net, and what else sshd shows: it is told which
// file to show, and that may be another one.
func bannerRemote(h *host.Host, rules *Rules) (Result, error) {
	const name = "/etc/issue.net"
	there, err := h.Exists(name)
	if err != nil {
		return Result{}, err
	}
	var files []string
	if there {
		files = append(files, name)
	}
	c, err := sshd.Read(h)
	var unseen error
	switch {
	case err != nil && !there:
		return Result{}, err
	case errors.Is(err, host.ErrNotMounted): // it may name another file
		unseen = err
	case err != nil: // what the options of sshd are is not this control's to say
	case c.Off != "" && !there:
		return notApplicable(c.OffWhere, join(c.Off, "there is no "+name))
	case c.Off == "":
		for _, s := range sshSettings(c, "Banner") {
			other := sshd.BannerPath(s.Value)
			if other == "" {
				continue
			}
			// That the file is missing is a finding of ssh-banner.
			if shown, err := h.Stat(other); !missing(err) && !bannerListed(h, files, shown.Path) {
				files = append(files, other)
			}
		}
	}
	var j judge
	j.unknown(unseen)
	if len(files) == 0 {
		j.fault(Finding{Where: name, Expected: bannerWanted, Actual: "no such file"})
	}
	j.banners(h, files, rules)
	return j.done()
}

// bannerListed is whether one of files is the one at path once links are followed.
func bannerListed(h *host.Host, files []string, path string) bool {
	for _, f := range files {
		if info, err := h.Stat(f); err == nil && info.Path == path {
			return true
		}
	}
	return false
}

const bannerWanted = "a warning that does not describe the system"

// bannerFree is what a text that passes is free of. Words that describe the system are
// not judged beyond that.
func bannerFree(rules *Rules) string {
	if rules.BannerHidesDistribution {
		return `a text without \m, \r, \s, \v, \S and the name of the distribution`
	}
	return `a text without \m, \r, \s, \v and \S`
}

// banners judges texts that are shown one after the other.
func (j *judge) banners(h *host.Host, files []string, rules *Rules) {
	if len(files) == 0 {
		return
	}
	var names []string
	if rules.BannerHidesDistribution {
		release, err := osrelease.Read(h)
		if err != nil {
			j.unknown(err)
		} else {
			names = []string{release.ID, release.Name}
		}
	}
	empty := true
	for _, name := range files {
		f, err := h.File(name)
		if err == nil {
			err = f.Text()
		}
		if err != nil {
			j.unknown(err)
			empty = false // it may have the text
			continue
		}
		text := strings.TrimSpace(strings.TrimPrefix(string(f.Data), "\ufeff"))
		faults := append(bannerReveals(f), bannerNames(f, names)...)
		for _, fault := range faults {
			j.fault(fault)
		}
		says := bannerSays(text)
		empty = empty && !says && len(faults) == 0
		if len(faults) == 0 && says {
			first, _, _ := strings.Cut(text, "\n")
			j.hold(Finding{Where: name, Expected: bannerFree(rules), Actual: bannerExcerpt(first)})
		}
	}
	if empty {
		j.fault(Finding{Where: files[0], Expected: bannerWanted, Actual: "no text"})
	}
}

// issueEscapes are those of agetty(8) that describe the system.
var issueEscapes = map[byte]string{
	'm': "the machine's architecture", 'r': "the release of the kernel", 's': "the name of the kernel",
	'v': "the version of the kernel", 'S': "the distribution",
}

// bannerReveals finds the first of each escape. A backslash before another one makes
// both text.
func bannerReveals(f *host.File) (faults []Finding) {
	seen := map[byte]bool{}
	for line := range f.Lines() {
		for rest := line.Text; ; {
			i := strings.IndexByte(rest, '\\')
			if i < 0 || i+1 >= len(rest) {
				break
			}
			escape := rest[i+1]
			if what := issueEscapes[escape]; what != "" && !seen[escape] {
				seen[escape] = true
				faults = append(faults, Finding{Where: f.At(line.N), Expected: bannerWanted, Actual: `\` + string(escape), Detail: "it shows " + what})
			}
			rest = rest[i+2:]
		}
	}
	return faults
}

// bannerNames finds the first place that has one of names, in whatever case. A
// short one counts as a word only: "ol" is in "policy".
func bannerNames(f *host.File, names []string) []Finding {
	for line := range f.Lines() {
		text := strings.ToLower(line.Text)
		for _, name := range names {
			if name != "" && bannerHas(text, strings.ToLower(name)) {
				return []Finding{{Where: f.At(line.N), Expected: bannerWanted, Actual: name, Detail: "it names the distribution"}}
			}
		}
	}
	return nil
}

func bannerHas(text, name string) bool {
	const long = 5
	for {
		before, after, ok := strings.Cut(text, name)
		if !ok {
			return false
		}
		if len(name) >= long || (!letterAt(before, len(before)-1) && !letterAt(after, 0)) {
			return true
		}
		text = after
	}
}

func letterAt(text string, i int) bool {
	return i >= 0 && i < len(text) && 'a' <= text[i] && text[i] <= 'z'
}

// bannerSays is whether a text has words: what agetty puts in place of an escape is
// none.
func bannerSays(text string) bool {
	for {
		before, after, escape := strings.Cut(text, `\`)
		if strings.ContainsFunc(before, func(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }) {
			return true
		}
		if !escape || after == "" {
			return false
		}
		_, size := utf8.DecodeRuneInString(after)
		text = after[size:]
		if strings.HasPrefix(text, "{") {
			_, text, _ = strings.Cut(text, "}")
		}
	}
}

// bannerExcerpt is the beginning of a text that a stranger wrote, fit for a report.
func bannerExcerpt(text string) string {
	const longest = 60
	text = strings.TrimSpace(text)
	if runes := []rune(text); len(runes) > longest {
		text = string(runes[:longest]) + "…"
	}
	return strconv.Quote(text)
}
