package yaegi

import (
	"fmt"
	"go/ast"
	"go/constant"
	"go/types"
	"strings"

	"github.com/b3771e63/prodcons/pkg/nbrun/internal/yaegi/symbols"
)

// printed looks at the arguments of fmt's and log's functions. A method String or
// Error of a type that the program declares is not seen by compiled code, so it
// is called here.
func (r *rewriter) printed(n *ast.CallExpr) {
	sel, ok := ast.Unparen(n.Fun).(*ast.SelectorExpr)
	if !ok {
		return
	}
	fn, ok := r.info.Uses[sel.Sel].(*types.Func)
	if !ok || fn.Pkg() == nil || fn.Pkg().Path() != "fmt" && fn.Pkg().Path() != "log" {
		return
	}
	sig := fn.Signature()
	if !sig.Variadic() || n.Ellipsis.IsValid() {
		return
	}
	first := sig.Params().Len() - 1
	verbs := ""
	if strings.HasSuffix(fn.Name(), "f") {
		if verbs, ok = r.verbs(n.Args[first-1]); !ok {
			verbs = strings.Repeat("?", len(n.Args))
		}
	}
	for i := first; i < len(n.Args); i++ {
		arg := n.Args[i]
		t := r.info.TypeOf(arg)
		method := r.method(t)
		if method == "" {
			if inner := r.contains(t, 0); inner != nil {
				r.cannot(arg, fmt.Sprintf("printing a %s, as %s has a String or Error method", r.name(t), r.name(inner)))
			}
			continue
		}
		verb := byte('v')
		if verbs != "" {
			if i-first >= len(verbs) {
				continue
			}
			verb = verbs[i-first]
		}
		switch {
		case strings.IndexByte("vsqxX", verb) >= 0:
			r.importPrinted()
			r.replace(arg.Pos(), arg.Pos(), "_printed.Text((")
			r.replace(arg.End(), arg.End(), ")."+method+"())")
		case verb == '?':
			r.cannot(arg, fmt.Sprintf("printing a %s, which has a %s method, with a format that is not a plain constant", r.name(t), method))
		}
	}
}

func (r *rewriter) importPrinted() { r.imports = `; import _printed "` + symbols.Printed + `"` }

// method is the method by which fmt prints a type of the program, or "".
func (r *rewriter) method(t types.Type) string {
	if t == nil {
		return ""
	}
	base := t
	if p, ok := t.(*types.Pointer); ok {
		base = p.Elem()
	}
	n, ok := base.(*types.Named)
	if !ok || n.Obj().Pkg() != r.pkg || types.IsInterface(n) {
		return ""
	}
	for _, name := range []string{"Error", "String"} {
		set := types.NewMethodSet(t)
		if m := set.Lookup(r.pkg, name); m != nil {
			sig := m.Obj().(*types.Func).Signature()
			if sig.Params().Len() == 0 && sig.Results().Len() == 1 && types.Identical(sig.Results().At(0).Type(), types.Typ[types.String]) {
				return name
			}
		}
	}
	return ""
}

// contains returns a type with such a method that fmt would find within t.
func (r *rewriter) contains(t types.Type, depth int) types.Type {
	if t == nil || depth > 5 {
		return nil
	}
	within := func(t types.Type) types.Type {
		if r.method(t) != "" {
			return t
		}
		return r.contains(t, depth+1)
	}
	switch u := t.Underlying().(type) {
	case *types.Slice:
		return within(u.Elem())
	case *types.Array:
		return within(u.Elem())
	case *types.Map:
		if inner := within(u.Key()); inner != nil {
			return inner
		}
		return within(u.Elem())
	case *types.Struct:
		for f := range u.Fields() {
			if f.Exported() {
				if inner := within(f.Type()); inner != nil {
					return inner
				}
			}
		}
	}
	return nil
}

// verbs returns the verb of each argument of a constant format, and false when
// the format is none or takes its arguments out of order.
func (r *rewriter) verbs(format ast.Expr) (string, bool) {
	v := r.info.Types[format].Value
	if v == nil || v.Kind() != constant.String {
		return "", false
	}
	var verbs []byte
	s := constant.StringVal(v)
	for i := 0; i < len(s); i++ {
		if s[i] != '%' {
			continue
		}
		sharp := false
		for i++; i < len(s) && strings.IndexByte("+-# 0123456789.*[", s[i]) >= 0; i++ {
			switch s[i] {
			case '*', '[':
				return "", false
			case '#':
				sharp = true
			}
		}
		if i == len(s) || s[i] == '%' {
			continue
		}
		if sharp {
			verbs = append(verbs, '#') // %#v prints the type's syntax
		} else {
			verbs = append(verbs, s[i])
		}
	}
	return string(verbs), true
}
