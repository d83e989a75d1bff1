package yaegi

import (
	"fmt"
	"go/types"
	"path"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/tools/go/ssa"

	"github.com/b3771e63/prodcons/pkg/nbrun/internal/program"
)

// testKinds are the functions that go test calls: the beginning of their names, and
// the type in package testing that their parameter points to.
var testKinds = []struct{ prefix, param, name string }{{"Test", "T", "t"}, {"Benchmark", "B", "b"}}

// tests emits tests and benchmarks, and returns the steps that run them, as go test
// puts them together.
func (e *emitter) tests() []string {
	var steps []string
	var all []*ssa.Function
	for _, m := range e.main.Members {
		if fn, ok := m.(*ssa.Function); ok && fn.Synthetic == "" {
			all = append(all, fn)
		}
	}
	slices.SortFunc(all, func(a, b *ssa.Function) int { return int(a.Pos()) - int(b.Pos()) })
	for _, fn := range all {
		switch name := fn.Name(); {
		case name == "TestMain":
			e.refuseAt(fn.Pos(), "TestMain")
			continue
		case program.IsTest(name, "Example"), program.IsTest(name, "Fuzz"):
			e.refuseAt(fn.Pos(), "the function "+name+" in a cell with %test")
			continue
		}
		for _, kind := range testKinds {
			if !program.IsTest(fn.Name(), kind.prefix) {
				continue
			}
			if sig := fn.Signature; sig.Params().Len() != 1 || sig.Results().Len() > 0 || sig.TypeParams().Len() > 0 || !isTesting(sig.Params().At(0).Type(), kind.param) {
				e.fail("", fn.Pos(), "wrong signature for %s, must be: func %s(%s *testing.%s)", fn.Name(), fn.Name(), kind.name, kind.param)
				continue
			}
			steps = append(steps, fmt.Sprintf("rt.%s(%q, %s)", kind.prefix, fn.Name(), e.lambda(fn)))
		}
	}
	return append(steps, "rt.RunTests()")
}

// isTesting reports whether a type is a pointer to the type of that name in package
// testing.
func isTesting(t types.Type, name string) bool {
	p, ok := types.Unalias(t).(*types.Pointer)
	if !ok {
		return false
	}
	n, ok := types.Unalias(p.Elem()).(*types.Named)
	return ok && n.Obj().Pkg() != nil && n.Obj().Pkg().Path() == "testing" && n.Obj().Name() == name
}

// testLogs are the methods that say where they were called.
var testLogs = map[string]bool{
	"Log": true, "Logf": true, "Error": true, "Errorf": true, "Fatal": true, "Fatalf": true, "Skip": true, "Skipf": true,
}

// testRefused are the methods that report what compiled code allocates.
var testRefused = map[string]bool{
	"ReportAllocs": true, "AllocsPerOp": true, "AllocedBytesPerOp": true, "MemString": true,
}

// isTestLog reports whether a function is one of testLogs.
func isTestLog(fn *types.Func) bool {
	return isTestMethod(fn) && testLogs[fn.Name()]
}

// isHelper reports whether a function is a test helper: what it logs has the place of
// its call.
func isHelper(fn *ssa.Function) bool {
	helps := false
	each(fn, func(instr ssa.Instruction) {
		if call, ok := instr.(*ssa.Call); ok {
			called := callee(&call.Call)
			helps = helps || called != nil && called.Name() == "Helper" && isTestMethod(called)
		}
	})
	return helps
}

func isTestMethod(fn *types.Func) bool {
	return fn.Pkg() != nil && fn.Pkg().Path() == "testing" && fn.Signature().Recv() != nil
}

// testPlace is the place that a test gives for what it logs now.
func (w *writer) testPlace() string {
	if w.helps[w.fn] {
		return "at"
	}
	at := w.fset.Position(w.pos)
	if at.Filename == "" || !w.fn.Pos().IsValid() { // of a method's value
		return ""
	}
	return strconv.Quote(fmt.Sprintf("%s:%d", path.Base(at.Filename), at.Line))
}

// testMethod writes the call of a method of package testing that is not to be called as
// it is, and reports whether it has. Place is "" if the call is not where it seems.
func (e *emitter) testMethod(fn *types.Func, args []string, place string) (string, bool) {
	if !isTestMethod(fn) {
		return "", false
	}
	switch {
	case testRefused[fn.Name()]:
		e.cannot("the method " + fn.Name() + " of package testing")
		return "", false
	case fn.Name() == "Helper" && place != "":
		return "", true
	case fn.Name() != "Helper" && !isTestLog(fn):
		return "", false
	case place == "":
		e.cannot("the method " + fn.Name() + " of package testing as a value")
	}
	list := slices.Clone(args[1:])
	list[len(list)-1] = strings.TrimSuffix(list[len(list)-1], "...") + "..."
	print := "Sprintln"
	if strings.HasSuffix(fn.Name(), "f") {
		print = "Sprintf"
	}
	e.formatted(fn.Name(), list)
	return fmt.Sprintf("rt.TestLog(%s, %s, %q, %s.%s(%s))", args[0], place, strings.TrimSuffix(fn.Name(), "f"), e.imported("fmt"), print, strings.Join(list, ", ")), true
}
