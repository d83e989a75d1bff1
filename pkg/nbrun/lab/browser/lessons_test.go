//go:build unix

package browser_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/b3771e63/prodcons/pkg/nbrun/internal/lessons"
)

// TestLessons walks through each lesson as a learner does: Run All at a speed of
// 5, then the exercises, which are not solved as they are given, and solved by
// their solution.
func TestLessons(t *testing.T) {
	b := browser(t)
	room := open(t)
	for _, path := range lessons.All() {
		name := filepath.Base(path)
		t.Run(strings.TrimSuffix(name, ".ipynb"), func(t *testing.T) {
			p := room.visit(t, b, name)
			p.folded(room.load(t, name))
			p.edit(2, "var speed float64 = 5\n\nvar n = 20")
			p.menu("Run", "runmenu:run-all")
			p.until("a cell runs", time.Minute, `cells.some(c => c.querySelector('.jp-InputPrompt')?.textContent === '[*]:')`)
			p.until("all cells have run", 3*time.Minute, allDone) // lesson 9 links a server into each
			p.painted()
			p.menu("File", "docmanager:save")
			nb := p.onDisk("speed float64 = 5")
			for i, c := range nb.Cells {
				if c.Type != "code" {
					continue
				}
				if c.Count == 0 {
					t.Errorf("cell %d has not run", i+1)
				}
				for _, o := range c.Outputs {
					if red := o.Type == "error" || o.Name == "stderr"; red && !slices.Contains(c.Metadata.Tags, "raises-exception") {
						t.Errorf("cell %d puts out in red: %s", i+1, o.Text)
					}
				}
			}
			p.pictures(nb)
			p.exercises(nb)
			p.show(nb)
		})
	}
}

// allDone means that no cell waits or runs, and that the kernel has nothing to do.
const allDone = `!cells.some(c => c.querySelector('.jp-InputPrompt')?.textContent === '[*]:') &&
	document.querySelector('.jp-Notebook-ExecutionIndicator').dataset.status === 'idle'`

// onDisk waits until the notebook has been saved with a text in it.
func (p *page) onDisk(text string) saved {
	p.t.Helper()
	for range 500 {
		data, err := os.ReadFile(filepath.Join(p.room.dir, p.name))
		if err == nil && strings.Contains(string(data), text) && !strings.Contains(string(data), `"execution_count": null`) {
			return p.room.load(p.t, p.name)
		}
		time.Sleep(20 * time.Millisecond)
	}
	p.t.Fatalf("%s: has not been saved", p.name)
	return saved{}
}

// folded checks that solutions are folded, and that nothing else is.
func (p *page) folded(nb saved) {
	p.t.Helper()
	for i, c := range nb.Cells {
		want := slices.Contains(c.Metadata.Tags, "solution")
		look[bool](p, fmt.Sprintf(`(cells[%d].scrollIntoView(), true)`, i)) // what is far away is not rendered
		p.until(fmt.Sprintf("cell %d is folded: %v", i+1, want), time.Minute, fmt.Sprintf(`(Boolean(cells[%d].querySelector('.jp-InputPlaceholder, .jp-OutputPlaceholder')) || [...cells[%[1]d].querySelectorAll('details')].some(d => !d.open && /solution|answers/.test(d.querySelector('summary').textContent))) === %[2]v`, i, want))
	}
}

// painted checks that yellow lines are yellow in the page, and cyan ones cyan.
func (p *page) painted() {
	p.t.Helper()
	for _, colour := range []string{"yellow", "cyan"} {
		begins := map[string]string{"yellow": " -- ", "cyan": " +++ "}[colour]
		rgb := look[[]int](p, `(e => e ? getComputedStyle(e).backgroundColor.match(/\d+/g).map(Number) : [])([...document.querySelectorAll('.jp-NotebookPanel pre span')].find(e => e.textContent.startsWith('`+begins+`')))`)
		if len(rgb) == 0 {
			if p.name < "05" { // the others tell their stories in pictures
				p.t.Errorf("there is no line in %s", colour)
			}
			continue
		}
		red, green, blue := rgb[0], rgb[1], rgb[2]
		is := map[string]bool{"yellow": red > blue+80 && green > blue+80, "cyan": green > red+60 && blue > red+60}[colour]
		if !is {
			p.t.Errorf("lines of %s have the colour %v", colour, rgb)
		}
	}
}

// pictures checks that each picture is seen.
func (p *page) pictures(nb saved) {
	p.t.Helper()
	for i, c := range nb.Cells {
		want := 0
		for _, o := range c.Outputs {
			if o.Data["image/svg+xml"] != nil {
				want++
			}
		}
		if want == 0 {
			continue
		}
		look[bool](p, fmt.Sprintf(`(cells[%d].scrollIntoView(), true)`, i))
		p.until(fmt.Sprintf("the %d pictures of cell %d are seen", want, i+1), time.Minute, fmt.Sprintf(
			`[...cells[%d].querySelectorAll('.jp-RenderedImage img, .jp-RenderedSVG img')].filter(e => e.complete && e.naturalWidth > 100 && e.getBoundingClientRect().height > 50).length === %d`, i, want))
	}
}

// exercises checks that each exercise is not solved as it is given, and is solved with
// its solution in its place.
func (p *page) exercises(nb saved) {
	p.t.Helper()
	exercise, check := -1, -1
	var between []int // the code cells that check it
	for i, c := range nb.Cells {
		switch {
		case slices.Contains(c.Metadata.Tags, "exercise"):
			exercise, between = i, nil
		case slices.Contains(c.Metadata.Tags, "check"):
			between = append(between, i)
			check = i
			if got := p.output(i); !strings.Contains(got, "Not measurable") && (!strings.Contains(got, "Not yet") || !strings.Contains(got, "✘")) {
				p.t.Errorf("cell %d: the check of what is given says %q", i+1, got)
			}
		case c.Type == "code" && !slices.Contains(c.Metadata.Tags, "solution"):
			between = append(between, i)
		case slices.Contains(c.Metadata.Tags, "solution"):
			_, code, _ := strings.Cut(string(c.Source), "```go\n")
			code, _, _ = strings.Cut(code, "\n```")
			p.edit(exercise, code)
			says := func(what string) string {
				return fmt.Sprintf(`cells[%d].querySelector('.jp-OutputArea').textContent.includes('%s')`, check, what)
			}
			solved := says("Solved")
			for range 3 { // a busy machine is late, and the checks leave open what they can't tell
				p.run(exercise, time.Minute)
				for _, cell := range between {
					p.run(cell, time.Minute)
				}
				if look[bool](p, solved) {
					break
				}
			}
			p.until(fmt.Sprintf("the exercise of cell %d is solved by cell %d", exercise+1, i+1), time.Minute, solved+" || "+says("Not measurable at this speed"))
			if got := p.output(check); strings.Contains(got, "✘") {
				p.t.Errorf("cell %d: the check of the solution says %q", check+1, got)
			}
		}
	}
}

// show keeps a picture of each cell, for whoever wants to look at them, in both
// themes.
func (p *page) show(nb saved) {
	dir := os.Getenv("LAB_SCREENSHOTS")
	if dir == "" {
		return
	}
	for i := range nb.Cells {
		look[bool](p, fmt.Sprintf(`(cells[%d].scrollIntoView({block: 'start'}), true)`, i))
		p.do("wait for pictures", chromedp.Sleep(150*time.Millisecond))
		if i%3 == 0 {
			picture, err := chromedp.Run(p.ctx, chromedp.CaptureScreenshot())
			if err == nil {
				err = os.WriteFile(filepath.Join(dir, fmt.Sprintf("%s-%02d.png", strings.TrimSuffix(p.name, ".ipynb"), i+1)), picture, 0o644)
			}
			if err != nil {
				p.t.Error(err)
			}
		}
	}
}
