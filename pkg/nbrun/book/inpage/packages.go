package inpage

import (
	"fmt"
	"go/ast"
	"go/doc"
	"go/parser"
	"go/token"
	"slices"
	"strconv"
	"strings"

	"github.com/b3771e63/prodcons/pkg/nbrun/internal/program"
)

// Packages returns what a program is compiled from: itself and, for tests, the main
// package that go test would generate.
func Packages(p *program.Program) ([]Package, error) {
	file, err := parser.ParseFile(token.NewFileSet(), "", p.Source, parser.SkipObjectResolution|parser.ParseComments)
	if err != nil {
		return nil, program.CompilerFaults(err.Error())
	}
	own := Package{Path: "p/" + p.Name(), Main: !p.Test, Source: p.Source}
	for _, spec := range file.Imports {
		if path, err := strconv.Unquote(spec.Path.Value); err == nil {
			own.Imports = append(own.Imports, path)
		}
	}
	if !p.Test {
		return []Package{own}, nil
	}
	main := Package{
		Path: own.Path + ".test", Main: true, Source: testMain(own.Path, file),
		Imports: []string{"os", "testing", "testing/internal/testdeps", own.Path},
	}
	return []Package{own, main}, nil
}

// TestImports are the packages that tests import in addition to their own.
var TestImports = []string{"os", "testing", "testing/internal/testdeps"}

// testMain returns the source of the main package for the tests in a file.
func testMain(path string, file *ast.File) string {
	lists := map[string][]string{}
	main := "os.Exit(m.Run())"
	for _, d := range file.Decls {
		f, ok := d.(*ast.FuncDecl)
		if !ok || f.Recv != nil {
			continue
		}
		name := f.Name.Name
		if name == "TestMain" {
			main = "_test.TestMain(m)"
			continue
		}
		for _, prefix := range []string{"Test", "Benchmark", "Fuzz"} {
			if program.IsTest(name, prefix) {
				lists[prefix] = append(lists[prefix], fmt.Sprintf("{%q, _test.%s},", name, name))
			}
		}
	}
	for _, e := range doc.Examples(file) {
		if e.Output != "" || e.EmptyOutput { // the others are only compiled
			lists["Example"] = append(lists["Example"], fmt.Sprintf("{%q, _test.Example%s, %q, %t},", "Example"+e.Name, e.Name, e.Output, e.Unordered))
		}
	}
	use := ""
	if !strings.Contains(main, "os.") {
		use = "var _ = os.Exit\n"
	}
	if len(lists) == 0 && !strings.Contains(main, "_test.") {
		return fmt.Sprintf(testMainFormat, "_ "+strconv.Quote(path), use, "", "", "", "", main)
	}
	join := func(kind string) string { return strings.Join(lists[kind], "") }
	return fmt.Sprintf(testMainFormat, "_test "+strconv.Quote(path), use, join("Test"), join("Benchmark"), join("Fuzz"), join("Example"), main)
}

const testMainFormat = `package main

import (
	"os"
	"testing"
	"testing/internal/testdeps"
	%s
)

%svar tests = []testing.InternalTest{%s}
var benchmarks = []testing.InternalBenchmark{%s}
var fuzzTargets = []testing.InternalFuzzTarget{%s}
var examples = []testing.InternalExample{%s}

func main() {
	m := testing.MainStart(testdeps.TestDeps{}, tests, benchmarks, fuzzTargets, examples)
	%s
}
`

// Imports are the packages that a program imports.
func Imports(p *program.Program) []string {
	packages, err := Packages(p)
	if err != nil {
		return nil
	}
	return slices.Clone(packages[0].Imports)
}
