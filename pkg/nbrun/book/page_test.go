package book

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

const hostile = `{"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [
	{"cell_type": "markdown", "metadata": {}, "source": "# A </title><script>alert(1)</script> title\n\n[two](two.ipynb) [src](main.go)"},
	{"cell_type": "code", "metadata": {"tags": ["x\" onclick=\"alert(1)"]}, "source": "// </script><script>alert(1)</script>", "outputs": [
		{"output_type": "stream", "name": "stdout", "text": "</pre><script>alert(1)</script>"},
		{"output_type": "display_data", "metadata": {}, "data": {"image/svg+xml": "<svg xmlns='http://www.w3.org/2000/svg'/>", "text/plain": "a picture"}}]}]}`

// A page of a notebook that was made to harm has no script but ours; links lead to
// pages and to the repository, and pictures lie in files of their own.
func TestPageOfAHostileNotebook(t *testing.T) {
	dir, out := t.TempDir(), t.TempDir()
	for name, text := range map[string]string{"one.ipynb": hostile, "two.ipynb": hostile, "go.mod": "module github.com/a/b\n", "main.go": ""} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	pages, err := open([]string{filepath.Join(dir, "one.ipynb"), filepath.Join(dir, "two.ipynb")})
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range pages {
		p.faults = make([]string, len(p.cells))
	}
	if err := writePages(pages, out); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(filepath.Join(out, "one.html"))
	if err != nil {
		t.Fatal(err)
	}
	page := string(data)
	if n := strings.Count(page, "<script"); n != 2 {
		t.Errorf("%d scripts, want 2:\n%s", n, page)
	}
	if regexp.MustCompile(`<[^>"]*("[^"]*"[^>"]*)*\sonclick=`).MatchString(page) {
		t.Errorf("a handler:\n%s", page)
	}
	for _, want := range []string{`href="two.html"`, `href="https://github.com/a/b/blob/HEAD/main.go"`, `href="https://github.com/a/b/blob/HEAD/one.ipynb"`, `src="img/`, `rel="next" href="two.html"`} {
		if !strings.Contains(page, want) {
			t.Errorf("no %s in\n%s", want, page)
		}
	}
}

func TestNotebooksThatMakeNoBook(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	python := `{"nbformat": 4, "nbformat_minor": 5, "metadata": {"kernelspec": {"language": "python"}}, "cells": []}`
	for name, test := range map[string]struct {
		paths []string
		want  string
	}{
		"no file":    {[]string{filepath.Join(dir, "none.ipynb")}, "none.ipynb: no such file or directory"},
		"empty":      {[]string{write("empty.ipynb", "")}, "empty.ipynb: is empty"},
		"python":     {[]string{write("py.ipynb", python)}, "not a Go notebook: its language is python"},
		"same names": {[]string{write("a/x.ipynb", hostile), write("b/x.ipynb", hostile)}, "would be the same page"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := open(test.paths); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %s", err, test.want)
			}
		})
	}
}

func TestWhereAFileIsOnGitHub(t *testing.T) {
	for module, want := range map[string]string{
		"module github.com/a/b":             "https://github.com/a/b/blob/HEAD/docs/x.go",
		"// of b\nmodule github.com/a/b/v2": "https://github.com/a/b/blob/HEAD/docs/x.go",
		"module github.com/a/b/sub":         "https://github.com/a/b/blob/HEAD/sub/docs/x.go",
		"module github.com/a":               "",
		"module example.com/a/b":            "",
		"module":                            "",
	} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "go.mod"), []byte(module+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
		if got := repository(filepath.Join(dir, "docs", "x.go")); got != want {
			t.Errorf("%s: %q, want %q", module, got, want)
		}
	}
	if got := repository(filepath.Join(t.TempDir(), "x.go")); got != "" {
		t.Errorf("in no module: %q", got)
	}
}
