package nbrun_test

import (
	"go/ast"
	"go/token"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// What makes a string an error's text, or a part of one: the function that it is passed
// to, the variable or field that it is assigned to, or the function that returns it.
var (
	toldBy   = regexp.MustCompile(`^(errors\.New|(.*\.)?([eE]rrorf|Faultf|failf?|failed|cannot|stuck|unsupported|note|panic|Fatal|die|skip|Skipf?|Tell|tell|add|complain))$`)
	toldIn   = regexp.MustCompile(`^([tT]ext|[wW]hy|still|wrong|out)$`)
	toldFrom = regexp.MustCompile(`^(advice|check\w*|Error|last\w*|strange\w*)$`)
)

// All error texts are in one file, side by side, so that they can be read together, and
// a diff shows how a new one reads among the others:
//
//	go test ./pkg/nbrun -run ErrorTexts -update
//
// Go's own, which the interpreter gives in its place, are left out.
func TestErrorTexts(t *testing.T) {
	const golden = "testdata/errors.txt"
	gos := regexp.MustCompile(`^pkg/nbrun/internal/yaegi/(rt|generic)\b|\btestdata\b`)
	var lines []string
	sources(t, "../..", func(dir string, _ *token.FileSet, file *ast.File) {
		if gos.MatchString(dir) {
			return
		}
		for _, text := range errorTexts(file) {
			lines = append(lines, dir+": "+text+"\n")
		}
	})
	slices.Sort(lines)
	got := strings.Join(slices.Compact(lines), "")
	if *update {
		if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(got) {
		if !strings.Contains(string(want), line) {
			t.Errorf("new, not in %s: %s", golden, line)
		}
	}
	for line := range strings.Lines(string(want)) {
		if !strings.Contains(got, line) {
			t.Errorf("in %s, and gone: %s", golden, line)
		}
	}
}

// What is passed on as errors are, but isn't one: whole sentences, source and markup.
var noError = regexp.MustCompile(`\.$|^\\n|\\n$|_ =|[<{]`)

var letters = regexp.MustCompile(`[A-Za-z']{2,}`)

// errorTexts returns the error texts of at least two words in a file.
func errorTexts(file *ast.File) []string {
	var texts []string
	add := func(e ast.Expr) {
		if text := words(e); strings.Contains(text, " ") && len(letters.FindAllString(text, 2)) == 2 && !noError.MatchString(text) {
			texts = append(texts, text)
		}
	}
	from := ""
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncDecl:
			from = n.Name.Name
		case *ast.CallExpr:
			if toldBy.MatchString(name(n.Fun)) {
				for _, arg := range n.Args {
					add(arg)
				}
			}
		case *ast.KeyValueExpr:
			if toldIn.MatchString(name(n.Key)) {
				add(n.Value)
			}
		case *ast.AssignStmt:
			for i, to := range n.Lhs {
				if len(n.Lhs) == len(n.Rhs) && toldIn.MatchString(last(name(to))) {
					add(n.Rhs[i])
				}
			}
		case *ast.ReturnStmt:
			for _, result := range n.Results {
				if toldFrom.MatchString(from) {
					add(result)
				}
			}
		}
		return true
	})
	return texts
}

// words returns the text of an expression: of a string, of strings with other things
// between them, shown as …, or of the format of a call of fmt.
func words(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.BasicLit:
		if text, err := strconv.Unquote(e.Value); err == nil && e.Kind == token.STRING {
			quoted := strconv.Quote(text)
			return strings.ReplaceAll(quoted[1:len(quoted)-1], `\"`, `"`)
		}
	case *ast.BinaryExpr:
		if e.Op == token.ADD {
			return words(e.X) + words(e.Y)
		}
	case *ast.CallExpr:
		if name(e.Fun) == "fmt.Sprintf" {
			return words(e.Args[0])
		}
	}
	return "…"
}

// name is the name of an identifier, or of a selector with what precedes it.
func name(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.Ident:
		return e.Name
	case *ast.SelectorExpr:
		return name(e.X) + "." + e.Sel.Name
	}
	return ""
}

// last is what follows the last dot of a name.
func last(name string) string { return name[strings.LastIndex(name, ".")+1:] }
