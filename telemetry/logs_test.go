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
)

// synonyms are keys under which nobody would look, with those under which they do.
var synonyms = map[string]string{
	"ns": "namespace", "nodeName": "node", "nodename": "node", "id": "control", "err": "cause", "error": "cause", "reason": "cause",
	"duration": "took", "elapsed": "took", "seconds": "took", "obj": "object",
}

// Log lines have messages to look for, and keys of one style, so that one can look for them.
func TestLogs(t *testing.T) {
	lines := 0
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (d.Name() == "e2e" || d.Name() == "charts" || d.Name() == "images" || strings.HasPrefix(d.Name(), ".") && path != ".."):
			return fs.SkipDir
		case d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go"):
			return nil
		}
		set := token.NewFileSet()
		file, err := parser.ParseFile(set, path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if call, ok := n.(*ast.CallExpr); ok {
				if wrong, is := line(call); is {
					lines++
					for _, w := range wrong {
						t.Errorf("%s: %s", set.Position(call.Pos()), w)
					}
				}
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if lines < 50 {
		t.Errorf("only %d lines are found", lines)
	}
}

var camel = regexp.MustCompile(`^[a-z][a-zA-Z0-9]*$`)

// line finds what is wrong with a call, if it writes a line of a log.
func line(call *ast.CallExpr) (wrong []string, is bool) {
	f, ok := call.Fun.(*ast.SelectorExpr)
	if !ok || !logger(f.X) {
		return nil, false
	}
	first := map[string]int{"Info": 0, "Error": 1, "WithValues": -1}
	message, ok := first[f.Sel.Name]
	if !ok || len(call.Args) <= message {
		return nil, false
	}
	if message >= 0 {
		if !constant(call.Args[message]) {
			wrong = append(wrong, "the message is not constant")
		}
	}
	for i := message + 1; i < len(call.Args); i += 2 {
		key, ok := literal(call.Args[i])
		switch better := synonyms[key]; {
		case !ok || !camel.MatchString(key):
			wrong = append(wrong, "the key "+key+" is not a constant in lowerCamel")
		case better != "":
			wrong = append(wrong, "the key "+key+" is called "+better+" elsewhere")
		}
	}
	return wrong, true
}

// logger is whether an expression is a log: one that is called so, or comes of a context.
func logger(e ast.Expr) bool {
	switch e := e.(type) {
	case *ast.Ident:
		return e.Name == "log"
	case *ast.CallExpr:
		f, ok := e.Fun.(*ast.SelectorExpr)
		if !ok {
			return false
		}
		if x, ok := f.X.(*ast.Ident); ok && x.Name == "logf" {
			return f.Sel.Name == "FromContext"
		}
		return logger(f.X)
	}
	return false
}

// constant is whether a message has words to look for. Before or behind them may stand one
// of few, such as the name of a kind.
func constant(e ast.Expr) bool {
	if both, ok := e.(*ast.BinaryExpr); ok {
		return constant(both.X) || constant(both.Y)
	}
	_, ok := literal(e)
	return ok
}

func literal(e ast.Expr) (string, bool) {
	lit, ok := e.(*ast.BasicLit)
	if !ok || lit.Kind != token.STRING {
		return "", false
	}
	text, err := strconv.Unquote(lit.Value)
	return text, err == nil
}
