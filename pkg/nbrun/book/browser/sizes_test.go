package browser_test

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/b3771e63/prodcons/pkg/nbrun/book/inpage"
	"github.com/b3771e63/prodcons/pkg/nbrun/internal/engine"
	"github.com/b3771e63/prodcons/pkg/nbrun/internal/ipynb"
	"github.com/b3771e63/prodcons/pkg/nbrun/internal/lessons"
)

// What a reader loads, in bytes: before the first run, and in all once every cell has
// been run.
const (
	mostBefore = 200_000
	mostInAll  = 16_000_000
)

// No lesson loads more than readers were promised.
func TestWhatAReaderLoads(t *testing.T) {
	for _, path := range lessons.All() {
		t.Run(lessons.Topic(path), func(t *testing.T) {
			h := &host{dir: site}
			r := read(t, func(http.Handler) http.Handler { return h })
			r.open(strings.TrimSuffix(filepath.Base(path), ".ipynb") + ".html")
			js[any](r, readyPage)
			before, all := int(h.sent.Load()), 0
			for _, size := range runnerSizes(t, h, path) {
				all += size
			}
			all += before
			t.Logf("%d kB before the first run, %.2f MB in all", before/1000, float64(all)/1e6)
			if before > mostBefore {
				t.Errorf("%d bytes before the first run, want at most %d", before, mostBefore)
			}
			if all > mostInAll {
				t.Errorf("%d bytes in all, want at most %d", all, mostInAll)
			}
		})
	}
}

// runnerSizes returns the sizes of the files that a page loads to run all cells of a
// notebook, by name.
func runnerSizes(t *testing.T, h *host, path string) map[string]int {
	t.Helper()
	var index struct {
		Compile, Link, Core string
		Packages            map[string]struct {
			File    string
			Imports []string
		}
		Sizes map[string]int
	}
	sizes := map[string]int{}
	for _, name := range []string{"index.json", "wasm_exec.js", "go.js", "worker.js"} {
		file := filepath.Join(site, "go", name)
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		sizes[name] = len(h.gzip(file, data))
		if name == "index.json" {
			if err := json.Unmarshal(data, &index); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, name := range []string{index.Compile, index.Link, index.Core} {
		sizes[name] = index.Sizes[name]
	}
	var add func(path string)
	add = func(path string) {
		p, ok := index.Packages[path]
		if _, seen := sizes[p.File]; !ok || seen {
			return
		}
		sizes[p.File] = index.Sizes[p.File]
		for _, imported := range p.Imports {
			add(imported)
		}
	}
	add("runtime")
	for _, p := range programsOf(t, path, func(path string) bool { return path == "unsafe" || index.Packages[path].File != "" }) {
		for _, imported := range p.Imports {
			add(imported)
			add("instances/" + imported)
		}
	}
	return sizes
}

// programsOf returns the packages that a page compiles for the cells that it can run.
func programsOf(t *testing.T, path string, has func(string) bool) (packages []inpage.Package) {
	t.Helper()
	nb, err := ipynb.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var cells []engine.Cell
	for _, c := range nb.Cells {
		if c.Type == "code" && strings.TrimSpace(c.Source) != "" && !c.HasTag("skip-execution") {
			cells = append(cells, engine.Cell{Source: c.Source})
		}
	}
	_, programs := inpage.Check(filepath.Dir(path), cells, has)
	for _, p := range programs {
		own, err := inpage.Packages(p)
		if err == nil && !slices.ContainsFunc(own[0].Imports, func(path string) bool { return !has(path) }) {
			packages = append(packages, own...)
		}
	}
	return packages
}
