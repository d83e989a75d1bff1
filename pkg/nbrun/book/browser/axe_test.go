package browser_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/chromedp/chromedp"
)

// npm installs what the lock file of a folder in testdata pins and returns the folder it
// is in.
func npm(t testing.TB, name string) string {
	t.Helper()
	path, err := exec.LookPath("npm")
	if err != nil {
		missing(t, "npm")
	}
	dir := t.TempDir()
	for _, file := range []string{"package.json", "package-lock.json"} {
		data, err := os.ReadFile(filepath.Join("testdata", name, file))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, file), data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, path, "ci", "--ignore-scripts", "--no-audit", "--no-fund")
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("npm ci: %v\n%s", err, out)
	}
	return filepath.Join(dir, "node_modules")
}

// axe-core finds nothing serious in any kind of page, before and after a run, light and
// dark, on a phone.
func TestPagesAreAccessible(t *testing.T) {
	script, err := os.ReadFile(filepath.Join(npm(t, "axe"), "axe-core", "axe.min.js"))
	if err != nil {
		t.Fatal(err)
	}
	r := read(t, nil)
	check := func(what string) {
		t.Helper()
		for _, scheme := range []string{"light", "dark"} {
			r.do(prefers(scheme))
			js[any](r, string(script)+";undefined")
			for _, found := range js[[]string](r, `axe.run().then(({ violations }) => violations.filter((v) => ["serious", "critical"].includes(v.impact)).flatMap((v) => v.nodes.map((n) => v.id + " at " + n.target + ": " + n.failureSummary)))`) {
				t.Errorf("%s, %s: %s", what, scheme, found)
			}
		}
	}
	r.do(chromedp.EmulateViewport(360, 800))
	r.open("index.html")
	check("the index")
	r.do(chromedp.Navigate(replayed(t)))
	check("a report")
	r.open("05-back-pressure.html")
	js[any](r, readyPage)
	check("sliders")
	r.open("01-synchronous.html")
	js[any](r, readyPage)
	check("a lesson")
	for number := 1; number <= 3; number++ {
		if text, verdict := r.run(number); verdict != "pass" {
			t.Fatalf("cell %d: %s: %s", number, verdict, text)
		}
	}
	if _, verdict := r.run(6); verdict != "fail" {
		t.Fatal("cell 6 has passed")
	}
	check("a lesson that was run")
	r.quiet()
}
