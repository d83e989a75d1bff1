package nbrun_test

import (
	"fmt"
	"go/ast"
	"go/doc"
	"go/doc/comment"
	"go/token"
	"io/fs"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/yuin/goldmark"
	mark "github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/text"

	"github.com/b3771e63/prodcons/pkg/nbrun/internal/ipynb"
)

// Every link in a document, and in a lesson's text, leads to an existing file and
// heading. Links to other hosts are only checked for being well-formed.
func TestNoLinkIsBroken(t *testing.T) {
	documents := 0
	for _, top := range []string{"README.md", ".github", "notebooks", "pkg", "scripts"} {
		err := filepath.WalkDir(filepath.Join("../..", top), func(path string, d fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			if d.IsDir() && (d.Name() == "testdata" || d.Name() == "node_modules") {
				return fs.SkipDir
			}
			source, err := prose(path)
			if err != nil || source == "" {
				return err
			}
			documents++
			for _, wrong := range brokenLinks(path, source) {
				t.Errorf("%s: %s", strings.TrimPrefix(path, "../../"), wrong)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if documents < 20 {
		t.Errorf("only %d documents were found", documents)
	}
}

// The README can be read in a minute, and its two commands are on lines of their own,
// where CI finds them.
func TestTheREADMEIsShort(t *testing.T) {
	data, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSuffix(string(data), "\n"), "\n")
	if len(lines) > 120 {
		t.Errorf("it has %d lines; 120 are enough", len(lines))
	}
	for _, command := range []string{`go run -v ./scripts/nbrun -clock virtual -only "0[1-3]*"`, "go test -short ./..."} {
		if !slices.Contains(lines, command) {
			t.Errorf("it has no line %q", command)
		}
	}
}

func TestABrokenLinkIsFound(t *testing.T) {
	for link, want := range map[string]string{
		"[a](shape_test.go)":               "",
		"[a](../../README.md#learn)":       "",
		"[a](#a-heading-of-2-words)":       "",
		"[a](#once--more)":                 "",
		"[a](https://example.org/x#y)":     "",
		"[a](nowhere.md)":                  "nowhere.md: there is no such file",
		"![a](nowhere.png)":                "nowhere.png: there is no such file",
		"[a](../../README.md#nowhere)":     "../../README.md#nowhere: there is no such heading",
		"[a](#nowhere)":                    "#nowhere: there is no such heading",
		"[a](https:///x)":                  "https:///x: has no host",
		"[a]\n\n[a]: nowhere.md":           "nowhere.md: there is no such file",
		"<a href=\"nowhere.md\">a</a>":     "nowhere.md: there is no such file",
		"`[a](nowhere.md)`":                "",
		"| a |\n|---|\n| [a](nowhere) |\n": "nowhere: there is no such file",
	} {
		source := "# A heading, of `2` words!\n\n## Once & more\n\n" + link
		if got := strings.Join(brokenLinks("links_test.md", source), "; "); got != want {
			t.Errorf("%q: got %q, want %q", link, got, want)
		}
	}
}

// prose is the Markdown of a document or a notebook; "" if a file is neither.
func prose(path string) (string, error) {
	switch filepath.Ext(path) {
	case ".md":
		data, err := os.ReadFile(path)
		return string(data), err
	case ".ipynb":
		nb, err := ipynb.ReadFile(path)
		if err != nil {
			return "", err
		}
		var cells []string
		for _, c := range nb.Cells {
			if c.Type == "markdown" {
				cells = append(cells, c.Source)
			}
		}
		return strings.Join(cells, "\n\n"), nil
	}
	return "", nil
}

// attribute is a link in HTML.
var attribute = regexp.MustCompile(`(?:href|src)="([^"]*)"`)

// linksAndHeadings returns the links and headings of a text, the headings as links name
// them.
func linksAndHeadings(source string) (links, headings []string) {
	data := []byte(source)
	root := goldmark.New(goldmark.WithExtensions(extension.GFM)).Parser().Parse(text.NewReader(data))
	_ = mark.Walk(root, func(n mark.Node, enter bool) (mark.WalkStatus, error) {
		if !enter {
			return mark.WalkContinue, nil
		}
		switch n := n.(type) {
		case *mark.Link:
			links = append(links, string(n.Destination))
		case *mark.Image:
			links = append(links, string(n.Destination))
		case *mark.AutoLink:
			links = append(links, string(n.URL(data)))
		case *mark.RawHTML:
			for _, m := range attribute.FindAllStringSubmatch(string(n.Segments.Value(data)), -1) {
				links = append(links, m[1])
			}
		case *mark.HTMLBlock:
			for _, m := range attribute.FindAllStringSubmatch(string(n.Lines().Value(data)), -1) {
				links = append(links, m[1])
			}
		case *mark.Heading:
			headings = append(headings, anchor(string(n.Lines().Value(data))))
		}
		return mark.WalkContinue, nil
	})
	return links, headings
}

// anchor is what a link to a heading ends with, as GitHub makes it.
func anchor(heading string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == ' ':
			return '-'
		case unicode.IsLetter(r) || unicode.IsDigit(r) || r == '-' || r == '_':
			return unicode.ToLower(r)
		}
		return -1
	}, strings.TrimSpace(heading))
}

// brokenLinks says what is wrong with the links of a document.
func brokenLinks(document, source string) (wrong []string) {
	links, own := linksAndHeadings(source)
	for _, link := range links {
		u, err := url.Parse(link)
		switch {
		case err != nil:
			wrong = append(wrong, err.Error())
			continue
		case u.Scheme == "http" || u.Scheme == "https":
			if u.Host == "" {
				wrong = append(wrong, link+": has no host")
			}
			continue
		case u.Scheme != "":
			continue
		}
		headings := own
		if u.Path != "" {
			file := filepath.Join(filepath.Dir(document), filepath.FromSlash(u.Path))
			if _, err := os.Stat(file); err != nil {
				wrong = append(wrong, link+": there is no such file")
				continue
			}
			if u.Fragment == "" {
				continue
			}
			other, err := prose(file)
			if err != nil {
				wrong = append(wrong, fmt.Sprintf("%s: %v", link, err))
			}
			_, headings = linksAndHeadings(other)
		}
		if u.Fragment != "" && !slices.Contains(headings, u.Fragment) {
			wrong = append(wrong, link+": there is no such heading")
		}
	}
	return wrong
}

// bracketed is a link in a doc comment that go doc does not recognise.
var bracketed = regexp.MustCompile(`(^|[\s(])\[\*?([a-z]\w*\.)?[A-Z]\w*(\.\w+)?\]`)

// Every link in a doc comment, such as [Group.Run] or [prodcons.Group], leads to an
// existing name.
func TestNoLinkOfADocCommentIsBroken(t *testing.T) {
	const module = "github.com/b3771e63/prodcons"
	packages := map[string][]*ast.File{}
	var fset *token.FileSet
	sources(t, "../..", func(dir string, f *token.FileSet, file *ast.File) {
		if !strings.Contains(dir, "testdata") {
			fset = f
			packages[path.Join(module, dir)] = append(packages[path.Join(module, dir)], file)
		}
	})
	names := map[string]map[string]bool{}
	docs := map[string]*doc.Package{}
	for importPath, files := range packages {
		p, err := doc.NewFromFiles(fset, files, importPath)
		if err != nil {
			t.Fatal(err)
		}
		docs[importPath], names[importPath] = p, map[string]bool{}
		for _, f := range files {
			for name := range declared(f) {
				names[importPath][name] = true
			}
		}
	}
	links := 0
	for importPath, p := range docs {
		for _, text := range comments(p) {
			for _, span := range spans(p.Parser().Parse(text)) {
				switch span := span.(type) {
				case comment.Plain:
					for _, m := range bracketed.FindAllString(string(span), -1) {
						t.Errorf("%s: %s leads nowhere", importPath, strings.TrimSpace(m))
					}
				case *comment.DocLink:
					links++
					known, ours := names[span.ImportPath]
					if name := strings.TrimPrefix(span.Recv+"."+span.Name, "."); ours && span.Name != "" && !known[name] {
						t.Errorf("%s: %s has no %s", importPath, span.ImportPath, name)
					}
				}
			}
		}
	}
	if links < 100 {
		t.Errorf("only %d links were found", links)
	}
}

// declared are the names that a file declares, methods behind their type, and those of
// an interface, too.
func declared(file *ast.File) map[string]bool {
	names := map[string]bool{}
	for _, d := range file.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			if d.Recv == nil {
				names[d.Name.Name] = true
				continue
			}
			of := d.Recv.List[0].Type
			if star, ok := of.(*ast.StarExpr); ok {
				of = star.X
			}
			if index, ok := of.(*ast.IndexExpr); ok {
				of = index.X
			}
			names[name(of)+"."+d.Name.Name] = true
		case *ast.GenDecl:
			for _, s := range d.Specs {
				switch s := s.(type) {
				case *ast.ValueSpec:
					for _, n := range s.Names {
						names[n.Name] = true
					}
				case *ast.TypeSpec:
					names[s.Name.Name] = true
					if i, ok := s.Type.(*ast.InterfaceType); ok {
						for _, m := range i.Methods.List {
							for _, n := range m.Names {
								names[s.Name.Name+"."+n.Name] = true
							}
						}
					}
				}
			}
		}
	}
	return names
}

// comments returns all comments of a package's documentation.
func comments(p *doc.Package) []string {
	list := []string{p.Doc}
	values := func(of []*doc.Value) {
		for _, v := range of {
			list = append(list, v.Doc)
		}
	}
	funcs := func(of []*doc.Func) {
		for _, f := range of {
			list = append(list, f.Doc)
		}
	}
	values(p.Consts)
	values(p.Vars)
	funcs(p.Funcs)
	for _, typ := range p.Types {
		list = append(list, typ.Doc)
		values(typ.Consts)
		values(typ.Vars)
		funcs(typ.Funcs)
		funcs(typ.Methods)
	}
	return list
}

// spans are all pieces of text in a doc comment but code.
func spans(d *comment.Doc) []comment.Text {
	var list []comment.Text
	var blocks func([]comment.Block)
	blocks = func(content []comment.Block) {
		for _, block := range content {
			switch block := block.(type) {
			case *comment.Paragraph:
				list = append(list, block.Text...)
			case *comment.Heading:
				list = append(list, block.Text...)
			case *comment.List:
				for _, item := range block.Items {
					blocks(item.Content)
				}
			}
		}
	}
	blocks(d.Content)
	return list
}
