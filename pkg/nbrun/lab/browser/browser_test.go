//go:build unix

package browser_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// missing is for what a test needs and this machine doesn't have: in CI that is a
// failure.
func missing(t *testing.T, what string) {
	t.Helper()
	if os.Getenv("CI") != "" {
		t.Fatalf("%s is missing, and in CI that is a failure", what)
	}
	t.Skipf("%s is missing", what)
}

// browser starts a headless Chromium, which ends with the test.
func browser(t *testing.T) context.Context {
	t.Helper()
	var path string
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if p, err := exec.LookPath(name); err == nil {
			path = p
			break
		}
	}
	if path == "" {
		missing(t, "chromium")
	}
	flags := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.WindowSize(1200, 900),
		chromedp.Flag("disable-gpu", true), chromedp.Flag("disable-quic", true), chromedp.Flag("no-proxy-server", true))
	if os.Geteuid() == 0 {
		flags = append(flags, chromedp.Flag("no-sandbox", true))
	}
	ctx, cancel := chromedp.NewExecAllocator(context.Background(), flags...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("chromium does not start: %v", err)
	}
	return ctx
}

// classroom is a clone of the repository with a lab that serves its lessons.
type classroom struct {
	dir  string // of the notebooks
	base *url.URL
}

// open clones the repository into a folder with a blank and an umlaut in its name,
// and starts lab on copies of its lessons as a user would, with an empty cache, except for Go's.
func open(t *testing.T, flags ...string) *classroom {
	t.Helper()
	if _, err := exec.LookPath("jupyter-lab"); err != nil {
		missing(t, "jupyter-lab")
	}
	dir := filepath.Join(t.TempDir(), "Übung 1 für Schüler")
	if out, err := exec.Command("git", "clone", "--quiet", "../../../..", dir).CombinedOutput(); err != nil {
		t.Fatalf("git clone: %v: %s", err, out)
	}
	// Only the cache of Go's builds is not empty.
	l := start(t, dir, []string{"XDG_CACHE_HOME=" + t.TempDir(), "GOCACHE=" + goenv(t, "GOCACHE")}, append([]string{"-no-browser"}, flags...)...)
	folder := "my-notebooks"
	if slices.Contains(flags, "-recorded") {
		folder = "notebooks"
	}
	return &classroom{filepath.Join(dir, folder), l.address(t)}
}

// page is a notebook in JupyterLab in the browser.
type page struct {
	t    *testing.T
	ctx  context.Context
	room *classroom
	name string
}

// visit opens a notebook in a tab of its own, and waits until its kernel is idle.
func (c *classroom) visit(t *testing.T, browser context.Context, name string) *page {
	t.Helper()
	ctx, cancel := chromedp.NewContext(browser)
	t.Cleanup(cancel)
	p := &page{t, ctx, c, name}
	if err := chromedp.Do(ctx); err != nil { // the tab lives as long as the context of its first call
		t.Fatal(err)
	}
	address := *c.base
	// A workspace of its own: no windows of a test before.
	address.Path = "/lab/workspaces/" + strings.TrimSuffix(name, ".ipynb") + "/tree/" + name
	t.Cleanup(func() {
		if t.Failed() {
			p.keepPicture()
		}
	})
	p.do("open "+name, chromedp.EmulateViewport(1200, 900), chromedp.Navigate(address.String()))
	p.until(name+" is open", time.Minute, fmt.Sprintf(`cells.length === %d && !document.querySelector('#jupyterlab-splash')`, len(c.load(t, name).Cells)))
	return p
}

// keepPicture keeps what the browser shows, for whoever investigates a failure.
func (p *page) keepPicture() {
	ctx, cancel := context.WithTimeout(p.ctx, 10*time.Second)
	defer cancel()
	dir := os.Getenv("LAB_SCREENSHOTS")
	if dir == "" {
		dir = os.TempDir()
	}
	path := filepath.Join(dir, strings.ReplaceAll(p.t.Name(), "/", "_")+".png")
	picture, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
	if err == nil {
		err = os.WriteFile(path, picture, 0o644)
	}
	p.t.Logf("what the browser showed: %s (%v)", path, err)
}

// do acts in the browser.
func (p *page) do(what string, actions ...chromedp.Action[chromedp.Void]) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, time.Minute)
	defer cancel()
	if err := chromedp.Do(ctx, actions...); err != nil {
		p.t.Fatalf("%s: %s: %v", p.name, what, err)
	}
}

// look returns the value of a JavaScript expression, in which cells are those of
// the notebook in the page.
func look[T any](p *page, js string) T {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, time.Minute)
	defer cancel()
	value, err := chromedp.Run(ctx, chromedp.Evaluate[T](withCells(js)))
	if err != nil {
		p.t.Fatalf("%s: %s: %v", p.name, js, err)
	}
	return value
}

func withCells(js string) string {
	return `(() => { const cells = [...document.querySelectorAll('.jp-NotebookPanel:not(.lm-mod-hidden) .jp-Notebook .jp-Cell')]; return (` + js + `); })()`
}

// until waits until an expression, as for look, is true.
func (p *page) until(what string, within time.Duration, js string) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, within)
	defer cancel()
	for {
		is, err := chromedp.Run(ctx, chromedp.Evaluate[bool](withCells("Boolean("+js+")")))
		switch {
		case errors.Is(err, context.DeadlineExceeded) || errors.Is(ctx.Err(), context.DeadlineExceeded):
			p.t.Fatalf("%s: after %v it is not so that %s", p.name, within, what)
		case err != nil:
			p.t.Fatalf("%s: wait until %s: %v", p.name, what, err)
		case is:
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// menu chooses an entry of a menu, by its command.
func (p *page) menu(name, command string) {
	p.t.Helper()
	p.click(`[...document.querySelectorAll('#jp-MainMenu .lm-MenuBar-item')].find(e => e.textContent === '` + name + `')`)
	p.click(`document.querySelector('.lm-Menu li[data-command="` + command + `"]')`)
}

// click moves the mouse to an element, when it is there, and clicks.
func (p *page) click(element string) {
	p.t.Helper()
	p.until(element+" is there", time.Minute, `(e => e && e.getBoundingClientRect().width > 0)(`+element+`)`)
	at := look[[]float64](p, `(r => [r.x + r.width/2, r.y + r.height/2])(`+element+`.getBoundingClientRect())`)
	p.do("click", chromedp.MouseEvent(input.DispatchMouseEventTypeMouseMoved, at[0], at[1]), chromedp.MouseClickXY(at[0], at[1]))
}

// press presses keys, with modifiers.
func press(keys string, modifiers ...chromedp.Modifier) chromedp.Action[chromedp.Void] {
	return chromedp.KeyEvent(keys, chromedp.KeyModifiers(modifiers...))
}

// paste types a text all at once, so that no editor adds brackets or indents it.
func paste(text string) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, input.InsertText, input.InsertTextParams{Text: text})
		return err
	})
}

// focus puts the cursor into cell i.
func (p *page) focus(i int) {
	p.t.Helper()
	there := look[bool](p, fmt.Sprintf(`(e => { e.scrollIntoView({block: 'center'}); const c = e.querySelector('.cm-content'); c.focus(); return document.activeElement === c; })(cells[%d])`, i))
	if !there {
		p.t.Fatalf("%s: the cursor does not go into cell %d", p.name, i+1)
	}
}

// edit replaces the text of cell i, by the keyboard.
func (p *page) edit(i int, source string) {
	p.t.Helper()
	p.focus(i)
	p.do("edit", press("a", chromedp.ModifierCtrl), press(kb.Backspace), paste(source))
}

// run runs cell i as a user does, and waits until it is done.
func (p *page) run(i int, within time.Duration) {
	p.t.Helper()
	p.start(i)
	p.done(i, within)
}

// start runs cell i, and does not wait.
func (p *page) start(i int) {
	p.t.Helper()
	p.focus(i)
	p.do("run", press(kb.Enter, chromedp.ModifierCtrl))
}

// done waits until cell i is done.
func (p *page) done(i int, within time.Duration) {
	p.t.Helper()
	p.until(fmt.Sprintf("cell %d is done", i+1), within, fmt.Sprintf(`/^\[\d+\]:$/.test(cells[%d].querySelector('.jp-InputPrompt').textContent)`, i))
}

// output is the text of cell i's outputs.
func (p *page) output(i int) string {
	p.t.Helper()
	return look[string](p, fmt.Sprintf(`cells[%d].querySelector('.jp-OutputArea')?.textContent ?? ''`, i))
}

// saved is a notebook as it is on the disk.
type saved struct {
	Cells []struct {
		Type     string `json:"cell_type"`
		Metadata struct{ Tags []string }
		Source   text
		Count    int `json:"execution_count"`
		Outputs  []struct {
			Type string `json:"output_type"`
			Name string
			Text text
			Data map[string]any
		}
	}
}

// text is a string, or the lines of one.
type text string

func (t *text) UnmarshalJSON(data []byte) error {
	var lines []string
	if json.Unmarshal(data, &lines) == nil {
		*t = text(strings.Join(lines, ""))
		return nil
	}
	return json.Unmarshal(data, (*string)(t))
}

// load reads a notebook.
func (c *classroom) load(t *testing.T, name string) (nb saved) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(c.dir, name))
	if err == nil {
		err = json.Unmarshal(data, &nb)
	}
	if err != nil {
		t.Fatal(err)
	}
	return nb
}
