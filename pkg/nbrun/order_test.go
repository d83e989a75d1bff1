package nbrun_test

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/b3771e63/prodcons/pkg/nbrun"
)

// What a cell prints and displays comes in that order. Only the display shows when a
// line on stderr was written: nobody knows which of two pipes was written to first.
func TestTextAndDisplaysComeInTheirOrder(t *testing.T) {
	takesLong(t)
	const gonbui = `%%
fmt.Print("a ")
gonbui.DisplayHTML("first")
fmt.Fprint(os.Stderr, "e ")
gonbui.DisplayMarkdown("second")
fmt.Println("b")
gonbui.DisplayHTML("third")
fmt.Fprintln(os.Stderr, "f")
gonbui.DisplayHTML("fourth")
fmt.Println("c")`
	const pictures = `%%
fmt.Print("a ")
picture.Show(new(prodcons.Record))
fmt.Fprint(os.Stderr, "e ")
picture.Show(new(prodcons.Record))
fmt.Println("b")
picture.Show(new(prodcons.Record))
fmt.Fprintln(os.Stderr, "f")
picture.Show(new(prodcons.Record))
fmt.Println("c")`
	want := []string{"stdout a ", "display", "stderr e ", "display", "stdout b\n", "display", "stderr f\n", "display", "stdout c\n"}
	const imports = "import (\n\"github.com/b3771e63/prodcons/pkg/prodcons\"\n\"github.com/b3771e63/prodcons/pkg/prodcons/picture\"\n\"github.com/janpfeifer/gonb/gonbui\"\n)\n"
	for _, c := range []struct {
		name, cell string
		count      int
		opts       nbrun.Options
	}{
		{"go", gonbui, 20, nbrun.Options{}},
		{"go, pictures", pictures, 20, nbrun.Options{}},
		{"virtual clock", gonbui, 20, nbrun.Options{Clock: nbrun.Virtual}},
		{"virtual clock, pictures", pictures, 20, nbrun.Options{Clock: nbrun.Virtual}},
		{"yaegi", gonbui, 20, nbrun.Options{Engine: nbrun.Yaegi}},
		{"yaegi, pictures", pictures, 4, nbrun.Options{Engine: nbrun.Yaegi}},
	} {
		t.Run(c.name, func(t *testing.T) {
			sources := slices.Repeat([]string{c.cell}, c.count) // the same program, which is built once
			sources[0] = imports + sources[0]
			// In this module, and always by the same name, as then the programs are
			// still there the next time.
			_, nb, _ := executeData(t, filepath.Join("testdata", "order "+c.name+".ipynb"), notebook(t, sources), c.opts)
			right := 0
			for i, cell := range nb.Cells {
				var raw struct {
					Outputs []struct {
						Type string `json:"output_type"`
						Name string
						Text []string
					}
				}
				if err := json.Unmarshal(cell.Raw(), &raw); err != nil {
					t.Fatal(err)
				}
				var got []string
				for _, o := range raw.Outputs {
					switch o.Type {
					case "stream":
						text := caption.ReplaceAllString(strings.Join(o.Text, ""), "")
						if text != "" {
							got = append(got, o.Name+" "+text)
						}
					case "display_data":
						got = append(got, "display")
					default:
						got = append(got, o.Type)
					}
				}
				if slices.Equal(got, want) {
					right++
				} else if right == i {
					t.Errorf("the outputs of cell %d are %q", i+1, got)
				}
			}
			if right != c.count {
				t.Errorf("%d of %d are right", right, c.count)
			}
		})
	}
}

// caption is the sentence below a picture.
var caption = regexp.MustCompile(`(?m)^Picture of the run .*\n`)

// notebook is a notebook of code cells.
func notebook(t *testing.T, sources []string) []byte {
	t.Helper()
	type object = map[string]any
	var cells []object
	for i, source := range sources {
		cells = append(cells, object{
			"cell_type": "code", "id": fmt.Sprint("c", i), "metadata": object{}, "outputs": []any{}, "execution_count": nil, "source": source,
		})
	}
	data, err := json.Marshal(object{"cells": cells, "metadata": object{}, "nbformat": 4, "nbformat_minor": 5})
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// On the virtual clock a program gets answers from the kernel, in no time, and a
// program that waits for something else for ever is still reported.
func TestAnswersOnTheVirtualClock(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("gonbui runs on the real clock here")
	}
	result, _, _ := executeData(t, filepath.Join("testdata", "answers.ipynb"), notebook(t, []string{
		`import "github.com/janpfeifer/gonb/gonbui"
%%
start := time.Now()
for i := range 3 {
	gonbui.DisplayHTML(fmt.Sprint(i))
	gonbui.Sync()
	time.Sleep(time.Hour)
	gonbui.Sync()
}
fmt.Print(time.Since(start))`,
		"%%\ngonbui.Sync()\nselect {}",
	}), nbrun.Options{Clock: nbrun.Virtual, AllowErrors: true, Timeout: time.Minute})
	for i, want := range []string{"", "cell 2, line 3: fatal error: all goroutines are asleep - deadlock!"} {
		got := ""
		if f := result.Cells[i].Fault; f != nil {
			got = f.Error()
		}
		if c := result.Cells[i]; got != want || c.Clock != nbrun.Virtual {
			t.Errorf("cell %d, on the %s clock: %q, want %q", i+1, c.Clock, got, want)
		}
	}
	outputs, err := result.Cells[0].Outputs()
	if err != nil || len(outputs) != 4 || outputs[3].Text != "3h0m0s" {
		t.Errorf("%v, %v", outputs, err)
	}
}
