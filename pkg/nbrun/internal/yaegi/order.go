package yaegi

import (
	"go/ast"
	"go/parser"
	"go/token"
	"strings"

	"github.com/b3771e63/prodcons/pkg/nbrun/internal/program"
)

// functionsFirst puts functions before variables. It makes no difference to Go, but
// the interpreter evaluates a variable's value before it knows the functions that
// stand below.
func functionsFirst(src string) (string, error) {
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, "", src, parser.SkipObjectResolution)
	if err != nil {
		return "", program.CompilerFaults(err.Error())
	}
	// A declaration goes with all that stands between it and the one before: its
	// comments, and the line that says where it is from.
	var functions, variables, main strings.Builder
	first, from := -1, 0
	for _, d := range file.Decls {
		to := fset.PositionFor(d.End(), false).Offset
		if to < len(src) && src[to] == '\n' {
			to++
		}
		piece := src[from:to]
		switch d := d.(type) {
		case *ast.FuncDecl:
			if d.Recv == nil && d.Name.Name == "main" {
				main.WriteString(piece)
			} else {
				functions.WriteString(piece)
			}
		case *ast.GenDecl:
			switch {
			case d.Tok == token.VAR:
				variables.WriteString(piece)
			case first < 0: // nothing has moved yet
				from = to
				continue
			default:
				functions.WriteString(piece)
			}
		}
		if first < 0 {
			first = from
		}
		from = to
	}
	if first < 0 {
		return src, nil
	}
	return src[:first] + functions.String() + variables.String() + main.String() + src[from:], nil
}
