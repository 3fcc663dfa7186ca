package repo

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// Every promise of docs/reliability.md names a test that there is, and every drill is named.
func TestPromisesAreKept(t *testing.T) {
	root, err := Root()
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(root, "docs", "reliability.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(text), "## Promises")
	table, _, found := strings.Cut(table, "\n## ")
	if !found {
		t.Fatal("the promises do not end")
	}
	tests := declared(t, root)
	named := regexp.MustCompile("`(Test[A-Za-z]+)`")
	rows := 0
	for row := range strings.Lines(table) {
		cells := strings.Split(row, "|")
		if len(cells) < 5 || strings.Contains(row, "---") || strings.Contains(row, "kept by") {
			continue
		}
		rows++
		names := named.FindAllStringSubmatch(cells[3], -1)
		if len(names) == 0 {
			t.Errorf("kept by no test: %s", cells[2])
		}
		for _, name := range names {
			if len(tests[name[1]]) == 0 {
				t.Errorf("%s is no test", name[1])
			}
		}
	}
	if rows < 10 {
		t.Errorf("%d promises are found", rows)
	}
	for name, dirs := range tests {
		if slices.Contains(dirs, filepath.Join("e2e", "drills")) && !strings.Contains(table, "`"+name+"`") {
			t.Errorf("%s keeps no promise", name)
		}
	}
}

// declared are the tests of the checkout, and the directories that they are in.
func declared(t *testing.T, root string) map[string][]string {
	t.Helper()
	tests := map[string][]string{}
	test := regexp.MustCompile(`(?m)^func (Test[A-Za-z]+)\(t \*testing\.T\)`)
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		dir, err := filepath.Rel(root, filepath.Dir(path))
		for _, match := range test.FindAllStringSubmatch(string(text), -1) {
			tests[match[1]] = append(tests[match[1]], dir)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return tests
}
