package nbrun_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/b3771e63/prodcons/pkg/nbrun"
	"github.com/b3771e63/prodcons/pkg/nbrun/event"
	"github.com/b3771e63/prodcons/pkg/nbrun/internal/truth"
)

// TestTruth runs the cells in testdata/truth with every engine; package truth describes
// the files there. The kernel's answers, and those of engines that differ for a reason,
// are recorded with
//
//	go test ./pkg/nbrun -run Truth -update
//
// and are otherwise checked against a running kernel. An interpreter that says that it
// can't do something has given its reason.
func TestTruth(t *testing.T) {
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Setenv("PRODCONS", root); err != nil { // t.Setenv is not for parallel tests
		t.Fatal(err)
	}
	files, err := filepath.Glob("testdata/truth/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("files: %v, %v", files, err)
	}
	engines := []struct {
		name string
		opts nbrun.Options
	}{
		{truth.Kernel, nbrun.Options{Engine: nbrun.GoNB}},
		{"go", nbrun.Options{}},
		{"virtual", nbrun.Options{Clock: nbrun.Virtual}},
		{"yaegi", nbrun.Options{Engine: nbrun.Yaegi}},
		{"yaegi-virtual", nbrun.Options{Engine: nbrun.Yaegi, Clock: nbrun.Virtual}},
	}
	total := 0
	for _, file := range files {
		table, err := truth.Read(file)
		if err != nil {
			t.Fatal(err)
		}
		total += len(table.Names)
		for _, e := range engines {
			// The interpreter runs in this same binary, and with the race detector in
			// it, it notices no deadlocks: those cells time out.
			blind := raceEnabled && e.name == "yaegi"
			if blind {
				e.opts.Timeout = 10 * time.Second
			}
			t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar")+"/"+e.name, func(t *testing.T) {
				if e.opts.Clock != nbrun.Virtual {
					takesLong(t)
				}
				if !*update { // which collects the answers
					t.Parallel()
				}
				list := answers(t, table, e.opts)
				for i, name := range table.Names {
					if blind && strings.HasPrefix(name, "deadlock") {
						continue
					}
					if err := table.Check(name, e.name, list[i], *update); err != nil {
						t.Error(err)
					}
				}
			})
		}
		if *update {
			if err := os.WriteFile(file, table.Format(), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	if total < 120 {
		t.Errorf("only %d cells", total)
	}
}

// answers runs a table's notebook and returns the answer to each cell.
func answers(t *testing.T, table *truth.Table, opts nbrun.Options) []truth.Answer {
	t.Helper()
	dir := t.TempDir()
	opts.AllowErrors = true
	r, nb, _ := executeData(t, filepath.Join(dir, "truth.ipynb"), notebook(t, table.Sources()), opts)
	faults := map[int]*event.Fault{}
	for i, c := range r.Cells {
		faults[i+1] = c.Fault
	}
	list, err := table.Answers(nb, faults, dir)
	if err != nil {
		t.Fatal(err)
	}
	return list
}
