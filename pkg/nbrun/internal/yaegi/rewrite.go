package yaegi

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"regexp"
	"slices"
	"sort"
	"strings"

	"github.com/b3771e63/prodcons/pkg/nbrun/event"
	"github.com/b3771e63/prodcons/pkg/nbrun/internal/program"
)

// Rewrite returns the program in a form that the interpreter understands, and for
// each of its lines the place that it came from, as the program has it in its line
// directives. A test has no main function: go test would make one that runs its tests.
// Errors are of type event.Faults.
func Rewrite(src string, test bool) (explicit string, places []string, err error) {
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, "", src, parser.SkipObjectResolution)
	if err != nil {
		return "", nil, program.CompilerFaults(err.Error())
	}
	files := []*ast.File{file}
	r := &rewriter{fset: fset, info: newInfo(), test: test}
	t := shared()
	t.mu.Lock()
	defer t.mu.Unlock()
	config := types.Config{Importer: t, Error: func(err error) { r.typeError(err) }}
	r.pkg, _ = config.Check("main", fset, files, r.info)
	if len(r.types) > 0 {
		// In the order of the source, as the compiler gives them.
		sort.SliceStable(r.types, func(i, j int) bool { return r.types[i].Pos < r.types[j].Pos })
		if slices.ContainsFunc(r.types, typeError.ours) { // the others may come of it
			r.types = slices.DeleteFunc(r.types, func(te typeError) bool { return !te.ours() })
		}
		for _, te := range r.types {
			r.fail(te.reason, te.Pos, "%s", te.Msg)
		}
		return "", nil, r.faults
	}
	if test {
		if r.vet(src); len(r.faults) > 0 {
			return "", nil, r.faults
		}
	}
	return r.explicit(files)
}

type rewriter struct {
	test   bool
	fset   *token.FileSet
	pkg    *types.Package
	info   *types.Info
	types  []typeError
	faults event.Faults
}

// typeError is what the type checker finds wrong.
type typeError struct {
	types.Error
	reason event.Reason
}

// ours reports whether it is something the interpreter can't do, and no error for the
// compiler.
func (te typeError) ours() bool { return te.reason == event.Unsupported }

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

// stuck reports that the program can't be written in explicit form.
func (r *rewriter) stuck(why any) event.Faults {
	return event.Faults{{Text: fmt.Sprintf("the interpreter can't do this (%v)", why), Reason: event.Unsupported}}
}
