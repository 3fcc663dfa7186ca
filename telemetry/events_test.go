package telemetry_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// Every reason of an Event is in docs/events.md.
func TestEventsAreDescribed(t *testing.T) {
	data, err := os.ReadFile("../docs/events.md")
	if err != nil {
		t.Fatal(err)
	}
	var files []string
	for _, pattern := range []string{"../taint/controller/*.go", "../audit/controller/*.go", "../certificate/controller/*.go"} {
		list, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, list...)
	}
	found := 0
	for _, path := range files {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, reason := range reasons(file) {
			found++
			if !strings.Contains(string(data), "`"+reason+"`") {
				t.Errorf("%s: %s is not in docs/events.md", path, reason)
			}
		}
	}
	if found < 15 {
		t.Errorf("only %d reasons are found", found)
	}
}

// reasons are the strings of what is called event… or reasons in a file.
func reasons(file *ast.File) (list []string) {
	for _, d := range file.Decls {
		g, ok := d.(*ast.GenDecl)
		if !ok {
			continue
		}
		for _, s := range g.Specs {
			v, ok := s.(*ast.ValueSpec)
			if !ok || !strings.HasPrefix(v.Names[0].Name, "event") && v.Names[0].Name != "reasons" {
				continue
			}
			ast.Inspect(v, func(n ast.Node) bool {
				if lit, ok := n.(*ast.BasicLit); ok && lit.Kind == token.STRING {
					if text, err := strconv.Unquote(lit.Value); err == nil {
						list = append(list, text)
					}
				}
				return true
			})
		}
	}
	return list
}
