package yaegi

import (
	"errors"
	"fmt"
	"go/ast"
	"go/constant"
	"go/parser"
	"go/token"
	"go/types"
	"regexp"
	"sort"
	"strings"

	"github.com/b3771e63/prodcons/pkg/nbrun/event"
	"github.com/b3771e63/prodcons/pkg/nbrun/internal/program"
)

// Rewrite returns the program in words that the interpreter understands, line by
// line the same. Errors are of type event.Faults.
func Rewrite(src string) (string, error) {
	src, err := functionsFirst(src)
	if err != nil {
		return "", err
	}
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, "", src, parser.SkipObjectResolution)
	if err != nil {
		return "", program.CompilerFaults(err.Error())
	}
	r := &rewriter{fset: fset, src: src, helpers: map[string]string{}, info: &types.Info{
		Types: map[ast.Expr]types.TypeAndValue{}, Uses: map[*ast.Ident]types.Object{}, Defs: map[*ast.Ident]types.Object{},
		Instances: map[*ast.Ident]types.Instance{}, Implicits: map[ast.Node]types.Object{},
	}}
	t := shared()
	t.mu.Lock()
	defer t.mu.Unlock()
	config := types.Config{Importer: t, Error: func(err error) { r.typeError(err) }}
	r.pkg, _ = config.Check("main", fset, []*ast.File{file}, r.info)
	if len(r.types) > 0 {
		// In the order of the source, as the compiler gives them.
		sort.SliceStable(r.types, func(i, j int) bool { return r.types[i].Pos < r.types[j].Pos })
		for _, te := range r.types {
			r.fail(te.reason, te.Pos, "%s", te.Msg)
		}
		return "", r.faults
	}
	ast.Inspect(file, r.visit)
	if len(r.faults) > 0 {
		return "", r.faults
	}
	return r.apply(), nil
}

type rewriter struct {
	fset    *token.FileSet
	src     string
	pkg     *types.Package
	info    *types.Info
	edits   []edit
	helpers map[string]string // functions to append, by name
	types   []typeError
	faults  event.Faults
	loops   int
	imports string // to be added to the first line
}

// edit replaces the bytes from start to end.
type edit struct {
	start, end int
	text       string
}

// typeError is what the type checker finds wrong.
type typeError struct {
	types.Error
	reason event.Reason
}

func (r *rewriter) typeError(err error) {
	var te typeError
	if !errors.As(err, &te.Error) {
		te.Msg = err.Error()
	}
	if more, ok := strings.CutPrefix(te.Msg, "\t"); ok && len(r.types) > 0 { // about the one before
		r.types[len(r.types)-1].Msg += "; " + r.place(te.Pos) + more
		return
	}
	if m := undefined.FindStringSubmatch(te.Msg); m != nil {
		te.Msg = m[1] + " is not known to the interpreter, which has no generic functions and types of compiled packages"
		te.reason = event.Unsupported
	} else if _, after, ok := strings.Cut(te.Msg, "could not import "); ok {
		if i := strings.Index(after, " ("); i > 0 {
			after = after[:i]
		}
		te.Msg, te.reason = fmt.Sprintf("package %s is not known to the interpreter", after), event.Unsupported
	}
	r.types = append(r.types, te)
}

// place is a place within an error's text.
func (r *rewriter) place(pos token.Pos) string {
	at := r.fset.Position(pos)
	faults := program.CompilerFaults(fmt.Sprintf("%s:%d: ", at.Filename, at.Line))
	if len(faults) == 0 || faults[0].Cell == 0 {
		return ""
	}
	return faults[0].Error()
}

var undefined = regexp.MustCompile(`^undefined: (\w+\.\w+)$`)

func (r *rewriter) fail(reason event.Reason, pos token.Pos, format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	faults := event.Faults{{Text: text}} // of a line that no cell has written
	if at := r.fset.Position(pos); at.Filename != "" {
		faults = program.CompilerFaults(fmt.Sprintf("%s:%d:%d: %s", at.Filename, at.Line, at.Column, text))
	}
	for _, f := range faults {
		f.Reason = reason
	}
	r.faults = append(r.faults, faults...)
}

func (r *rewriter) cannot(n ast.Node, what string) {
	r.fail(event.Unsupported, n.Pos(), "%s: the interpreter can't do this", what)
}

func (r *rewriter) offset(pos token.Pos) int { return r.fset.PositionFor(pos, false).Offset }

func (r *rewriter) replace(from, to token.Pos, text string) {
	r.edits = append(r.edits, edit{r.offset(from), r.offset(to), text})
}

func (r *rewriter) apply() string {
	sort.SliceStable(r.edits, func(i, j int) bool { return r.edits[i].start < r.edits[j].start })
	var b strings.Builder
	const first = "package main"
	b.WriteString(first + r.imports)
	at := len(first)
	for _, e := range r.edits {
		if e.start < at {
			continue // within an expression that was replaced as a whole
		}
		b.WriteString(r.src[at:e.start] + e.text)
		at = e.end
	}
	b.WriteString(r.src[at:])
	names := make([]string, 0, len(r.helpers))
	for name := range r.helpers {
		names = append(names, name)
	}
	sort.Strings(names)
	for _, name := range names {
		b.WriteString("\n" + r.helpers[name])
	}
	return b.String()
}

// name writes a type as the program would.
func (r *rewriter) name(t types.Type) string {
	return types.TypeString(t, func(p *types.Package) string {
		if p == r.pkg {
			return ""
		}
		return p.Name()
	})
}

func (r *rewriter) visit(n ast.Node) bool {
	switch n := n.(type) {
	case *ast.RangeStmt:
		r.rangeStmt(n)
	case *ast.ForStmt:
		if init, ok := n.Init.(*ast.AssignStmt); ok && init.Tok == token.DEFINE {
			r.fresh(n.Body, init.Lhs...)
		}
		r.closures(n.Body)
	case *ast.CallExpr:
		r.call(n)
	case *ast.Ident:
		r.instance(n)
	case *ast.TypeSpec:
		if n.TypeParams != nil && n.Assign.IsValid() {
			r.cannot(n, "a generic alias")
		}
	case *ast.ImportSpec:
		if n.Path.Value == `"C"` {
			r.cannot(n, "cgo")
		}
	}
	return true
}

// call rewrites the builtins that the interpreter has not, or has otherwise, and
// looks at what is printed.
func (r *rewriter) call(n *ast.CallExpr) {
	id, ok := ast.Unparen(n.Fun).(*ast.Ident)
	if !ok {
		r.printed(n)
		return
	}
	builtin, ok := r.info.Uses[id].(*types.Builtin)
	if !ok {
		return
	}
	tv := r.info.Types[n]
	switch builtin.Name() {
	case "min", "max":
		if tv.Value != nil {
			text := tv.Value.ExactString()
			if tv.Value.Kind() == constant.Float {
				text = strings.ReplaceAll(text, "/", "./") // a quotient of integers is exact
			}
			r.replace(n.Pos(), n.End(), fmt.Sprintf("%s(%s)", r.name(types.Default(tv.Type)), text))
			return
		}
		r.minMax(n, id, tv.Type)
	case "print", "println":
		r.importPrinted()
		r.replace(id.Pos(), id.End(), map[string]string{"print": "_printed.Print", "println": "_printed.Println"}[builtin.Name()])
	case "clear":
		arg := r.info.TypeOf(n.Args[0])
		helper := "_clear" + ident(r.name(arg))
		switch arg.Underlying().(type) {
		case *types.Map:
			r.helpers[helper] = fmt.Sprintf("func %s(m %s) { for k := range m { delete(m, k) } }", helper, r.name(arg))
		case *types.Slice:
			elem := arg.Underlying().(*types.Slice).Elem()
			r.helpers[helper] = fmt.Sprintf("func %s(s %s) { var zero %s; for i := range s { s[i] = zero } }", helper, r.name(arg), r.name(elem))
		default:
			r.cannot(n, "clear of a type parameter")
			return
		}
		if r.local(arg) {
			r.cannot(n, "clear of a type declared in a function")
			return
		}
		r.replace(id.Pos(), id.End(), helper)
	}
}

func (r *rewriter) minMax(n *ast.CallExpr, id *ast.Ident, t types.Type) {
	b, ok := t.Underlying().(*types.Basic)
	if _, generic := t.(*types.TypeParam); generic || !ok {
		r.cannot(n, id.Name+" of a type parameter")
		return
	}
	if r.local(t) {
		r.cannot(n, id.Name+" of a type declared in a function")
		return
	}
	op := map[string]string{"min": "<", "max": ">"}[id.Name]
	name := "_" + id.Name + ident(r.name(t))
	test := fmt.Sprintf("b %s a", op)
	if b.Info()&types.IsFloat != 0 {
		// NaN wins over all, and -0 is less than 0.
		zero := map[string]string{"min": "1/b < 0", "max": "1/a < 0"}[id.Name]
		test += " || b != b || a == 0 && b == 0 && " + zero
		test = "a == a && (" + test + ")"
	}
	r.helpers[name] = fmt.Sprintf("func %s(a %s, rest ...%s) %s { for _, b := range rest { if %s { a = b } }; return a }",
		name, r.name(t), r.name(t), r.name(t), test)
	r.replace(id.Pos(), id.End(), name)
}

var notIdent = regexp.MustCompile(`\W+`)

func ident(s string) string { return "_" + notIdent.ReplaceAllString(s, "_") }

// local tells whether a type is declared within a function.
func (r *rewriter) local(t types.Type) bool {
	n, ok := t.(*types.Named)
	return ok && n.Obj().Pkg() == r.pkg && n.Obj().Parent() != r.pkg.Scope()
}

// instance spells out the type arguments of a generic function that the compiler
// infers: the interpreter infers some of them wrongly.
func (r *rewriter) instance(id *ast.Ident) {
	inst, ok := r.info.Instances[id]
	if !ok {
		return
	}
	if _, ok := r.info.Uses[id].(*types.Func); !ok {
		return
	}
	if rest := strings.TrimLeft(r.src[r.offset(id.End()):], " \t"); strings.HasPrefix(rest, "[") {
		return
	}
	var args []string
	for i := range inst.TypeArgs.Len() {
		args = append(args, r.name(inst.TypeArgs.At(i)))
	}
	r.replace(id.End(), id.End(), "["+strings.Join(args, ", ")+"]")
}
