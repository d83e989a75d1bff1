package browser_test

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"text/tabwriter"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/b3771e63/prodcons/pkg/nbrun/internal/lessons"
)

// BenchmarkEdits edits the cells of each lesson, from the third on, after all have been
// run once, and measures the time to the first line of output. It prints the times of all
// cells, with the compiler's and the linker's share, and fails if one exceeds a second.
// Cells that print nothing, fail on purpose or take their time on the real clock are left
// out.
//
//	go test -run '^$' -bench Edits -benchtime 3x -timeout 1h
func BenchmarkEdits(b *testing.B) {
	for _, path := range lessons.All() {
		b.Run(lessons.Topic(path), func(b *testing.B) {
			times := map[int][]map[string]float64{}
			for b.Loop() {
				for number, phases := range editAll(b, strings.TrimSuffix(filepath.Base(path), ".ipynb")) {
					times[number] = append(times[number], phases)
				}
			}
			if len(times) == 0 {
				b.Skip("no cell prints anything on the fake clock")
			}
			median := func(number int, phase string) float64 {
				var list []float64
				for _, round := range times[number] {
					list = append(list, round[phase])
				}
				slices.Sort(list)
				return list[len(list)/2]
			}
			worst := slices.MaxFunc(slices.Collect(maps.Keys(times)), func(x, y int) int {
				return int(1e6 * (median(x, "in all") - median(y, "in all")))
			})
			b.ReportMetric(median(worst, "in all"), "s/edit")
			var table strings.Builder
			w := tabwriter.NewWriter(&table, 0, 0, 2, ' ', 0)
			for _, number := range slices.Sorted(maps.Keys(times)) {
				mark := ""
				if number == worst {
					mark = "the slowest"
				}
				fmt.Fprintf(w, "%s\tcell %d\t%.2f s\tcompile %.2f\tlink %.2f\t%s\n", lessons.Topic(path), number, median(number, "in all"), median(number, "compile"), median(number, "link"), mark)
			}
			if err := w.Flush(); err != nil {
				b.Fatal(err)
			}
			fmt.Print("\n" + table.String()) // a log with this many lines would be cut off
			if seconds := median(worst, "in all"); seconds > 1 {
				b.Errorf("cell %d: edit to first line takes %.2f s, and the goal is 1", worst, seconds)
			}
		})
	}
}

// editAll runs a whole lesson, and then edits and runs each cell that has passed. It
// returns how many seconds each took, in all and by phase.
func editAll(b *testing.B, name string) map[int]map[string]float64 {
	r := read(b, nil)
	defer chromedp.Cancel(r.ctx)
	r.open(name + ".html")
	js[any](r, readyPage)
	js[any](r, mark+"document.querySelector('[data-do=all]').click()")
	idle(r)
	all := map[int]map[string]float64{}
	for _, number := range js[[]int](r, `[...document.querySelectorAll("[data-number]")].filter((c) => !c.classList.contains("tag-real-clock") && c.querySelector(".live").dataset.verdict === "pass" && c.querySelector(".live .text")?.innerText.trim()).map((c) => +c.dataset.number)`) {
		if number < 3 {
			continue
		}
		cell := fmt.Sprintf("[data-number='%d']", number)
		js[any](r, fmt.Sprintf(`(() => {
			const cell = document.querySelector("%s");
			for (const d of document.querySelectorAll("details.solution")) d.open = true;
			cell.querySelector(".code").dispatchEvent(new MouseEvent("dblclick"));
		})()`, cell))
		r.do(chromedp.Click(cell+" .cm-content"), chromedp.KeyEvent(kb.End, chromedp.KeyModifiers(2)), chromedp.KeyEvent("\nvar _ = 1")) // Ctrl
		live := fmt.Sprintf("document.querySelector(`%s .live`)", cell)
		js[any](r, live+".replaceChildren()")
		js[any](r, mark+fmt.Sprintf("document.querySelector(`%s button.run`).click()", cell))
		phases := map[string]float64{"in all": appears(r, "begin", live+".querySelector('.text')?.innerText.trim()")}
		idle(r)
		for phase, seconds := range measured(r) {
			phases[phase] = seconds
		}
		all[number] = phases
	}
	return all
}
