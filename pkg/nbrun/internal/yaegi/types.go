package yaegi

import (
	"errors"
	"fmt"
	"go/ast"
	"go/constant"
	"go/parser"
	"go/token"
	"go/types"
	"io/fs"
	"path"
	"reflect"
	"sort"
	"strings"
	"sync"

	"github.com/b3771e63/prodcons/pkg/nbrun/internal/yaegi/generic"
	"github.com/b3771e63/prodcons/pkg/nbrun/internal/yaegi/symbols"
)

// tables imports packages for go/types from the interpreter's symbol tables, so that a
// program is checked against exactly what the interpreter knows, and no Go toolchain is
// needed.
type tables struct {
	mu       sync.Mutex
	symbols  map[string]map[string]reflect.Value // by import path
	packages map[string]*types.Package
	complete map[string]bool
	named    map[reflect.Type]*types.Named
	origin   map[*types.Named]reflect.Type
	names    map[reflect.Type]exported
	sources  map[*types.Package]source
	fset     *token.FileSet // of sources
}

// source is what a generic package is made of.
type source struct {
	files []*ast.File
	info  *types.Info
}

// generic checks the source of a generic package, or of what is generic in one.
func (t *tables) generic(importPath string) (*types.Package, error) {
	data, err := generic.Files.ReadFile(importPath + "/" + path.Base(importPath) + ".go")
	if err != nil {
		return nil, err
	}
	file, err := parser.ParseFile(t.fset, importPath, data, parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	s := source{[]*ast.File{file}, newInfo()}
	config := types.Config{Importer: t}
	pkg, err := config.Check(importPath, t.fset, s.files, s.info)
	t.sources[pkg] = s
	return pkg, err
}

// newInfo is what package ssa needs to know.
func newInfo() *types.Info {
	return &types.Info{
		Types: map[ast.Expr]types.TypeAndValue{}, Uses: map[*ast.Ident]types.Object{}, Defs: map[*ast.Ident]types.Object{},
		Instances: map[*ast.Ident]types.Instance{}, Implicits: map[ast.Node]types.Object{}, Scopes: map[ast.Node]*types.Scope{},
		Selections: map[*ast.SelectorExpr]*types.Selection{}, FileVersions: map[*ast.File]string{},
	}
}

// exported is a name by which programs know a type of a compiled package.
type exported struct{ path, name string }

// nameOf returns the name of a type: its own, or one that stands for an instance of
// a generic type.
func (t *tables) nameOf(n *types.Named) (exported, bool) {
	if t.names == nil {
		t.names = map[reflect.Type]exported{}
		for path, table := range t.symbols {
			for name, v := range table {
				if v.Kind() == reflect.Pointer && v.IsNil() && !v.CanAddr() && !strings.HasPrefix(name, "_") {
					if e := v.Type().Elem(); t.names[e].name == "" || e.PkgPath() == path && e.Name() == name {
						t.names[e] = exported{path, name}
					}
				}
			}
		}
	}
	e, ok := t.names[t.origin[n]]
	return e, ok
}

var shared = sync.OnceValue(func() *tables {
	t := &tables{
		symbols:  map[string]map[string]reflect.Value{},
		packages: map[string]*types.Package{},
		complete: map[string]bool{},
		named:    map[reflect.Type]*types.Named{},
		origin:   map[*types.Named]reflect.Type{},
		sources:  map[*types.Package]source{},
		fset:     token.NewFileSet(),
	}
	for key, table := range symbols.Symbols {
		t.symbols[path.Dir(key)] = table
		t.packages[path.Dir(key)] = types.NewPackage(path.Dir(key), path.Base(key))
	}
	return t
})

// Import returns the package of an import path.
func (t *tables) Import(importPath string) (*types.Package, error) {
	pkg := t.packages[importPath]
	if t.complete[importPath] {
		return pkg, nil
	}
	table, compiled := t.symbols[importPath]
	if !compiled {
		pkg, err := t.generic(importPath)
		if errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("package %s is not known to the interpreter", importPath)
		}
		t.packages[importPath], t.complete[importPath] = pkg, err == nil
		return pkg, err
	}
	t.complete[importPath] = true
	names := make([]string, 0, len(table))
	for name := range table {
		if !strings.HasPrefix(name, "_") {
			names = append(names, name)
		}
	}
	sort.Strings(names)
	for _, name := range names {
		if pkg.Scope().Lookup(name) == nil {
			if obj := t.object(pkg, name, table[name]); obj != nil {
				pkg.Scope().Insert(obj)
			}
		}
	}
	pkg.MarkComplete()
	more, err := t.generic(importPath)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return pkg, nil
	case err != nil:
		return nil, err
	}
	for _, name := range more.Scope().Names() {
		pkg.Scope().Insert(more.Scope().Lookup(name))
	}
	return pkg, nil
}

// runes are the untyped rune constants, which the tables have as integers.
var runes = map[string]bool{
	"math/big.MaxBase": true, "os.PathListSeparator": true, "os.PathSeparator": true,
	"path/filepath.ListSeparator": true, "path/filepath.Separator": true, "text/tabwriter.Escape": true,
	"unicode.MaxASCII": true, "unicode.MaxLatin1": true, "unicode.MaxRune": true, "unicode.ReplacementChar": true,
	"unicode.UpperLower": true, "unicode/utf8.MaxRune": true, "unicode/utf8.RuneError": true,
}

var constantValue = reflect.TypeFor[constant.Value]()

func (t *tables) object(pkg *types.Package, name string, v reflect.Value) types.Object {
	switch {
	case v.Type().Implements(constantValue):
		c := v.Interface().(constant.Value)
		kinds := map[constant.Kind]types.BasicKind{
			constant.Bool: types.UntypedBool, constant.String: types.UntypedString,
			constant.Int: types.UntypedInt, constant.Float: types.UntypedFloat, constant.Complex: types.UntypedComplex,
		}
		kind := kinds[c.Kind()]
		if runes[pkg.Path()+"."+name] {
			kind = types.UntypedRune
		}
		return types.NewConst(token.NoPos, pkg, name, types.Typ[kind], c)
	case v.Kind() == reflect.Pointer && v.IsNil() && !v.CanAddr(): // a type
		typ := t.typ(v.Type().Elem())
		if n, ok := typ.(*types.Named); ok && n.Obj().Pkg() == pkg && n.Obj().Name() == name {
			return n.Obj()
		}
		return types.NewTypeName(token.NoPos, pkg, name, typ) // an alias
	case v.CanAddr():
		return types.NewVar(token.NoPos, pkg, name, t.typ(v.Type()))
	case v.Kind() == reflect.Func:
		return types.NewFunc(token.NoPos, pkg, name, t.signature(v.Type(), 0))
	}
	var c constant.Value
	switch {
	case v.CanInt():
		c = constant.MakeInt64(v.Int())
	case v.CanUint():
		c = constant.MakeUint64(v.Uint())
	case v.CanFloat():
		c = constant.MakeFloat64(v.Float())
	case v.Kind() == reflect.String:
		c = constant.MakeString(v.String())
	case v.Kind() == reflect.Bool:
		c = constant.MakeBool(v.Bool())
	default:
		return nil
	}
	return types.NewConst(token.NoPos, pkg, name, t.typ(v.Type()), c)
}

func (t *tables) pkg(importPath string) *types.Package {
	if importPath == "" {
		return nil
	}
	if t.packages[importPath] == nil {
		t.packages[importPath] = types.NewPackage(importPath, path.Base(importPath))
	}
	return t.packages[importPath]
}

var errorType = reflect.TypeFor[error]()

var basics = map[reflect.Kind]types.BasicKind{
	reflect.Bool: types.Bool, reflect.String: types.String, reflect.UnsafePointer: types.UnsafePointer,
	reflect.Int: types.Int, reflect.Int8: types.Int8, reflect.Int16: types.Int16, reflect.Int32: types.Int32, reflect.Int64: types.Int64,
	reflect.Uint: types.Uint, reflect.Uint8: types.Uint8, reflect.Uint16: types.Uint16, reflect.Uint32: types.Uint32, reflect.Uint64: types.Uint64,
	reflect.Uintptr: types.Uintptr, reflect.Float32: types.Float32, reflect.Float64: types.Float64,
	reflect.Complex64: types.Complex64, reflect.Complex128: types.Complex128,
}

// typ is the type as go/types has it.
func (t *tables) typ(r reflect.Type) types.Type {
	if r == errorType {
		return types.Universe.Lookup("error").Type()
	}
	if r.Name() == "" || r.PkgPath() == "" {
		return t.underlying(r)
	}
	if n, ok := t.named[r]; ok {
		return n
	}
	if r.PkgPath() == "iter" {
		return t.sequence(r)
	}
	pkg := t.pkg(r.PkgPath())
	n := types.NewNamed(types.NewTypeName(token.NoPos, pkg, r.Name(), nil), nil, nil)
	t.named[r] = n
	t.origin[n] = r
	n.SetUnderlying(t.underlying(r))
	if r.Kind() != reflect.Interface {
		pointer := reflect.PointerTo(r)
		for i := range pointer.NumMethod() {
			m := pointer.Method(i)
			var recv types.Type = n
			if _, byValue := r.MethodByName(m.Name); !byValue {
				recv = types.NewPointer(n)
			}
			sig := t.signature(m.Type, 1)
			sig = types.NewSignatureType(types.NewVar(token.NoPos, pkg, "", recv), nil, nil, sig.Params(), sig.Results(), sig.Variadic())
			n.AddMethod(types.NewFunc(token.NoPos, pkg, m.Name, sig))
		}
	}
	return n
}

// sequence is an instance of iter.Seq or iter.Seq2, which are made from source.
func (t *tables) sequence(r reflect.Type) types.Type {
	pkg, err := t.Import("iter")
	if err != nil {
		return t.underlying(r)
	}
	name, _, _ := strings.Cut(r.Name(), "[")
	var args []types.Type
	for arg := range r.In(0).Ins() {
		args = append(args, t.typ(arg))
	}
	instance, err := types.Instantiate(nil, pkg.Scope().Lookup(name).Type(), args, true)
	if err != nil {
		return t.underlying(r)
	}
	return instance
}

func (t *tables) underlying(r reflect.Type) types.Type {
	switch r.Kind() {
	case reflect.Pointer:
		return types.NewPointer(t.typ(r.Elem()))
	case reflect.Slice:
		return types.NewSlice(t.typ(r.Elem()))
	case reflect.Array:
		return types.NewArray(t.typ(r.Elem()), int64(r.Len()))
	case reflect.Map:
		return types.NewMap(t.typ(r.Key()), t.typ(r.Elem()))
	case reflect.Chan:
		dirs := map[reflect.ChanDir]types.ChanDir{reflect.BothDir: types.SendRecv, reflect.SendDir: types.SendOnly, reflect.RecvDir: types.RecvOnly}
		return types.NewChan(dirs[r.ChanDir()], t.typ(r.Elem()))
	case reflect.Func:
		return t.signature(r, 0)
	case reflect.Struct:
		var fields []*types.Var
		var tags []string
		for i := range r.NumField() {
			f := r.Field(i)
			pkg := t.pkg(f.PkgPath)
			fields = append(fields, types.NewField(token.NoPos, pkg, f.Name, t.typ(f.Type), f.Anonymous))
			tags = append(tags, string(f.Tag))
		}
		return types.NewStruct(fields, tags)
	case reflect.Interface:
		var methods []*types.Func
		for i := range r.NumMethod() {
			// Unexported ones are unknown of the types that have them.
			if m := r.Method(i); m.IsExported() {
				methods = append(methods, types.NewFunc(token.NoPos, t.pkg(r.PkgPath()), m.Name, t.signature(m.Type, 0)))
			}
		}
		return types.NewInterfaceType(methods, nil).Complete()
	default:
		return types.Typ[basics[r.Kind()]]
	}
}

// signature leaves out the first skip parameters, a method's receiver.
func (t *tables) signature(r reflect.Type, skip int) *types.Signature {
	var in, out []*types.Var
	for i := skip; i < r.NumIn(); i++ {
		in = append(in, types.NewParam(token.NoPos, nil, "", t.typ(r.In(i))))
	}
	for i := range r.NumOut() {
		out = append(out, types.NewParam(token.NoPos, nil, "", t.typ(r.Out(i))))
	}
	return types.NewSignatureType(nil, nil, nil, types.NewTuple(in...), types.NewTuple(out...), r.IsVariadic())
}
