//go:build !js

package program

import (
	"bytes"
	"go/parser"
	"go/token"
	"strings"

	"golang.org/x/tools/imports"
)

// search lets goimports choose, with all remembered imports at hand.
func (m *Memory) search(_ []imported, _ map[string]bool, body string, packages map[string]Place, dir string) ([]imported, error) {
	var b strings.Builder
	b.WriteString("package main\n")
	for _, k := range sorted(m.imports) {
		m.imports[k].write(&b)
	}
	b.WriteString(body)
	src := []byte(strings.ReplaceAll(b.String(), "\n//line ", "\n//")) // positions do not matter here
	out, err := imports.Process(dir+"/main.go", src, &imports.Options{Comments: true, TabIndent: true, TabWidth: 8})
	if err != nil {
		return nil, CompilerFaults(err.Error())
	}
	file, err := parser.ParseFile(token.NewFileSet(), "", bytes.TrimSpace(out), parser.ImportsOnly)
	if err != nil {
		return nil, CompilerFaults(err.Error())
	}
	var used []imported
	for _, s := range file.Imports {
		i := imported{path: s.Path.Value[1 : len(s.Path.Value)-1]}
		if s.Name != nil {
			i.alias = s.Name.Name
		}
		known := false
		for _, old := range m.imports {
			if old.path == i.path && (old.alias == i.alias || old.alias == "") {
				i, known = old, true
				break
			}
		}
		if !known {
			m.found[i.key()] = i
			i.at = packages[i.key()]
		}
		used = append(used, i)
	}
	return used, nil
}
