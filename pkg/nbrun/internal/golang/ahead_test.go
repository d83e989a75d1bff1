//go:build unix

package golang

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/b3771e63/prodcons/pkg/nbrun/internal/engine"
)

// Nothing of a later cell that can have an effect happens before its turn: the flags
// and variables that it sets, the compilers of cgo, fetching modules.
func TestBuildingAheadHasNoEffect(t *testing.T) {
	if testing.Short() {
		t.Skip("takes long")
	}
	ownCache(t)
	root := t.TempDir()
	write(t, root, map[string]string{"tool": "#!/bin/sh\necho $* >>" + root + "/ran\nexec \"$@\"\n", "cc": "#!/bin/sh\necho $* >>" + root + "/ran\nexec cc \"$@\"\n"})
	for _, name := range []string{"tool", "cc"} {
		if err := os.Chmod(filepath.Join(root, name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	tool, profile := filepath.Join(root, "tool"), filepath.Join(root, "ran")
	with := func(j engine.Job, name, value string) engine.Job {
		j.Env = j.Env.With(name, value)
		return j
	}
	const plain, cgo = "%%%%\nfmt.Print(%q)", "import \"C\"\n%%%%\nfmt.Print(C.int(1), %q)"
	n := 0
	next := func(source string, flags ...string) engine.Job { // not built by an earlier row
		n++
		return job(t, fmt.Sprintf(source, fmt.Sprint(n)), flags...)
	}
	for name, later := range map[string]func() engine.Job{
		"-toolexec":          func() engine.Job { return next(plain, "-toolexec="+tool) },
		"-toolexec, apart":   func() engine.Job { return next(plain, "-toolexec", tool) },
		"-extld":             func() engine.Job { return next(plain, "-ldflags=-linkmode=external -extld="+filepath.Join(root, "cc")) },
		"-cpuprofile":        func() engine.Job { return next(plain, "-gcflags=-cpuprofile="+profile) },
		"GOFLAGS":            func() engine.Job { return with(next(plain), "GOFLAGS", "-toolexec="+tool) },
		"CC":                 func() engine.Job { return with(next(cgo), "CC", filepath.Join(root, "cc")) },
		"CC in an older env": func() engine.Job { return with(next(plain, "-race"), "CC", filepath.Join(root, "cc")) },
	} {
		if _, err := exec.LookPath("cc"); err != nil && strings.Contains(name, "C") {
			continue
		}
		w := open(t, filepath.Join(t.TempDir(), "a.ipynb"))
		second, third := later(), later()
		if _, err := run(t, w, next(plain), second, third); err != nil {
			t.Fatal(err)
		}
		if _, err := os.Stat(profile); err == nil {
			t.Errorf("%s: had its effect before its turn", name)
		}
		if !w.wants(w.newBuild(second)) {
			t.Errorf("%s: was built before its turn", name)
		}
		_, _ = run(t, w, second, third) // not all can be built here
		if _, err := os.Stat(profile); err != nil {
			t.Errorf("%s: has no effect when its turn comes", name)
		}
		if name != "CC in an older env" && !w.wants(w.newBuild(third)) {
			t.Errorf("%s: the next cell was built before its turn", name)
		}
		_ = os.Remove(profile)
	}
}

// What a later cell imports is not fetched before its turn, but then it is.
func TestNothingIsFetchedAhead(t *testing.T) {
	for name, source := range map[string]string{
		"a program": "import \"example.invalid/nosuch\"\n%%\nnosuch.X()",
		"a test":    "%test\nimport (\"testing\"; \"example.invalid/nosuch\")\nfunc TestX(*testing.T) { nosuch.X() }",
	} {
		t.Run(name, func(t *testing.T) {
			ownCache(t)
			t.Setenv("GOPROXY", "off")
			w := open(t, filepath.Join(t.TempDir(), "a.ipynb"))
			calls := counted(t)
			first, second, third := job(t, "%%\nfmt.Print(1)"), job(t, source), job(t, "%%\nfmt.Print(3)")
			if got, err := run(t, w, first, second, third); err != nil || got != "1" {
				t.Fatal(got, err)
			}
			for _, call := range calls() {
				if strings.Contains(call, "-mod=mod") && strings.Contains(call, second.Name()) {
					t.Errorf("go %s", call)
				}
			}
			if w.wants(w.newBuild(third)) {
				t.Error("the third was not built ahead")
			}
			if _, err := run(t, w, second); err == nil || strings.Contains(err.Error(), readonly) {
				t.Errorf("when its turn has come: %v", err)
			}
			if all := strings.Join(calls(), "\n"); !strings.Contains(all, "-mod=mod") {
				t.Errorf("when its turn has come: %s", all)
			}
		})
	}
}
