package nbrun_test

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/b3771e63/prodcons/pkg/nbrun"
	"github.com/b3771e63/prodcons/pkg/nbrun/internal/lessons"
)

// BenchmarkLesson runs lesson 1 as nbrun does and as the peers do, warm, at a speed
// where sleeping does not count. Left out are the cell that fails on purpose, as
// papermill does not know raises-exception, and the one that checks what was measured,
// as its claims can't be true at that speed. The peers need jupyter and papermill with
// the GoNB kernel on PATH:
//
//	go test -run '^$' -bench Lesson -benchtime 1x -count 5 ./pkg/nbrun
func BenchmarkLesson(b *testing.B) {
	// The peers can't set a parameter of a Go notebook: all get a notebook that already
	// has it.
	lesson := lessons.Named("synchronous")
	_, _, data := execute(b, lesson, nbrun.Options{Engine: nbrun.Yaegi, Params: map[string]string{"speed": "1000"}})
	data = withoutFaults(b, data)
	given := inModule(b, data)

	for name, opts := range map[string]nbrun.Options{
		"go,clock=virtual": {Clock: nbrun.Virtual},
		"go,clock=real":    {},
		"yaegi":            {Engine: nbrun.Yaegi},
		"gonb":             {Engine: nbrun.GoNB, Kernel: "gonb"}, // the one that the peers use
	} {
		b.Run(name, func(b *testing.B) {
			warm(b, func() {
				n, err := nbrun.Parse(b.Context(), lesson, data, opts)
				if err != nil {
					b.Fatal(err)
				}
				r, err := n.Run(b.Context())
				if err != nil || r.Fault() != nil {
					b.Fatal(err, r.Fault())
				}
				r.Close()
			})
		})
	}
	for name, command := range map[string]string{
		"nbconvert": "jupyter nbconvert --to notebook --execute --output-dir OUT " + given,
		"papermill": "papermill --no-progress-bar --cwd " + filepath.Dir(given) + " -k gonb " + given + " OUT/papermill.ipynb",
	} {
		b.Run(name, func(b *testing.B) {
			args := strings.Fields(strings.ReplaceAll(command, "OUT", b.TempDir()))
			if _, err := exec.LookPath(args[0]); err != nil {
				if os.Getenv("CI") != "" {
					b.Fatal(err)
				}
				b.Skip(err)
			}
			warm(b, func() {
				if out, err := exec.Command(args[0], args[1:]...).CombinedOutput(); err != nil {
					b.Fatalf("%v: %s", err, out)
				}
			})
		})
	}
}

// inModule writes a notebook to a folder from which this module is found, but which
// is not the lessons' own.
func inModule(b *testing.B, data []byte) (path string) {
	b.Helper()
	dir := b.TempDir()
	root, err := filepath.Abs("../..")
	for _, name := range []string{"go.mod", "go.sum", "pkg"} {
		if err == nil {
			err = os.Symlink(filepath.Join(root, name), filepath.Join(dir, name))
		}
	}
	path = filepath.Join(dir, "given.ipynb")
	if err == nil {
		err = os.WriteFile(path, data, 0o644)
	}
	if err != nil {
		b.Fatal(err)
	}
	return path
}

// warm runs f once before the clock starts.
func warm(b *testing.B, f func()) {
	f()
	b.ResetTimer()
	for range b.N {
		f()
	}
}

// withoutFaults leaves out the cells that fail on purpose, or at that speed.
func withoutFaults(b *testing.B, data []byte) []byte {
	b.Helper()
	var nb map[string]any
	if err := json.Unmarshal(data, &nb); err != nil {
		b.Fatal(err)
	}
	nb["cells"] = slices.DeleteFunc(nb["cells"].([]any), func(c any) bool {
		tags, _ := c.(map[string]any)["metadata"].(map[string]any)["tags"].([]any)
		claims := strings.Contains(fmt.Sprint(c.(map[string]any)["source"]), "check.End()")
		return slices.Contains(tags, "raises-exception") || claims // which can't be true at that speed
	})
	data, err := json.Marshal(nb)
	if err != nil {
		b.Fatal(err)
	}
	return data
}
