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
	const cell = `%%%%
for i := range %[2]d {
	fmt.Print("a", i, " ")
	%[1]s
	fmt.Fprint(os.Stderr, "b", i, " ")
	%[1]s
	fmt.Println("c", i)
	%[1]s
	fmt.Fprintln(os.Stderr, "d", i)
	%[1]s
}`
	const html, pictures = `gonbui.DisplayHTML("x")`, `picture.Show(new(prodcons.Record))`
	const imports = "import (\n\"github.com/b3771e63/prodcons/pkg/prodcons\"\n\"github.com/b3771e63/prodcons/pkg/prodcons/picture\"\n\"github.com/janpfeifer/gonb/gonbui\"\n)\n"
	for _, c := range []struct {
		name, show string
		times      int
		opts       nbrun.Options
	}{
		{"go", html, 10, nbrun.Options{}},
		{"go, pictures", pictures, 2, nbrun.Options{}},
		{"virtual clock", html, 10, nbrun.Options{Clock: nbrun.Virtual}},
		{"virtual clock, pictures", pictures, 2, nbrun.Options{Clock: nbrun.Virtual}},
		{"yaegi", html, 10, nbrun.Options{Engine: nbrun.Yaegi}},
		{"yaegi, pictures", pictures, 2, nbrun.Options{Engine: nbrun.Yaegi}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var want []string
			for i := range c.times {
				for _, part := range []string{"stdout a%d ", "stderr b%d ", "stdout c %d\n", "stderr d %d\n"} {
					want = append(want, fmt.Sprintf(part, i), "display")
				}
			}
			sources := slices.Repeat([]string{fmt.Sprintf(cell, c.show, c.times)}, 4)
			sources[0] = imports + sources[0]
			// In this module, which has the packages.
			_, nb, _ := executeData(t, filepath.Join("testdata", "order.ipynb"), notebook(t, sources), c.opts)
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
				if !slices.Equal(got, want) {
					t.Errorf("the outputs of cell %d are %q", i+1, got)
				}
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
