package yaegi

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"strings"
)

// rangeStmt rewrites a range over an integer, and rejects one over a function.
func (r *rewriter) rangeStmt(n *ast.RangeStmt) {
	t := r.info.TypeOf(n.X)
	if t == nil {
		return
	}
	if _, ok := t.Underlying().(*types.Signature); ok {
		r.cannot(n, "range over a function")
		return
	}
	r.closures(n.Body)
	b, ok := t.Underlying().(*types.Basic)
	if !ok || b.Info()&types.IsInteger == 0 {
		if n.Tok == token.DEFINE {
			r.fresh(n.Body, n.Key, n.Value)
		}
		return
	}
	if n.Key != nil && n.Tok == token.DEFINE {
		if id, ok := n.Key.(*ast.Ident); ok && id.Name != "_" {
			t = r.info.Defs[id].Type()
		}
	}
	typ := r.name(types.Default(t))
	r.loops++
	i, end := fmt.Sprintf("_i%d", r.loops), fmt.Sprintf("_n%d", r.loops)
	r.replace(n.For, n.X.Pos(), fmt.Sprintf("for %s, %s := %s(0), %s(", i, end, typ, typ))
	set := ""
	if n.Key != nil {
		if id, ok := n.Key.(*ast.Ident); !ok || id.Name != "_" {
			key := r.src[r.offset(n.Key.Pos()):r.offset(n.Key.End())]
			set = fmt.Sprintf(" %s %s %s;", key, n.Tok, i)
			if n.Tok == token.DEFINE {
				set += " _ = " + key + ";"
			}
		}
	}
	r.replace(n.X.End(), n.Body.Lbrace+1, fmt.Sprintf("); %s < %s; %s++ {%s", i, end, i, set))
}

// fresh gives each iteration its own copy of the loop's variables, as Go has had
// since 1.22 and the interpreter has not, where a closure could tell.
func (r *rewriter) fresh(body *ast.BlockStmt, vars ...ast.Expr) {
	for _, v := range vars {
		id, ok := v.(*ast.Ident)
		if !ok || id.Name == "_" || r.info.Defs[id] == nil {
			continue
		}
		captured, assigned := r.captured(body, r.info.Defs[id])
		if captured && assigned {
			r.cannot(id, fmt.Sprintf("a closure that uses the loop variable %s, which the loop's body changes", id.Name))
		} else if captured {
			r.replace(body.Lbrace+1, body.Lbrace+1, fmt.Sprintf(" %s := %s;", id.Name, id.Name))
		}
	}
}

// captured tells whether a closure within n uses a variable, or something takes
// its address; and whether anything there assigns to it.
func (r *rewriter) captured(n ast.Node, v types.Object) (captured, assigned bool) {
	is := func(e ast.Expr) bool {
		id, ok := ast.Unparen(e).(*ast.Ident)
		return ok && r.info.Uses[id] == v
	}
	ast.Inspect(n, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncLit:
			ast.Inspect(n.Body, func(n ast.Node) bool {
				if id, ok := n.(*ast.Ident); ok && r.info.Uses[id] == v {
					captured = true
				}
				return true
			})
		case *ast.UnaryExpr:
			captured = captured || n.Op == token.AND && is(n.X)
		case *ast.IncDecStmt:
			assigned = assigned || is(n.X)
		case *ast.AssignStmt:
			for _, e := range n.Lhs {
				assigned = assigned || is(e)
			}
		}
		return true
	})
	return captured, assigned
}

// closures hands the variables of a loop to the functions that are deferred in
// it or given to a compiled function, such as a WaitGroup's Go: when those run,
// the interpreter would let them see what a later iteration has left.
func (r *rewriter) closures(body *ast.BlockStmt) {
	ast.Inspect(body, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.ForStmt, *ast.RangeStmt, *ast.FuncLit:
			return false // has its own
		case *ast.DeferStmt:
			f, ok := n.Call.Fun.(*ast.FuncLit)
			if !ok || len(n.Call.Args) > 0 {
				return true
			}
			params, args, changes := r.loopVars(f, body)
			switch {
			case changes != nil:
				r.cannot(n, fmt.Sprintf("a function deferred in a loop that uses %s, which the loop changes", changes.Name()))
			case args != "":
				r.replace(f.Type.Params.Opening, f.Type.Params.Closing+1, "("+params+")")
				r.replace(n.Call.Lparen, n.Call.Rparen+1, "("+args+")")
			}
		case *ast.CallExpr:
			for _, arg := range n.Args {
				f, ok := arg.(*ast.FuncLit)
				if !ok {
					continue
				}
				if params, args, changes := r.loopVars(f, body); changes == nil && args != "" {
					typ := r.src[r.offset(f.Type.Pos()):r.offset(f.Type.End())]
					r.replace(f.Pos(), f.Pos(), fmt.Sprintf("func(%s) %s { return ", params, typ))
					r.replace(f.End(), f.End(), fmt.Sprintf(" }(%s)", args))
				}
			}
		}
		return true
	})
}

// loopVars lists the variables of a loop that a function in its body uses, as
// parameters and as arguments; changes is one that anything in the loop assigns
// to.
func (r *rewriter) loopVars(f *ast.FuncLit, body *ast.BlockStmt) (params, args string, changes *types.Var) {
	var ps, as []string
	seen := map[types.Object]bool{}
	ast.Inspect(f.Body, func(n ast.Node) bool {
		id, ok := n.(*ast.Ident)
		if !ok {
			return true
		}
		v, ok := r.info.Uses[id].(*types.Var)
		if !ok || v.IsField() || seen[v] || v.Pos() >= f.Pos() || v.Parent() == nil || !r.loopScope(v, body) {
			return true
		}
		seen[v] = true
		if _, assigned := r.captured(body, v); assigned {
			changes = v
		}
		ps = append(ps, v.Name()+" "+r.name(v.Type()))
		as = append(as, v.Name())
		return true
	})
	return strings.Join(ps, ", "), strings.Join(as, ", "), changes
}

// loopScope tells whether v is declared in the loop that has this body.
func (r *rewriter) loopScope(v *types.Var, body *ast.BlockStmt) bool {
	if v.Pos() >= body.Pos() && v.Pos() < body.End() {
		return true
	}
	inner := r.pkg.Scope().Innermost(body.Lbrace + 1)
	return inner != nil && inner.Parent() != nil && v.Parent() == inner.Parent() && inner.Parent().End() <= body.End()+1
}
