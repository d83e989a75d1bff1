//go:build unix

package main

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) { testscript.Main(m, map[string]func(){"lab": main}) }

// TestScripts runs the command where something is wrong. GOBIN_ONLY is a folder with
// the go command, and nothing else.
func TestScripts(t *testing.T) {
	goroot := goenv(t, "GOROOT")
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Setup: func(env *testscript.Env) error {
			home := filepath.Join(env.WorkDir, ".home")
			env.Setenv("HOME", home)
			env.Setenv("XDG_CACHE_HOME", filepath.Join(home, "cache"))
			env.Setenv("GOBIN_ONLY", filepath.Join(goroot, "bin"))
			for _, name := range []string{"old", "new", "broken"} {
				if err := os.Chmod(filepath.Join(env.WorkDir, name, "jupyter-lab"), 0o755); err != nil {
					return err
				}
			}
			// The command itself is where testscript has put it.
			for _, dir := range filepath.SplitList(env.Getenv("PATH")) {
				if _, err := os.Stat(filepath.Join(dir, "lab")); err == nil {
					env.Setenv("GOBIN_ONLY", env.Getenv("GOBIN_ONLY")+string(os.PathListSeparator)+dir)
					return os.Symlink(filepath.Join(dir, "lab"), filepath.Join(env.WorkDir, "old", "lab"))
				}
			}
			return errors.New("testscript has not put lab on PATH")
		},
	})
}

func goenv(t *testing.T, name string) string {
	t.Helper()
	out, err := exec.Command("go", "env", name).Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(out))
}
