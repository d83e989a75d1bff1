package yaegi

import (
	"go/constant"
	"go/importer"
	"go/token"
	"go/types"
	"strings"
	"testing"
)

// What the tables say about the standard library is what its source says.
func TestTablesAreThoseOfTheSource(t *testing.T) {
	source := importer.ForCompiler(token.NewFileSet(), "source", nil)
	tables := shared()
	tables.mu.Lock()
	defer tables.mu.Unlock()
	compared := 0
	for path := range tables.symbols {
		if strings.Contains(path, ".") || strings.HasPrefix(path, "nbrun/") {
			continue
		}
		want, err := source.Import(path)
		if err != nil {
			t.Fatal(err)
		}
		got, err := tables.Import(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range got.Scope().Names() {
			is, should := got.Scope().Lookup(name), want.Scope().Lookup(name)
			if should == nil {
				t.Errorf("%s has no %s", path, name)
				continue
			}
			compared++
			compareObjects(t, path+"."+name, is, should)
		}
	}
	if compared < 1500 {
		t.Errorf("only %d objects", compared)
	}
}

func compareObjects(t *testing.T, name string, is, should types.Object) {
	write := new(emitter).reflected
	if f, ok := should.(*types.Func); ok && f.Signature().TypeParams() != nil {
		return // from the same source
	}
	if a, b := write(is.Type()), write(should.Type()); a != b {
		t.Errorf("%s is a %s and should be a %s", name, a, b)
	}
	switch is := is.(type) {
	case *types.Const:
		b, ok := should.(*types.Const)
		if !ok || !types.Identical(is.Type().Underlying(), b.Type().Underlying()) || !sameValue(is.Val(), b.Val()) {
			t.Errorf("%s is %s and should be %s", name, is, should)
		}
	case *types.TypeName:
		if n, ok := is.Type().(*types.Named); ok && n.TypeParams() == nil {
			compareMethods(t, name, n, should.Type())
		}
	}
}

// sameValue allows for the digits of irrational numbers, of which the tables have 60.
func sameValue(a, b constant.Value) bool {
	if a.Kind() != constant.Float {
		return a.ExactString() == b.ExactString()
	}
	difference := constant.BinaryOp(constant.BinaryOp(a, token.SUB, b), token.QUO, b)
	limit := constant.MakeFromLiteral("1e-60", token.FLOAT, 0)
	return constant.Compare(difference, token.LSS, limit) && constant.Compare(constant.UnaryOp(token.SUB, difference, 0), token.LSS, limit)
}

func compareMethods(t *testing.T, name string, is *types.Named, should types.Type) {
	write := new(emitter).reflected
	a, b := types.NewMethodSet(types.NewPointer(is)), types.NewMethodSet(types.NewPointer(should))
	if types.IsInterface(is) {
		a, b = types.NewMethodSet(is), types.NewMethodSet(should)
	}
	for sel := range b.Methods() {
		if !sel.Obj().Exported() {
			continue
		}
		m := a.Lookup(sel.Obj().Pkg(), sel.Obj().Name())
		switch {
		case m == nil:
			t.Errorf("%s has no method %s", name, sel.Obj().Name())
		case write(m.Type()) != write(sel.Type()):
			t.Errorf("%s.%s is a %s and should be a %s", name, sel.Obj().Name(), write(m.Type()), write(sel.Type()))
		}
	}
}
