package program

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/b3771e63/prodcons/pkg/nbrun/internal/cells"
)

// Program is the program of a cell.
type Program struct {
	Cell   int    // the cell's number
	Source string // one file of package main
	Test   bool   // it is to be compiled with go test
	Args   []string
	After  *Memory // what is declared once the cell has been compiled
}

// Name is a name for the program, the same for the same source.
func (p *Program) Name() string {
	sum := sha256.Sum256([]byte(p.Source))
	return "p" + hex.EncodeToString(sum[:10])
}

// New composes the program of a cell that comes after the cells in memory. Dir is a
// folder of the module that the program is built in, for finding the packages that a
// cell uses but does not import. Errors are of type event.Faults.
func New(cell int, c *cells.Cell, memory *Memory, dir string) (*Program, error) {
	u, err := parse(cell, c)
	if err != nil {
		return nil, err
	}
	after := memory.then(fmt.Sprintf("cell %d %s", cell, c.Go))
	after.merge(u.memory)
	body, packages, err := after.body(u)
	if err != nil {
		return nil, err
	}
	used, err := after.resolve(body, packages, dir)
	if err != nil {
		return nil, err
	}
	p := &Program{Cell: cell, Test: c.Test, Args: c.Args, After: after}
	var b strings.Builder
	b.WriteString("package main\n")
	for _, i := range used {
		i.write(&b)
	}
	b.WriteString(body)
	p.Source = b.String()
	if c.Test && len(c.Args) == 0 {
		p.Args = u.testArgs()
	}
	return p, nil
}

// testArgs are the arguments of %test without any: the tests of the cell.
func (u *unit) testArgs() []string {
	args := []string{"-test.v"}
	if u.bench {
		args = append(args, "-test.bench=.")
	}
	if len(u.tests) > 0 {
		var names []string
		for _, t := range u.tests {
			names = append(names, "^"+t+"$")
		}
		slices.Sort(names)
		args = append(args, "-test.run="+strings.Join(names, "|"))
	}
	return args
}

// IsTest reports whether go test treats a function with that name as one of the kind
// that has the prefix: Test, Benchmark, Fuzz or Example.
func IsTest(name, prefix string) bool {
	rest, ok := strings.CutPrefix(name, prefix)
	first, _ := utf8.DecodeRuneInString(rest)
	return ok && (rest == "" || !unicode.IsLower(first))
}

func (i imported) write(b *strings.Builder) {
	if i.preamble != "" {
		// A blank line, or the line with the place would belong to the preamble. There
		// is none before the first line of a cell.
		writeLine(b, Place{Cell: i.cAt.Cell, Line: max(1, i.cAt.Line-1)}, 0)
		b.WriteString("\n" + i.preamble + "\n")
	} else {
		writeLine(b, i.at, len("import "))
	}
	fmt.Fprintf(b, "import %s %q\n", i.alias, i.path)
}

// write writes the declaration, with type and value at the places where they are in the
// cell, which may be lines below the names, and after values of other names.
func (v *variable) write(b *strings.Builder) {
	writeLine(b, v.at, len("var "))
	head := "var " + strings.Join(v.names, ", ")
	if v.typ.text != "" && v.typ.at.Line == v.at.Line {
		head += " " + v.typ.text
	}
	b.WriteString(head)
	if v.typ.text != "" && v.typ.at.Line != v.at.Line {
		b.WriteString(" (\n") // where a line may end
		writeLine(b, v.typ.at, 0)
		b.WriteString(v.typ.text + ")")
	}
	switch value := v.value; {
	case value.text == "":
	case value.at.Line == v.at.Line && value.at.Col == v.at.Col+len(head)-len("var ")+len(" = "):
		b.WriteString(" = " + value.text)
	default:
		b.WriteString(" =\n")
		writeLine(b, value.at, 0)
		b.WriteString(value.text)
	}
	b.WriteString("\n")
}

// writeLine says where the next line comes from; before is the length of what precedes
// the piece in it.
func writeLine(b *strings.Builder, at Place, before int) {
	if at.Cell == 0 {
		return
	}
	if col := at.Col - before; col > 0 {
		fmt.Fprintf(b, "//line %s:%d:%d\n", FileName(at.Cell), at.Line, col)
	} else {
		fmt.Fprintf(b, "//line %s:%d\n", FileName(at.Cell), at.Line)
	}
}

// body writes all declarations, in the order in which GoNB writes them, which is the
// order in which variables and init functions are run.
func (m *Memory) body(u *unit) (source string, packages map[string]Place, err error) {
	var b strings.Builder
	for _, k := range sorted(m.types) {
		t := m.types[k]
		writeLine(&b, t.at, len("type "))
		b.WriteString("type " + t.text + "\n")
	}
	for _, k := range sorted(m.consts) {
		c := m.consts[k]
		if !c.first {
			continue
		}
		b.WriteString("const (\n")
		for _, s := range c.group.specs {
			writeLine(&b, s.at, 0)
			b.WriteString(strings.Join(s.names, ", ") + s.rest + "\n")
		}
		b.WriteString(")\n")
	}
	done := map[*variable]bool{}
	for _, k := range sorted(m.vars) {
		v := m.vars[k]
		if done[v] {
			continue
		}
		done[v] = true
		v.write(&b)
	}
	for _, k := range sorted(m.funcs) {
		f := m.funcs[k]
		writeLine(&b, f.at, 0)
		b.WriteString(f.text + "\n")
	}
	if u.main == nil {
		b.WriteString("func main() { flag.Parse() }\n")
	} else {
		writeLine(&b, u.main.at, 0)
		b.WriteString(u.main.text + "\n")
	}
	packages, err = packagesOf("package main\n" + b.String())
	return b.String(), packages, err
}

// packagesOf returns the X of all X.Y in a source where no X is declared around it, and
// where the first one is.
func packagesOf(src string) (map[string]Place, error) {
	fset := token.NewFileSet()
	// Object resolution is deprecated because it knows no types; for what is unresolved
	// in one file it is exact, and the fastest there is.
	file, err := parser.ParseFile(fset, "", src, 0)
	if err != nil {
		return nil, CompilerFaults(err.Error())
	}
	unresolved := map[*ast.Ident]bool{}
	for _, id := range file.Unresolved {
		unresolved[id] = true
	}
	packages := map[string]Place{}
	ast.Inspect(file, func(n ast.Node) bool {
		if sel, ok := n.(*ast.SelectorExpr); ok {
			if id, ok := sel.X.(*ast.Ident); ok && unresolved[id] {
				if _, there := packages[id.Name]; !there {
					packages[id.Name] = placeOf(fset.Position(id.Pos()))
				}
			}
		}
		return true
	})
	return packages, nil
}

// resolve chooses the imports of the program: those remembered that it uses, and for
// anything else it uses, what goimports finds.
func (m *Memory) resolve(body string, packages map[string]Place, dir string) ([]imported, error) {
	var used []imported
	missing := map[string]bool{}
	for name := range packages {
		missing[name] = true
	}
	for _, k := range sorted(m.imports) {
		i := m.imports[k]
		switch {
		case i.alias == "_", i.alias == ".": // even if the program does not use it, as in GoNB
			used = append(used, i)
		case missing[k]:
			used = append(used, i)
			delete(missing, k)
		}
	}
	for name := range missing {
		i, ok := m.found[name]
		if p, known := wellKnown[name]; known {
			i, ok = imported{path: p}, true
		}
		if ok {
			i.at = packages[name]
			used = append(used, i)
			delete(missing, name)
		}
	}
	if len(missing) > 0 {
		return m.search(used, missing, body, packages, dir)
	}
	sortImports(used)
	return used, nil
}

func sortImports(list []imported) {
	slices.SortFunc(list, func(a, b imported) int { return strings.Compare(a.path+" "+a.alias, b.path+" "+b.alias) })
}

// wellKnown are packages that goimports would certainly choose for a name. They save
// the search.
var wellKnown = map[string]string{
	"bits": "math/bits", "bufio": "bufio", "bytes": "bytes", "cmp": "cmp", "context": "context", "errors": "errors", "exec": "os/exec", "filepath": "path/filepath",
	"flag": "flag", "fmt": "fmt", "io": "io", "iter": "iter", "json": "encoding/json", "maps": "maps", "math": "math", "os": "os",
	"regexp": "regexp", "runtime": "runtime", "slices": "slices", "sort": "sort", "strconv": "strconv", "strings": "strings", "sync": "sync",
	"atomic": "sync/atomic", "tabwriter": "text/tabwriter", "testing": "testing", "synctest": "testing/synctest", "time": "time",
	"unicode": "unicode", "utf8": "unicode/utf8",
}
