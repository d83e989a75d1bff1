package yaegi

import (
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"reflect"
	"runtime"
	"slices"

	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/analysis/passes/atomic"
	"golang.org/x/tools/go/analysis/passes/bools"
	"golang.org/x/tools/go/analysis/passes/directive"
	"golang.org/x/tools/go/analysis/passes/errorsas"
	"golang.org/x/tools/go/analysis/passes/ifaceassert"
	"golang.org/x/tools/go/analysis/passes/nilfunc"
	"golang.org/x/tools/go/analysis/passes/printf"
	"golang.org/x/tools/go/analysis/passes/slog"
	"golang.org/x/tools/go/analysis/passes/stringintconv"
	"golang.org/x/tools/go/analysis/passes/tests"
)

// vetted are the go vet checks that go test makes before it runs anything.
var vetted = []*analysis.Analyzer{
	atomic.Analyzer, bools.Analyzer, directive.Analyzer, errorsas.Analyzer, ifaceassert.Analyzer,
	nilfunc.Analyzer, printf.Analyzer, slog.Analyzer, stringintconv.Analyzer, tests.Analyzer,
}

// vet makes those checks on a program without type errors. What it finds are the
// program's faults. It knows nothing of what compiled packages do, except those of Go
// that the checks know by name.
func (r *rewriter) vet(src string) {
	// The file must have a name that tests have; it needs a set of its own for that.
	v := &vetting{fset: token.NewFileSet(), info: newInfo(), results: map[*analysis.Analyzer]any{}, facts: map[fact]analysis.Fact{}}
	file, err := parser.ParseFile(v.fset, "main_test.go", src, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		r.faults = append(r.faults, r.stuck(err)...)
		return
	}
	v.files = []*ast.File{file}
	config := types.Config{Importer: shared(), Error: func(error) {}}
	v.pkg, _ = config.Check("main", v.fset, v.files, v.info)
	for _, a := range vetted {
		v.run(a)
	}
	slices.SortStableFunc(v.found, func(a, b analysis.Diagnostic) int { return int(a.Pos - b.Pos) })
	of := &rewriter{fset: v.fset}
	for _, d := range v.found {
		of.fail("", d.Pos, "%s", d.Message)
	}
	r.faults = append(r.faults, of.faults...)
}

// vetting drives analyzers over one package.
type vetting struct {
	fset    *token.FileSet
	files   []*ast.File
	pkg     *types.Package
	info    *types.Info
	results map[*analysis.Analyzer]any
	facts   map[fact]analysis.Fact
	found   []analysis.Diagnostic
}

// fact is what an analyzer has found out about an object.
type fact struct {
	about types.Object
	kind  reflect.Type
}

// run runs an analyzer after those that it needs.
func (v *vetting) run(a *analysis.Analyzer) {
	if _, done := v.results[a]; done {
		return
	}
	for _, needed := range a.Requires {
		v.run(needed)
	}
	pass := &analysis.Pass{
		Analyzer: a, Fset: v.fset, Files: v.files, Pkg: v.pkg, TypesInfo: v.info,
		TypesSizes: types.SizesFor("gc", runtime.GOARCH), ResultOf: v.results, Module: &analysis.Module{},
		Report: func(d analysis.Diagnostic) { v.found = append(v.found, d) },
		ImportObjectFact: func(about types.Object, into analysis.Fact) bool {
			known, ok := v.facts[fact{about, reflect.TypeOf(into)}]
			if ok {
				reflect.ValueOf(into).Elem().Set(reflect.ValueOf(known).Elem())
			}
			return ok
		},
		ExportObjectFact:  func(about types.Object, f analysis.Fact) { v.facts[fact{about, reflect.TypeOf(f)}] = f },
		ImportPackageFact: func(*types.Package, analysis.Fact) bool { return false },
		ExportPackageFact: func(analysis.Fact) {},
		AllObjectFacts:    func() []analysis.ObjectFact { return nil },
		AllPackageFacts:   func() []analysis.PackageFact { return nil },
	}
	v.results[a], _ = a.Run(pass)
}
