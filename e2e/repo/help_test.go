package repo

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// `make help` lists every target that says what it is for.
func TestHelpListsEveryTarget(t *testing.T) {
	root, err := Root()
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(root, "Makefile"))
	if err != nil {
		t.Fatal(err)
	}
	targets := regexp.MustCompile(`(?m)^([^#\s:]+):.* ## `).FindAllStringSubmatch(string(text), -1)
	if len(targets) == 0 {
		t.Fatal("the Makefile has no target that says what it is for")
	}
	help, err := exec.CommandContext(t.Context(), "make", "--no-print-directory", "-C", root, "help").Output()
	if err != nil {
		t.Fatal(err)
	}
	for _, target := range targets {
		if !strings.Contains(string(help), "make "+target[1]+" ") {
			t.Errorf("make help does not tell of %s", target[1])
		}
	}
}
