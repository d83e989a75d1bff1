package book

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/b3771e63/prodcons/pkg/nbrun/internal/cache"
	"github.com/b3771e63/prodcons/pkg/nbrun/internal/program"
)

// instancesOf begins the path of a package that has instances of the generic types of
// another one, whose path follows.
const instancesOf = "instances/"

// reuse has the compiler leave out methods and functions of instances that an imported
// package already has, or the package of instances that belongs to it. Without that, a
// cell that uses a prodcons.Group is compiled together with all its methods, which takes
// a page seconds.
var reuse = []patch{
	{file: "cmd/compile/internal/noder/import.go", edits: []edit{
		{re(`(?m)^\terr = addFingerprint\(path, data\)\n`), "\tif err = addFingerprint(path, data); err == nil {\n\t\terr = importInstances(\"" + instancesOf + "\" + path)\n\t}\n", 1},
		{re(`(?m)^\tmapped, err = base\.MapFile\(r\.File\(\), pos, end-pos\)\n`), "\tif err = noteInstances(r.File(), end); err != nil {\n\t\treturn\n\t}\n$0", 1},
		{re(`(?m)^// addFingerprint reads`), `// importInstances imports a package of instances, if there is one.
func importInstances(path string) error {
	file, ok := base.Flag.Cfg.PackageFile[path]
	if !ok {
		return nil
	}
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	defer f.Close()
	data, err := readExportData(f)
	if err != nil {
		return err
	}
	return addFingerprint(path, data)
}

// noteInstances notes the functions, types and dictionaries of instances that the object
// after a package's export data has.
func noteInstances(f *os.File, at int64) error {
	info, err := f.Stat()
	if err != nil {
		return err
	}
	text, err := base.MapFile(f, at, info.Size()-at)
	if err != nil {
		return err
	}
	_, object, _ := strings.Cut(text, "\n!\n")
	r := goobj.NewReaderFromBytes([]byte(object), false)
	if r == nil {
		return errors.New("no object follows the export data")
	}
	first := r.NSym() + r.NHashed64def() + r.NHasheddef()
	for i := range r.NNonpkgdef() {
		s := r.Sym(uint32(first + i))
		code := s.Type() == uint8(objabi.STEXT)
		if !code && s.Type() != uint8(objabi.SRODATA) {
			continue
		}
		name := s.Name(r)
		if strings.Contains(name, "[") && (code || strings.HasPrefix(name, "type:") || strings.Contains(name, objabi.GlobalDictPrefix)) {
			instances[name] = true
		}
	}
	return nil
}

$0`, 1},
	}},
	{file: "cmd/compile/internal/noder/reader.go", edits: []edit{
		{re(`(?m)^func \(pr \*pkgReader\) dictNameOf\(`), "var instances = reflectdata.Instances\n\n$0", 1},
		{re(`(?m)^\tlsym := name\.Linksym\(\)\n\tot := 0\n`), "${0}\tif instances[lsym.Name] {\n\t\treturn name\n\t}\n", 1},
	}},
	{file: "cmd/compile/internal/reflectdata/reflect.go", edits: []edit{
		{re(`(?m)^func NeedEmit\(`), "// Instances are the names of what imported packages have of instances.\nvar Instances = map[string]bool{}\n\n$0", 1},
		{re(`(?m)^(\tcase typ\.IsFullyInstantiated\(\):\n(?:\t\t//[^\n]*\n)*\t\treturn) true\n`), "$1 !Instances[types.TypeSym(typ).Linksym().Name]\n", 1},
	}},
	{file: "cmd/compile/internal/noder/unified.go", edits: []edit{
		{re(`(?m)^\t\t\ttodoBodies = todoBodies\[:len\(todoBodies\)-1\]\n`), `${0}			if fn.OClosure == nil && instances[fn.Linksym().Name] {
				fn.Nname.Defn = nil
				continue
			}
`, 1},
	}},
}

// instances compiles packages of the instances that programs make of imported generic
// types, for the compiler of the pages.
func (t *toolchain) instances(ctx context.Context, programs []*program.Program, archives map[string]archive) error {
	for path, types := range instantiated(programs, archives) {
		a, err := t.compileInstances(ctx, path, types, archives)
		if err != nil {
			return fmt.Errorf("instances of the types of %s: %w", path, err)
		}
		archives[a.Path] = a
	}
	return nil
}

// instantiated finds the instances of imported generic types that programs make, by the
// package of the type. Those with types of a program's own are none of them, nor those
// that a package that a program imports has already, as it names them.
func instantiated(programs []*program.Program, archives map[string]archive) map[string][]*types.Named {
	fset := token.NewFileSet()
	conf := types.Config{
		Importer: importer.ForCompiler(fset, "gc", func(path string) (io.ReadCloser, error) { return os.Open(archives[path].Export) }),
		Error:    func(error) {}, // a cell may be wrong on purpose
	}
	made, named := map[string]*types.Named{}, map[string]bool{}
	for _, p := range programs {
		file, err := parser.ParseFile(fset, "", p.Source, parser.SkipObjectResolution)
		if err != nil {
			continue
		}
		info := types.Info{Instances: map[*ast.Ident]types.Instance{}}
		main, _ := conf.Check("main", fset, []*ast.File{file}, &info)
		for _, i := range info.Instances {
			for _, n := range generic(i.Type) {
				if !archives[n.Obj().Pkg().Path()].Standard {
					made[spell(n, (*types.Package).Path)] = n
				}
			}
		}
		for _, imported := range main.Imports() {
			for _, name := range imported.Scope().Names() {
				for _, n := range generic(imported.Scope().Lookup(name).Type()) {
					named[spell(n, (*types.Package).Path)] = true
				}
			}
		}
	}
	byPackage := map[string][]*types.Named{}
	for _, name := range slices.Sorted(maps.Keys(made)) {
		if n := made[name]; name != "" && !named[name] {
			byPackage[n.Obj().Pkg().Path()] = append(byPackage[n.Obj().Pkg().Path()], n)
		}
	}
	return byPackage
}

// generic are the instances with methods that a type is, points to or returns.
func generic(t types.Type) (list []*types.Named) {
	switch t := types.Unalias(t).(type) {
	case *types.Pointer:
		return generic(t.Elem())
	case *types.Signature:
		for v := range t.Results().Variables() {
			list = append(list, generic(v.Type())...)
		}
	case *types.Named:
		if t.TypeArgs().Len() > 0 && t.NumMethods() > 0 {
			list = append(list, t)
		}
	}
	return list
}

// spell writes a type as a package that imports others can, "" if it can't name it.
func spell(t types.Type, qualify types.Qualifier) string {
	switch t := types.Unalias(t).(type) {
	case *types.Basic:
		if t.Kind() == types.UnsafePointer {
			return ""
		}
		return t.Name()
	case *types.Pointer:
		return prefixed("*", spell(t.Elem(), qualify))
	case *types.Slice:
		return prefixed("[]", spell(t.Elem(), qualify))
	case *types.Named:
		if t.Obj().Pkg() == nil {
			return t.Obj().Name()
		}
		if t.Obj().Pkg().Name() == "main" || !t.Obj().Exported() {
			return ""
		}
		var args []string
		for a := range t.TypeArgs().Types() {
			args = append(args, spell(a, qualify))
		}
		if slices.Contains(args, "") {
			return ""
		}
		name := qualify(t.Obj().Pkg()) + "." + t.Obj().Name()
		if len(args) > 0 {
			name += "[" + strings.Join(args, ", ") + "]"
		}
		return name
	}
	return ""
}

func prefixed(prefix, name string) string {
	if name == "" {
		return ""
	}
	return prefix + name
}

// compileInstances compiles a package of instances of the types of a package.
func (t *toolchain) compileInstances(ctx context.Context, path string, list []*types.Named, archives map[string]archive) (archive, error) {
	a := archive{Path: instancesOf + path}
	var text, config strings.Builder
	names := func(p *types.Package) string {
		i := slices.Index(a.Imports, p.Path())
		if i < 0 {
			i, a.Imports = len(a.Imports), append(a.Imports, p.Path())
		}
		return fmt.Sprintf("p%d", i)
	}
	for i, n := range list {
		fmt.Fprintf(&text, "type T%d = %s\n\nvar V%[1]d any = (*T%[1]d)(nil)\n", i, spell(n, names))
	}
	head := "package instances\n\n"
	for i, path := range a.Imports {
		head += fmt.Sprintf("import p%d %q\n", i, path)
	}
	for _, known := range slices.SortedFunc(maps.Values(archives), func(a, b archive) int { return cmp.Compare(a.Path, b.Path) }) {
		if known.Export != "" {
			fmt.Fprintf(&config, "packagefile %s=%s\n", known.Path, known.Export)
		}
	}
	dir := filepath.Join(t.dir, "instances_"+cache.ID(path))
	source, importcfg := filepath.Join(dir, "instances.go"), filepath.Join(dir, "importcfg")
	a.Export = filepath.Join(dir, "instances.a")
	err := errors.Join(cache.Folder(dir), os.WriteFile(source, []byte(head+text.String()), 0o644), os.WriteFile(importcfg, []byte(config.String()), 0o644))
	if err != nil {
		return a, err
	}
	compile := t.command(ctx, dir, "tool", "compile", "-o", a.Export, "--p", a.Path, "-complete", "-dwarf=false", "-trimpath", dir,
		"-lang="+t.lang, "-importcfg", importcfg, "-pack", source)
	if said, err := compile.CombinedOutput(); err != nil {
		return a, fmt.Errorf("%w: %s", err, bytes.TrimSpace(said))
	}
	return a, nil
}
