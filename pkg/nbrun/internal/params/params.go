// Package params turns values, given by name, into the cell that sets a notebook's
// parameters.
package params

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/b3771e63/prodcons/pkg/nbrun/internal/cells"
	"github.com/b3771e63/prodcons/pkg/nbrun/internal/ipynb"
)

// parameter is a variable or constant that the cell tagged parameters declares.
type parameter struct {
	name  string
	token token.Token // VAR or CONST
	typ   string      // as to be written; "" for an untyped constant
	kind  string      // int, float64, string, time.Duration …; json for lists and maps; "" when it can't be set
	of    types.Type  // of lists and maps
}

func (p parameter) String() string {
	if p.kind == "" {
		return fmt.Sprintf("%s (%s, can't be set)", p.name, p.typ)
	}
	if p.typ != "" && p.typ != p.kind {
		return fmt.Sprintf("%s (%s, as %s)", p.name, p.typ, strings.Replace(p.kind, "json", "JSON", 1))
	}
	return p.name + " (" + p.kind + ")"
}

// Inject puts a cell with the given values after the last cell tagged parameters,
// replacing the one of an earlier run. A notebook without code, such as an index, is
// left as it is.
func Inject(nb *ipynb.Notebook, values map[string]string) error {
	if len(values) == 0 || !slices.ContainsFunc(nb.Cells, func(c *ipynb.Cell) bool { return c.Type == "code" }) {
		return nil
	}
	if last(nb) < 0 {
		return errors.New("has no cell tagged parameters, so none can be set")
	}
	params, err := all(nb)
	if err != nil {
		return err
	}
	text, err := assignments(params, values)
	if err != nil {
		return err
	}
	if old := slices.IndexFunc(nb.Cells, func(c *ipynb.Cell) bool { return c.HasTag("injected-parameters") }); old >= 0 {
		nb.Remove(old)
	}
	nb.Insert(last(nb)+1, strings.TrimSuffix(text, "\n"), "injected-parameters")
	return nil
}

// List returns the parameters of a notebook, each with its type, in the order in which
// they are declared.
func List(nb *ipynb.Notebook) ([]string, error) {
	params, err := all(nb)
	if err != nil {
		return nil, err
	}
	var list []string
	for _, p := range params {
		list = append(list, p.String())
	}
	return list, nil
}

// isTagged reports whether a cell declares parameters.
func isTagged(c *ipynb.Cell) bool { return c.Type == "code" && c.HasTag("parameters") }

// last is the index of the last cell that declares parameters, -1 if there is none.
func last(nb *ipynb.Notebook) int {
	for i, c := range slices.Backward(nb.Cells) {
		if isTagged(c) {
			return i
		}
	}
	return -1
}

// all returns the parameters of all cells that declare some. If two have the same name
// the later one counts.
func all(nb *ipynb.Notebook) ([]parameter, error) {
	var params []parameter
	for _, c := range nb.Cells {
		if !isTagged(c) {
			continue
		}
		more, err := declared(c.Source)
		if err != nil {
			return nil, fmt.Errorf("the cell tagged parameters: %w", err)
		}
		for _, p := range more {
			params = append(slices.DeleteFunc(params, func(old parameter) bool { return old.name == p.name }), p)
		}
	}
	return params, nil
}

// assignments is the source of the cell that sets the values.
func assignments(params []parameter, values map[string]string) (string, error) {
	names := make([]string, 0, len(values))
	for name := range values {
		names = append(names, name)
	}
	slices.Sort(names)
	text := "// Parameters\n"
	var errs []string
	for _, name := range names {
		i := slices.IndexFunc(params, func(p parameter) bool { return p.name == name })
		if i < 0 {
			errs = append(errs, fmt.Sprintf("has no parameter %s", name))
			continue
		}
		literal, err := params[i].literal(values[name])
		if err != nil {
			errs = append(errs, err.Error())
			continue
		}
		p := params[i]
		text += strings.Join(strings.Fields(fmt.Sprintf("%s %s %s = ", p.token, p.name, p.typ)), " ") + " " + literal + "\n"
	}
	if len(errs) > 0 {
		list := make([]string, len(params))
		for i, p := range params {
			list[i] = p.String()
		}
		if len(list) == 0 {
			return "", fmt.Errorf("%s; the cell tagged parameters declares none", strings.Join(errs, "; "))
		}
		return "", fmt.Errorf("%s; its parameters are: %s", strings.Join(errs, "; "), strings.Join(list, ", "))
	}
	return text, nil
}

// declared lists the variables and constants that a cell declares.
func declared(source string) ([]parameter, error) {
	c, err := cells.Parse(source)
	if err != nil {
		return nil, err
	}
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, "", "package main;"+c.Go, parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	// Imported types stay unknown; for the rest the checker needs no imports.
	info := &types.Info{Defs: map[*ast.Ident]types.Object{}}
	config := types.Config{Error: func(error) {}}
	_, _ = config.Check("main", fset, []*ast.File{file}, info)
	var params []parameter
	for _, d := range file.Decls {
		g, ok := d.(*ast.GenDecl)
		if !ok || g.Tok != token.VAR && g.Tok != token.CONST {
			continue
		}
		for _, s := range g.Specs {
			spec := s.(*ast.ValueSpec)
			for _, n := range spec.Names {
				p := parameter{name: n.Name, token: g.Tok}
				if obj := info.Defs[n]; obj != nil {
					p.typ = types.TypeString(obj.Type(), types.RelativeTo(obj.Pkg()))
					switch t := obj.Type().Underlying().(type) {
					case *types.Basic:
						if t.Kind() == types.Invalid {
							break
						}
						p.kind = types.Default(t).String()
						if t.Info()&types.IsUntyped != 0 {
							p.typ = ""
						}
					case *types.Slice, *types.Array, *types.Map:
						if !strings.Contains(p.typ, "invalid type") {
							p.kind, p.of = "json", obj.Type()
						}
					}
				}
				if strings.Contains(p.typ, "invalid type") {
					p.typ = "of a type that is not known here"
					if spec.Type != nil {
						p.typ = sourceOf(spec.Type, c.Go)
					}
				}
				if src := typeText(spec, c.Go); p.kind == "" && strings.Contains(src, "time.") {
					p.typ, p.kind = "time.Duration", "time.Duration"
				}
				params = append(params, p)
			}
		}
	}
	return params, nil
}

// typeText is the text of a declaration's type, or of its value.
func typeText(s *ast.ValueSpec, src string) string {
	e := s.Type
	if e == nil && len(s.Values) == 1 {
		e = s.Values[0]
	}
	if e == nil {
		return ""
	}
	text := sourceOf(e, src)
	for _, unit := range []string{"Nanosecond", "Microsecond", "Millisecond", "Second", "Minute", "Hour", "Duration"} {
		if strings.Contains(text, "time."+unit) {
			return text
		}
	}
	return ""
}

// sourceOf is the text of an expression of a cell.
func sourceOf(e ast.Expr, src string) string {
	shift := token.Pos(1 + len("package main;"))
	return src[e.Pos()-shift : e.End()-shift]
}

// literal returns the value as Go source, or an error if it is not of the type.
func (p parameter) literal(value string) (string, error) {
	bad := func(example string) error {
		return fmt.Errorf("%s must be of type %s, got %q: give it as in %s=%s", p.name, p.kind, value, p.name, example)
	}
	bits := map[string]int{"int8": 8, "int16": 16, "int32": 32, "rune": 32, "uint8": 8, "byte": 8, "uint16": 16, "uint32": 32}[p.kind]
	if bits == 0 {
		bits = 64
	}
	switch p.kind {
	case "json":
		text, err := composite(p.of, value)
		if err != nil {
			return "", fmt.Errorf("%s must be of type %s, but %q %w: give it as JSON", p.name, p.typ, value, err)
		}
		return text, nil
	case "string":
		return strconv.Quote(value), nil
	case "bool":
		if value != "true" && value != "false" {
			return "", bad("true")
		}
		return value, nil
	case "int", "int8", "int16", "int32", "int64", "rune":
		n, err := strconv.ParseInt(value, 0, bits)
		if err != nil {
			return "", bad("3")
		}
		return strconv.FormatInt(n, 10), nil
	case "uint", "uint8", "uint16", "uint32", "uint64", "byte", "uintptr":
		n, err := strconv.ParseUint(value, 0, bits)
		if err != nil {
			return "", bad("3")
		}
		return strconv.FormatUint(n, 10), nil
	case "float32", "float64":
		f, err := strconv.ParseFloat(value, 64)
		if err != nil || math.IsInf(f, 0) || math.IsNaN(f) {
			return "", bad("0.5")
		}
		text := strconv.FormatFloat(f, 'g', -1, 64)
		if !strings.ContainsAny(text, ".e") {
			text += ".0"
		}
		return text, nil
	case "time.Duration":
		d, err := time.ParseDuration(value)
		if err != nil {
			return "", bad("1.5s")
		}
		return fmt.Sprintf("time.Duration(%d)", d), nil
	}
	return "", fmt.Errorf("%s has a type that can't be set (%s)", p.name, p.typ)
}
