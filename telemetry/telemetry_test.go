package telemetry_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/hardgate-dev/hardgate/telemetry"
)

// Every metric that is named anywhere in the sources is in the list: one that a program
// registers in passing, too.
func TestSources(t *testing.T) {
	listed := map[string]bool{}
	for _, m := range telemetry.All() {
		if listed[m.Name] {
			t.Errorf("%s is twice in the list", m.Name)
		}
		listed[m.Name] = true
	}
	name := regexp.MustCompile(`^hardgate_[a-z0-9_]+[a-z0-9]$`)
	files := 0
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (d.Name() == "e2e" || d.Name() == "charts" || d.Name() == "telemetry" || strings.HasPrefix(d.Name(), ".") && path != ".."):
			return fs.SkipDir
		case d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go"):
			return nil
		}
		files++
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		ast.Inspect(file, func(n ast.Node) bool {
			lit, ok := n.(*ast.BasicLit)
			if !ok || lit.Kind != token.STRING {
				return true
			}
			if text, err := strconv.Unquote(lit.Value); err == nil && name.MatchString(text) && !listed[text] {
				t.Errorf("%s: %s is not in the list: add it to telemetry/list.go", path, text)
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if files < 100 {
		t.Errorf("only %d files were read", files)
	}
}
