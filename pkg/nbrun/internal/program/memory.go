// Package program turns a cell into the program that GoNB would have compiled for it:
// the cell's Go together with all that earlier cells have declared. Every line of that
// program knows the cell and line it came from.
package program

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"go/ast"
	"go/parser"
	"go/scanner"
	"go/token"
	"maps"
	"path"
	"slices"
	"sort"
	"strings"

	"github.com/b3771e63/prodcons/pkg/nbrun/event"
	"github.com/b3771e63/prodcons/pkg/nbrun/internal/cells"
)

// Memory is what the cells so far have declared. A new declaration replaces the old one
// with that name and kind. The zero value is empty. A Memory does not change: every
// change makes a new one.
type Memory struct {
	key string // the same for what was made in the same steps

	imports map[string]imported
	types   map[string]piece
	funcs   map[string]piece // methods under Type~Method
	vars    map[string]*variable
	consts  map[string]constant
	found   map[string]imported // what goimports has found for a name, to spare it the search
}

// piece is a declaration as it was written, and where.
type piece struct {
	text string
	at   Place
}

type imported struct {
	alias, path string
	at          Place
	preamble    string // of "C": the comment above it, which is C,
	cAt         Place  // and where that begins
}

// variable is one spec of names that are kept or dropped together: a single name, or
// all names that are set by one call.
type variable struct {
	names []string
	typ   piece // without text if there is none
	value piece
	at    Place
}

// constant is a name of a const declaration, which GoNB keeps whole as long as its
// first name stands for it.
type constant struct {
	group *constGroup
	first bool
}

// constGroup is a const declaration.
type constGroup struct {
	specs []constSpec
}

type constSpec struct {
	names []string
	rest  string // type and values
	at    Place
}

// Key is the same for two memories that were made in the same steps.
func (m *Memory) Key() string { return m.key }

// then returns a copy, to be changed in a step with that name.
func (m *Memory) then(step string) *Memory {
	sum := sha256.Sum256([]byte(m.key + "\x00" + step))
	c := &Memory{
		key:     hex.EncodeToString(sum[:]),
		imports: maps.Clone(m.imports), types: maps.Clone(m.types), funcs: maps.Clone(m.funcs),
		vars: maps.Clone(m.vars), consts: maps.Clone(m.consts), found: maps.Clone(m.found),
	}
	c.init()
	return c
}

func (m *Memory) init() {
	if m.imports == nil {
		m.imports, m.types, m.funcs = map[string]imported{}, map[string]piece{}, map[string]piece{}
		m.vars, m.consts, m.found = map[string]*variable{}, map[string]constant{}, map[string]imported{}
	}
}

// unit is a cell's Go, parsed.
type unit struct {
	memory *Memory // what it declares
	main   *piece
	tests  []string
	bench  bool
}

// parse parses the Go of a cell. Errors are of type event.Faults.
func parse(cell int, c *cells.Cell) (*unit, error) {
	fset := token.NewFileSet()
	src := "package main\n" + c.Go
	file, err := parser.ParseFile(fset, "", src, parser.SkipObjectResolution|parser.ParseComments)
	if err != nil {
		var faults event.Faults
		if list, ok := err.(scanner.ErrorList); ok {
			for _, e := range list {
				line := min(max(e.Pos.Line-1, 1), c.Lines)
				faults = append(faults, &event.Fault{Cell: cell, Line: line, Column: e.Pos.Column, Text: Advised(e.Msg)})
			}
		}
		return nil, faults
	}
	u := &unit{memory: &Memory{}}
	u.memory.init()
	p := &pieces{cell: cell, fset: fset, src: src}
	for _, d := range file.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			u.addFunc(p, d)
		case *ast.GenDecl:
			u.addGen(p, d)
		}
	}
	return u, nil
}

// pieces cuts pieces out of a cell's source.
type pieces struct {
	cell int
	fset *token.FileSet
	src  string
}

func (p *pieces) place(pos token.Pos) Place {
	at := p.fset.Position(pos)
	return Place{p.cell, at.Line - 1, at.Column}
}

func (p *pieces) text(from, to token.Pos) string {
	return p.src[p.fset.Position(from).Offset:p.fset.Position(to).Offset]
}

func (p *pieces) piece(from, to token.Pos) piece {
	return piece{p.text(from, to), p.place(from)}
}

const initPrefix = "init_"

func (u *unit) addFunc(p *pieces, d *ast.FuncDecl) {
	from := d.Pos()
	if d.Doc != nil {
		from = d.Doc.Pos()
	}
	name := d.Name.Name
	code := p.piece(from, d.End())
	switch {
	case d.Recv != nil:
		if len(d.Recv.List) > 0 {
			name = receiver(d.Recv.List[0].Type) + "~" + name
		}
	case name == "main":
		u.main = &code
		return
	case strings.HasPrefix(name, initPrefix):
		// Blanks keep the columns of what follows.
		at := p.fset.Position(d.Name.Pos()).Offset - p.fset.Position(from).Offset
		code.text = code.text[:at] + "init" + strings.Repeat(" ", len(name)-len("init")) + code.text[at+len(name):]
	case strings.HasPrefix(name, "Test") && name != "TestMain":
		u.tests = append(u.tests, name)
	case strings.HasPrefix(name, "Benchmark"):
		u.tests = append(u.tests, name)
		u.bench = true
	}
	u.memory.funcs[name] = code
}

func receiver(t ast.Expr) string {
	for {
		switch e := t.(type) {
		case *ast.StarExpr:
			t = e.X
		case *ast.ParenExpr:
			t = e.X
		case *ast.IndexExpr:
			t = e.X
		case *ast.IndexListExpr:
			t = e.X
		case *ast.Ident:
			return e.Name
		default:
			return "unknown"
		}
	}
}

func (u *unit) addGen(p *pieces, d *ast.GenDecl) {
	m := u.memory
	group := &constGroup{}
	for _, spec := range d.Specs {
		switch s := spec.(type) {
		case *ast.ImportSpec:
			i := imported{path: s.Path.Value[1 : len(s.Path.Value)-1], at: p.place(s.Pos())}
			if s.Name != nil {
				i.alias = s.Name.Name
			}
			if doc := cmp.Or(s.Doc, d.Doc); i.path == "C" && doc != nil {
				i.preamble, i.cAt = p.text(doc.Pos(), doc.End()), p.place(doc.Pos())
			}
			m.imports[i.key()] = i
		case *ast.TypeSpec:
			m.types[s.Name.Name] = p.piece(s.Pos(), s.End())
		case *ast.ValueSpec:
			if d.Tok == token.CONST {
				cs := constSpec{at: p.place(s.Pos())}
				for _, n := range s.Names {
					key := n.Name
					if key == "_" {
						at := p.place(n.Pos())
						key = fmt.Sprintf("_~%d~%d~%d", p.cell, at.Line, at.Col)
					}
					m.consts[key] = constant{group, len(group.specs)+len(cs.names) == 0}
					cs.names = append(cs.names, n.Name)
				}
				cs.rest = p.text(s.Names[len(s.Names)-1].End(), s.End())
				group.specs = append(group.specs, cs)
				continue
			}
			u.addVar(p, s)
		}
	}
}

func (u *unit) addVar(p *pieces, s *ast.ValueSpec) {
	var typ piece
	if s.Type != nil {
		typ = p.piece(s.Type.Pos(), s.Type.End())
	}
	add := func(names []*ast.Ident, value piece) {
		v := &variable{typ: typ, value: value, at: p.place(names[0].Pos())}
		for _, n := range names {
			v.names = append(v.names, n.Name)
		}
		for _, n := range v.names {
			key := n
			if n == "_" {
				key = fmt.Sprintf("_~%d~%d~%d", p.cell, v.at.Line, v.at.Col)
			}
			u.memory.vars[key] = v
		}
	}
	if len(s.Values) == 1 && len(s.Names) > 1 {
		add(s.Names, p.piece(s.Values[0].Pos(), s.Values[0].End()))
		return
	}
	for i, n := range s.Names {
		var value piece
		if i < len(s.Values) {
			value = p.piece(s.Values[i].Pos(), s.Values[i].End())
		}
		add([]*ast.Ident{n}, value)
	}
}

func (i imported) key() string {
	switch i.alias {
	case "":
		return assumedName(i.path)
	case ".", "_":
		return i.alias + "~" + i.path
	}
	return i.alias
}

// assumedName is the name that a package most likely has, given its path.
func assumedName(p string) string {
	base := path.Base(p)
	if len(base) > 1 && base[0] == 'v' && strings.Trim(base[1:], "0123456789") == "" {
		if dir := path.Dir(p); dir != "." {
			base = path.Base(dir)
		}
	}
	base = strings.TrimPrefix(base, "go-")
	if i := strings.IndexFunc(base, func(r rune) bool { return r == '.' || r == '-' }); i > 0 {
		base = base[:i]
	}
	return base
}

// merge adds what a cell declares, replacing what had the same name and kind. What is
// of another kind stays, as in GoNB, and the compiler says so.
func (m *Memory) merge(n *Memory) {
	maps.Copy(m.imports, n.imports)
	maps.Copy(m.types, n.types)
	maps.Copy(m.funcs, n.funcs)
	for k := range n.vars {
		m.forgetVar(k)
	}
	maps.Copy(m.vars, n.vars)
	maps.Copy(m.consts, n.consts)
}

// forgetVar drops a variable. Those set by one call go together.
func (m *Memory) forgetVar(name string) {
	if v, ok := m.vars[name]; ok {
		maps.DeleteFunc(m.vars, func(_ string, w *variable) bool { return v == w })
	}
}

// forget drops the declaration of that name, and returns what it was, "" if there was
// none.
func (m *Memory) forget(name string) string {
	if _, ok := m.consts[name]; ok {
		delete(m.consts, name)
		return "const"
	}
	if _, ok := m.types[name]; ok {
		delete(m.types, name)
		return "type"
	}
	if _, ok := m.vars[name]; ok {
		m.forgetVar(name)
		return "var"
	}
	if _, ok := m.funcs[name]; ok {
		delete(m.funcs, name)
		return "func"
	}
	return ""
}

// Without returns the memory without an import or a declaration, as %remove leaves it,
// and what that was; "" if there is none of that name.
func (m *Memory) Without(name string) (without *Memory, kind string) {
	without = m.then("remove " + name)
	if _, ok := without.imports[name]; ok {
		delete(without.imports, name)
		return without, "import"
	}
	if kind = without.forget(name); kind == "" {
		return m, ""
	}
	return without, kind
}

// List lists the names declared, sorted, under the headings that %list has.
func (m *Memory) List() []Names {
	return []Names{
		{"Imports", sorted(m.imports)},
		{"Constants", sorted(m.consts)},
		{"Types", sorted(m.types)},
		{"Variables", sorted(m.vars)},
		{"Functions", sorted(m.funcs)},
	}
}

// Names are the names declared of one kind.
type Names struct {
	Kind  string
	Names []string
}

func sorted[V any](m map[string]V) []string {
	keys := slices.Collect(maps.Keys(m))
	sort.Strings(keys)
	return keys
}
