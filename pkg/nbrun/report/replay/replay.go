// Package replay writes runs as self-contained pages: one for each notebook, and an
// index. They can be read without JavaScript; with it, they replay a run with its own
// times. They need no network, and open from a file.
package replay

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/b3771e63/prodcons/pkg/nbrun/event"
	"github.com/b3771e63/prodcons/pkg/nbrun/internal/regular"
)

// Report is an observer of runs that writes their pages. Each file is written whole or
// not at all: a page when its notebook has ended, and with it the index. So what is
// there is right at any time, however the run ends. What a page shows is limited to 4
// MiB of a cell's outputs and 16 MiB of a notebook's; it says what is missing.
type Report struct {
	dir string

	mu     sync.Mutex
	runs   []*run
	failed error
}

// Open begins a report on the notebooks with these names, all different, in a folder,
// which is made if it isn't there. It fails when files there can't be written, or are
// not pages of such a report.
func Open(dir string, names []string) (*Report, error) {
	r := &Report{dir: dir}
	taken := map[string]bool{"index.html": true}
	for _, name := range names {
		run := &run{Name: name, File: fileName(name, taken), displays: map[string][]*node{}}
		r.runs = append(r.runs, run)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	for file := range taken {
		if err := ours(filepath.Join(dir, file)); err != nil {
			return nil, err
		}
	}
	return r, r.write("index.html", "index", r)
}

// fileName chooses and takes a free name for a notebook's page. Names that differ only
// in capitals are the same to some systems.
func fileName(notebook string, taken map[string]bool) string {
	base := strings.TrimSuffix(filepath.Base(notebook), ".ipynb")
	if notebook == "-" {
		base = "stdin"
	}
	for i := 1; ; i++ {
		file := base + ".html"
		if i > 1 {
			file = fmt.Sprintf("%s-%d.html", base, i)
		}
		if key := strings.ToLower(file); !taken[key] {
			taken[key] = true
			return file
		}
	}
}

// mark is in the first lines of our pages.
const mark = `<meta name="generator" content="nbrun">`

// ours returns an error if a file must not be written because it is not a page of ours.
func ours(path string) error {
	if info, err := os.Lstat(path); errors.Is(err, os.ErrNotExist) {
		return nil
	} else if err == nil && !info.Mode().IsRegular() {
		return fmt.Errorf("%s is not a file: name another folder", path)
	}
	f, err := regular.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	head, err := io.ReadAll(io.LimitReader(f, 1<<10))
	if err == nil && !strings.Contains(string(head), mark) {
		err = fmt.Errorf("%s is not a page of such a report, and would be overwritten: name another folder", path)
	}
	return err
}

// Observe takes an event. Close reports what could not be written.
func (r *Report) Observe(e event.Event) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, run := range r.runs {
		if run.Name != e.Notebook {
			continue
		}
		run.observe(e)
		if e.Action != event.End {
			break
		}
		err := r.write(run.File, "page", run)
		run.written = err == nil
		run.Cells = nil
		clear(run.displays)
		r.failed = errors.Join(r.failed, err, r.write("index.html", "index", r))
	}
	return nil
}

func (r *Report) write(file, template string, data any) error {
	return regular.WriteFile(filepath.Join(r.dir, file), func(w io.Writer) error {
		return templates.ExecuteTemplate(w, template+".html", data)
	})
}

// Close reports what could not be written.
func (r *Report) Close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.failed
}
