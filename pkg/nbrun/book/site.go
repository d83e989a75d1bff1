package book

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/b3771e63/prodcons/pkg/nbrun/book/inpage"
	"github.com/b3771e63/prodcons/pkg/nbrun/internal/engine"
	"github.com/b3771e63/prodcons/pkg/nbrun/internal/ipynb"
	"github.com/b3771e63/prodcons/pkg/nbrun/internal/program"
)

// Options say what book to make.
type Options struct {
	Notebooks []string     // files; packages are those of the first one's module
	Out       string       // the folder to write it to
	Tell      func(string) // is told what takes long and, after a colon, how far it is, "" when it is over; may be nil
}

// always are packages that an edited cell may need, even if no notebook imports them.
var always = []string{
	"bufio", "bytes", "cmp", "container/heap", "container/list", "container/ring", "context", "crypto/rand", "crypto/sha256", "encoding/base64", "encoding/binary",
	"encoding/csv", "encoding/hex", "encoding/json", "errors", "flag", "fmt", "hash/fnv", "io", "io/fs", "iter", "log", "log/slog", "maps", "math", "math/big",
	"math/bits", "math/cmplx", "math/rand", "math/rand/v2", "net/url", "os", "os/exec", "path", "path/filepath", "reflect", "regexp", "runtime", "slices", "sort",
	"strconv", "strings", "sync", "sync/atomic", "syscall", "testing", "testing/synctest", "text/tabwriter", "text/template", "time", "unicode", "unicode/utf16",
	"unicode/utf8", "unique",
}

// index is what a page needs to know about the files beside it.
type index struct {
	Compile  string                  `json:"compile"` // file names
	Link     string                  `json:"link"`
	Core     string                  `json:"core"`
	WasmExec string                  `json:"wasmExec"`
	Lang     string                  `json:"lang"` // for the compiler
	Packages map[string]packageEntry `json:"packages"`
	Sizes    map[string]int          `json:"sizes"` // of the files, in bytes
}

type packageEntry struct {
	File    string   `json:"file"`
	Imports []string `json:"imports"`
}

// Make writes a book: plain files, for any static host.
func Make(ctx context.Context, o Options) (err error) {
	if o.Tell == nil {
		o.Tell = func(string) {}
	}
	if len(o.Notebooks) == 0 {
		return errors.New("there are no notebooks to make a book of")
	}
	pages, err := open(o.Notebooks)
	if err != nil {
		return err
	}
	t, err := openToolchain(ctx, filepath.Dir(o.Notebooks[0]), o.Tell)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, t.Close()) }()
	if err := writeRunner(ctx, t, pages, filepath.Join(o.Out, "go")); err != nil {
		return err
	}
	return writePages(pages, o.Out)
}

// page is a notebook, and what is known about it.
type page struct {
	path     string
	name     string // of the page's file, without .html
	notebook *ipynb.Notebook
	cells    []engine.Cell // that can be run
	at       []int         // their places in the notebook
	faults   []string      // by cell: what a page can't run of it, "" if it can run it all
}

func open(paths []string) ([]*page, error) {
	var pages []*page
	names := map[string]string{}
	for _, path := range paths {
		abs, err := filepath.Abs(path)
		if err != nil {
			return nil, err
		}
		nb, err := ipynb.ReadFile(abs)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		if nb.Language != "" && nb.Language != "go" {
			return nil, fmt.Errorf("%s: not a Go notebook: its language is %s", path, nb.Language)
		}
		p := &page{path: abs, name: strings.TrimSuffix(filepath.Base(abs), ".ipynb"), notebook: nb}
		if strings.HasSuffix(p.name, "index") && !slices.ContainsFunc(nb.Cells, func(c *ipynb.Cell) bool { return c.Type == "code" }) {
			p.name = "index"
		}
		if other, twice := names[p.name]; twice {
			return nil, fmt.Errorf("%s and %s would be the same page: rename one of them", other, path)
		}
		names[p.name] = path
		for i, c := range nb.Cells {
			if c.Type == "code" && strings.TrimSpace(c.Source) != "" && !c.HasTag("skip-execution") {
				p.cells = append(p.cells, engine.Cell{Source: c.Source, RealClock: c.HasTag("real-clock")})
				p.at = append(p.at, i)
			}
		}
		pages = append(pages, p)
	}
	return pages, nil
}

// writeRunner writes what runs cells: the compiler, the linker, core, packages, and
// their index.
func writeRunner(ctx context.Context, t *toolchain, pages []*page, out string) error {
	if err := os.MkdirAll(out, 0o755); err != nil {
		return err
	}
	cells, imports := programs(pages)
	archives, err := t.archives(ctx, imports)
	if err != nil {
		return err
	}
	if err := t.instances(ctx, cells, archives); err != nil {
		return err
	}
	ix := index{Lang: t.lang, Packages: map[string]packageEntry{}, Sizes: map[string]int{}}
	built, err := t.programs(ctx)
	if err != nil {
		return err
	}
	defer t.tell("")
	done, files := 0, len(built)+len(archives)
	add := func(plain []byte, err error) (string, error) {
		if err != nil {
			return "", err
		}
		done++
		t.tell(fmt.Sprintf("compressing: file %d of at most %d", done, files))
		name, data, err := t.packed(plain)
		if err != nil {
			return "", err
		}
		ix.Sizes[name] = len(data)
		return name, os.WriteFile(filepath.Join(out, name), data, 0o644)
	}
	for name, to := range map[string]*string{"compile": &ix.Compile, "link": &ix.Link, "core": &ix.Core} {
		if *to, err = add(os.ReadFile(built[name])); err != nil {
			return err
		}
	}
	for path, a := range archives {
		if a.Why != "" || path == "unsafe" {
			continue
		}
		file, err := add(a.load())
		if err != nil {
			return err
		}
		ix.Packages[path] = packageEntry{File: file, Imports: append([]string{}, a.Imports...)}
	}
	for _, p := range pages {
		faults, _ := inpage.Check(filepath.Dir(p.path), p.cells, func(path string) bool { return path == "unsafe" || ix.Packages[path].File != "" })
		for _, f := range faults {
			text := ""
			if f != nil {
				text = f.Text
			}
			p.faults = append(p.faults, text)
		}
	}
	script, err := os.ReadFile(filepath.Join(t.root, "lib", "wasm", "wasm_exec.js"))
	if err != nil {
		return err
	}
	text, err := json.Marshal(ix)
	if err != nil {
		return err
	}
	return errors.Join(os.WriteFile(filepath.Join(out, "wasm_exec.js"), script, 0o644), os.WriteFile(filepath.Join(out, "index.json"), text, 0o644),
		copyAsset("go.js", filepath.Join(out, "go.js")), copyAsset("worker.js", filepath.Join(out, "worker.js")))
}

// programs are those of the pages' cells, and the packages that they need, in order.
func programs(pages []*page) (cells []*program.Program, imports []string) {
	imports = slices.Concat(always, inpage.TestImports)
	for _, p := range pages {
		_, own := inpage.Check(filepath.Dir(p.path), p.cells, func(string) bool { return true })
		cells = append(cells, own...)
		for _, c := range own {
			imports = append(imports, inpage.Imports(c)...)
		}
	}
	slices.Sort(imports)
	return cells, slices.Compact(imports)
}
