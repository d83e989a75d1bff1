//go:build !js

package prodcons_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// The README's example of the package compiles.
func TestGoOfTheREADME(t *testing.T) {
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(readme), "\n## Import the package\n")
	_, rest, ok := strings.Cut(section, "```go\n")
	snippet, _, ok2 := strings.Cut(rest, "```")
	if !ok || !ok2 {
		t.Fatal("the README has no Go in it")
	}
	// A folder that begins with a dot is no package of ./...
	dir, err := os.MkdirTemp(".", ".readme-")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	src := "package main\nimport (\n\"context\"\n\"fmt\"\n\"log\"\n\"github.com/b3771e63/prodcons/pkg/prodcons\"\n)\nfunc main() {\nctx, words := context.Background(), []string{\"to\", \"be\"}\n" + snippet + "}\n"
	if err := os.WriteFile(filepath.Join(dir, "main.go"), []byte(src), 0o644); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("go", "run", "./"+dir).CombinedOutput()
	lines := strings.Fields(string(out))
	slices.Sort(lines) // four consumers
	if err != nil || !slices.Equal(lines, []string{"be", "to"}) {
		t.Errorf("%v: %s\n%s", err, out, src)
	}
}
