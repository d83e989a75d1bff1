package nbrun

import (
	"io"
	"time"

	"github.com/b3771e63/prodcons/pkg/nbrun/event"
	"github.com/b3771e63/prodcons/pkg/nbrun/internal/ipynb"
)

// Result is a notebook that was run.
type Result struct {
	Cells   []Cell        // as in Notebook.Cells
	Elapsed time.Duration // real time
	Left    int           // processes that cells had left running, and that were ended

	file *ipynb.Notebook
}

// Cell is what became of a cell.
type Cell struct {
	event.Cell
	Verdict event.Action // Pass, Fail or Skip; "" for a cell that was not reached
	Fault   *event.Fault // of one that failed, also if that was expected
	Clock   Clock        // what its program ran on
	// Begin and End are on the cells' clock. On the virtual one, a cell ends with the
	// last thing that it has written: what it waited for after that is not known.
	Begin, End time.Time
	Elapsed    time.Duration // real time
	Dropped    int64         // bytes of its output beyond Options.MaxOutput
	Open       bool          // it is tagged check, and says that its exercise is not solved yet

	outputs *ipynb.Cell
	asked   ipynb.Settings
}

func newResult(n *Notebook) *Result {
	r := &Result{file: n.file.Clone()}
	for i, c := range n.cells {
		r.Cells = append(r.Cells, Cell{Cell: c, outputs: r.file.Cells[c.Index], asked: n.asked[i]})
	}
	return r
}

// Outputs returns the output of the cell, as the notebook's file has it: pieces of one
// stream are joined, and displays are as they were last updated. It fails when what is
// kept outside memory can't be read, as after Result.Close.
func (c *Cell) Outputs() ([]event.Output, error) { return c.outputs.OutputList() }

// Fault is the first fault that was not expected; nil if all went well.
func (r *Result) Fault() *event.Fault {
	for i := range r.Cells {
		if f := r.Cells[i].Fault; f != nil && !f.Expected {
			return f
		}
	}
	return nil
}

// WriteFile writes the executed notebook to a file, all of it or nothing. A link with
// that name is replaced; its target stays as it is.
func (r *Result) WriteFile(path string) error { return r.file.WriteFile(path) }

// WriteTo writes the executed notebook.
func (r *Result) WriteTo(w io.Writer) (int64, error) { return r.file.WriteTo(w) }

// Close frees what the outputs hold outside memory.
func (r *Result) Close() error { return r.file.Close() }
