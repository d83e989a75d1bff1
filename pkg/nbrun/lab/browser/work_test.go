//go:build unix

package browser_test

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/b3771e63/prodcons/pkg/nbrun/internal/lessons"
)

// TestLinksLeadThroughTheLessons clicks from the index to the first lesson, and
// from each to the next.
func TestLinksLeadThroughTheLessons(t *testing.T) {
	b := browser(t)
	room := open(t)
	p := room.visit(t, b, filepath.Base(lessons.Index()))
	for _, path := range append(lessons.All(), lessons.Index()) {
		name := strings.TrimSuffix(filepath.Base(path), ".ipynb")
		link := fmt.Sprintf(`cells.flatMap(c => [...c.querySelectorAll('.jp-RenderedMarkdown a')]).find(a => /%s\.ipynb$/.test(a.pathname))`, name)
		p.until("there is a link to "+name, time.Minute, link)
		look[bool](p, `(`+link+`.scrollIntoView({block: 'center'}), true)`)
		p.do("let it scroll", chromedp.Sleep(300*time.Millisecond))
		p.click(link)
		p.name = name + ".ipynb"
		p.until("the link to "+name+" opens it here", time.Minute, fmt.Sprintf(
			`document.querySelector('#jp-main-dock-panel .lm-TabBar-tab.jp-mod-current')?.textContent.includes('%s.ipynb') && cells.length === %d`,
			name, len(room.load(t, p.name).Cells)))
	}
}

// TestWorkingInALesson edits and runs cells of the first lesson, stops its story in
// the middle, restarts the kernel, and asks for completion and help.
func TestWorkingInALesson(t *testing.T) {
	b := browser(t)
	room := open(t)
	p := room.visit(t, b, filepath.Base(lessons.Named("synchronous")))
	const setup, parameters, story = 1, 2, 4
	p.run(setup, time.Minute)
	p.run(parameters, time.Minute)
	if sockets, _ := filepath.Glob(filepath.Join(os.TempDir(), "nbrun-run-*", "kernel-*-ipc-1")); len(sockets) == 0 {
		t.Error("the kernel has no sockets in a private folder")
	}

	// Lines appear one by one: each says when it was written, and the page notes when
	// it is there.
	p.edit(story, "import \"time\"\n\n%%\nfor range 20 {\n\tfmt.Println(\"at\", time.Now().UnixMilli())\n\ttime.Sleep(200 * time.Millisecond)\n}")
	look[bool](p, fmt.Sprintf(`(() => {
		const seen = window.seen = [];
		const look = () => {
			for (const at of (cells[%d].textContent.match(/at \d{13}/g) || []))
				if (!seen.some(s => s.at === at)) seen.push({at, late: Date.now() - Number(at.slice(3))});
		};
		new MutationObserver(look).observe(cells[%[1]d], {childList: true, subtree: true, characterData: true});
		return true;
	})()`, story))
	p.run(story, time.Minute)
	late := look[[]int](p, `window.seen.map(s => s.late)`)
	if len(late) != 20 {
		t.Fatalf("%d lines of 20 were seen", len(late))
	}
	slices.Sort(late)
	t.Logf("lines were seen %d ms after they were written (median), %d ms at most", late[10], late[19])
	// One of them may meet a pause of a busy machine.
	if late[17] >= 100 {
		t.Errorf("lines are seen too late, in ms: %v", late)
	}

	// A cell run again shows its new output, and nothing else.
	p.edit(story, "%%\nfmt.Println(6 * 7)")
	p.run(story, time.Minute)
	if got := p.output(story); strings.TrimSpace(got) != "42" {
		t.Errorf("the cell run again shows %q", got)
	}

	// Stop, in the middle of the story in real time.
	p.edit(story, string(room.load(t, p.name).Cells[story].Source))
	p.start(story)
	p.until("the story is told", time.Minute, fmt.Sprintf(`cells[%d].textContent.includes('generated item 3')`, story))
	stop := time.Now()
	p.menu("Kernel", "kernelmenu:interrupt")
	p.done(story, 5*time.Second)
	took := time.Since(stop)
	t.Logf("stopped after %v, with the way through the menu", took.Round(time.Millisecond))
	if took > 2*time.Second {
		t.Errorf("it took %v to stop", took)
	}
	if got := p.output(story); strings.Contains(got, "App exiting") {
		t.Errorf("the story was told to its end:\n%s", got)
	}

	// The kernel goes on after that, and forgets everything when it is restarted.
	p.edit(story, "%%\nfmt.Println(speed * 42)")
	p.run(story, time.Minute)
	if got := p.output(story); strings.TrimSpace(got) != "42" {
		t.Errorf("after the stop the cell shows %q", got)
	}
	p.menu("Kernel", "kernelmenu:restart")
	p.click(`document.querySelector('.jp-Dialog .jp-mod-warn')`)
	p.until("the kernel is restarted", time.Minute, `!document.querySelector('.jp-Dialog')`)
	p.run(story, time.Minute)
	p.until("it knows nothing after the restart", time.Minute, fmt.Sprintf(`cells[%d].textContent.includes('undefined: speed')`, story))
	p.run(setup, time.Minute)
	p.run(parameters, time.Minute)
	p.run(story, time.Minute)
	if got := p.output(story); strings.TrimSpace(got) != "42" {
		t.Errorf("after the restart the cell shows %q", got)
	}

	// Completion and help, of our own package.
	p.edit(story, "%%\nstory.StartQ")
	p.do("complete", press(kb.Tab))
	p.until("it is completed", 2*time.Minute, fmt.Sprintf(`cells[%d].querySelector('.cm-content').textContent.includes('story.StartQuiet') ||
		[...document.querySelectorAll('.jp-Completer-item')].some(e => e.textContent.includes('StartQuiet'))`, story))
	p.do("leave the list", press(kb.Escape))
	p.edit(story, "%%\nstory.Start")
	p.do("help", press(kb.Tab, chromedp.ModifierShift))
	p.until("help is shown", 2*time.Minute, `document.querySelector('.jp-Tooltip')?.textContent.includes('Start opens a story with a bold line')`)
}

// TestChecksAreReadInBothThemes measures the contrast of a check's lines with their
// background.
func TestChecksAreReadInBothThemes(t *testing.T) {
	b := browser(t)
	room := open(t, "-recorded")
	for _, theme := range []string{"JupyterLab Light", "JupyterLab Dark"} {
		t.Run(theme, func(t *testing.T) {
			address := *room.base
			address.Path = "/lab/api/settings/@jupyterlab/apputils-extension:themes"
			request, err := http.NewRequest(http.MethodPut, address.String(), strings.NewReader(fmt.Sprintf(`{"raw": "{\"theme\": \"%s\"}"}`, theme)))
			if err != nil {
				t.Fatal(err)
			}
			answer, err := http.DefaultClient.Do(request)
			if err != nil {
				t.Fatal(err)
			}
			answer.Body.Close()
			if answer.StatusCode/100 != 2 {
				t.Fatalf("the theme can't be set: %s", answer.Status)
			}
			p := room.visit(t, b, filepath.Base(lessons.Named("synchronous")))
			p.until("the theme is there", time.Minute, `document.body.dataset.jpThemeName === '`+theme+`'`)
			for _, mark := range []string{"✔", "✘"} {
				line := `[...document.querySelectorAll('.jp-NotebookPanel .jp-OutputArea-output span')].find(e => e.textContent === '` + mark + `')`
				p.until("there is a "+mark, time.Minute, line)
				contrast := look[float64](p, `(e => {
					const rgb = c => c.match(/[\d.]+/g).map(Number);
					const light = c => { const [r, g, b] = rgb(c).map(v => (v /= 255) <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4); return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
					let behind = e;
					while (behind && (rgb(getComputedStyle(behind).backgroundColor)[3] ?? 1) === 0) behind = behind.parentElement;
					const [a, b] = [light(getComputedStyle(e).color), light(getComputedStyle(behind).backgroundColor)].sort((x, y) => y - x);
					return (a + 0.05) / (b + 0.05);
				})(`+line+`)`)
				t.Logf("%s: contrast %.1f", mark, contrast)
				if contrast < 4.5 {
					t.Errorf("%s has a contrast of %.1f, want 4.5 or more", mark, contrast)
				}
			}
		})
	}
}
