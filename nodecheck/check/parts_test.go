package check

import (
	"maps"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"github.com/hardgate-dev/hardgate/control"
	"github.com/hardgate-dev/hardgate/nodecheck/host"
	"github.com/hardgate-dev/hardgate/nodecheck/host/hosttest"
)

// judged is a tree, whole, and what judges it.
type judged struct {
	name   string
	tree   *hosttest.Tree
	checks []*Check
	rules  *Rules
}

// allTrees is all systems, and all fixtures each for its own check.
func allTrees(t *testing.T) (list []judged) {
	t.Helper()
	for _, name := range systems {
		archive, err := txtar.ParseFile(filepath.Join("testdata", "systems", name+".txtar"))
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, judged{name: name, tree: nodeTree(t, archive), checks: All(), rules: NewRules()})
	}
	for _, c := range All() {
		paths, err := filepath.Glob(filepath.Join("testdata", string(c.ID), "*.txtar"))
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range paths {
			f := readFixture(t, path)
			name := string(c.ID) + "/" + strings.TrimSuffix(filepath.Base(path), ".txtar")
			list = append(list, judged{name: name, tree: nodeTree(t, f.archive), checks: []*Check{c}, rules: f.rules})
		}
	}
	return list
}

// nodeTree is a tree with the directories that every node has: the fixtures leave out what
// does not matter.
func nodeTree(t *testing.T, archive *txtar.Archive) *hosttest.Tree {
	t.Helper()
	tree, err := hosttest.Parse(archive)
	if err != nil {
		t.Fatal(err)
	}
	for _, dir := range directories {
		if _, err := tree.Stat(dir); err != nil {
			tree.Mkdir(dir)
		}
	}
	return tree
}

// relocatable are the files and directories on the way to what a run looked at that are
// there, and not one of the directories that are mounted.
func relocatable(h *host.Host, tree *hosttest.Tree) []string {
	found := map[string]bool{}
	for _, name := range h.Touched() {
		for p := name; strings.Count(p, "/") > 1; p = path.Dir(p) {
			top := "/" + strings.Split(p, "/")[1]
			if info, err := tree.Lstat(p); err == nil && info.Path == p && top != "/proc" && top != "/sys" && slices.Contains(directories, top) {
				found[p] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(found))
}

// unknownInParts are the verdicts that take more than the usual directories, by system and
// by fixture: what docs/nodes.md says of them.
var unknownInParts = map[string][]control.ID{
	// Has no kubelet, and no agent therefore: whether one is in /home or /snap is not seen.
	"debian-13": kubeletControls(),
	// Its /lib is no link to /usr/lib, so that its /lib64 is a directory of its own.
	"ubuntu-16.04":                               {"pw-creation"},
	"pw-creation/fail-module-missing":            {"pw-creation"},
	"su-restricted/fail-optional-module-missing": {"su-restricted"},
	// What is looked at is in another place.
	"ssh-banner/pass-home":                         {"ssh-banner"},
	"banner-local/fail-run-issue":                  {"banner-local"},
	"logging-configured/fail-rsyslog-leads-to-tmp": {"logging-configured"},
}

// kubeletControls are those of the kubelet's own.
func kubeletControls() (list []control.ID) {
	for _, c := range All() {
		if strings.HasPrefix(string(c.ID), "kubelet-") {
			list = append(list, c.ID)
		}
	}
	return list
}

// TestParts: of a usual node, all is known by the usual directories, and where it is not,
// that is written down.
func TestParts(t *testing.T) {
	for _, j := range allTrees(t) {
		whole := Run(host.New(j.tree), j.checks, j.rules)
		parts := Run(host.New(hosttest.NewParts(j.tree, directories...)), j.checks, j.rules)
		want := unknownInParts[j.name]
		if id, name, _ := strings.Cut(j.name, "/"); strings.HasPrefix(id, "kubelet-") && (name == "absent" || name == "absent-masked-unit") {
			want = []control.ID{control.ID(id)} // a node without a kubelet, as above
		}
		sameInParts(t, j.name, whole, parts, want)
	}
}

// sameInParts asserts that verdicts are the same, but for those that are unknown.
func sameInParts(t *testing.T, name string, whole, parts []Verdict, unknown []control.ID) {
	t.Helper()
	for i, v := range whole {
		switch got := parts[i]; {
		case slices.Contains(unknown, v.Control):
			if got.Status != control.Unknown || !says(got, host.ErrNotMounted) {
				t.Errorf("%s: %s is %s, want Unknown, and why: %q", name, v.Control, got.Status, lines(got.Findings))
			}
		case got.Status != v.Status:
			t.Errorf("%s: %s is %s in parts and %s of the whole: %q, %q", name, v.Control, got.Status, v.Status, lines(got.Findings), lines(v.Findings))
		}
	}
}

func says(v Verdict, err error) bool {
	return slices.ContainsFunc(v.Findings, func(f Finding) bool { return strings.Contains(f.Detail, err.Error()) })
}

// TestPartsElsewhere moves each file and directory that a verdict depends on out of the
// directories that are seen, and puts a link in its place: the verdict is the same or
// Unknown.
func TestPartsElsewhere(t *testing.T) {
	unknown := map[control.Status]int{}
	for _, j := range allTrees(t) {
		h := host.New(j.tree)
		Run(h, j.checks, j.rules)
		for _, name := range relocatable(h, j.tree) {
			tree := hosttest.Relocate(j.tree, name, "/elsewhere/it")
			whole := Run(host.New(tree), j.checks, j.rules)
			parts := Run(host.New(hosttest.NewParts(tree, directories...)), j.checks, j.rules)
			for i, v := range whole {
				switch got := parts[i].Status; {
				case got == v.Status:
				case got != control.Unknown:
					t.Errorf("%s, %s elsewhere: %s is %s in parts and %s of the whole: %q", j.name, name, v.Control, got, v.Status, lines(parts[i].Findings))
				default:
					unknown[v.Status]++
				}
			}
		}
	}
	if unknown[control.Fail] < 100 || unknown[control.Pass] < 100 {
		t.Errorf("verdicts that became unknown: %v: the trees say too little", unknown)
	}
}

// TestPartsHidden hides each place that a fixture's verdict was looked for at, whether
// something is there or not: the verdict is Unknown, or what it is with the place and without.
func TestPartsHidden(t *testing.T) {
	unknown, same := 0, 0
	for _, j := range allTrees(t) {
		if len(j.checks) > 1 {
			continue // a system: all that it has is in fixtures too
		}
		h := host.New(j.tree)
		whole := Run(h, j.checks, j.rules)[0]
		for _, name := range places(h) {
			without := Run(host.New(hosttest.Remove(j.tree, name)), j.checks, j.rules)[0]
			switch got := Run(host.New(hosttest.Hide(j.tree, name)), j.checks, j.rules)[0]; {
			case got.Status == control.Unknown:
				unknown++
			case got.Status != whole.Status || got.Status != without.Status:
				t.Errorf("%s, %s hidden: %s, and %s with it and %s without: %q", j.name, name, got.Status, whole.Status, without.Status, lines(got.Findings))
			default:
				same++
			}
		}
	}
	if unknown < 1000 || same < 1000 {
		t.Errorf("%d verdicts became unknown and %d stayed: the trees say too little", unknown, same)
	}
}

// places are the paths that a run asked for, and the directories above them but the first,
// without those of the kernel, which the agent always sees.
func places(h *host.Host) []string {
	found := map[string]bool{}
	for _, name := range h.Touched() {
		top, _, _ := strings.Cut(name[1:], "/")
		if top == "proc" || top == "sys" || strings.Contains(name, "..") {
			continue
		}
		for p := name; strings.Count(p, "/") > 1; p = path.Dir(p) {
			found[p] = true
		}
	}
	return slices.Sorted(maps.Keys(found))
}

// TestPartsNamed: what the node's own files name in another place is not passed over where
// it is not seen, and its directory is named.
func TestPartsNamed(t *testing.T) {
	for name, c := range map[string]struct {
		control    control.ID
		file, text string // a file of ubuntu-24.04 that names another
		elsewhere  string
		content    string
		whole      control.Status
	}{
		"an Include of sshd": {
			"ssh-root-login", "/etc/ssh/sshd_config.d/00-site.conf", "Include /srv/ssh/a.conf\n",
			"/srv/ssh/a.conf", "PermitRootLogin yes\n", control.Fail,
		},
		"a pattern of an Include": {
			"ssh-root-login", "/etc/ssh/sshd_config.d/00-site.conf", "Include /srv/ssh/*.conf\n",
			"/srv/ssh/a.conf", "PermitRootLogin yes\n", control.Fail,
		},
		"the configuration of the kubelet": {
			"kubelet-anonymous-auth", "/var/lib/kubelet/kubeadm-flags.env", "KUBELET_KUBEADM_ARGS=\"--config=/data/kubelet.yaml\"\n",
			"/data/kubelet.yaml", "kind: KubeletConfiguration\napiVersion: kubelet.config.k8s.io/v1beta1\nauthentication: {anonymous: {enabled: true}}\n", control.Fail,
		},
	} {
		t.Run(name, func(t *testing.T) {
			archive, err := txtar.ParseFile(filepath.Join("testdata", "systems", "ubuntu-24.04.txtar"))
			if err != nil {
				t.Fatal(err)
			}
			tree := nodeTree(t, archive)
			tree.Write(c.file, c.text)
			tree.Write(c.elsewhere, c.content)
			chosen, _ := Get(c.control)
			whole := Run(host.New(tree), []*Check{chosen}, NewRules())[0]
			parts := Run(host.New(hosttest.NewParts(tree, directories...)), []*Check{chosen}, NewRules())[0]
			if whole.Status != c.whole || parts.Status != control.Unknown || !says(parts, host.ErrNotMounted) {
				t.Errorf("of the whole %s, in parts %s: %q, %q", whole.Status, parts.Status, lines(whole.Findings), lines(parts.Findings))
			}
			seen := Run(host.New(hosttest.NewParts(tree, append(Directories(), path.Dir(c.elsewhere))...)), []*Check{chosen}, NewRules())[0]
			if seen.Status != c.whole {
				t.Errorf("with its directory mounted %s, want %s: %q", seen.Status, c.whole, lines(seen.Findings))
			}
		})
	}
}
