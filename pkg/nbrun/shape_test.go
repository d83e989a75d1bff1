package nbrun_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// layers are the packages of the runner, by their folder, from those that import
// nothing of ours to those that nothing imports: a package imports only those before it
// in this list.
var layers = []string{
	"event",
	"internal/lastwords", "internal/cache", "internal/origin", "internal/taken", "internal/regular", "internal/lessons", "internal/lessons/list", "internal/testhome",
	"internal/modules",
	"internal/ipynb", "internal/lessons/exercises", "internal/truth", "internal/verify",
	"internal/cells", "internal/params", "internal/program",
	"internal/tidy", "internal/process",
	"internal/engine",
	"internal/gonb",
	"internal/golang",
	"internal/yaegi/generic/cmp", "internal/yaegi/generic/iter", "internal/yaegi/generic/maps", "internal/yaegi/generic/slices", "internal/yaegi/generic/errors", "internal/yaegi/generic/math/rand/v2", "internal/yaegi/generic/sync", "internal/yaegi/generic/sync/atomic", "internal/yaegi/generic",
	"internal/yaegi/symbols", "internal/yaegi/symbols/lessons", "internal/yaegi/rt", "internal/yaegi",
	"internal/jupyter/orders", "internal/jupyter", "internal/jupyter/link",
	".",
	"book/assets", "book/render",
	"report", "report/replay", "nbtest", "lab", "lab/browser",
	"book/inpage", "book/core", "book", "book/browser",
}

// sources parses all files of a folder's packages except tests and generated files.
func sources(t *testing.T, root string, with func(dir string, fset *token.FileSet, file *ast.File)) {
	t.Helper()
	fset := token.NewFileSet()
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() && filepath.Base(path) == "differential" {
			return fs.SkipDir // programs of the differential test
		}
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		file, err := parser.ParseFile(fset, path, nil, parser.ParseComments)
		if err != nil {
			return err
		}
		if !ast.IsGenerated(file) {
			dir, err := filepath.Rel(root, filepath.Dir(path))
			if err != nil {
				return err
			}
			with(filepath.ToSlash(dir), fset, file)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestImportsRunOneWay(t *testing.T) {
	const module = "github.com/b3771e63/prodcons/pkg/nbrun"
	seen := map[string]bool{}
	sources(t, ".", func(dir string, _ *token.FileSet, file *ast.File) {
		seen[dir] = true
		own := slices.Index(layers, dir)
		if own < 0 {
			t.Errorf("%s: has no place among the layers", dir)
			return
		}
		for _, spec := range file.Imports {
			path, _ := strconv.Unquote(spec.Path.Value)
			rest, ok := strings.CutPrefix(path, module)
			if !ok {
				continue
			}
			imported := strings.TrimPrefix(rest, "/")
			if imported == "" {
				imported = "."
			}
			if at := slices.Index(layers, imported); at < 0 || at >= own {
				t.Errorf("%s imports %s, which is not above it", dir, imported)
			}
		}
	})
	for _, dir := range layers {
		if !seen[dir] {
			t.Errorf("%s: there is no such package", dir)
		}
	}
}

// The map in CONTRIBUTING has a place for each package, and names no folder that isn't
// there.
func TestTheMapNamesEachPackage(t *testing.T) {
	data, err := os.ReadFile("../../.github/CONTRIBUTING.md")
	if err != nil {
		t.Fatal(err)
	}
	_, text, _ := strings.Cut(string(data), "\n| to change | go to |\n")
	text, _, _ = strings.Cut(text, "\n\n")
	var folders []string
	for _, m := range regexp.MustCompile("`([\\w./-]+)/`").FindAllStringSubmatch(text, -1) {
		folders = append(folders, m[1])
		if info, err := os.Stat("../../" + m[1]); err != nil || !info.IsDir() {
			t.Errorf("%s is in the map, and is no folder", m[1])
		}
	}
	for _, root := range []string{"pkg", "scripts"} {
		sources(t, "../../"+root, func(dir string, _ *token.FileSet, _ *ast.File) {
			dir = root + "/" + dir
			has := func(folder string) bool { return dir == folder || strings.HasPrefix(dir, folder+"/") }
			if dir != "pkg/nbrun" && !strings.Contains(dir, "testdata") && !slices.ContainsFunc(folders, has) {
				t.Errorf("%s is not in the map of CONTRIBUTING.md", dir)
			}
		})
	}
}

func TestNoFunctionIsLong(t *testing.T) {
	const most = 80
	sources(t, "../..", func(_ string, fset *token.FileSet, file *ast.File) {
		for _, d := range file.Decls {
			f, ok := d.(*ast.FuncDecl)
			if !ok {
				continue
			}
			if n := fset.Position(f.End()).Line - fset.Position(f.Pos()).Line + 1; n > most {
				t.Errorf("%s: %s has %d lines; %d are enough", fset.Position(f.Pos()), f.Name.Name, n, most)
			}
		}
	})
}

// A library does not know with which flags a command sets its options, and only the
// program may end the program.
func TestLibrariesNameNoFlagsAndEndNothing(t *testing.T) {
	flags := regexp.MustCompile(`(^|[\s(])-(engine|clock|kernel|timeout|allow-errors|scrub|install|port|no-browser|p)\b`)
	child := regexp.MustCompile(`/internal/yaegi/(child|bubble)\.go$`) // the interpreter's process
	commands := regexp.MustCompile(`(^|/)(link|list|verify|symbols|symbols/.*|testdata/.*)$`)
	sources(t, "..", func(dir string, fset *token.FileSet, file *ast.File) {
		if commands.MatchString(dir) {
			return
		}
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.BasicLit:
				if text, err := strconv.Unquote(n.Value); err == nil && n.Kind == token.STRING && flags.MatchString(text) {
					t.Errorf("%s: %s", fset.Position(n.Pos()), n.Value)
				}
			case *ast.SelectorExpr:
				if x, ok := n.X.(*ast.Ident); ok && (x.Name == "os" && n.Sel.Name == "Exit" || x.Name == "log" && strings.HasPrefix(n.Sel.Name, "Fatal")) {
					if !child.MatchString(filepath.ToSlash(fset.Position(n.Pos()).Filename)) && dir != "nbrun/internal/yaegi/rt" {
						t.Errorf("%s: %s.%s", fset.Position(n.Pos()), x.Name, n.Sel.Name)
					}
				}
			}
			return true
		})
	})
}

// Each promise names existing tests, scripts or fuzz targets, and the nightly workflow
// runs each fuzz target.
func TestPromisesAreKeptByTests(t *testing.T) {
	tests := map[string]bool{}
	err := filepath.WalkDir("../..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		data, err := os.ReadFile(path)
		for _, m := range regexp.MustCompile(`(?m)^func ((?:Test|Fuzz)\w+)\(`).FindAllSubmatch(data, -1) {
			tests[string(m[1])] = true
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	promises, err := os.ReadFile("promises.go")
	if err != nil {
		t.Fatal(err)
	}
	named := 0
	text := strings.ReplaceAll(string(promises), "\n//", "\n")
	for _, brackets := range regexp.MustCompile(`\s\(([\w,\s]+)\)\s`).FindAllStringSubmatch(text, -1) {
		for _, name := range regexp.MustCompile(`,\s+`).Split(brackets[1], -1) {
			named++
			if _, err := os.Stat("../../scripts/nbrun/testdata/script/" + name + ".txtar"); err != nil && !tests[name] {
				t.Errorf("there is no %s", name)
			}
		}
	}
	if named <= strings.Count(text, "Test")+strings.Count(text, "Fuzz") { // there are scripts, too
		t.Errorf("%d names were found", named)
	}
	nightly, err := os.ReadFile("../../.github/workflows/nightly.yml")
	if err != nil {
		t.Fatal(err)
	}
	daily, err := os.ReadFile("../../.ci/fuzz")
	if err != nil {
		t.Fatal(err)
	}
	for name := range tests {
		if !strings.HasPrefix(name, "Fuzz") {
			continue
		}
		if !strings.Contains(string(nightly), name+",") && !strings.Contains(string(nightly), name+"]") {
			t.Errorf("the nightly workflow does not run %s", name)
		}
		if !strings.Contains(string(daily), "\nfuzz "+name+" ") {
			t.Errorf("CI does not run %s", name)
		}
	}
}
